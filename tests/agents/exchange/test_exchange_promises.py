"""Guarantees of a real exchange at every moment: mandates, the journal, counts and order."""

from collections import Counter
from random import Random

import numpy as np
import pytest

from agents.exchange.journal.entries import Entry
from agents.exchange.slot_exchange import SlotExchange
from agents.mandate import Mandate
from orchestrator.simulation.network import NO_FAULTS, NetworkFaults
from protocol.codec import decode_frame
from protocol.errors import PeerError
from protocol.messages import Outcome, Proposal, RoundDone
from protocol.messages.exchange import LeaseId
from protocol.runtime.machine import Envelope
from protocol.runtime.node import Frame
from protocol.terms import ExchangeTerms, RuleName
from protocol.vectors import Array
from tests.support.exchange_world import RUN, World


def population(seed: int, households: int, slots: int) -> tuple[Array, Array]:
    """Return schedules and preferred plans with values that repeat."""
    chance = np.random.default_rng(seed)
    return (
        chance.integers(0, 12, (households, slots)) / 4.0,
        chance.integers(0, 12, (households, slots)) / 4.0,
    )


def entries_of(world: World) -> list[Entry]:
    """Return the entries in all journals."""
    return [
        entry
        for journal in world.journals.values()
        for own in journal.entries().values()
        for entry in own
    ]


# -- mandates -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["paper", "cooperative", "mutual"])
@pytest.mark.parametrize("seed", range(2))
def test_the_drift_cap_holds_at_every_moment_with_proposals_open(seed: int, rule: RuleName) -> None:
    """Values are multiples of 0.25 kWh, so drifts come to 0.75 at most if the cap is kept."""
    schedules, preferred = population(seed, 6, 12)
    cap = 1.0
    terms = ExchangeTerms(
        rule=rule,
        tolerance_kwh=0.5 if rule == "paper" else None,
        locks="slot",
        at_once=12,
        rounds=8,
    )
    world = World(
        schedules,
        preferred,
        terms,
        faults=NetworkFaults(delay=(0.001, 0.03), seed=seed),
        mandates={position: Mandate(energy_drift=cap) for position in range(6)},
    )
    highest, most_open = 0.0, 0

    def watch() -> None:
        nonlocal highest, most_open
        drifts = world.after.sum(axis=1) - schedules.sum(axis=1)
        highest = max(highest, float(np.abs(drifts).max()))
        for trader in world.traders:
            assert isinstance(trader._exchange, SlotExchange)
            most_open = max(most_open, trader._exchange._negotiations.open)

    assert world.run(world.over, watch=watch, until=900)
    assert world.conserved()
    assert highest == pytest.approx(0.75)
    assert most_open > 1
    assert any(entry.reason == "drift" for entry in entries_of(world)), "nothing was held back"


@pytest.mark.parametrize("seed", range(2))
def test_the_discomfort_cap_holds_at_every_moment(seed: int) -> None:
    """The rule is paper, under which households take values that make them lose."""
    schedules, preferred = population(seed, 8, 6)
    terms = ExchangeTerms(rule="paper", tolerance_kwh=0.3, rounds=8)
    caps = np.full(8, np.inf)
    began = np.sqrt(((schedules - preferred) ** 2).mean(axis=1))
    caps[::2] = began[::2] * 1.02

    def highest(mandates: dict[int, Mandate]) -> Array:
        """Return each household's greatest discomfort at any moment."""
        world = World(
            schedules,
            preferred,
            terms,
            faults=NetworkFaults(delay=(0.001, 0.03), seed=seed),
            mandates=mandates,
        )
        found: Array = began.copy()

        def watch() -> None:
            np.maximum(found, world.discomforts(world.after), out=found)

        assert world.run(world.over, watch=watch, until=900)
        assert world.conserved()
        return found

    assert (highest({}) > caps).any(), "without a cap nobody goes beyond it: nothing is shown"
    capped = highest({place: Mandate(discomfort=float(caps[place])) for place in range(0, 8, 2)})
    assert (capped <= caps).all()


# -- the journal ----------------------------------------------------------------------------------


def test_every_message_was_committed_before_it_was_sent() -> None:
    schedules, preferred = population(2, 6, 4)
    terms = ExchangeTerms(rule="cooperative")
    faults = NetworkFaults(dropped=0.1, delay=(0.001, 0.02), seed=1)
    world = World(schedules, preferred, terms, hosts=3, faults=faults)
    seen: Counter[str] = Counter()

    def listen(sender: str, frame: Frame) -> None:
        if sender not in world.journals:
            return
        lasting = world.journals[sender].entries()
        for item in decode_frame(frame.data, RUN):
            own = lasting.get(item.sender, [])
            match item.message:
                case Proposal(lease=lease, slot=slot):
                    kinds = {"proposed"}
                case Outcome(lease=lease, slot=slot):
                    kinds = {"accepted", "refused"}
                case RoundDone(round=round):
                    assert any(e.kind == "risen" and e.round == round for e in own)
                    seen["RoundDone"] += 1
                    continue
                case _:
                    continue
            named = [e.kind for e in own if (e.epoch, e.lease, e.slot) == (*lease, slot)]
            assert kinds.intersection(named), f"{item} left before it was written down"
            seen[type(item.message).__name__] += 1

    world.listen = listen
    assert world.run(world.over, until=900)
    assert min(seen[kind] for kind in ("Proposal", "Outcome", "RoundDone")) > 5


# -- counts ---------------------------------------------------------------------------------------


