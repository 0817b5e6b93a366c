"""The exchange of bundles as a whole, in one process: what must hold whatever happens, and how far
it comes."""

from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.exchange.journal.entries import Kind
from agents.exchange.journal.records import read_deal
from agents.mandate import Mandate
from orchestrator.simulation.network import NO_FAULTS, NetworkFaults
from protocol.terms import DisclosureName, ExchangeTerms, RuleName
from protocol.vectors import Array
from tests.support.effort import CRASH_SCHEDULES, examples
from tests.support.energy_households import energy_households
from tests.support.exchange_world import World
from tests.support.storms import breaks_when_killed, faults_by_chance, forgetting, survive

SEEDS = CRASH_SCHEDULES
DRIFT = 0.3


def bundles(
    rule: RuleName = "mutual",
    *,
    disclosure: DisclosureName = "limit",
    drift: float | None = DRIFT,
    min_gain: float = 0.01,
    rounds: int = 8,
    lease_seconds: float = 15.0,
) -> ExchangeTerms:
    return ExchangeTerms(
        rule=rule,
        content="bundle",
        energy_drift_kwh=drift,
        disclosure=disclosure,
        min_gain=min_gain,
        rounds=rounds,
        order="waves",
        lease_seconds=lease_seconds,
    )


def population(seed: int, households: int, slots: int) -> tuple[Array, Array]:
    """Return schedules and preferred plans of households that have suitable partners."""
    schedules, preferred = np.random.default_rng(seed).random((2, households, slots))
    return schedules, preferred


def drifts(world: World) -> Array:
    return np.asarray(np.abs((world.after - world.before).sum(axis=1)))


def losses(world: World) -> list[tuple[str, float]]:
    """Return the exchanges in which somebody's discomfort rose, from the journals."""
    found = []
    for position, place in enumerate(world.places):
        held = world.before[position].copy()
        for entry in world.journals[place.host].entries()[place.name]:
            if entry.kind not in ("done", "accepted"):
                continue
            before = float(np.sqrt(((held - world.preferred[position]) ** 2).mean()))
            slots, taken = read_deal(entry.data)
            held[list(slots)] = taken
            after = float(np.sqrt(((held - world.preferred[position]) ** 2).mean()))
            if after > before:
                found.append((place.name, after - before))
        assert (held == world.after[position]).all()
    return found


@settings(max_examples=examples(40), deadline=None)
@given(
    seed=st.integers(0, 10**6),
    households=st.integers(1, 9),
    slots=st.integers(1, 8),
    rule=st.sampled_from(["mutual", "cooperative"]),
    disclosure=st.sampled_from(["value", "direction", "limit"]),
    drift=st.sampled_from([None, 0.0, 0.05, 0.5]),
)
def test_values_only_change_hands(
    seed: int,
    households: int,
    slots: int,
    rule: RuleName,
    disclosure: DisclosureName,
    drift: float | None,
) -> None:
    schedules, preferred = population(seed, households, slots)
    world = World(
        schedules,
        preferred,
        bundles(rule, disclosure=disclosure, drift=drift),
        faults=NetworkFaults(delay=(0.001, 0.02), seed=seed),
    )

    def watch() -> None:
        assert drift is None or drifts(world).max() <= drift

    assert world.run(world.over, until=900, watch=watch)
    assert world.conserved()
    assert (world.discomforts(world.after) <= world.discomforts(world.before)).all()
    if rule == "mutual":
        assert losses(world) == []


