"""Top trading cycles over matchmakers and the tree: equal to the central computation, whatever the
network does, and all or nothing whoever is killed."""

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.exchange.cycles.cycle_exchange import POOL
from agents.mandate import Mandate
from matchmaker.trading_matchmaker import TradingMatchmaker
from orchestrator.baselines.trading_cycles import trade_in_cycles
from orchestrator.simulation.network import NO_FAULTS, NetworkFaults
from protocol.messages import Trades
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms
from protocol.vectors import Array
from tests.support.effort import CRASH_SCHEDULES, examples
from tests.support.energy_households import energy_households
from tests.support.exchange_world import World
from tests.support.storms import faults_by_chance, forgetting, survive

SEEDS = CRASH_SCHEDULES


def cycles(seed: int = 0) -> ExchangeTerms:
    return ExchangeTerms(rule="ttc", disclosure="value", order="waves", seed=seed)


def population(seed: int, households: int, slots: int) -> tuple[Array, Array]:
    """Return schedules and preferred plans, kWh, with equal values here and there."""
    schedules, preferred = np.random.default_rng(seed).integers(0, 16, (2, households, slots)) / 8.0
    return schedules, preferred


def centrally(world: World) -> Array:
    names = [place.name for place in world.places]
    return trade_in_cycles(world.before, world.preferred, names, seed=world.terms.seed)


@settings(max_examples=examples(150), deadline=None)
@given(
    seed=st.integers(0, 10**6),
    households=st.integers(1, 12),
    slots=st.integers(1, 8),
    hosts=st.integers(1, 4),
    makers=st.integers(1, 3),
    longest=st.sampled_from([0.0, 0.02, 1.0]),
)
def test_the_trades_are_those_of_a_central_computation(
    seed: int, households: int, slots: int, hosts: int, makers: int, longest: float
) -> None:
    schedules, preferred = population(seed, households, slots)
    faults = NetworkFaults(delay=(0.001, longest), seed=seed) if longest else NO_FAULTS
    world = World(schedules, preferred, cycles(seed), hosts=hosts, makers=makers, faults=faults)
    assert world.run(world.over, until=900)
    assert (world.after == centrally(world)).all()
    assert world.conserved()
    assert (np.abs(world.after - preferred) <= np.abs(schedules - preferred)).all()
    counted, changed = world.traders[0].counted, int((world.after != schedules).sum())
    assert sum(count.lookups for count in counted) == (schedules != preferred).sum()
    assert sum(count.matches for count in counted) == changed
    assert sum(count.proposals for count in counted) == changed
    assert sum(count.accepted for count in counted) == changed


def test_without_trades_the_stage_ends_with_the_pools() -> None:
    schedules, preferred = np.array([[1.0], [2.0]]), np.array([[0.0], [3.0]])
    world = World(schedules, preferred, cycles())
    assert world.run(world.over, until=900)
    assert len(world.traders[0].counted) == POOL + 2


@pytest.mark.timeout(300)
def test_real_households_trade_as_centrally_computed(shared: Path) -> None:
    schedules, preferred = energy_households(shared)
    world = World(schedules, preferred, cycles(), hosts=4)
    assert world.run(world.over, until=900)
    assert (world.after == centrally(world)).all()
    assert world.conserved()
    discomforts = world.discomforts(world.after)
    assert (discomforts <= world.discomforts(schedules)).all()
    assert 1 - discomforts.mean() == pytest.approx(0.875, abs=0.004)
    messages = sum(count.messages + count.answers for count in world.traders[0].counted)
    assert messages <= 20_000


def storm(seed: int) -> World:
    """Run a small population through faults and kills; return it at its end."""
    chance = Random(seed)
    schedules, preferred = population(seed, chance.randint(2, 6), chance.randint(1, 4))
    world = World(
        schedules,
        preferred,
        cycles(seed),
        hosts=chance.randint(1, 3),
        makers=chance.randint(1, 2),
        faults=faults_by_chance(chance, seed),
    )
    survive(world, chance, seed)
    return world


@pytest.mark.storm
@pytest.mark.timeout(max(300, SEEDS))
def test_crashes_losses_and_repetitions_change_nothing() -> None:
    crashes = 0
    for seed in range(SEEDS):
        world = storm(seed)
        assert world.conserved(), f"seed {seed}"
        assert (world.after == centrally(world)).all(), f"seed {seed}"
        crashes += world.crashes
    assert crashes > (SEEDS if SEEDS >= 100 else SEEDS / 2)


def test_a_kill_finds_a_journal_that_forgets() -> None:
    """A planted fault: what a household has taken is not kept."""

    def lost(seed: int) -> bool:
        schedules, preferred = population(seed, 6, 4)
        world = World(schedules, preferred, cycles(), hosts=3, journal=forgetting("done"))
        assert world.run(world.over, until=900)
        world.crash("host0", Random(seed))
        return not world.conserved()

    assert any(map(lost, range(5)))


class Mistaken(TradingMatchmaker):
    """A planted fault: it tells a household to take what nobody gives."""

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        out = super().handle(envelope, now)
        for place, said in enumerate(out):
            if isinstance(said.message, Trades) and len(said.message.slots):
                values = said.message.values_kwh.copy()
                values[0] += 2**-20
                out[place] = Envelope(
                    said.sender, said.to, replace(said.message, values_kwh=values)
                )
                break
        return out


def test_trades_that_do_not_balance_are_not_made() -> None:
    schedules, preferred = population(5, 7, 6)
    world = World(schedules, preferred, cycles(), hosts=7)
    maker = world.makers[0]
    mistaken = Mistaken(maker, schedules.shape[1], seed=0)
    world.nodes[maker.host].machines[maker.name] = mistaken
    assert world.run(world.over, until=900)
    assert (world.after == schedules).all()
    assert world.traders[0].counted[-1].matches > 0


def test_a_mandate_is_never_overstepped() -> None:
    schedules, preferred = population(11, 10, 8)
    mandates = {
        0: Mandate(never=frozenset({1, 2})),
        1: Mandate(exchange=False),
        2: Mandate(discomfort=0.1),
    }
    world = World(schedules, preferred, cycles(), mandates=mandates)
    assert world.run(world.over, until=900)
    assert (world.after[0, 1:3] == schedules[0, 1:3]).all()
    assert (world.after[1] == schedules[1]).all()
    assert (world.after != schedules).any()
    assert (world.discomforts(world.after) <= world.discomforts(world.before)).all()


def test_few_messages_are_sent() -> None:
    schedules, preferred = np.random.default_rng(3).random((2, 60, 24))
    world = World(schedules, preferred, cycles(), hosts=60)
    assert world.run(world.over, until=900)
    sent = sum(count.messages + count.answers for count in world.traders[0].counted)
    assert sent <= 60 * 80
