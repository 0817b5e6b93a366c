"""Committed exchanges per second on the bus with journals, compared with the bare cost of requests
and replies over nats-py: a lookup with its answer and a proposal with its outcome are two such
pairs."""

import asyncio
import multiprocessing
import tempfile
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median

from nats.aio.client import Client
from nats.aio.msg import Msg

from orchestrator.coordination.placement import Run
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.distributed.launcher import launch
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from tests.bench.measured import Measured

HOUSEHOLDS, HOSTS, ITERATIONS, REPEATS = 1000, 2, 20, 3
REQUESTS = 5000
_PAYLOAD = b"\0" * 300


def _answer(url: str, ready: Event) -> None:
    """Answer in another process until it is ended."""

    async def go() -> None:
        client = Client()
        await client.connect(url)

        async def reply(message: Msg) -> None:
            await message.respond(_PAYLOAD)

        await client.subscribe("bare", cb=reply)
        await client.flush()
        ready.set()
        await asyncio.Event().wait()

    asyncio.run(go())


def bare_requests() -> float:
    """Return the requests and replies per second between two processes, one after another."""
    context = multiprocessing.get_context("spawn")
    ready = context.Event()

    async def ask(url: str) -> float:
        client = Client()
        await client.connect(url)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(REQUESTS):
            await client.request("bare", _PAYLOAD, timeout=30)
        seconds = loop.time() - began
        await client.close()
        return REQUESTS / seconds

    with EmbeddedServer() as server:
        other = context.Process(target=_answer, args=(server.url, ready))
        other.start()
        try:
            ready.wait()
            return asyncio.run(ask(server.url))
        finally:
            other.terminate()
            other.join()


def exchanging() -> RunResults:
    """Do a run with both stages in isolation task."""
    settings = RunSettings.model_validate(
        {
            **{"demo": True, "households": HOUSEHOLDS, "iterations": ITERATIONS},
            **{"isolation": "task", "hosts": HOSTS, "content": "slot"},
        }
    )

    with tempfile.TemporaryDirectory() as journals:
        return launch(Run("bench", read_scenario(settings)), kept=Path(journals))


def bench() -> Measured:
    """Return the ratio of both, measured in turn."""
    speeds, messages, bare = [], [], []
    for _ in range(REPEATS):
        results = exchanging()
        exchange, seconds = results.exchange, results.seconds.exchange
        assert exchange is not None
        assert seconds is not None
        assert exchange.messages_per_exchange is not None
        speeds.append(exchange.accepted / seconds)
        messages.append(exchange.messages_per_exchange)
        bare.append(bare_requests())
    ratio = median(speeds) / median(bare)
    text = (
        f"{HOUSEHOLDS} households, {HOSTS} hosts, journals on: {median(speeds):,.0f} exchanges a "
        f"second with {median(messages):.1f} messages each; bare request and reply "
        f"{median(bare):,.0f} a second, ratio {ratio:.2f} "
        f"(medians of {REPEATS})"
    )
    return Measured(text, {"exchanges/bare requests": ratio})
