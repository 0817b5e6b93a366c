"""Who offers what, who is busy, until when. Pure: the caller says what time it is.

It answers a lookup at once (match, none or busy), never queues, and decides nothing for anybody: a
match is a hint, and the two households may know better. It knows what offers say and which pairs
did not agree; all of it can be lost and told again.

Choice among those who would serve: if the requester names a value it wants, the nearest to it; if
offers tell how far their owners would go, the pair that seems to gain most together. Ties go to the
first household by name.
"""

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from protocol.messages import Address
from protocol.messages.exchange import Closed, Lease, LeaseId

LADDER = 2.0**0.5
"""Limits are named on steps of this ratio, rounded down: the true one lies within a step above."""
GUESS = (1 + LADDER) / 2
"""Named limit -> the middle of what it may stand for."""
FAR = 1e100
"""A limit in a direction that tells nothing more."""

_ALWAYS = -1
_NEVER = -2


class Wish(NamedTuple):
    """What a lookup asks for at one slot: the value nearest to `wanted` within `tolerance`; if that
    is None, whatever suits the own offer."""

    slot: int
    wanted: float | None = None
    tolerance: float = 0.0


class Found(NamedTuple):
    """What a lookup finds."""

    engaged: bool
    leases: tuple[Lease, ...]
    none: tuple[int, ...]
    busy: tuple[int, ...]


@dataclass(slots=True)
class _Open:
    id: LeaseId
    slot: int
    columns: tuple[int, int]
    """Requester and match."""
    until: float


@dataclass(slots=True)
class Counts:
    """What the ledger has answered and heard."""

    lookups: int = 0
    """Slots looked up."""
    matches: int = 0
    none: int = 0
    busy: int = 0
    done: int = 0
    refused: int = 0
    """Leases closed without an exchange, for whatever reason."""
    expired: int = 0


