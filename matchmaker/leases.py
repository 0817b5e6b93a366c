"""Leases: the pairs of households that are busy with each other, and until when. Pure: time is an
argument.

A lookup is answered at once (match, none or busy) and never queued. A match is only a suggestion,
since the two households may know better. The matchmaker knows the offers and which pairs did not
agree; households can repeat all of it after a loss. The choice among suitable partners is made in
offer_book.py; ties go to the first household by name.
"""

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from matchmaker.offer_book import ALWAYS, Offers, Wish
from protocol.messages import Address
from protocol.messages.exchange import Closed, Lease, LeaseId


class Found(NamedTuple):
    """The answer to a lookup."""

    engaged: bool
    leases: tuple[Lease, ...]
    none: tuple[int, ...]
    busy: tuple[int, ...]


@dataclass(slots=True)
class _Open:
    id: LeaseId
    slot: int
    columns: tuple[int, int]
    """Columns of requester and match."""
    until: float
    held: tuple[float, float]
    """The values that requester and match offered, kWh."""
    gain: float
    """Gain of the requester as the matchmaker estimates it, kWh^2."""


@dataclass(slots=True)
class Counts:
    """Counts of lookups by their answers, and of leases by their endings."""

    lookups: int = 0
    """Number of slots looked up, or of lookups where whole households are looked for."""
    matches: int = 0
    none: int = 0
    busy: int = 0
    done: int = 0
    refused: int = 0
    """Leases closed without an exchange, for whatever reason."""
    expired: int = 0