@pytest.mark.parametrize("makers", [0, 1, 3])
@pytest.mark.parametrize("rule", ["mutual", "cooperative"])
def test_hosts_and_delays_change_nothing(rule: RuleName, makers: int) -> None:
    schedules, preferred = population(5, 14, 20)
    spread = [(1, NO_FAULTS), (14, NO_FAULTS)]
    spread += [
        (hosts, NetworkFaults(delay=(0.001, longest), seed=hosts))
        for hosts, longest in ((3, 0.04), (14, 0.4), (7, 1.0))
    ]
    worlds = [
        World(schedules, preferred, bundles(rule), hosts=hosts, makers=makers, faults=faults)
        for hosts, faults in spread
    ]
    for world in worlds:
        assert world.run(world.over, until=9000)
        assert (world.after == worlds[0].after).all()
        counted = [[count[:8] for count in each.traders[0].counted] for each in (world, worlds[0])]
        assert counted[0] == counted[1]
    assert (worlds[0].after != schedules).any()


def test_most_talks_succeed_and_both_sides_count_them() -> None:
    schedules, preferred = population(7, 12, 24)
    world = World(schedules, preferred, bundles())
    assert world.run(world.over, until=900)
    totals = [sum(column) for column in zip(*world.traders[0].counted, strict=True)]
    lookups, matches, proposals, accepted, refused = totals[1:6]
    assert lookups == 12 * (len(world.traders[0].counted) - 2)
    assert matches == proposals == accepted + refused
    assert accepted > 10
    assert accepted == sum(trader.counts.given for trader in world.traders)
    assert refused == sum(trader.counts.withheld for trader in world.traders)
    for trader in world.traders:
        trace = trader.trace
        assert len(trace.slots) == len(trace.given_kwh) == len(trace.gains_kwh2)
        assert len(set(trace.leases)) == trader.counts.accepted + trader.counts.given


@pytest.mark.parametrize("makers", [0, 2, 5])
def test_without_one_matchmaker_for_all_nearly_as_much_is_gained(makers: int) -> None:
    schedules, preferred = population(19, 30, 24)
    worlds = [World(schedules, preferred, bundles(rounds=40), makers=each) for each in (1, makers)]
    gains = []
    for world in worlds:
        assert world.run(world.over, until=9000)
        assert world.conserved()
        assert losses(world) == []
        gains.append((world.discomforts(schedules) - world.discomforts(world.after)).mean())
    assert gains[1] > 0.75 * gains[0]


# -- crashes --------------------------------------------------------------------------------------


def storm(seed: int) -> World:
    """Let a small population exchange bundles in a storm."""
    chance = Random(seed)
    schedules, preferred = population(seed, chance.randint(2, 5), chance.randint(2, 5))
    terms = bundles(
        chance.choice(["mutual", "cooperative"]),
        disclosure=chance.choice(["direction", "limit"]),
        drift=chance.choice([None, 0.3]),
        rounds=4,
        lease_seconds=1.0,
    )
    faults = faults_by_chance(chance, seed)
    makers = chance.choice([0, 1, 1, 2])
    world = World(
        schedules, preferred, terms, hosts=chance.randint(1, 3), makers=makers, faults=faults
    )
    survive(world, chance, seed)
    return world


@pytest.mark.storm
@pytest.mark.timeout(max(300, SEEDS))
def test_crashes_losses_and_repetitions_lose_and_double_nothing() -> None:
    crashed: set[Kind] = set()
    for seed in range(SEEDS):
        world = storm(seed)
        assert world.conserved(), f"seed {seed}"
        if world.terms.energy_drift_kwh is not None:
            assert drifts(world).max() <= world.terms.energy_drift_kwh, f"seed {seed}"
        if world.terms.rule == "mutual":
            assert losses(world) == [], f"seed {seed}"
        after, before = world.discomforts(world.after), world.discomforts(world.before)
        assert (after <= before).all(), f"seed {seed}"
        leases = set()
        for journal in world.journals.values():
            for lines in journal.entries().values():
                crashed.update(
                    earlier.kind for earlier, entry in pairwise(lines) if entry.kind == "resume"
                )
                for entry in lines:
                    if entry.kind == "proposed":
                        lease = entry.household, entry.epoch, entry.lease
                        assert lease not in leases, f"seed {seed}"
                        leases.add(lease)
    if SEEDS >= 100:
        # Hosts have died at every step of a talk.
        assert {"proposed", "countered", "done", "accepted", "settled"} <= crashed


