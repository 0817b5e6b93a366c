"""What the gate and sealed leases cost, and what a flood costs: committed exchanges per second with
and without them, in turn; and how long a run takes while a stranger sends 10,000 frames a second.

    python -m tests.bench security

A run without them is one of before: the table of roles is not asked, and leases are not sealed.
Both runs exchange the same.
"""

import contextlib
import multiprocessing
import socket
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median
from unittest.mock import patch
from urllib.parse import urlsplit

import numpy as np

from agents.peers import Peers
from orchestrator.coordination.placement import Run
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.distributed.launcher import launch
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from protocol.codec import Item, encode_frame
from protocol.messages import BundleProposal, Failure, Ready
from protocol.messages.exchange import LeaseId
from protocol.subjects import HOST, ORCHESTRATOR, direct
from tests.bench.measured import Measured
from tests.support.gate import EVERY_ROLE
from tests.support.lookups import lookup

HOUSEHOLDS, HOSTS, ITERATIONS, SLOTS, REPEATS = 200, 2, 5, 48, 2
RUN, STRANGER, MAKER = "bench", "host-9", "matchmaker-1"
FRAMES_A_SECOND, BURST = 10_000, 100


def exchanging(nats: str | None = None) -> RunResults:
    """Do a run of single slots in isolation task."""
    settings = RunSettings.model_validate(
        {
            **{"demo": True, "households": HOUSEHOLDS, "iterations": ITERATIONS, "slots": SLOTS},
            **{"isolation": "task", "hosts": HOSTS, "content": "slot", "nats": nats},
        }
    )
    with tempfile.TemporaryDirectory() as journals:
        return launch(Run(RUN, read_scenario(settings)), kept=Path(journals))


@contextlib.contextmanager
def unguarded() -> Iterator[None]:
    """Let everybody say everything, and seal no leases, in hosts and orchestrator."""
    with (
        patch.object(Peers, "roles_of", lambda self, sender: EVERY_ROLE),
        patch("protocol.runtime.node.admit", lambda roles, envelope: None),
        patch("orchestrator.distributed.launcher.token_bytes", lambda size: None),
    ):
        yield


def rate(results: RunResults) -> float:
    """Return the exchanges per second of stage 2."""
    assert results.exchange is not None
    assert results.seconds.exchange is not None
    return results.exchange.accepted / results.seconds.exchange


def noise() -> list[tuple[str, bytes]]:
    """Return what the stranger sends: bytes that cannot be read, lookups of a household that there
    is not, proposals without a lease, and failures."""
    values = np.linspace(0.0, 1.0, SLOTS)
    asked = lookup(limits_bind=False, slots=tuple(range(SLOTS)), values_kwh=values)
    proposal = BundleProposal(
        lease=LeaseId(1, 1),
        disclosure="value",
        slots=tuple(range(SLOTS)),
        values_kwh=values,
        limits_kwh=np.zeros(0),
        loss_kwh2=0.0,
        less_kwh=None,
        more_kwh=None,
        round=1,
        seal=bytes(512),
    )
    hosts = [f"host-{number}" for number in range(1, HOSTS + 1)]
    return [
        (MAKER, encode_frame(RUN, [Item(MAKER, "h999", asked)])),
        (ORCHESTRATOR, encode_frame(RUN, [Item(ORCHESTRATOR, HOST, Failure("because"))])),
        *((host, encode_frame(RUN, [Item("h1", "h999", proposal)])) for host in hosts),
        *((name, b"\xc1" * 100) for name in (*hosts, MAKER, ORCHESTRATOR)),
        *((name, encode_frame(RUN, [Item("nobody", "h1", Ready())])) for name in hosts),
    ]


def _flood(url: str, begun: Event) -> None:
    """Send noise until ended, in the server's own words: a client of nats-py would take as much
    processor time as the parts of the run."""
    words = [
        b"PUB %s %d\r\n%s\r\n" % (direct(RUN, host, STRANGER).encode(), len(data), data)
        for host, data in noise()
    ]
    burst = b"".join(words[number % len(words)] for number in range(BURST))
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port)) as server:
        server.recv(4096)
        server.sendall(b'CONNECT {"verbose": false}\r\n')
        began, sent = time.monotonic(), 0
        while True:
            server.sendall(burst)
            sent += BURST
            begun.set()
            time.sleep(max(0.0, began + sent / FRAMES_A_SECOND - time.monotonic()))


def seconds(*, flooded: bool) -> float:
    """Return how long both stages of a run take."""
    context = multiprocessing.get_context("spawn")
    with EmbeddedServer() as server, contextlib.ExitStack() as stack:
        if flooded:
            begun = context.Event()
            other = context.Process(target=_flood, args=(server.url, begun))
            other.start()
            stack.callback(other.join)
            stack.callback(other.terminate)
            begun.wait()
        took = exchanging(server.url).seconds
        assert took.exchange is not None
        return took.planning + took.exchange


def bench() -> Measured:
    """Return both ratios, each measured in turn."""
    guarded, open_to_all, quiet, flooded = [], [], [], []
    for _ in range(REPEATS):
        guarded.append(rate(exchanging()))
        with unguarded():
            open_to_all.append(rate(exchanging()))
        quiet.append(seconds(flooded=False))
        flooded.append(seconds(flooded=True))
    kept = median(guarded) / median(open_to_all)
    slower = median(flooded) / median(quiet)
    text = (
        f"{HOUSEHOLDS} households, {HOSTS} hosts: {median(guarded):,.0f} exchanges a second with "
        f"gate and sealed leases, {median(open_to_all):,.0f} without, ratio {kept:.2f}; under "
        f"{FRAMES_A_SECOND:,} frames a second of a stranger a run takes {median(flooded):.1f} s, "
        f"else {median(quiet):.1f} s, ratio {slower:.2f} (medians of {REPEATS})"
    )
    return Measured(text, {"guarded/unguarded": kept, "flooded/quiet": slower})
