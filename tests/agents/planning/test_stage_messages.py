"""The messages of stage 1 at the edges of a host: what is sent, refused and waited for, by a
household that decides alone and by one that decides together with others."""

from collections.abc import Mapping

import numpy as np
import pytest

from agents.planning import subtree
from agents.planning.batch_selection import HouseholdBatch, Row
from agents.planning.costs import Arithmetic
from agents.planning.host_planning import HostPlanning
from agents.planning.stage import Participant, Planning, PlanningStage
from agents.planning.tree import children_of, parent_of
from agents.plans import Plans
from protocol.errors import PeerError
from protocol.messages import Address, Down, Place, Progress, Up
from protocol.terms import Terms

ORCHESTRATOR = Address("o", "orchestrator")
PLANS = Plans(np.array([[2.0, 0.0], [0.0, 2.0]]), np.ones(2))
TERMS = Terms(iterations=3)


def at(position: int) -> Address:
    """Return the address of a household; each has its own, whatever host it is on."""
    return Address("h", f"h{position}")


def participant(position: int) -> Participant:
    return Participant(at(position), ORCHESTRATOR, PLANS)


def place(position: int, households: int, attempt: int = 1) -> Place:
    """Return a place in a binary tree."""
    parent = parent_of(position, 2)
    return Place(
        position=position,
        households=households,
        parent=None if parent is None else at(parent),
        children=tuple(map(at, children_of(position, 2, households))),
        terms=TERMS,
        attempt=attempt,
    )


def stages_of(
    host: HostPlanning, positions: list[int], households: int, attempt: int = 1
) -> Mapping[int, Planning]:
    return {p: host.stage(participant(p), place(p, households, attempt)) for p in positions}


def stage(together: bool, position: int, households: int, attempt: int = 1) -> Planning:
    """Return stage 1 of the only household of a host."""
    if together:
        return stages_of(HostPlanning(1), [position], households, attempt)[position]
    return PlanningStage(participant(position), place(position, households, attempt))


def up(iteration: int = 0, attempt: int = 1) -> Up:
    return Up(iteration, 1, np.ones(2), 0.0, 0.0, attempt=attempt)


def down(iteration: int = 0, *, reorganise: bool = False) -> Down:
    return Down(iteration, np.ones(2), 0.0, 0.0, approved=True, reorganise=reorganise)


both = pytest.mark.parametrize("together", [False, True])


@both
def test_a_household_by_itself_reports_every_iteration(together: bool) -> None:
    said = [envelope.message for envelope in stage(together, 0, 1).begin()]
    assert [type(message) for message in said] == [Progress] * 3
    assert [m.iteration.iteration for m in said if isinstance(m, Progress)] == [0, 1, 2]


@both
def test_messages_carry_the_number_of_the_attempt(together: bool) -> None:
    of_root = stage(together, 0, 2, attempt=2)
    of_root.begin()
    answers = [e.message for e in of_root.on_up(at(1), up(attempt=2)) if e.to == at(1)]
    (rising,) = stage(together, 1, 2, attempt=2).begin()
    for message in (*answers, rising.message):
        assert isinstance(message, Up | Down)
        assert message.attempt == 2
    assert len(answers) == 1


@both
def test_strangers_and_early_answers_are_refused(together: bool) -> None:
    """Household 1 of seven, between its parent 0 and its children 3 and 4."""
    middle = stage(together, 1, 7)
    with pytest.raises(PeerError, match="not a child"):
        middle.on_up(at(2), up())
    with pytest.raises(PeerError, match="before it was asked"):
        middle.on_down(at(0), down())
    middle.begin()
    middle.on_up(at(3), up())
    with pytest.raises(PeerError, match="before it was asked"):
        middle.on_down(at(0), down())
    (rising,) = middle.on_up(at(4), up())
    assert (rising.sender, rising.to) == (at(1), at(0))
    with pytest.raises(PeerError, match="not the parent"):
        middle.on_down(at(2), down())
    with pytest.raises(PeerError, match="before it was asked"):
        middle.on_down(at(0), down(1))
    assert {envelope.to for envelope in middle.on_down(at(0), down())} == {at(3), at(4)}


