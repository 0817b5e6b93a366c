"""Positions of households in the tree, and their memory when the tree changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.planning.tree import Overlay, children_of, level_of, parent_of
from agents.planning.tree_reorganisation import Memory
from protocol.terms import Reorganisation


@given(st.integers(1, 5), st.integers(1, 200))
def test_the_tree_is_a_complete_heap(arity: int, households: int) -> None:
    seen = [0]
    for position in range(households):
        for child in children_of(position, arity, households):
            assert parent_of(child, arity) == position
            assert level_of(child, arity) == level_of(position, arity) + 1
            seen.append(child)
    assert seen == list(range(households))
    assert parent_of(0, arity) is None
    assert level_of(0, arity) == 1


def test_every_member_sees_the_same_trees() -> None:
    members = [f"h{n}" for n in range(9)]
    overlays = [Overlay(members, 2, seed=3) for _ in members]
    for _ in range(4):
        order = overlays[0].order()
        assert sorted(order) == sorted(members)
        for overlay, member in zip(overlays, members, strict=True):
            assert overlay.order() == order
            above, below = overlay.parent_and_children(member)
            position = order.index(member)
            assert above == (None if position == 0 else order[(position - 1) // 2])
            assert list(below) == order[2 * position + 1 : 2 * position + 3]
        for overlay in overlays:
            overlay.reorganise()
    assert overlays[0].order() != members


def test_a_kept_selection_is_dropped_when_the_tree_changes_too_soon() -> None:
    memory = Memory(Reorganisation("convergence", offset=3, memorise=True))
    memory.note(2, 4)
    memory.note(3, 5)
    assert memory.reorganise(4) == 5
    memory.note(5, 6)
    assert memory.reorganise(6) is None  # before iteration 4 + 3
    memory.note(9, 7)
    assert memory.reorganise(9) is None  # there was nothing kept to differ from


def test_a_selection_is_kept_in_the_very_iteration_after_which_the_tree_changes() -> None:
    memory = Memory(Reorganisation("convergence", offset=3, memorise=True))
    memory.note(3, 5)
    assert memory.reorganise(3) == 5


def test_a_selection_is_memorised_again_only_after_a_change() -> None:
    memory = Memory(Reorganisation("convergence", offset=1, memorise=True))
    memory.note(1, 5)
    assert memory.reorganise(3) == 5
    memory.note(4, 6)
    assert memory.reorganise(5) == 6
    memory.note(6, 6)
    assert memory.reorganise(7) is None


@pytest.mark.parametrize(
    "terms",
    [Reorganisation("convergence", offset=1), Reorganisation("periodically", 2, memorise=True)],
)
def test_only_convergence_with_memorise_keeps_a_selection(terms: Reorganisation) -> None:
    memory = Memory(terms)
    memory.note(terms.offset, 5)
    assert memory.reorganise(2) is None