def totals(world: World) -> list[int]:
    """Return proposals, exchanges and refusals of all rounds, as the root has them in the end."""
    rounds = [(own.proposals, own.accepted, own.refused) for own in world.traders[0].counted]
    return [sum(column) for column in zip(*rounds, strict=True)]


def small() -> World:
    """Return three households on their own hosts in sequential order, whose outcome is always the
    same."""
    schedules, preferred = population(4, 3, 3)
    terms = ExchangeTerms(rule="cooperative", order="sequential")
    faults = NetworkFaults(delay=(0.001, 0.001))
    return World(schedules, preferred, terms, hosts=3, faults=faults)


def test_a_crash_does_not_change_the_counts() -> None:
    undisturbed = small()
    events = 0

    def count() -> None:
        nonlocal events
        events += 1

    assert undisturbed.run(undisturbed.over, watch=count, until=900)
    assert totals(undisturbed)[1] > 1
    for victim in ("host0", "host1", "host2"):
        for moment in range(0, events, 3):
            world, left = small(), moment

            def crash(world: World = world, victim: str = victim, seed: int = moment) -> None:
                nonlocal left
                if left == 0:
                    world.crash(victim, Random(seed))
                left -= 1

            assert world.run(world.over, watch=crash, until=900)
            assert world.crashes == 1
            # Begun again, a household may exchange in this round what it would have in the next.
            assert totals(world) == totals(undisturbed), f"{victim} after event {moment}"
            assert (world.after == undisturbed.after).all()


def test_the_root_counts_agree_with_the_journals() -> None:
    schedules, preferred = population(7, 8, 5)
    faults = NetworkFaults(dropped=0.1, doubled=0.1, delay=(0.001, 0.05), seed=5)
    world = World(schedules, preferred, ExchangeTerms(rule="cooperative"), faults=faults)
    assert world.run(world.over, until=900)
    kinds = Counter(entry.kind for entry in entries_of(world))
    assert totals(world) == [kinds["proposed"], kinds["done"], kinds["failed"]]
    assert kinds["accepted"] == kinds["done"]
    assert kinds["refused"] == kinds["failed"] > 0
    for trader in world.traders:
        totals_so_far, trace = trader.counts, trader.trace
        assert totals_so_far.proposals == totals_so_far.accepted + totals_so_far.refused
        assert len(trace.rounds) == totals_so_far.accepted + totals_so_far.given


# -- order ----------------------------------------------------------------------------------------


class SlowMaker(World):
    """A world whose matchmakers answer slowly, to the host `slow` or to every host."""

    seconds = 0.0
    slow = ""

    def _send(self, sender: str, frames: list[Frame]) -> None:
        for frame in frames:
            maker, other = sorted((sender, frame.to), key=lambda name: not name.startswith("maker"))
            slow = maker.startswith("maker") and other.startswith(self.slow)
            delay = (self.seconds, self.seconds) if slow else (0.001, 0.001)
            self._faults = NetworkFaults(delay=delay)
            super()._send(sender, [frame])


@pytest.mark.parametrize("host", ["", "host0", "host1"])
@pytest.mark.parametrize("seconds", [0.3, 1.7])
def test_in_sequential_order_a_slow_matchmaker_changes_nothing(seconds: float, host: str) -> None:
    """An answer waits until the matchmaker knows of it; otherwise the next lookup would find an
    offer that no longer exists. 1.7 s is longer than the time after which households repeat a
    lookup."""
    schedules, preferred = population(5, 9, 5)
    terms = ExchangeTerms(rule="cooperative", order="sequential", lease_seconds=60.0)
    quick = World(schedules, preferred, terms, faults=NO_FAULTS)
    slow = SlowMaker(schedules, preferred, terms)
    slow.seconds, slow.slow = seconds, host
    for world in (quick, slow):
        assert world.run(world.over, until=90_000)
    assert slow.now > quick.now + 10 * seconds, "the matchmaker was not slow"
    assert (slow.after == quick.after).all()
    assert totals(slow) == totals(quick)
    assert not any(entry.reason == "stale" for entry in entries_of(slow))


# -- nonsense -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slot", "given", "change", "refused"),
    [
        (0, float("nan"), 0.0, "no number"),
        (0, float("inf"), 0.0, "no number"),
        (0, 1.0, float("nan"), "no number"),
        (0, 1.0, float("-inf"), "no number"),
        (3, 1.0, 0.0, "slot 3 of 3"),
        (-1, 1.0, 0.0, "slot -1 of 3"),
    ],
)
def test_invalid_proposals_are_refused_and_change_nothing(
    slot: int, given: float, change: float, refused: str
) -> None:
    world = small()
    assert world.run(lambda: all(trader.round == 1 for trader in world.traders), until=900)
    trader, other = world.traders[1], world.traders[2].address
    before = len(entries_of(world))
    nonsense = Proposal(LeaseId(9, 9), slot, given, 1.0, change)
    with pytest.raises(PeerError, match=refused):
        trader.handle(Envelope(other, trader.address, nonsense), world.now)
    for journal in world.journals.values():
        journal.commit()
    assert len(entries_of(world)) == before


def test_a_value_that_is_no_number_is_never_held() -> None:
    world = small()
    assert world.run(lambda: all(trader.round == 1 for trader in world.traders), until=900)
    trader, other = world.traders[1], world.traders[2].address
    asked = Proposal(LeaseId(9, 9), 0, 1.0, float("nan"), -9.0)
    trader.handle(Envelope(other, trader.address, asked), world.now)
    for journal in world.journals.values():
        journal.commit()
    assert [e.reason for e in entries_of(world) if e.epoch == 9] == ["stale"]
