"""A host with keys of the bus that is not part of the run: every lie that it can tell is refused,
counted and named, and the run ends as if it were not there.

All parts of the run are in this process, each on a connection of its own to a real nats-server.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pytest

from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.nodes import (
    endpoint_of,
    host_node,
    households_of,
    matchmaker_node,
    orchestrator_of,
)
from orchestrator.coordination.outcome import collect, traffic_of
from orchestrator.coordination.placement import Run
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.monitoring.presence import state_of
from orchestrator.results.run_results import RunResults, Seconds
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.security.keyring import Keyring
from protocol.codec import Item, encode_frame
from protocol.messages import (
    Abort,
    Address,
    Application,
    BundleProposal,
    Commission,
    Enrol,
    Failure,
    HostTraffic,
    Lookup,
    Match,
    Outcome,
    Proposal,
    Ready,
    Residents,
    Result,
    RoundDone,
)
from protocol.messages.exchange import WHOLE, Lease, LeaseId, RoundCount
from protocol.runtime.node import Node
from protocol.runtime.refusals import HOSTS_MAX, MUTED_AFTER
from protocol.runtime.shell import Shell
from protocol.subjects import HOST, ORCHESTRATOR, direct
from protocol.transport.nats_bus import NatsBus
from tests.support.keyring import keyring
from tests.support.nats import Ear
from tests.support.secured_bus import joined, listening
from tests.support.settings import in_simulation
from tests.support.waiting import until

pytestmark = pytest.mark.nats
RUN, STRANGER, MAKER, SLOTS = "r", "host-9", "matchmaker-1", 24
SMALL: dict[str, object] = {
    **{"demo": True, "households": 10, "slots": SLOTS, "iterations": 5, "seed": 4},
    **{"isolation": "task", "hosts": 2, "trace": True, "deadline": 60},
}
SWAPS = {"content": "slot", "exchange_order": "waves"}
COUNT = RoundCount._make([1] * len(RoundCount._fields))
Frames = Sequence[tuple[str, bytes]]
"""Frames of the stranger, each for a host."""


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return keyring(tmp_path_factory.mktemp("keys") / "keys", ["host-1", "host-2", STRANGER])


@pytest.fixture(scope="module")
def server(ring: Keyring) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(file=ring.folder / "nats.conf") as started:
        yield started


def settings(**options: object) -> RunSettings:
    return RunSettings.model_validate({**SMALL, **options})


@cache
def reference(*swaps: str) -> RunResults:
    """Return the results of the same run without a stranger."""
    return in_simulation(settings(**(SWAPS if swaps else {})))


@dataclass
class BesetRun:
    """A run on the bus, and the stranger's connection."""

    run: Run
    nodes: dict[str, Node]
    coordinator: RunCoordinator
    stranger: NatsBus
    ear: Ear
    """What the stranger hears."""
    buses: dict[str, NatsBus] = field(default_factory=dict)
    over: bool = False
    """True once the stranger is to stop."""

    async def go(self, frames: Frames, enough: Callable[[], bool]) -> RunResults:
        """Let the stranger speak before anybody enrols, until that has been `enough`, and again and
        again while the run lasts; return its results."""
        tasks = [asyncio.create_task(self._disturb(frames))]
        center = asyncio.create_task(self._drive(ORCHESTRATOR))
        tasks += [center, asyncio.create_task(self._drive(MAKER))]
        try:
            await until(enough, "refusals")
            tasks += [asyncio.create_task(self._drive(host)) for host in self.run.hosts]
            async with asyncio.timeout(60):
                await center
        finally:
            self.over = True
            for task in tasks[1:]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert self.coordinator.reason == ""
        seconds = Seconds(start=0.0, planning=0.0, total=0.0, exchange=0.0)
        own = traffic_of(self.nodes[ORCHESTRATOR])
        return collect(self.run, self.coordinator, own=own, seconds=seconds)

    async def _disturb(self, frames: Frames) -> None:
        while not self.over:
            for host, data in frames:
                await self.stranger.publish(direct(RUN, host, STRANGER), data)
            await self.stranger.flush()

    async def _drive(self, name: str) -> None:
        node = self.nodes[name]

        def done() -> bool:
            if name == ORCHESTRATOR:
                return self.coordinator.finished
            if name == MAKER:
                return endpoint_of(node).released
            return all(household.finished for household in households_of(node))

        await Shell(node, self.buses[name]).run(done)

    def refused(self, name: str) -> tuple[int, str]:
        """Return how often a part has refused the stranger, and the last of it."""
        found = self.nodes[name].refusals.by_host.get(STRANGER)
        return (0, "") if found is None else (found.times, found.what)