@dataclass(slots=True)
class Leases:
    """Offers by slot and household, and the leases on them.

    Invariant: an offer is free (`_offers.free`) if and only if it stands and no open lease marks it
    busy. A lease marks all offers of its two households, or only those at its slot (`per_slot`).
    """

    slots: int
    epoch: int
    lease_seconds: float = 5.0
    per_slot: bool = False
    counts: Counts = field(default_factory=Counts)
    _next: int = 1
    _open: dict[LeaseId, _Open] = field(default_factory=dict)
    _queue: deque[_Open] = field(default_factory=deque)
    _engaged: dict[int, set[LeaseId]] = field(default_factory=dict)
    """Open leases by household."""
    _held: set[tuple[int, int]] = field(default_factory=set)
    """Slot and household of every open lease, if leases mark one slot only."""
    _offers: Offers = field(init=False)

    def __post_init__(self) -> None:
        self._offers = Offers(self.slots)

    # -- what it knows ----------------------------------------------------------------------------

    def summary(self) -> dict[str, int]:
        """Return the numbers of known households and offers, open leases, and the counts; no
        names."""
        known = {"households": len(self._offers.columns), "offers": int(self._offers.stands.sum())}
        return {**known, "open": len(self._open), **asdict(self.counts)}

    def asked(self, household: str) -> int:
        """Return the number of open leases that this household has asked for."""
        column = self._offers.columns[household]
        open_leases = (self._open[lease] for lease in self._engaged.get(column, ()))
        return sum(opened.columns[0] == column for opened in open_leases)

    @property
    def any_free(self) -> bool:
        """True if any offer may be part of a new lease."""
        return bool(self._offers.free.any())

    def has(self, household: str, slot: int, value: float) -> bool:
        """Return True if this household offers this value, kWh, at this slot."""
        offers = self._offers
        column = offers.columns[household]
        return bool(offers.stands[slot, column] and offers.value[slot, column] == value)

    # -- offers -----------------------------------------------------------------------------------

    def enter(self, household: Address) -> None:
        """Add a household that will send all its offers, and forget what was known of it."""
        offers = self._offers
        column = offers.enter(household)
        for lease in list(self._engaged.get(column, ())):
            self._release(self._open.pop(lease))
        offers.free[:, column] = False

    def bind(self, household: str, limits_bind: bool) -> None:
        """Record whether this household's limits bind from now on."""
        self._offers.slack[self._offers.columns[household]] = 0.0 if limits_bind else float("inf")

    def knows(self, household: Address) -> bool:
        """Return True if this household has entered from this address."""
        column = self._offers.columns.get(household.name)
        return column is not None and self._offers.where[column] == household

    def offer(self, household: str, slot: int, value: float, limit: float | None) -> None:
        """Add or replace an offer.

        `limit` is the disclosed limit in kWh from `value`, signed; +-FAR if only the direction is
        disclosed, None if nothing is. Households that did not agree on the last offer may try this
        one.
        """
        column = self._offers.columns[household]
        self._offers.put(slot, column, value, limit)
        self._offers.free[slot, column] = not self._is_busy(slot, column)

    def withdraw(self, household: str, slot: int) -> None:
        """Remove an offer."""
        column = self._offers.columns[household]
        self._offers.drop(slot, column)
        self._offers.free[slot, column] = False

    # -- lookups ----------------------------------------------------------------------------------

    def look_up(
        self,
        household: str,
        wishes: list[Wish],
        now: float,
        *,
        min_gain_kwh2: float = 0.0,
        leases_max: int = 1,
        round: int = 0,
        busy_waits: bool = False,
    ) -> Found:
        """Open leases on the first `leases_max` wishes that can be met; first come, first served.

        If `busy_waits`, a wish for which everybody is busy waits for another look-up: it has no
        answer yet, and is neither returned nor counted.
        """
        self.expire(now)
        if wishes and not self._open and self._offers.sort():
            # While leases are open the order stays as it is.
            self._engaged = {}
        offers = self._offers
        column = offers.columns[household]
        if not self.per_slot and self._engaged.get(column):
            return Found(engaged=True, leases=(), none=(), busy=())
        leases: list[Lease] = []
        none: list[int] = []
        busy: list[int] = []
        for wish in wishes:
            if len(leases) == leases_max:
                break
            slot = wish.slot
            if not offers.stands[slot, column]:
                none.append(slot)
                continue
            if self.per_slot and not offers.free[slot, column]:
                busy.append(slot)
                continue
            others, merit = offers.merit(wish, column, min_gain_kwh2, round)
            if not len(others):
                none.append(slot)
                continue
            # The first of the best, if any of them is free.
            merit = merit * offers.free[slot, others]
            best = int(merit.argmax())
            if merit[best] > 0:
                lease = self._lease(wish, column, int(others[best]), now)
                leases.append(lease._replace(round=round))
            else:
                busy.append(slot)
        if busy_waits:
            busy.clear()
        self.counts.lookups += len(leases) + len(none) + len(busy)
        self.counts.matches += len(leases)
        self.counts.none += len(none)
        self.counts.busy += len(busy)
        return Found(engaged=False, leases=tuple(leases), none=tuple(none), busy=tuple(busy))

    def _lease(self, wish: Wish, requester: int, match: int, now: float) -> Lease:
        id_, slot = LeaseId(self.epoch, self._next), wish.slot
        self._next += 1
        held = (float(self._offers.value[slot, requester]), float(self._offers.value[slot, match]))
        gain = self._offers.gain(wish, requester, match)
        opened = _Open(
            id=id_,
            slot=slot,
            columns=(requester, match),
            until=now + self.lease_seconds,
            held=held,
            gain=gain,
        )
        self._open[id_] = opened
        self._queue.append(opened)
        for column in opened.columns:
            self._engaged.setdefault(column, set()).add(id_)
            if self.per_slot:
                self._held.add((slot, column))
                self._offers.free[slot, column] = False
            else:
                self._offers.free[:, column] = False
        value = float(self._offers.value[slot, match])
        return Lease(
            id=id_,
            slot=slot,
            partner=self._offers.where[match],
            value_kwh=value,
            seconds=self.lease_seconds,
        )

    # -- the end of leases ------------------------------------------------------------------------

    def close(self, household: str, closed: Closed, round: int) -> None:
        """Take one side's report that a lease is over.

        Without an exchange both households are free. After an exchange each is free once it has
        reported it itself, since only then its new offer is known.
        """
        opened = self._open.get(closed.lease)
        column = self._offers.columns[household]
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
                until = ALWAYS if closed.ending == "refused" else round
                self._offers.remember(opened.slot, requester, match, until)
                self._offers.remember(opened.slot, match, requester, until)
                if closed.ending == "refused":
                    self._offers.learn(opened.slot, match, opened.held, opened.gain)
            elif closed.ending == "declined":
                self._offers.remember(opened.slot, requester, match, ALWAYS)
        self._release(self._open.pop(closed.lease))

    def expire(self, now: float) -> None:
        """End the leases whose time is over.

        If one side has reported an exchange, the value that the other one offered is gone, so that
        offer is withdrawn until the household sends a new one.
        """
        while self._queue and (self._queue[0].until <= now or self._queue[0].id not in self._open):
            opened = self._queue.popleft()
            if self._open.pop(opened.id, None) is None:
                continue
            self.counts.expired += 1
            if -1 in opened.columns:
                column = max(opened.columns)
                self._offers.stands[opened.slot, column] = False
            self._release(opened)

    def next_deadline(self) -> float | None:
        """Return when the next lease expires, or an earlier time; None if no lease is open."""
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
            self._offers.free[opened.slot, column] = self._offers.stands[opened.slot, column]
        elif not leases:
            self._offers.free[:, column] = self._offers.stands[:, column]
