"""The promises of an exchange of amounts, after every message, on many small populations: whatever
is lost, doubled or killed, and in whichever order homes take their turns."""

from random import Random

import numpy as np
import pytest

from agents.exchange.amounts.held_home import ROUNDING
from agents.exchange.journal.amount_records import Part
from protocol.terms import ExchangeTerms
from tests.support.amount_world import AmountWorld
from tests.support.effort import CRASH_SCHEDULES
from tests.support.random_homes import random_home
from tests.support.storms import faults_by_chance, survive

SEEDS = CRASH_SCHEDULES
LARGE_EVERY = 20
"""A seed of three homes takes 0.03 s, one of more homes and rounds, as every 20th has, 0.15 s."""


class WatchedWorld(AmountWorld):
    """Homes whose promises are checked after every message."""

    def __init__(self, seed: int, chance: Random) -> None:
        # Most worlds are small, so that many can be tried.
        large = seed % LARGE_EVERY == 0
        slots = chance.randint(8, 16)
        count = chance.randint(3, 6) if large else chance.choice([2, 2, 3, 3, 4])
        homes = [random_home(1000 * seed + number, slots=slots) for number in range(count)]
        terms = ExchangeTerms(
            content="amounts",
            rounds=chance.randint(1, 3) if large else 1,
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
        self._agreed: list[Part | None] = [None] * count
        """What each home had agreed when the sums were last checked."""

    def crash(self, name: str, chance: Random) -> None:
        super().crash(name, chance)
        # What was not committed to the journal has not happened.
        self._least = [held.squares for held in self.held]
        self._seen = [{} for _ in self.held]

    def check(self) -> None:
        """Check each home that has changed, and then the sums over the homes at each feeder."""
        held = self.held
        agreed = [self.agreed(place) for place in range(len(held))]
        changed = [at for at, own in enumerate(held) if own.schedules is not self._seen[at]]
        for place in changed:
            own, schedule = held[place], self.traders[place].schedule
            self._seen[place] = own.schedules
            assert own.home.fault(own.schedules) is None
            assert np.array_equal(own.total, schedule)
            assert float(schedule.sum()) == float(self.before[place].sum())
            assert own.squares <= min(self._least[place], self.began[place]) + ROUNDING
            self._least[place] = min(self._least[place], own.squares)
        if changed or agreed != self._agreed:
            self._agreed = agreed
            now = [
                trader.schedule if part is None else trader.schedule + part.change
                for trader, part in zip(self.traders, agreed, strict=True)
            ]
            assert np.array_equal(self.by_feeder(np.array(now)), self.by_feeder(self.before))

    def agreed(self, place: int) -> Part | None:
        """Return the part for which a home is reserved, and which its requester has committed
        before the home has heard of it."""
        exchange = self.traders[place].amounts
        part = None if exchange is None else exchange.reserved
        if part is not None:
            requester = self.traders[self.places.index(part.partner)].amounts
            assert requester is not None
            if requester.has_committed(self.places[place].name, part.lease):
                return part
        return None

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
