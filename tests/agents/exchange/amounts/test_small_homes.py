"""The promises of an exchange of amounts, after every message, on many small populations: whatever
is lost, doubled or killed, and in whichever order homes take their turns."""

from random import Random

import numpy as np
import pytest

from agents.exchange.amounts.held_home import ROUNDING
from protocol.terms import ExchangeTerms
from protocol.vectors import Array
from tests.support.amount_world import AmountWorld
from tests.support.effort import CRASH_SCHEDULES
from tests.support.random_homes import random_home
from tests.support.storms import faults_by_chance, survive

SEEDS = CRASH_SCHEDULES // (2 if CRASH_SCHEDULES < 1000 else 10)
"""A seed takes a fifth of a second, so CI tries 1,000 and COFLEX_SEEDS=100000 tries 10,000."""


class WatchedWorld(AmountWorld):
    """Homes whose promises are checked after every message."""

    def __init__(self, seed: int, chance: Random) -> None:
        slots = chance.randint(8, 16)
        count = chance.randint(3, 6)
        homes = [random_home(1000 * seed + number, slots=slots) for number in range(count)]
        terms = ExchangeTerms(
            content="amounts",
            rounds=chance.randint(1, 3),
            order=chance.choice(["sequential", "concurrent"]),
            lease_seconds=1.0,
        )
        super().__init__(
            [(own.home, own.schedules) for own in homes],
            terms,
            hosts=chance.randint(1, 3),
            faults=faults_by_chance(chance, seed),
            feeders=[place % 2 for place in range(count)] if seed % 4 == 0 else (),
        )
        self._least = [held.squares for held in self.held]
        """The least sum of squared discomforts that each home has had since it last started."""
        self._seen = [held.schedules for held in self.held]

    def crash(self, name: str, chance: Random) -> None:
        super().crash(name, chance)
        # What was not committed to the journal has not happened.
        self._least = [held.squares for held in self.held]
        self._seen = [{} for _ in self.held]

    def check(self) -> None:
        """Check each home that has changed, and the sums over the homes at each feeder."""
        now = np.array([own.schedule + self.agreed(at) for at, own in enumerate(self.traders)])
        assert np.array_equal(self.by_feeder(now), self.by_feeder(self.before))
        for place, (trader, held) in enumerate(zip(self.traders, self.held, strict=True)):
            if held.schedules is self._seen[place]:
                continue
            self._seen[place] = held.schedules
            assert held.home.fault(held.schedules) is None
            assert np.array_equal(held.total, trader.schedule)
            assert float(trader.schedule.sum()) == float(self.before[place].sum())
            assert held.squares <= min(self._least[place], self.began[place]) + ROUNDING
            self._least[place] = min(self._least[place], held.squares)

    def agreed(self, place: int) -> Array:
        """Return the change that a home has reserved and its requester has committed, of which the
        home has not heard yet, float64[d] kWh."""
        exchange = self.traders[place].amounts
        part = None if exchange is None else exchange.reserved
        if part is not None:
            requester = self.traders[self.places.index(part.partner)].amounts
            assert requester is not None
            if requester.has_committed(self.places[place].name, part.lease):
                return part.change
        return np.zeros(self.before.shape[1])

    def over(self) -> bool:
        """Return True once the stage is over and nobody is reserved any more: a release may be
        lost, and is then asked for."""
        reserved = (own.amounts is None or own.amounts.reserved is not None for own in self.traders)
        return super().over() and not any(reserved)


@pytest.mark.storm
@pytest.mark.timeout(max(300, SEEDS))
def test_no_promise_is_broken_between_two_messages() -> None:
    made = crashes = 0
    for seed in range(SEEDS):
        chance = Random(seed)
        world = WatchedWorld(seed, chance)
        try:
            survive(world, chance, seed, watch=world.check)
            assert world.conserved()
            assert world.feasible()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}") from error
        made, crashes = made + world.made, crashes + world.crashes
    assert made > SEEDS / 2
    assert crashes > SEEDS / 3
