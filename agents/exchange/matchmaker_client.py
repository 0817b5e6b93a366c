"""A household's conversation with one matchmaker: one lookup at a time, repeated until answered.

News collects while an answer is awaited, and travels with the next lookup. The client tracks what
was sent and received; what to offer and what to accept is decided elsewhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from agents.exchange.holding import Holding
from agents.retransmission import (
    EXCHANGE_MAX_WAIT_SECONDS,
    FIRST_WAIT_SECONDS,
    NEVER,
    Retransmission,
)
from protocol.errors import PeerError
from protocol.messages import Address, Lookup, Match
from protocol.messages.exchange import Closed

REST = 0.05
"""Seconds to wait when all suitable partners are busy; doubled each time, up to REST_AT_MOST."""
REST_AT_MOST = 1.0
WAVE_WAIT_SECONDS = 4.0
"""Shortest wait before a lookup that may wait for a wave is repeated, seconds."""
FEW = 8
"""Number of slots in a lookup; doubled while nothing is found."""


@dataclass(slots=True)
class MatchmakerClient:
    """One matchmaker, the news for it, and the slots to look up there.

    Invariant: a wanted slot is in `due`, or a negotiation about it is open, or it is finished for
    this round.
    """

    matchmaker: Address
    session: int
    slots: tuple[int, ...]
    """The slots that this matchmaker is responsible for."""
    waves: bool = False
    """True if the matchmaker serves in waves: it keeps a lookup until it has leases for it, and in
    each round it waits for a lookup of every household. Lookups then name all slots that are
    due."""
    pairs: bool = False
    """True if it keeps all lookups of a round until every household has looked up (content
    bundle)."""
    due: list[int] = field(default_factory=list)
    """Slots still to look up in this round, most wanted first."""
    changed: set[int] = field(default_factory=set)
    """Slots whose offers have changed since the matchmaker last heard of them."""
    closed: list[Closed] = field(default_factory=list)
    resting: float = 0.0
    """Time before which no slot is looked up; 0 for none."""
    outstanding: Lookup | None = None
    asked: set[int] = field(default_factory=set)
    """Slots looked up by the last lookup, under its number."""
    number: int = 0
    _spoken: bool = True
    """False until the first lookup of a round, if the matchmaker waits for it."""
    _revised: bool = False
    """True if the outstanding lookup was sent with less news before."""
    _epoch: int = 0
    _few: int = FEW
    _rest: float = REST
    _retransmission: Retransmission = field(
        default_factory=lambda: Retransmission(EXCHANGE_MAX_WAIT_SECONDS)
    )

    @property
    def idle(self) -> bool:
        """True when everything is sent and answered."""
        return self._spoken and not (self.outstanding or self.due or self.changed or self.closed)

    @property
    def informed(self) -> bool:
        """True when the matchmaker knows all offers and closed leases."""
        return not (self.outstanding or self.changed or self.closed)

    @property
    def wake(self) -> float:
        """Time at which to act if nothing arrives; NEVER if nothing is due."""
        if self.outstanding is not None:
            return self._retransmission.deadline
        return self.resting if self.due and self.resting > 0 else NEVER

    def announce(self) -> None:
        """Send all offers again with the next lookup, as for the first time."""
        self._epoch = 0
        self.changed.update(self.slots)

    def ask(self, slots: Iterable[int]) -> None:
        """Start looking up these slots."""
        self.due, self.resting, self._rest = list(slots), 0.0, REST
        self._few, self._spoken = FEW, not self.waves

    def next_lookup(
        self,
        holding: Holding,
        round: int,
        min_gain_kwh2: float,
        lowest: float,
        room: int,
        now: float,
        households: int = 0,
    ) -> Lookup | None:
        """Return the lookup to send now, if any. `room` is the number of new leases that may be
        opened; `households` is as in Lookup."""
        revised = self.outstanding is not None
        if self.outstanding is not None:
            if not (self.waves and (self.changed or self.closed)):
                return None
            self._take_back(self.outstanding)
        if now >= self.resting:
            self.resting = 0.0
        wants: list[int] = []
        if room and self.due and not self.resting:
            wants = self._first(holding)
        if self._spoken and not (wants or self.changed or self.closed):
            return None
        slots = holding.offering(self.changed)
        withdrawn = sorted(self.changed.difference(slots)) if self._epoch else []
        aims = [holding.aim(slot, lowest) for slot in wants] if holding.aims else []
        self.number += 0 if revised else 1
        lookup = Lookup(
            session=self.session,
            number=self.number,
            epoch=self._epoch,
            round=round,
            limits_bind=holding.limits_bind,
            disclosure=holding.disclosure,
            slots=tuple(slots),
            values_kwh=holding.held_at(slots),
            limits_kwh=holding.told(slots, lowest),
            withdrawn=tuple(withdrawn),
            closed=tuple(self.closed),
            wants=tuple(wants),
            wanted_kwh=np.array([aim[0] for aim in aims]),
            tolerance_kwh=np.array([aim[1] for aim in aims]),
            min_gain_kwh2=min_gain_kwh2,
            leases_max=max(room, 0),
            households=households,
        )
        self.changed.clear()
        self.closed.clear()
        self.outstanding, self._spoken, self._revised = lookup, True, revised
        self.asked = self.asked.union(wants) if revised else set(wants)
        waits = self.waves and (wants or self.pairs)
        self._retransmission.sent(now, WAVE_WAIT_SECONDS if waits else FIRST_WAIT_SECONDS)
        return lookup

    def _take_back(self, lookup: Lookup) -> None:
        """Report the news of this lookup again with the next one."""
        self.changed.update(lookup.slots, lookup.withdrawn)
        self.closed[:0] = lookup.closed
        self.outstanding = None

    def _first(self, holding: Holding) -> list[int]:
        """Return the first few slots that are due and still wanted; all of them in waves.

        A slot may already have its preferred value, through an exchange that another household
        asked for.
        """
        found: list[int] = []
        seen = 0
        for slot in self.due:
            if len(found) == self._few and not self.waves:
                break
            seen += 1
            if holding.wants(slot):
                found.append(slot)
        self.due[:seen] = found
        return found

    def repeat(self, now: float) -> Lookup | None:
        """Return the lookup to repeat if its answer is late."""
        return self.outstanding if self._retransmission.due(now) else None

    def heard(self, match: Match, now: float) -> Lookup | None:
        """Take an answer. Returns the lookup that it answers, or None if it is a repetition.

        Raises PeerError if it is about slots that were not looked up.
        """
        lookup = self.outstanding
        if lookup is None or (match.session, match.number) != (lookup.session, lookup.number):
            return None
        slots = (*match.none, *match.busy)
        if not self.asked.issuperset(slots) or len(set(slots)) < len(slots):
            raise PeerError(f"{self.matchmaker} answers what was not looked up")
        self.outstanding = None
        if self._revised:
            self._take_back(lookup)  # the answer may be older than the news
        self._retransmission.answered(now)
        if match.anew:
            self.announce()
            return lookup
        self._epoch = match.epoch
        self._sort_out(lookup, match, now)
        return lookup

    def _sort_out(self, lookup: Lookup, match: Match, now: float) -> None:
        """Decide which slots are still due, and when to look them up again."""
        if not lookup.wants:
            return
        over = {*match.none, *(lease.slot for lease in match.leases)}
        later = set(match.busy)
        self.due = [slot for slot in self.due if slot not in over and slot not in later]
        self.due += match.busy
        if match.leases:
            self._few, self._rest = FEW, REST
        elif self.waves:
            self._spoken = False
        elif match.engaged or len(later) == len(self.due):
            self.resting = now + self._rest
            self._rest = min(2 * self._rest, REST_AT_MOST)
        else:
            self._few *= 2