@both
def test_nothing_has_happened_before_the_start(together: bool) -> None:
    of_root = stage(together, 0, 2)
    assert not of_root.begun
    assert of_root.missing == (at(1),)
    assert of_root.take_changed() == []
    of_root.begin()
    assert of_root.begun
    assert of_root.take_changed() == [at(0)]
    assert of_root.take_changed() == []


@both
def test_own_discomfort_takes_the_place_of_the_terms_discomfort(together: bool) -> None:
    numerics = Arithmetic(own_discomfort=lambda plans: np.array([5.0, 7.0]))
    one = Participant(at(1), ORCHESTRATOR, PLANS, numerics)
    leaf = (HostPlanning(1).stage if together else PlanningStage)(one, place(1, 2))
    (rising,) = leaf.begin()
    assert isinstance(rising.message, Up)
    assert rising.message.discomfort in (5.0, 7.0)


def test_a_new_tree_of_which_nothing_is_known_is_not_taken() -> None:
    """Only a place with a roster lets a household work out its next neighbours."""
    leaf = PlanningStage(participant(1), place(1, 2))
    leaf.begin()
    (rising,) = leaf.on_down(at(0), down(reorganise=True))
    assert rising.to == at(0)


# -- several households of one host ---------------------------------------------------------------


def test_a_host_speaks_for_each_of_its_subtrees_once() -> None:
    """Households 3 and 2 of seven have no relative on their host."""
    host = HostPlanning(2)
    stages = stages_of(host, [3, 6], 7)
    assert [(e.sender, e.to) for e in stages[3].begin()] == [(at(3), at(1)), (at(6), at(2))]
    assert stages[6].begin() == []


def test_messages_inside_a_host_are_refused() -> None:
    """Household 1 of seven is on the host of its parent, and of its child 3; 4 is elsewhere."""
    host = HostPlanning(3)
    stages = stages_of(host, [0, 1, 3], 7)
    stages[0].begin()
    with pytest.raises(PeerError, match="not the parent"):
        stages[1].on_down(at(0), down())
    with pytest.raises(PeerError, match="not a child"):
        stages[1].on_up(at(3), up())
    with pytest.raises(PeerError, match="not a child"):
        stages[0].on_up(at(4), up())
    assert stages[1].on_up(at(4), up()) == []


def test_only_households_at_an_edge_wait_for_others() -> None:
    """Of household 0 and all below 1, only 0 has a child on another host."""
    host = HostPlanning(4)
    stages = stages_of(host, [0, 1, 3, 4], 7)
    stages[0].begin()
    assert stages[0].missing == (at(2),)
    assert [stages[p].missing for p in (1, 3, 4)] == [(), (), ()]


def test_a_later_attempt_begins_with_nobody_placed() -> None:
    host = HostPlanning(2)
    stages_of(host, [0, 1], 2)
    host.form_subtrees()
    later = stages_of(host, [0], 2, attempt=2)
    with pytest.raises(PeerError, match="not all households"):
        later[0].begin()
    later = {**later, **stages_of(host, [1], 2, attempt=2)}
    later[0].begin()
    assert [later[p].result is None for p in (0, 1)] == [False, False]


def test_neighbours_with_equally_many_children_decide_in_one_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twelve households: the root; two; four, of which two have two children and one has one; five
    leaves."""
    sizes = []

    class Counted(HouseholdBatch):
        def __init__(
            self, rows: list[Row], children: int, households: int, arithmetic: Arithmetic
        ) -> None:
            sizes.append((len(rows), children))
            super().__init__(rows, children, households, arithmetic)

    monkeypatch.setattr(subtree, "HouseholdBatch", Counted)
    stages_of(HostPlanning(12), list(range(12)), 12)[0].begin()
    assert sizes == [(1, 2), (2, 2), (2, 2), (1, 1), (1, 0), (5, 0)]
