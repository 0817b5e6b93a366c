"""The tree: a complete k-ary heap over the households, and how a new tree is laid out."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from agents.planning.java_random import JavaRandom

Member = TypeVar("Member")


def parent_of(position: int, arity: int) -> int | None:
    """Return the position of the parent; None for the root (position 0)."""
    return (position - 1) // arity if position else None


def children_of(position: int, arity: int, households: int) -> range:
    """Return the positions of the children, in their order."""
    first = position * arity + 1
    return range(min(first, households), min(first + arity, households))


def level_of(position: int, arity: int) -> int:
    """Return the level in the tree; the root is on level 1."""
    level, first, width = 1, 0, 1
    while position >= first + width:
        first, width, level = first + width, width * arity, level + 1
    return level


class Overlay(Generic[Member]):
    """The positions of all households in the tree, now and after each reorganisation.

    Members are kept in EPOS's vertex order, the reverse of the tree order. Each reorganisation
    shuffles that list again (docs/epos.md), so everybody that knows the first order
    and the seed knows all later trees.
    """

    def __init__(self, order: Sequence[Member], arity: int, seed: int) -> None:
        self._vertices = list(reversed(order))
        self._chance = JavaRandom(seed)
        self.arity = arity

    def reorganise(self) -> None:
        """Move on to the next tree."""
        self._chance.shuffle(self._vertices)

    def order(self) -> list[Member]:
        """Return the members by position."""
        return self._vertices[::-1]

    def parent_and_children(self, member: Member) -> tuple[Member | None, tuple[Member, ...]]:
        """Return the parent and the children of `member` in the present tree."""
        last = len(self._vertices) - 1
        position = last - self._vertices.index(member)
        above = parent_of(position, self.arity)
        below = children_of(position, self.arity, last + 1)
        return (
            None if above is None else self._vertices[last - above],
            tuple(self._vertices[last - child] for child in below),
        )