@dataclass(slots=True)
class Ledger:
    """Offers by slot and household, and the leases on them.

    Invariant: an offer is free (`_free`) iff it stands and no open lease marks it busy; what a
    lease marks is its two households, or the two at its slot (`per_slot`).
    """

    slots: int
    epoch: int
    lease_seconds: float = 5.0
    per_slot: bool = False
    counts: Counts = field(default_factory=Counts)
    _columns: dict[str, int] = field(default_factory=dict)
    _where: list[Address] = field(default_factory=list)
    _sorted: bool = True
    _next: int = 1
    _open: dict[LeaseId, _Open] = field(default_factory=dict)
    _queue: deque[_Open] = field(default_factory=deque)
    _engaged: dict[int, set[LeaseId]] = field(default_factory=dict)
    """Open leases by household."""
    _held: set[tuple[int, int]] = field(default_factory=set)
    """Slot and household of every open lease, if leases hold one slot only."""
    _bad: list[dict[int, dict[int, int]]] = field(init=False)
    """By slot: household -> those it is not to be matched with, and until which round."""
    _value: NDArray[np.float64] = field(init=False)
    _limit: NDArray[np.float64] = field(init=False)
    _target: NDArray[np.float64] = field(init=False)
    _offered: NDArray[np.bool_] = field(init=False)
    _free: NDArray[np.bool_] = field(init=False)
    _slack: NDArray[np.float64] = field(init=False)
    """By household: 0 if its limits bind, else infinite."""

    def __post_init__(self) -> None:
        self._bad = [{} for _ in range(self.slots)]
        self._allocate(16)

    # -- what it knows ----------------------------------------------------------------------------

    def summary(self) -> dict[str, int]:
        """Households and offers known, leases open, and the counts: numbers, and no names."""
        known = {"households": len(self._columns), "offers": int(self._offered.sum())}
        return {**known, "open": len(self._open), **asdict(self.counts)}

    # -- offers -----------------------------------------------------------------------------------

    def enter(self, household: Address) -> None:
        """A household that will tell all its offers: what was known of it is forgotten."""
        column = self._columns.get(household.name)
        if column is None:
            column = len(self._where)
            if column == self._value.shape[1]:
                self._allocate(2 * column)
            self._columns[household.name] = column
            self._where.append(household)
            self._sorted = False
        for lease in list(self._engaged.get(column, ())):
            self._release(self._open.pop(lease))
        self._where[column] = household
        self._offered[:, column] = self._free[:, column] = False
        for slot in range(self.slots):
            self._forget(slot, column)

    def bind(self, household: str, firm: bool) -> None:
        """Whether this household's limits bind from now on."""
        self._slack[self._columns[household]] = 0.0 if firm else np.inf

    def knows(self, household: Address) -> bool:
        """Whether this household has entered, from there."""
        column = self._columns.get(household.name)
        return column is not None and self._where[column] == household

    def offer(self, household: str, slot: int, value: float, limit: float | None) -> None:
        """`limit`: kWh from `value`, signed, as named; +-FAR if only the direction is, else None.

        The offer is new: who did not agree on the last one may try again."""
        column = self._columns[household]
        self._value[slot, column] = value
        if limit is None:
            # Nothing is said, so nothing can bind: opposite to whoever asks.
            self._limit[slot, column], self._target[slot, column] = np.nan, value
        else:
            self._limit[slot, column] = limit
            known = abs(limit) < FAR
            self._target[slot, column] = value + (limit * GUESS / 2 if known else 0.0)
        self._offered[slot, column] = True
        self._free[slot, column] = not self._is_busy(slot, column)
        self._forget(slot, column)

    def withdraw(self, household: str, slot: int) -> None:
        """No offer any more."""
        column = self._columns[household]
        self._offered[slot, column] = self._free[slot, column] = False
        self._forget(slot, column)

    # -- lookups ----------------------------------------------------------------------------------

    def look_up(
        self,
        household: str,
        wishes: list[Wish],
        now: float,
        *,
        enough: float = 0.0,
        most: int = 1,
        round: int = 0,
    ) -> Found:
        """First come, first served: leases on the first `most` wishes that can be served."""
        self.expire(now)
        if wishes and not self._sorted:
            self._sort()
        column = self._columns[household]
        if not self.per_slot and self._engaged.get(column):
            return Found(True, (), (), ())
        leases: list[Lease] = []
        none: list[int] = []
        busy: list[int] = []
        for wish in wishes:
            if len(leases) == most:
                break
            self.counts.lookups += 1
            slot = wish.slot
            if not self._offered[slot, column]:
                none.append(slot)
                continue
            if self.per_slot and not self._free[slot, column]:
                busy.append(slot)
                continue
            merit = self._merit(wish, column, enough, round)
            best = int((merit * self._free[slot]).argmax())
            if merit[best] > 0 and self._free[slot, best]:
                leases.append(self._lease(slot, column, best, now))
            elif merit.any():
                busy.append(slot)
            else:
                none.append(slot)
        self.counts.matches += len(leases)
        self.counts.none += len(none)
        self.counts.busy += len(busy)
        return Found(False, tuple(leases), tuple(none), tuple(busy))

    def _merit(self, wish: Wish, column: int, enough: float, round: int) -> NDArray[np.float64]:
        """How well each household would serve, busy or not; 0 for not at all."""
        slot = wish.slot
        own, limit = self._value[slot, column], self._limit[slot, column]
        if wish.wanted is None:
            width = limit if self._slack[column] == 0.0 else limit * GUESS
        else:
            width = 2 * (wish.wanted - own)
        away = self._value[slot] - own
        serves = away * (width - away) > enough
        serves &= self._offered[slot]
        limits = self._limit[slot]
        # A household whose limits bind is not asked beyond them.
        serves &= ~(away * (limits + away) > self._slack)
        if wish.wanted is None:
            merit = away * (self._target[slot, column] - self._target[slot])
            serves &= merit > enough / 2
        else:
            distance = np.abs(self._value[slot] - wish.wanted)
            serves &= distance <= wish.tolerance
            # First those who want the other way and hold no more than is wanted: they are sure to
            # agree under the rule cooperative; then others who want the other way.
            opposite = away * limits < 0
            short = np.abs(away) <= abs(wish.wanted - own)
            merit = (1.0 + opposite + (opposite & short)) + 1.0 / (1.0 + distance)
        merit = np.where(serves, merit, 0.0)
        merit[column] = 0.0
        bad = self._bad[slot].get(column)
        if bad:
            for other, until in bad.items():
                if until == _ALWAYS or until >= round:
                    merit[other] = 0.0
        return merit

    def _lease(self, slot: int, requester: int, match: int, now: float) -> Lease:
        id_ = LeaseId(self.epoch, self._next)
        self._next += 1
        opened = _Open(id_, slot, (requester, match), now + self.lease_seconds)
        self._open[id_] = opened
        self._queue.append(opened)
        for column in opened.columns:
            self._engaged.setdefault(column, set()).add(id_)
            if self.per_slot:
                self._held.add((slot, column))
                self._free[slot, column] = False
            else:
                self._free[:, column] = False
        value = float(self._value[slot, match])
        return Lease(id_, slot, self._where[match], value, self.lease_seconds)

    # -- the end of leases ------------------------------------------------------------------------

    def close(self, household: str, closed: Closed, round: int) -> None:
        """One side of a lease says that it is over. Unless an exchange was made both are free; the
        other side of an exchange is when it says so too, since only then its new offer is known."""
        opened = self._open.get(closed.lease)
        column = self._columns[household]
        if opened is None or column not in opened.columns:
            return
        if closed.ending == "done":
            if column == opened.columns[0]:
                self.counts.done += 1
            opened.columns = (
                (-1, opened.columns[1]) if column == opened.columns[0] else (opened.columns[0], -1)
            )
            self._free_up(opened, column)
            if opened.columns == (-1, -1):
                del self._open[closed.lease]
            return
        requester, match = opened.columns
        self.counts.refused += 1
        if requester >= 0 and match >= 0:
            if closed.ending in ("refused", "for now"):
                until = _ALWAYS if closed.ending == "refused" else round
                self._remember(opened.slot, requester, match, until)
                self._remember(opened.slot, match, requester, until)
            elif closed.ending == "declined":
                self._remember(opened.slot, requester, match, _ALWAYS)
        self._release(self._open.pop(closed.lease))

    def expire(self, now: float) -> None:
        """End the leases whose time is over. If one side has reported an exchange, the value that
        the other one offered is gone: that offer is withdrawn until it says more."""
        while self._queue and (self._queue[0].until <= now or self._queue[0].id not in self._open):
            opened = self._queue.popleft()
            if self._open.pop(opened.id, None) is None:
                continue
            self.counts.expired += 1
            if -1 in opened.columns:
                column = max(opened.columns)
                self._offered[opened.slot, column] = False
            self._release(opened)

    def next_deadline(self) -> float | None:
        """When the next lease ends by itself, or earlier."""
        return self._queue[0].until if self._queue else None

    # -- the parts --------------------------------------------------------------------------------

    def _is_busy(self, slot: int, column: int) -> bool:
        if self.per_slot:
            return (slot, column) in self._held
        return bool(self._engaged.get(column))

    def _release(self, opened: _Open) -> None:
        for column in opened.columns:
            if column >= 0:
                self._free_up(opened, column)

    def _free_up(self, opened: _Open, column: int) -> None:
        leases = self._engaged[column]
        leases.discard(opened.id)
        if self.per_slot:
            self._held.discard((opened.slot, column))
            self._free[opened.slot, column] = self._offered[opened.slot, column]
        elif not leases:
            self._free[:, column] = self._offered[:, column]

    def _remember(self, slot: int, column: int, other: int, until: int) -> None:
        bad = self._bad[slot]
        bad.setdefault(column, {})[other] = until
        # So that the entry is found when the other one's offer changes.
        bad.setdefault(other, {}).setdefault(column, _NEVER)

    def _forget(self, slot: int, column: int) -> None:
        others = self._bad[slot].pop(column, None)
        for other in others or ():
            self._bad[slot][other].pop(column, None)

    def _allocate(self, columns: int) -> None:
        def grown(name: str, dtype: type, fill: float) -> NDArray[Any]:
            array: NDArray[Any] = np.full((self.slots, columns), fill, dtype)
            old = getattr(self, name, None)
            if old is not None:
                array[:, : old.shape[1]] = old
            return array

        for name, dtype, fill in (
            ("_value", np.float64, 0.0),
            ("_limit", np.float64, 0.0),
            ("_target", np.float64, 0.0),
            ("_offered", np.bool_, False),
            ("_free", np.bool_, False),
        ):
            setattr(self, name, grown(name, dtype, fill))
        slack = np.zeros(columns)
        old = getattr(self, "_slack", None)
        if old is not None:
            slack[: len(old)] = old
        self._slack = slack

    def _sort(self) -> None:
        """Households in the order of their names, so that ties do not depend on who entered first.
        Open leases keep the order as it is until a quieter moment."""
        if self._open:
            return
        order = sorted(range(len(self._where)), key=lambda column: self._where[column].name)
        everything = order + list(range(len(order), self._value.shape[1]))
        for name in ("_value", "_limit", "_target", "_offered", "_free"):
            setattr(self, name, np.ascontiguousarray(getattr(self, name)[:, everything]))
        self._slack = self._slack[everything]
        self._where = [self._where[column] for column in order]
        to = {column: place for place, column in enumerate(order)}
        self._columns = {where.name: place for place, where in enumerate(self._where)}
        self._engaged = {}
        self._bad = [
            {to[a]: {to[b]: until for b, until in row.items()} for a, row in bad.items()}
            for bad in self._bad
        ]
        self._sorted = True