@contextlib.asynccontextmanager
async def beset(
    server: EmbeddedServer, ring: Keyring, **options: object
) -> AsyncIterator[BesetRun]:
    """Set up a run, and connect its parts and the stranger."""
    run = Run(RUN, read_scenario(settings(**options)))
    center, coordinator = orchestrator_of(run, bytes(range(32)))
    nodes = {ORCHESTRATOR: center}
    terms = run.scenario.exchange
    assert terms is not None
    nodes[MAKER] = matchmaker_node(RUN, MAKER, slots=SLOTS, terms=terms, life=1)
    for host in run.hosts:
        nodes[host] = host_node(RUN, host, run.plans_of(host), mandates=run.scenario.mandates)
    async with contextlib.AsyncExitStack() as stack:
        lying, ear = await stack.enter_async_context(listening(server, ring, STRANGER))
        made = BesetRun(run, nodes, coordinator, lying, ear)
        for name in nodes:
            made.buses[name] = await stack.enter_async_context(joined(server, ring, name))
        yield made


def same(results: RunResults, expected: RunResults) -> None:
    """Check that nothing came of the stranger."""
    assert results.planning_history == expected.planning_history
    assert results.rows == expected.rows
    assert results.exchanges == expected.exchanges
    assert results.exchanges
    assert results.exchange is not None
    assert results.exchange.conserved is True


def frame(*items: Item) -> bytes:
    return encode_frame(RUN, items)


def households(run: Run) -> list[tuple[str, str]]:
    """Return each household with its host."""
    return [(name, host) for host, share in run.hosts.items() for name in share]


def lookup(number: int, *, households: int = 0, wants: Sequence[int] = ()) -> Lookup:
    """A lookup that offers a great deal at every slot."""
    return Lookup(
        session=1,
        number=number,
        epoch=0,
        round=1,
        limits_bind=False,
        disclosure="value",
        slots=tuple(range(SLOTS)),
        values_kwh=np.linspace(0.0, 9.0, SLOTS),
        limits_kwh=np.zeros(0),
        withdrawn=(),
        closed=(),
        wants=tuple(wants),
        wanted_kwh=np.linspace(0.0, 9.0, len(wants)),
        tolerance_kwh=np.full(len(wants), 9.0),
        min_gain_kwh2=0.0,
        leases_max=SLOTS,
        households=households,
    )


def bundle(number: int, round: int, seal: bytes) -> BundleProposal:
    """Hardly anything, for whatever there is."""
    return BundleProposal(
        lease=LeaseId(1, number),
        disclosure="limit",
        slots=tuple(range(SLOTS)),
        values_kwh=np.linspace(0.5, 1.5, SLOTS),
        limits_kwh=np.full(SLOTS, 2.0),
        loss_kwh2=100.0,
        less_kwh=None,
        more_kwh=None,
        round=round,
        seal=seal,
    )


def swap(number: int, slot: int, round: int, seal: bytes) -> Proposal:
    lease = LeaseId(1, number)
    return Proposal(lease, slot, 0.25, 0.5, 0.0, round=round, seal=seal)


async def test_it_invents_a_household_and_proposes_without_a_lease(
    server: EmbeddedServer, ring: Keyring
) -> None:
    for options in ({}, SWAPS):
        async with beset(server, ring, **options) as run:
            wants = range(SLOTS) if options else ()
            said: list[tuple[str, bytes]] = [
                (MAKER, frame(Item(MAKER, "h99", lookup(n, households=1, wants=wants))))
                for n in (1, 2)
            ]
            for number, (name, host) in enumerate(households(run.run)):
                for round in (1, 2, 3):
                    for seal in (b"", bytes(64), bytes(96)):
                        lie = (
                            swap(number, round, round, seal)
                            if options
                            else bundle(number, round, seal)
                        )
                        said.append((host, frame(Item(name, "h99", lie))))
            results = await run.go(said, lambda: run.refused("host-1")[0] == 0)
            assert run.ear.heard == [], "nobody tells it anything"
            times, what = run.refused(MAKER)
            assert times > 0
            assert what == "Lookup: h99 on host-9 is not a household of this run"
            for host in run.run.hosts:
                assert run.refused(host)[0] > 0
            same(results, reference(*options))


async def test_it_ends_no_run_and_counts_for_nobody(server: EmbeddedServer, ring: Keyring) -> None:
    traffic = HostTraffic(messages=1, frames=1, bytes=10**12, resent=0, dropped=0)
    lies = [
        Item(ORCHESTRATOR, HOST, Failure("because")),
        Item(ORCHESTRATOR, HOST, traffic),
        Item(ORCHESTRATOR, "operator", Abort("because")),
        *(Item(ORCHESTRATOR, name, Failure("because")) for name in ("h0", "h99", MAKER)),
    ]
    async with beset(server, ring) as run:
        aborts = [
            (host, frame(*(Item(to, ORCHESTRATOR, Abort("because")) for to in (HOST, name))))
            for name, host in [*households(run.run), (MAKER, MAKER)]
        ]
        said = [(ORCHESTRATOR, frame(each)) for each in lies] + aborts
        results = await run.go(said, lambda: run.refused(ORCHESTRATOR)[0] > 20)
        assert STRANGER not in run.coordinator.traffic
        for name in (MAKER, *run.run.hosts):
            assert run.refused(name)[1].startswith("Abort")
        same(results, reference())


