"""Homes exchange amounts over a network with faults, while hosts and matchmaker are killed."""

from dataclasses import replace
from random import Random

import pytest

from agents.devices.home import Home, Schedules
from orchestrator.simulation.network import NetworkFaults
from protocol.terms import ExchangeTerms, OrderName, RuleName
from tests.support.amount_world import AmountWorld
from tests.support.effort import CRASH_SCHEDULES
from tests.support.random_homes import random_home
from tests.support.storms import faults_by_chance, survive

SEEDS = min(CRASH_SCHEDULES // 10, 200)
RULES: tuple[RuleName, ...] = ("mutual", "cooperative")
ORDERS: tuple[OrderName, ...] = ("concurrent", "sequential")


def homes(count: int, seed: int) -> list[tuple[Home, Schedules]]:
    held = [random_home(1000 * seed + number) for number in range(count)]
    return [(own.home, own.schedules) for own in held]


def terms(rule: RuleName = "mutual", order: OrderName = "concurrent") -> ExchangeTerms:
    return ExchangeTerms(rule=rule, content="amounts", rounds=3, order=order, lease_seconds=1.0)


def test_homes_gain_and_lose_nothing() -> None:
    world = AmountWorld(homes(12, 1), terms(order="sequential"))
    before = sum(held.squares for held in world.held)
    assert world.run(world.over, until=600)
    assert world.conserved()
    assert world.feasible()
    assert world.made > 0
    assert sum(held.squares for held in world.held) < 0.9 * before


@pytest.mark.storm
@pytest.mark.timeout(max(300, 10 * SEEDS))
def test_whatever_is_lost_or_killed_no_home_is_infeasible_and_the_sum_stays() -> None:
    made = crashes = 0
    for seed in range(SEEDS):
        chance = Random(seed)
        world = AmountWorld(
            homes(chance.randint(2, 6), seed),
            terms(chance.choice(RULES), chance.choice(ORDERS)),
            hosts=chance.randint(1, 3),
            faults=faults_by_chance(chance, seed),
        )
        # In turn, and with a lease waited for whenever a talk is lost: the slowest takes 620 s.
        survive(world, chance, seed, until=1200.0)
        assert world.conserved(), f"seed {seed}"
        assert world.feasible(), f"seed {seed}"
        made, crashes = made + world.made, crashes + world.crashes
    assert made > SEEDS
    assert crashes > SEEDS / 3


def test_no_home_is_infeasible_between_two_messages() -> None:
    faults = NetworkFaults(delay=(0.001, 0.01), seed=5)
    world = AmountWorld(homes(10, 5), terms(order="sequential"), faults=faults)

    def check() -> None:
        assert world.feasible()

    assert world.run(world.over, watch=check, until=600)
    assert world.made > 0


def test_in_sequential_order_the_network_changes_nothing() -> None:
    def run(seed: int) -> list[list[float]]:
        faults = NetworkFaults(dropped=0.1, delay=(0.001, 0.01), seed=seed)
        patient = replace(terms(order="sequential"), lease_seconds=100.0)
        world = AmountWorld(homes(6, 7), patient, faults=faults)
        assert world.run(world.over, until=600)
        return [row.tolist() for row in world.after]

    assert run(1) == run(2)
