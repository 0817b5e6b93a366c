"""A household's conversation with one matchmaker under the rule `ttc`: entry, answers, trades.

The client tracks what was sent and received, and repeats the last message until something new
arrives. What the household would rather have is decided by `prefers_upper`, slot by slot; what it
does with its trades is decided in cycle_exchange.py.
"""

from dataclasses import dataclass, field

import numpy as np

from agents.exchange.holding import Holding
from agents.retransmission import EXCHANGE_MAX_WAIT_SECONDS, NEVER, Retransmission
from protocol.errors import PeerError
from protocol.messages import Address, Choice, Comparison, PoolEntry, Reentry, Trades

STEP_WAIT_SECONDS = 4.0
"""Shortest wait before a message is repeated: the matchmaker answers when all have spoken, s."""


@dataclass(slots=True)
class PoolClient:
    """One matchmaker, and the pools of the slots that it serves.

    Invariant: while a message is in `said`, it is repeated; it is the latest that was sent.
    """

    matchmaker: Address
    session: int
    slots: tuple[int, ...]
    """The slots that this matchmaker serves."""
    told: bool = False
    """True once the household knows its trades at these slots."""
    said: PoolEntry | Choice | None = None
    _entry: PoolEntry | None = None
    _number: int = 0
    _step: int = 0
    """The last step that was answered for this entry."""
    _retransmission: Retransmission = field(
        default_factory=lambda: Retransmission(EXCHANGE_MAX_WAIT_SECONDS)
    )

    @property
    def wake(self) -> float:
        """Time at which to repeat the last message; NEVER if there is none."""
        return NEVER if self.said is None else self._retransmission.deadline

    def enter(self, holding: Holding, households: int, now: float) -> PoolEntry:
        """Return a new entry with all values that the household would trade."""
        slots = tuple(slot for slot in self.slots if holding.wants(slot))
        self._number += 1
        self._step = 0
        self._entry = PoolEntry(
            session=self.session,
            number=self._number,
            households=households,
            slots=slots,
            values_kwh=np.array([holding.values[slot] for slot in slots]),
        )
        self._say(self._entry, now)
        return self._entry

    def answer(self, comparison: Comparison, holding: Holding, now: float) -> Choice | None:
        """Return the answer to a comparison; None if it is a repetition or out of date."""
        if not self._concerns(comparison) or comparison.step <= self._step:
            return None
        lower, upper = comparison.lower_kwh.tolist(), comparison.upper_kwh.tolist()
        self._check(comparison.slots, len(lower), len(upper))
        preferred = tuple(
            slot
            for slot, low, high in zip(comparison.slots, lower, upper, strict=True)
            if prefers_upper(low, high, holding.preferred[slot], held=holding.values[slot])
        )
        self._step = comparison.step
        choice = Choice(
            session=comparison.session,
            number=comparison.number,
            step=comparison.step,
            upper=preferred,
        )
        self._say(choice, now)
        return choice

    def trades(self, trades: Trades, holding: Holding) -> dict[int, float] | None:
        """Return the values to take, kWh, by slot; None if they are known or out of date.

        Raises PeerError if the household would lose by one of them.
        """
        if not self._concerns(trades) or self.told:
            return None
        values = trades.values_kwh.tolist()
        self._check(trades.slots, len(values))
        for slot, value in zip(trades.slots, values, strict=True):
            if holding.change(slot, value) > 0:
                raise PeerError(f"{self.matchmaker} trades at a loss")
        self.told = True
        return dict(zip(trades.slots, values, strict=True))

    def forgotten(self, reentry: Reentry) -> bool:
        """Return True if the household must enter anew, False if this is out of date."""
        return self._concerns(reentry)

    def repeat(self, now: float) -> PoolEntry | Choice | None:
        """Return the message to repeat if its answer is late."""
        return self.said if self._retransmission.due(now) else None

    def stop(self) -> None:
        """Say nothing more: the trades have been made, or the stage is over."""
        self.said = None
        self._retransmission.stop()

    def _say(self, message: PoolEntry | Choice, now: float) -> None:
        self.said = message
        self._retransmission.sent(now, STEP_WAIT_SECONDS)

    def _concerns(self, message: Comparison | Trades | Reentry) -> bool:
        """Return True if a message is about the present entry, and not about an earlier one."""
        return self.said is not None and (message.session, message.number) == (
            self.session,
            self._number,
        )

    def _check(self, slots: tuple[int, ...], *lengths: int) -> None:
        assert self._entry is not None
        entered = set(self._entry.slots)
        if any(length != len(slots) for length in lengths) or not entered.issuperset(slots):
            raise PeerError(f"{self.matchmaker} speaks of slots that were not entered")


def prefers_upper(lower: float, upper: float, preferred: float, *, held: float) -> bool:
    """Return True if the upper of two values is nearer to the preferred one, kWh.

    Of two values equally near, it is the one that the household holds, else the lower.
    """
    if upper <= preferred:
        return True
    if lower >= preferred:
        return False
    down, up = preferred - lower, upper - preferred
    return up < down or (up == down and held == upper)