async def test_it_takes_no_household_from_its_host(server: EmbeddedServer, ring: Keyring) -> None:
    """Before anybody has enrolled, and with whatever session and loop."""
    result = Result(selected_plan=0, beta=0.0, discomfort_planned_kwh=0.0)
    async with beset(server, ring) as run:
        said = [
            (ORCHESTRATOR, frame(Item(ORCHESTRATOR, name, lie)))
            for name, _ in households(run.run)
            for lie in (Enrol(SLOTS), Enrol(7, session=2**60), Ready(session=2**60), result)
        ]
        results = await run.go(said, lambda: run.refused(ORCHESTRATOR)[0] > 40)
        assert set(run.coordinator.enrolled) == set(run.run.roster)
        for name, address in run.coordinator.enrolled.items():
            assert address.host == run.run.roster[name]
        assert "lives on host-" in run.refused(ORCHESTRATOR)[1]
        shown = state_of(run.run, run.nodes[ORCHESTRATOR], run.coordinator, lambda: 0.0)()
        assert [each.host for each in shown.refused] == [STRANGER]
        assert shown.refused[0].times > 40
        same(results, reference())


async def test_it_enters_nowhere_as_another(server: EmbeddedServer, ring: Keyring) -> None:
    """At the matchmaker with offers of others, at households as their partner, child, matchmaker
    or orchestrator, and at the orchestrator as a matchmaker."""
    mine = (Residents(STRANGER, ("h0", "h1")),)
    async with beset(server, ring) as run:
        said: list[tuple[str, bytes]] = [
            (ORCHESTRATOR, frame(Item(ORCHESTRATOR, MAKER, Application(5)))),
            (MAKER, frame(Item(MAKER, ORCHESTRATOR, Commission(1, 9, mine)))),
        ]
        for number, (name, host) in enumerate(households(run.run)):
            lease = Lease(LeaseId(1, number), WHOLE, Address(STRANGER, "h0"), 0.0, 15.0)
            match = Match(1, 1, 1, anew=False, engaged=False, leases=(lease,), none=(), busy=())
            done = RoundDone(round=0, count=COUNT, changed=())
            outcome = Outcome(LeaseId(1, 1), WHOLE, accepted=False, reason="loss")
            said.append((MAKER, frame(Item(MAKER, name, lookup(number, households=1)))))
            said += [
                (host, frame(Item(name, MAKER, match))),
                *((host, frame(Item(name, other, done))) for other, _ in households(run.run)),
                *((host, frame(Item(name, other, outcome))) for other, _ in households(run.run)),
            ]
        results = await run.go(said, lambda: run.refused(MAKER)[0] > 0)
        assert run.ear.heard == []
        assert all(run.refused(name)[0] for name in run.nodes)
        assert run.coordinator.commissions.epochs[MAKER] == {1: 1}
        same(results, reference())


async def test_it_gets_no_leases_to_sit_on(server: EmbeddedServer, ring: Keyring) -> None:
    async with beset(server, ring, **SWAPS) as run:
        names = [f"h{number}" for number in range(90, 99)]
        said = [
            (MAKER, frame(Item(MAKER, name, lookup(number, wants=range(SLOTS)))))
            for number in (1, 2, 3)
            for name in names
        ]
        results = await run.go(said, lambda: True)
        times, what = run.refused(MAKER)
        assert times > 0
        assert what.startswith("Lookup: h9")
        assert run.ear.heard == []
        same(results, reference("swaps"))


async def test_a_flood_is_dropped_and_takes_no_memory(
    server: EmbeddedServer, ring: Keyring
) -> None:
    """Of frames that cannot be read, of messages for nobody, and of forged proposals."""
    async with beset(server, ring) as run:
        noise = [b"", b"\xc1" * 100, frame(Item("nobody", "h1", Ready()))]
        noise += [frame(*(Item("h1", "h99", bundle(n, 1, bytes(704))) for n in range(8)))]
        said = [(host, data) for data in noise for host in run.nodes]
        enough = 3 * MUTED_AFTER
        results = await run.go(said, lambda: run.refused(ORCHESTRATOR)[0] > enough)
        for node in run.nodes.values():
            assert node.refusals.by_host[STRANGER].times > MUTED_AFTER
            assert node.refusals.is_noise(STRANGER)
            assert len(node.refusals.by_host) <= HOSTS_MAX
        same(results, reference())
