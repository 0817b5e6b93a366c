"""What a household keeps of a matchmaker: its news, and one lookup at a time."""

from typing import Any

from tests.system.third_party.wire import Address

REST, REST_AT_MOST = 0.05, 1.0
"""Seconds to wait when all who would serve are busy."""


class Maker:
    """One matchmaker: what it is to be told and asked, one lookup at a time."""

    def __init__(self, address: Address, slots: range) -> None:
        self.address, self.slots = address, slots
        self.epoch = self.number = 0
        self.changed: set[int] = set()
        self.closed: list[tuple[list[int], str]] = []
        self.due: list[int] = []
        self.asking: list[int] | None = None
        """What the lookup that is not answered yet has wanted; None if there is none."""
        self.reported: tuple[set[int], list[tuple[list[int], str]]] = set(), []
        """Slots and closed leases of the lookup that is not answered yet."""
        self.revised = False
        """Waves: whether that lookup was sent with less news before."""
        self.spoken = True
        """False while it waits for a lookup, even one without news (waves)."""
        self.rest, self.rests_until = REST, 0.0
        self.answers: list[tuple[Address, dict[str, Any]]] = []
        """Sequential order: outcomes that go out once it knows of them."""

    def announce(self) -> None:
        self.epoch = 0
        self.changed = set(self.slots)

    def take_back(self) -> None:
        """Report once more what the last lookup reported."""
        slots, closed = self.reported
        self.changed, self.closed = self.changed | slots, closed + self.closed
