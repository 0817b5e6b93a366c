"""The interface of a wish: a change of a home's total for which it needs partners.

There are two kinds. A part (part_wish.py) is agreed with one partner, as much as suits both. A
whole (whole_wish.py) is gathered from several partners, all or nothing.
"""

from collections.abc import Mapping
from typing import Literal, Protocol

from agents.exchange.amounts.announcement import Announcement
from protocol.vectors import Array

WishKind = Literal["part", "whole"]


class Wish(Protocol):
    """A wish while it is negotiated. The home does not change meanwhile."""

    @property
    def kind(self) -> WishKind:
        """The kind that partners are told."""

    @property
    def indivisible(self) -> bool:
        """True if nothing less than all that is wanted is of use."""

    @property
    def partners_max(self) -> int:
        """Greatest number of partners to ask."""

    def wanted(self) -> Announcement | None:
        """Return what to look for at the next partner; None if nothing is missing."""

    def proposed(self, gives: Announcement) -> Array:
        """Return the change to propose to a partner that announces this, float64[d] kWh; zeros
        for none."""

    def answered(self, part: Array) -> Array | None:
        """Take the part of the last proposal that suits the partner. Returns the change to propose
        to it next; None if it need not be asked again, zeros if its part is of no use."""

    def changed(self) -> Mapping[str, Array] | None:
        """Return the new schedules of devices, given the parts of all partners so far; None if
        they do not suffice."""
