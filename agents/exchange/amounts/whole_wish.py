"""Wholes: moves that cannot be divided at will, for which a home gathers room from partners.

A whole is a cycle at a better start, or what a car takes in one slot moved to another: all of it,
or as much as the car can take there. The home makes it only if its own stores and its partners
together make enough room.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from agents.devices.cycle import Cycle
from agents.devices.device import discomfort
from agents.devices.store import Store
from agents.devices.store_moves import moved, room, room_of
from agents.exchange.amounts.announcement import Announcement
from agents.exchange.amounts.held_home import HeldHome
from agents.exchange.amounts.pair_moves import (
    LEAST_GAIN,
    Limits,
    serve,
    squares_of,
)
from agents.exchange.amounts.wish import WishKind
from protocol.messages.amounts import PARTNERS_MAX
from protocol.vectors import Array

IDLE_MAX = 4
"""Number of partners in a row without any room after which the rest are not asked."""
STARTS_MAX = 3
"""Greatest number of better starts that a home tries for a cycle in one round."""
MOVES_MAX = 3
"""Greatest number of moves that a home tries for a car in one round."""


@dataclass(frozen=True, slots=True)
class CarMove:
    """Energy of a car moved from one slot to another; less than all of it may do."""

    store: Store
    move: tuple[int, int]


class WholeWish:
    """An indivisible change that a home wants. Its own stores contribute what costs nothing."""

    kind: WishKind = "whole"
    partners_max = PARTNERS_MAX

    def __init__(
        self, held: HeldHome, name: str, schedule: Array, *, car: CarMove | None = None
    ) -> None:
        """Set up a wish for a new schedule of one device."""
        self._held, self._name, self._schedule, self._car = held, name, schedule, car
        wanted = schedule - held.schedules[name]
        self._own = serve(held, Limits.of(-wanted), without=name)
        self.rest = held.change_of({name: schedule, **self._own})
        """The change for which room is missing, float64[d] kWh."""
        self._idle = 0

    @property
    def indivisible(self) -> bool:
        """True for a cycle: less of a car's move may do."""
        return self._car is None

    def wanted(self) -> Announcement | None:
        """Return the rest; None if nothing is missing, or partners keep having no room."""
        never = bool(self.rest[~self._held.traded].any())
        if never or not self.rest.any() or self._idle == IDLE_MAX:
            return None
        return Announcement(up_kwh=np.maximum(self.rest, 0.0), down_kwh=np.maximum(-self.rest, 0.0))

    def proposed(self, gives: Announcement) -> Array:
        """Return the whole rest, whatever the partner announces."""
        return self.rest

    def answered(self, part: Array) -> Array | None:
        """Take a partner's part. It is never asked twice."""
        self._idle = 0 if part.any() else self._idle + 1
        self.rest = self.rest - part
        return None

    def changed(self) -> Mapping[str, Array] | None:
        """Return the new schedules if there is room for all of the change, or enough for a car."""
        changed = {self._name: self._schedule, **self._own}
        if not self.rest.any():
            return changed
        return None if self._car is None else self._less(self._car, changed)

    def _less(self, car: CarMove, changed: dict[str, Array]) -> dict[str, Array] | None:
        """Return the schedules with as much of a car's move as there is room for."""
        present = self._held.schedules[car.store.name]
        now = self._schedule - self.rest
        amount = float(now[car.move[1]] - present[car.move[1]])
        if not room_of(car.store, present, car.move).allows((0, 0), amount):
            return None
        if float(squares_of(car.store, now)) > float(squares_of(car.store, present)) - LEAST_GAIN:
            return None
        return {**changed, car.store.name: now}


def better_starts(held: HeldHome, *, starts_max: int = STARTS_MAX) -> Iterator[tuple[Cycle, int]]:
    """Yield better starts of cycles: the most uncomfortable cycle first, and of its starts the
    best first."""
    cycles = [device for device in held.home.devices if isinstance(device, Cycle)]
    cycles.sort(key=lambda cycle: -float(discomfort(cycle, held.schedules[cycle.name])))
    for cycle in cycles:
        late = abs(int(cycle.start(held.schedules[cycle.name])) - cycle.preferred_start)
        better = [
            (abs(start - cycle.preferred_start), start)
            for start in held.home.starts(cycle, held.schedules)
            if abs(start - cycle.preferred_start) < late
        ]
        for _, start in spread(sorted(better), starts_max):
            yield cycle, start


def better_charges(held: HeldHome, *, moves_max: int = MOVES_MAX) -> Iterator[CarMove]:
    """Yield moves of what cars take in one slot, the best gain first, each to another slot."""
    for store in held.stores:
        if store.min_in_kwh == 0.0 or store.wish is None:
            continue
        schedule = held.schedules[store.name]
        cost = store.marginal_cost(schedule)
        saving = (cost[:, None] - cost) * room(store, schedule).most
        origins = saving.argmax(axis=0)
        best = saving[origins, np.arange(held.slots)]
        for target in np.argsort(-best, kind="stable")[:moves_max].tolist():
            if best[target] < LEAST_GAIN:
                break
            yield CarMove(store, (int(origins[target]), target))


def charge_wish(held: HeldHome, car: CarMove) -> WholeWish:
    """Return the wish for as much as possible of a car's move."""
    schedule = held.schedules[car.store.name]
    most = float(room_of(car.store, schedule, car.move).most[0, 0])
    return WholeWish(held, car.store.name, moved(schedule, car.move, most), car=car)


def spread(starts: list[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Return at most so many of the starts, the first among them, spread over all."""
    if len(starts) <= most:
        return starts
    return [starts[len(starts) * place // most] for place in range(most)]
