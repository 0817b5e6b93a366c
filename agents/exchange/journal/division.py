"""The division of the shares of a subtree, and its form in a household's journal."""

from typing import NamedTuple

import msgpack

from protocol.vectors import Int64Array, int_bytes, ints_from_bytes


class Division(NamedTuple):
    """How a household has divided the shares of its subtree in an equal shift. All amounts are
    int64[d], in UNIT_KWH."""

    moved: Int64Array
    """Change of the household's own schedule."""
    below: tuple[Int64Array, ...]
    """Shares of each child's subtree, in tree order."""
    households: int
    """Number of households in the subtree."""


def write_division(division: Division) -> bytes:
    """Write a division as bytes for the journal."""
    parts = [int_bytes(part) for part in (division.moved, *division.below)]
    packed: bytes = msgpack.packb([division.households, *parts])
    return packed


def read_division(data: bytes) -> Division:
    """Read the bytes of `write_division`."""
    households, *parts = msgpack.unpackb(data)
    moved, *below = map(ints_from_bytes, parts)
    return Division(moved, tuple(below), households)
