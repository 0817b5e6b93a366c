"""Stage 2 without pairs (docs/protocol.md, Equal shift)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.system.third_party.exchange import Handlers
from tests.system.third_party.holding import Holding, as_columns
from tests.system.third_party.planning import Array
from tests.system.third_party.voice import Voice
from tests.system.third_party.wire import Address

UNITS = 2**20
"""Units of energy in a kWh."""
COUNTS = 12
"""Length of the counts of a round."""
Integers = NDArray[np.int64]


class EqualShift:
    """One household's part in the equal shift. It takes part at every slot."""

    wakes = float("inf")

    def __init__(
        self, voice: Voice, place: dict[str, Any], schedule: Array, preferred: Array, session: int
    ) -> None:
        self.voice, self.session, self.attempt = voice, session, place["attempt"]
        self.parent, self.children = place["parent"], place["children"]
        self.trace: bool = place["terms"]["exchange"]["trace"]
        self.start, self.holding = schedule, Holding(schedule, preferred, None)
        self.own = np.rint((schedule - preferred) * UNITS).astype(np.int64)
        self.received: dict[Address, dict[str, Any]] = {}
        self.risen: dict[str, Any] | None = None
        self.below: dict[Address, Integers] = {}
        """The shares of each child, once they are known."""
        self.counts: list[list[float]] = []
        self.over = False
        self.go_on()

    @property
    def round(self) -> int:
        return 0 if self.over else -1

    @property
    def handlers(self) -> Handlers:
        return {"Excess": self.on_excess, "Shares": self.on_shares}

    def resume(self, session: int) -> None:
        self.session = session

    def on_excess(self, sender: Address, excess: dict[str, Any]) -> None:
        if sender not in self.children:
            raise ValueError("not a child")
        if excess["attempt"] != self.attempt:
            return
        if self.over:
            return self.answer(sender)
        takers = excess["takers"]
        if not len(takers) == len(excess["excess"]) == len(self.own):
            raise ValueError("of another length")
        if ((takers < 0) | (takers > excess["households"])).any():
            raise ValueError("more who take part than there are")
        self.received.setdefault(sender, excess)
        self.go_on()

    def go_on(self) -> None:
        """Add up once all children have spoken."""
        if self.risen is not None or any(child not in self.received for child in self.children):
            return
        self.risen = self.totals()
        if self.parent is None:
            self.take(self.risen["excess"])
        else:
            self.voice.insist("excess", self.parent, "Excess", **self.risen)

    def totals(self) -> dict[str, Any]:
        """Return the sums over the subtree."""
        parts = [self.received[child] for child in self.children]
        return {
            "households": 1 + sum(part["households"] for part in parts),
            "takers": sum((part["takers"] for part in parts), np.ones_like(self.own)),
            "excess": sum((part["excess"] for part in parts), self.own),
            "attempt": self.attempt,
        }

    def on_shares(self, sender: Address, told: dict[str, Any]) -> None:
        if sender != self.parent or self.risen is None:
            raise ValueError("not the parent, or too early")
        if told["attempt"] != self.attempt or self.over:
            return
        if len(told["shares"]) != len(self.own):
            raise ValueError("of another length")
        self.take(told["shares"])

    def divide(self, shares: Integers) -> list[Integers]:
        """Return the own part of the shares, then that of each child."""
        takers = [np.ones_like(self.own)]
        takers += [self.received[child]["takers"] for child in self.children]
        least, rest = np.divmod(shares, sum(takers))
        parts = []
        for number in takers:
            more = np.minimum(rest, number)
            parts.append(least * number + more)
            rest = rest - more
        return parts

    def take(self, shares: Integers) -> None:
        """Take the own part of the shares, and pass on the others."""
        assert self.risen is not None
        own, *below = self.divide(shares)
        self.below = dict(zip(self.children, below, strict=True))
        self.holding.held = self.start + (own - self.own) / UNITS
        self.over = True
        self.voice.settled("excess")
        for child in self.children:
            self.answer(child)
        if self.parent is None:
            households = self.risen["households"]
            self.counts = [[households, *[0] * (COUNTS - 1)]] * 2

    def answer(self, child: Address) -> None:
        self.voice.say(child, "Shares", shares=self.below[child], attempt=self.attempt)

    def result(self) -> dict[str, Any]:
        """What is told of it in the end."""
        holding = self.holding
        below = (holding.held < 0) & (holding.preferred >= 0)
        return {
            "discomfort_kwh": holding.discomfort(),
            "energy_drift_kwh": float(holding.held.sum() - self.start.sum()),
            "requests": 0,
            "accepted": 0,
            "refused": 0,
            "clipped_slots": int(below.sum()),
            "clipped_kwh": float(-holding.held[below].sum()),
            "trace": as_columns([]) if self.trace else None,
        }
