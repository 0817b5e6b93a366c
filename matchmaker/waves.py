"""Waves: which lookups wait, what the next wave waits for, and in which order it serves. Pure: time
is an argument.

A wave begins when every known household has spoken in the present round and every talk of the wave
before is over on both sides. So it depends on no delay, and the same run gives the same exchanges.
What a lookup finds is decided in leases.py; when a household speaks, in agents/exchange/.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from matchmaker.offer_book import Wish
from protocol.messages import Address
from protocol.messages.exchange import Lease, LeaseId, Lookup


@dataclass(slots=True)
class Waiting:
    """A lookup that waits for a wave."""

    household: Address
    lookup: Lookup
    wishes: list[Wish]
    """The wishes that may still be met."""
    none: list[int] = field(default_factory=list)
    """Slots for which no household has a suitable offer."""


@dataclass(slots=True)
class Waves:
    """The households that speak in waves, and their waiting lookups.

    Invariant: a household is in `_late` only if it has entered; a talk in `_talks` names the sides
    that have not reported its end.
    """

    seed: int
    patience_seconds: float
    """Time without any news after which a wave begins without the households that are missing."""
    waiting: dict[str, Waiting] = field(default_factory=dict)
    news: dict[str, list[Lookup]] = field(default_factory=dict)
    """Lookups, by household, whose offers and closed leases take effect with the next wave."""
    _round: int = -1
    _number: int = 0
    """Number of waves in this round."""
    _known: set[str] = field(default_factory=set)
    _late: set[str] = field(default_factory=set)
    """Households that have not spoken in this round."""
    _absent: set[str] = field(default_factory=set)
    """Households that a wave has begun without, until they speak again."""
    _talks: dict[LeaseId, set[str]] = field(default_factory=dict)
    _heard_at: float = 0.0

    @property
    def due(self) -> bool:
        """True when the next wave may begin."""
        return not (self._late or self._talks) and bool(self.waiting or self.news)

    @property
    def deadline(self) -> float | None:
        """Time at which the next wave begins whoever is missing; None if nothing waits."""
        idle = not (self.waiting or self.news or self._talks)
        return None if idle else self._heard_at + self.patience_seconds

    def enter(self, household: str) -> None:
        """Add a household, or one that has started again: what it reported before is void."""
        self._known.add(household)
        self.news.pop(household, None)
        for lease in list(self._talks):
            self._report(lease, household)

    def hear(self, household: str, lookup: Lookup, now: float) -> None:
        """Note that a household has spoken."""
        self._absent.discard(household)
        if lookup.round > self._round:
            self._round, self._number = lookup.round, 0
            self._late = self._known - self._absent
        if lookup.round == self._round:
            self._late.discard(household)
        if lookup.epoch:
            self.news.setdefault(household, []).append(lookup)
        self._hear_ends(household, lookup, now)

    def hear_more(self, before: Lookup, household: str, lookup: Lookup, now: float) -> None:
        """Note what a lookup reports beyond an earlier one of the same number."""
        others = [each for each in self.news.get(household, ()) if each is not before]
        self.news[household] = [*others, lookup]
        self._hear_ends(household, lookup, now)

    def _hear_ends(self, household: str, lookup: Lookup, now: float) -> None:
        self._heard_at = now
        for lease, ending in lookup.closed:
            if ending in ("declined", "void"):
                self._talks.pop(lease, None)  # the other side may never have heard of it
            else:
                self._report(lease, household)

    @property
    def talking(self) -> bool:
        """True while a talk of the last wave is not over."""
        return bool(self._talks)

    def begin(self, now: float) -> list[Waiting]:
        """Begin a wave: return the waiting lookups in the order in which it serves them."""
        self._number, self._heard_at = self._number + 1, now
        self._absent |= self._late
        self._late, self._talks = set(), {}
        return [self.waiting[name] for name in sorted(self.waiting, key=self._turn)]

    def grant(self, household: str, leases: Sequence[Lease]) -> None:
        """Note the leases that this wave has opened for a household; its lookup waits no more.

        Without a lease the household says at once what else it wants, or that it wants nothing.
        """
        del self.waiting[household]
        if not leases:
            self._late.add(household)
        for lease in leases:
            self._talks[lease.id] = {household, lease.partner.name}

    def _turn(self, household: str) -> bytes:
        text = f"{self.seed}:{self._round}:{self._number}:{household}"
        return blake2b(text.encode(), digest_size=8).digest()

    def _report(self, lease: LeaseId, household: str) -> None:
        sides = self._talks.get(lease, set())
        sides.discard(household)
        if not sides:
            self._talks.pop(lease, None)
