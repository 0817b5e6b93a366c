"""A home's conversation with the matchmaker of amounts: one lookup at a time, repeated until it is
answered.

News (what the home announces, leases that are over) travels with the next lookup. What to announce
and what to want is decided elsewhere.
"""

from dataclasses import dataclass, field

import numpy as np

from agents.exchange.amounts.announcement import Announcement
from agents.exchange.matchmaker_client import REST, REST_AT_MOST
from agents.retransmission import EXCHANGE_MAX_WAIT_SECONDS, NEVER, Retransmission
from protocol.messages import Address, AmountLookup, AmountMatch
from protocol.messages.amounts import LeaseEnd
from protocol.vectors import Array

_NOTHING: Array = np.zeros(0)


@dataclass(slots=True)
class AmountClient:
    """The matchmaker, and what it has not heard yet."""

    matchmaker: Address
    session: int
    feeder: int = 0
    """The feeder at which partners are looked for, as in the terms."""
    ended: list[LeaseEnd] = field(default_factory=list)
    """Leases that are over, to be reported."""
    news: Announcement | None = None
    """What the home announces, if the matchmaker does not know it."""
    outstanding: AmountLookup | None = None
    resting: float = 0.0
    """Time before which no partner is looked for; 0 for none."""
    _number: int = 0
    _epoch: int = 0
    _rest: float = REST
    _repeated: bool = False
    """True if the outstanding lookup was sent more than once."""
    _retransmission: Retransmission = field(
        default_factory=lambda: Retransmission(EXCHANGE_MAX_WAIT_SECONDS)
    )

    @property
    def informed(self) -> bool:
        """True if the matchmaker has answered and knows everything."""
        return self.outstanding is None and self.news is None and not self.ended

    @property
    def wake(self) -> float:
        """Time at which to repeat the lookup; NEVER if nothing is due."""
        return NEVER if self.outstanding is None else self._retransmission.deadline

    def announce_anew(self) -> None:
        """Enter anew with the next lookup."""
        self._epoch = 0

    def lookup(
        self,
        round: int,
        now: float,
        *,
        wanted: Announcement | None,
        whole: bool = False,
        without: tuple[str, ...] = (),
    ) -> AmountLookup:
        """Return a lookup with all news; for a partner, unless `wanted` is None. The last two
        arguments are as in AmountLookup."""
        self._number += 1
        news, self.news = self.news, None
        ended, self.ended = tuple(self.ended), []
        self.outstanding = AmountLookup(
            session=self.session,
            number=self._number,
            epoch=self._epoch,
            round=round,
            up_kwh=_NOTHING if news is None else news.up_kwh,
            down_kwh=_NOTHING if news is None else news.down_kwh,
            ended=ended,
            want_up_kwh=_NOTHING if wanted is None else wanted.up_kwh,
            want_down_kwh=_NOTHING if wanted is None else wanted.down_kwh,
            whole=whole,
            without=without,
            feeder=self.feeder,
        )
        self._retransmission.sent(now)
        self._repeated = False
        return self.outstanding

    def repeat(self, now: float) -> AmountLookup | None:
        """Return the lookup to repeat if its answer is late."""
        late = self._retransmission.due(now)
        self._repeated = self._repeated or late
        return self.outstanding if late else None

    def heard(self, match: AmountMatch, now: float) -> bool:
        """Take an answer. Returns False if it is a repetition."""
        lookup = self.outstanding
        if lookup is None or (match.session, match.number) != (lookup.session, lookup.number):
            return False
        self.outstanding = None
        if self._repeated:
            # The time since the first attempt says nothing about the bus.
            self._retransmission.stop()
        else:
            self._retransmission.answered(now)
        self._epoch = 0 if match.anew else match.epoch
        if match.lease is not None:
            self._rest = REST
        return True

    def rest(self, now: float) -> None:
        """Wait before the next lookup for a partner, longer each time until there is a match."""
        self.resting = now + self._rest
        self._rest = min(2 * self._rest, REST_AT_MOST)
