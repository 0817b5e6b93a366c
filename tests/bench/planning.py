"""Iterations of stage 1 on the bus, compared with the bare cost of the same messages over nats-py:
as many messages, of the same size, up and down the same tree between as many processes, without
planning."""

import asyncio
import multiprocessing
import struct
from multiprocessing.synchronize import Barrier
from statistics import median

from nats.aio.client import Client
from nats.aio.msg import Msg

from orchestrator.coordination.placement import Run
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.distributed.launcher import launch
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from tests.bench.measured import Measured

HOUSEHOLDS, ITERATIONS, HOSTS, SLOTS, REPEATS = 1000, 50, 2, 144, 3
_PAYLOAD = b"\0" * (8 * SLOTS + 60)


class _Bare:
    """The households of one process, without plans: they only count and pass on."""

    def __init__(self, client: Client, rank: int) -> None:
        self.client, self.rank = client, rank
        self.heard = dict.fromkeys(range(rank, HOUSEHOLDS, HOSTS), 0)
        self.left = len(self.heard)
        self.over = asyncio.Event()

    async def say(self, kind: str, to: int, iteration: int) -> None:
        data = struct.pack("<i", iteration) + _PAYLOAD
        await self.client.publish(f"bare.{to % HOSTS}.{kind}.{to}", data)

    async def up(self, household: int, iteration: int) -> None:
        if household:
            await self.say("up", (household - 1) // 2, iteration)
        else:
            await self.down(household, iteration)

    async def down(self, household: int, iteration: int) -> None:
        children = [c for c in (2 * household + 1, 2 * household + 2) if c < HOUSEHOLDS]
        for child in children:
            await self.say("down", child, iteration)
        if iteration + 1 == ITERATIONS:
            self.left -= 1
            if not self.left:
                self.over.set()
        elif not children:
            await self.up(household, iteration + 1)

    async def on(self, message: Msg) -> None:
        _, _, kind, name = message.subject.split(".")
        household, iteration = int(name), struct.unpack_from("<i", message.data)[0]
        if kind == "down":
            await self.down(household, iteration)
            return
        self.heard[household] += 1
        if self.heard[household] == min(2, HOUSEHOLDS - 1 - 2 * household):
            self.heard[household] = 0
            await self.up(household, iteration)


def _process(url: str, rank: int, times: "multiprocessing.Queue[float]", start: Barrier) -> None:
    async def go() -> None:
        client = Client()
        await client.connect(url)
        bare = _Bare(client, rank)
        await client.subscribe(f"bare.{rank}.>", cb=bare.on)
        await client.flush()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, start.wait)
        began = loop.time()
        for household in bare.heard:
            if 2 * household + 1 >= HOUSEHOLDS:
                await bare.up(household, 0)
        await bare.over.wait()
        times.put(loop.time() - began)
        await client.close()

    asyncio.run(go())


def bare_seconds() -> float:
    """Return the seconds for the messages of all iterations."""
    context = multiprocessing.get_context("spawn")
    times: multiprocessing.Queue[float] = context.Queue()
    start = context.Barrier(HOSTS)
    with EmbeddedServer() as server:
        processes = [
            context.Process(target=_process, args=(server.url, rank, times, start))
            for rank in range(HOSTS)
        ]
        for process in processes:
            process.start()
        seconds = max(times.get(timeout=120) for _ in processes)
        for process in processes:
            process.join()
    return seconds


def planning_seconds() -> float:
    """Return the seconds for the iterations of a real run in isolation task."""
    settings = RunSettings.model_validate(
        {
            **{"demo": True, "households": HOUSEHOLDS, "iterations": ITERATIONS},
            **{"isolation": "task", "hosts": HOSTS},
        }
    )

    return launch(Run("bench", read_scenario(settings))).seconds.planning


def bench() -> Measured:
    """Return the ratio of both, measured in turn."""
    pairs = [(planning_seconds(), bare_seconds()) for _ in range(REPEATS)]
    ratio = median(ours / bare for ours, bare in pairs)
    ours, bare = (median(column) for column in zip(*pairs, strict=True))
    text = (
        f"{HOUSEHOLDS} households, {ITERATIONS} iterations, {HOSTS} hosts: {ours:.2f} s, "
        f"bare messages {bare:.2f} s, ratio {ratio:.2f} (median of {REPEATS})"
    )
    return Measured(text, {"run/bare messages": ratio})
