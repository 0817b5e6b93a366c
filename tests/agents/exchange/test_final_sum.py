"""The final sum: the messages of a household up and down, and messages that it ignores."""

import numpy as np
import pytest

from agents.exchange.final_sum import FinalSum
from protocol.codec import encode_message
from protocol.errors import PeerError
from protocol.messages import Address, Down, Place, Up
from protocol.messages.planning import Aggregate
from protocol.runtime.machine import Envelope
from protocol.terms import Terms

OWN, PARENT = Address("host0", "own"), Address("host0", "parent")
LEFT, RIGHT = Address("host1", "left"), Address("host1", "right")
SLOTS = 2
SUMS = Aggregate(np.array([1.0, 2.0]), 3.0, 5.0)


def place(parent: Address | None = PARENT, children: tuple[Address, ...] = ()) -> Place:
    return Place(1, 4, parent, children, Terms(iterations=7), attempt=3)


def up(factor: float, size: int) -> Up:
    response, discomfort, squares = SUMS
    return Up(7, size, response * factor, discomfort * factor, squares * factor, attempt=3)


def down(factor: float) -> Down:
    response, discomfort, squares = SUMS
    return Down(7, response * factor, discomfort * factor, squares * factor, True, False, attempt=3)


def comparable(envelopes: list[Envelope]) -> list[tuple[Address, Address, bytes]]:
    """Return envelopes in a form that can be compared."""
    return [(each.sender, each.to, encode_message(each.message)) for each in envelopes]


def test_a_leaf_sends_its_own_part_and_ends_with_the_sums_of_all() -> None:
    own = FinalSum(OWN, place(), SLOTS)
    assert not own.offered
    with pytest.raises(PeerError, match="may not close"):
        own.on_down(PARENT, down(9))
    assert comparable(own.offer(SUMS)) == comparable([Envelope(OWN, PARENT, up(1, 1))])
    assert own.offered
    assert own.offer(SUMS) == []
    with pytest.raises(PeerError, match="may not close"):
        own.on_down(LEFT, down(9))
    assert own.result is None
    assert own.on_down(PARENT, down(9)) == []
    assert own.result is not None
    assert own.result.discomfort == 27.0
    assert own.on_down(PARENT, down(2)) == []
    assert own.result.discomfort == 27.0, "a repetition"


def test_a_parent_adds_its_children_and_passes_the_sums_down() -> None:
    own = FinalSum(OWN, place(children=(LEFT, RIGHT)), SLOTS)
    assert own.missing() == (LEFT, RIGHT)
    assert own.on_up(RIGHT, up(10, 2)) == []
    assert own.missing() == (LEFT,)
    assert own.on_up(RIGHT, up(50, 9)) == [], "a repetition"
    assert own.offer(SUMS) == []
    with pytest.raises(PeerError, match="not a child"):
        own.on_up(PARENT, up(1, 1))
    with pytest.raises(PeerError, match="may not close"):
        own.on_down(PARENT, down(9))
    assert comparable(own.on_up(LEFT, up(100, 3))) == comparable(
        [Envelope(OWN, PARENT, up(111, 6))]
    )
    assert own.on_up(LEFT, up(100, 3)) == [], "it waits for its parent, too"
    below = [Envelope(OWN, LEFT, down(200)), Envelope(OWN, RIGHT, down(200))]
    assert comparable(own.on_down(PARENT, down(200))) == comparable(below)
    assert comparable(own.on_up(RIGHT, up(10, 2))) == comparable(below[1:]), (
        "who has missed it hears it again"
    )


def test_the_root_sums_up() -> None:
    own = FinalSum(OWN, place(None, (LEFT,)), SLOTS)
    assert own.offer(SUMS) == []
    assert comparable(own.on_up(LEFT, up(2, 1))) == comparable([Envelope(OWN, LEFT, down(3))])
    assert own.result is not None
    assert (own.result.discomfort, own.result.discomfort_squares) == (9.0, 15.0)
    assert own.result.response.tolist() == [3.0, 6.0]


def test_sums_of_another_day_are_refused() -> None:
    """They would break the sum, or close the run with a schedule that fits nobody."""
    own = FinalSum(OWN, place(children=(LEFT,)), SLOTS)
    for length in (0, 1, 3):
        with pytest.raises(PeerError, match=f"speaks of {length} slots"):
            own.on_up(LEFT, Up(7, 1, np.zeros(length), 0.0, 0.0, attempt=3))
    assert own.missing() == (LEFT,)
    own.on_up(LEFT, up(1, 1))
    own.offer(SUMS)
    for length in (0, 1, 3):
        with pytest.raises(PeerError, match=f"speaks of {length} slots"):
            own.on_down(PARENT, Down(7, np.zeros(length), 0.0, 0.0, True, False, attempt=3))
    assert own.result is None


def test_sums_are_taken_in_the_order_of_the_tree() -> None:
    """Rounding depends on the order: children first, from the left, then the household itself."""
    left, right, own_part = 0.1, 0.2, 0.3
    own = FinalSum(OWN, place(None, (LEFT, RIGHT)), 1)
    own.on_up(RIGHT, Up(7, 1, np.array([right]), right, right, attempt=3))
    own.on_up(LEFT, Up(7, 1, np.array([left]), left, left, attempt=3))
    own.offer(Aggregate(np.array([own_part]), own_part, own_part))
    assert own.result is not None
    assert own.result.discomfort == left + right + own_part
    assert own.result.discomfort != own_part + right + left