@pytest.mark.parametrize("kind", ["done", "accepted"])
def test_a_journal_that_forgets_is_found_out(kind: Kind) -> None:
    schedules, preferred = population(3, 6, 12)

    def world(faults: NetworkFaults) -> World:
        return World(schedules, preferred, bundles(), faults=faults, journal=forgetting(kind))

    assert breaks_when_killed(world, after_round=2)


# -- mandates, disclosure and nonsense ------------------------------------------------------------


def test_a_mandate_is_never_overstepped() -> None:
    schedules, preferred = population(11, 12, 16)
    mandates = {
        0: Mandate(never=frozenset({1, 2})),
        1: Mandate(exchange=False),
        2: Mandate(energy_drift=0.01),
        3: Mandate(rule="mutual"),
        4: Mandate(discomfort=0.2),
    }
    free, bound_by = (
        World(schedules, preferred, bundles("cooperative"), mandates=each)
        for each in (None, mandates)
    )
    for world in (free, bound_by):
        assert world.run(world.over, until=900)
        assert world.conserved()
    assert (free.after[0, [1, 2]] != schedules[0, [1, 2]]).any()
    assert (bound_by.after[0, [1, 2]] == schedules[0, [1, 2]]).all()
    assert (bound_by.after[0] != schedules[0]).any()
    assert (free.after[1] != schedules[1]).any()
    assert (bound_by.after[1] == schedules[1]).all()
    assert drifts(free)[2] > 0.01 >= drifts(bound_by)[2]
    assert not [name for name, _ in losses(bound_by) if name == "h0003"]


def test_a_household_that_discloses_nothing_is_asked_and_never_asks() -> None:
    schedules, preferred = population(13, 8, 16)
    world = World(schedules, preferred, bundles(), mandates={0: Mandate(disclosure="value")})
    assert world.run(world.over, until=900)
    assert world.traders[0].counts.proposals == 0
    assert world.traders[0].counts.given > 0
    assert losses(world) == []


def test_more_disclosure_comes_further() -> None:
    schedules, preferred = population(17, 30, 24)
    after = []
    levels: tuple[DisclosureName, ...] = ("value", "direction", "limit")
    for disclosure in levels:
        world = World(schedules, preferred, bundles(disclosure=disclosure, rounds=12))
        assert world.run(world.over, until=900)
        after.append(world.discomforts(world.after).mean())
    assert after[0] == world.discomforts(schedules).mean()
    assert after[0] > after[1] > after[2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "makers", "min_gain", "comfort", "unfairness", "messages"),
    [
        ("mutual", 1, 0.5, 0.914, 0.030, 30_000),
        ("mutual", 4, 0.5, 0.914, 0.030, 30_000),
        ("mutual", 0, 0.5, 0.900, 0.030, 40_000),
        ("cooperative", 1, 0.1, 0.922, 0.010, 60_000),
    ],
)
def test_real_households_come_as_far_as_promised(
    shared: Path,
    rule: RuleName,
    makers: int,
    min_gain: float,
    comfort: float,
    unfairness: float,
    messages: int,
) -> None:
    schedules, preferred = energy_households(shared)
    terms = bundles(rule, drift=0.05, min_gain=min_gain, rounds=50)
    world = World(schedules, preferred, terms, makers=makers)
    assert world.run(world.over, until=9000)
    assert world.conserved()
    assert drifts(world).max() <= 0.05
    after = world.discomforts(world.after)
    assert (after <= world.discomforts(world.before)).all()
    assert rule == "cooperative" or losses(world) == []
    assert 1 - after.mean() >= comfort
    assert after.std() <= unfairness
    assert sum(count.messages + count.answers for count in world.traders[0].counted) <= messages
