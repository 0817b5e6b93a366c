"""The final sum after stage 2: one more pass up and down the tree, over all schedules.

It uses the messages of stage 1, as the iteration after the last: Up carries the sums over the
schedules and discomforts of a subtree, Down those over all households. Nothing is decided.
"""

import numpy as np

from protocol.errors import PeerError
from protocol.messages import Address, Down, Place, Up
from protocol.messages.planning import Aggregate
from protocol.runtime.machine import Envelope


class FinalSum:
    """One household's part in the final sum."""

    def __init__(self, address: Address, place: Place, width: int) -> None:
        """Set up a sum to which nothing has been added; `width` is the length of all sums."""
        self.iteration = place.terms.iterations
        self.result: Aggregate | None = None
        """The sums over all households, once they are known to this household."""
        self._address, self._place, self._width = address, place, width
        self._own: Aggregate | None = None
        self._received: dict[Address, Up] = {}
        self._risen = False

    def offer(self, own: Aggregate) -> list[Envelope]:
        """Add the household's own schedule and discomfort, which no longer change."""
        self._own = own
        return self._rise()

    @property
    def offered(self) -> bool:
        """True once the household's own part has been added."""
        return self._own is not None

    def missing(self) -> tuple[Address, ...]:
        """Return the children whose sums are missing."""
        return tuple(child for child in self._place.children if child not in self._received)

    def on_up(self, sender: Address, up: Up) -> list[Envelope]:
        """Take a child's sums; answer once the sums over all households are known."""
        if sender not in self._place.children:
            raise PeerError(f"{sender} is not a child of {self._address.name}")
        if self.result is not None:
            return [self._down(sender, self.result)]
        self._check_length(sender, up)
        self._received.setdefault(sender, up)
        return self._rise()

    def on_down(self, sender: Address, down: Down) -> list[Envelope]:
        """Take the sums over all households, from the parent."""
        if sender != self._place.parent or not self._risen:
            raise PeerError(f"{sender} may not close the run for {self._address.name}")
        if self.result is not None:
            return []
        self._check_length(sender, down)
        return self._conclude(down.sums)

    def _check_length(self, sender: Address, message: Up | Down) -> None:
        if len(message.response_kwh) != self._width:
            raise PeerError(f"{sender} speaks of {len(message.response_kwh)} slots")

    def _rise(self) -> list[Envelope]:
        if self._own is None or self._risen or self.missing():
            return []
        self._risen = True
        size, below = 1, Aggregate(np.zeros_like(self._own.response), 0.0, 0.0)
        for up in (self._received[child] for child in self._place.children):
            size += up.size
            below = below.plus(up.sums)
        total = below.plus(self._own)
        if self._place.parent is None:
            return self._conclude(total)
        up = Up(self.iteration, size, *total, attempt=self._place.attempt)
        return [Envelope(self._address, self._place.parent, up)]

    def _conclude(self, everybody: Aggregate) -> list[Envelope]:
        self.result = everybody
        return [self._down(child, everybody) for child in self._place.children]

    def answer(self, everybody: Aggregate) -> Down:
        """Return the message that passes the sums over all households down."""
        attempt = self._place.attempt
        return Down(self.iteration, *everybody, approved=True, reorganise=False, attempt=attempt)

    def _down(self, child: Address, everybody: Aggregate) -> Envelope:
        return Envelope(self._address, child, self.answer(everybody))
