"""Stage 2 of one household with exchanges between iterations: how one follows another, is
withdrawn, and is taken up again after a kill."""

from dataclasses import replace

import numpy as np
import pytest

from agents.exchange.journal.another_exchange import AnotherExchange
from agents.planning.stage import Participant, PlanningResult
from agents.planning_loop import another_exchange, planner_after
from agents.plans import Plans
from protocol.errors import PeerError
from protocol.messages import (
    Down,
    End,
    Iteration,
    NextRound,
    PlanningHistory,
    Replanned,
    RoundDone,
)
from tests.support.staged_household import (
    HELD,
    ORCHESTRATOR,
    OWN,
    PARENT,
    PLANNED,
    Household,
    reported,
    rises,
)

MIDDLE = np.array([1.5, 1.5])
"""What stage 1 selects after the first exchange."""
LAST = np.array([2.0, 1.75])


def household(*, parent: bool = False) -> Household:
    return Household(PARENT if parent else None, content="bundle", order="waves", every=3)


def end_exchange(own: Household) -> None:
    """Answer the lookups until nobody has exchanged anything in two rounds."""
    while not own.stage.trader.finished:
        own.answer()


def start(own: Household, number: int, *, attempt: int = 3) -> None:
    """Start another exchange: the first has number 1."""
    so_far = own.stage.household.planned
    another = AnotherExchange(
        planned=replace(so_far, replanned=(*so_far.replanned, Replanned(number, number / 8))),
        schedule=(MIDDLE, LAST)[number - 1],
        drift_kwh=number / 4,
        generator_state=100 + number,
        attempt=attempt,
    )
    place = replace(own.stage.household.place, attempt=attempt)
    own.sent = own.stage.start_another(place, another, 5.0)


def state(own: Household) -> tuple[object, ...]:
    """Return all that another exchange depends on."""
    stage = own.stage
    return (
        (stage.loop, stage.paused, stage.begun, stage.gathered, stage.generator_state),
        (stage.household.place.attempt, stage.household.planned, stage.planned_schedule.tolist()),
        (stage.trader.round, stage.trader.gathers, stage.trader.schedule.tolist()),
        [(schedule.tolist(), drift) for schedule, drift in stage.ends],
        len(stage.trader.counted),
    )


def test_exchanges_follow_each_other_and_the_last_one_has_the_final_sum() -> None:
    own = household()
    assert (own.stage.loop, own.stage.paused, own.stage.begun) == (0, False, True)
    assert own.stage.generator_state == 0
    end_exchange(own)
    assert (own.stage.loop, own.stage.paused, own.stage.begun) == (1, True, False)
    assert [(end.tolist(), drift) for end, drift in own.stage.ends] == [(HELD.tolist(), 0.0)]
    assert own.stage.trader.gathers == [-1]
    last = own.stage.trader.round
    start(own, 1)
    assert (own.stage.loop, own.stage.paused, own.stage.begun) == (1, False, True)
    assert own.stage.generator_state == 101
    assert own.stage.trader.gathers == [-1, last + 1]
    assert own.stage.trader.round == last + 2, "offers are made with the first lookup"
    assert reported(own.sent) == [(ORCHESTRATOR, last + 1)]
    assert own.stage.trader.counted[-1].discomfort_kwh == pytest.approx(0.5)
    assert (own.lookup.slots, own.lookup.values_kwh.tolist()) == ((0, 1), MIDDLE.tolist())
    assert own.lookup.limits_kwh.tolist() == [1.0, 1.0]
    end_exchange(own)
    assert own.stage.paused
    assert own.stage.result is None
    assert rises(own.sent) == []
    start(own, 2)
    end_exchange(own)
    assert (own.stage.loop, own.stage.paused) == (3, False)
    result = own.stage.result
    assert result is not None
    assert result.replanned == (Replanned(1, 0.125), Replanned(2, 0.25))
    assert result.exchanged is not None
    assert result.exchanged.energy_drift_kwh == 0.75, "against the first selected plan"
    assert result.exchange_history is not None
    assert result.exchange_history.response_kwh.tolist() == LAST.tolist()
    assert result.exchange_history.gathers == tuple(own.stage.trader.gathers)
    assert len(result.exchange_history.rounds) == own.stage.trader.round + 2
    assert [drift for _, drift in own.stage.ends] == [0.0, 0.25, 0.5]


def test_each_exchange_may_take_all_rounds_of_the_terms() -> None:
    own = Household(content="bundle", order="waves", every=3, rounds=4)
    end_exchange(own)
    start(own, 1)
    end_exchange(own)
    trader = own.stage.trader
    assert (trader.gathers, trader.round) == ([-1, 3], 5), "two rounds, the fourth and fifth"


def test_a_kill_changes_nothing_in_a_later_exchange() -> None:
    own = household()
    end_exchange(own)
    for number in (1, 2):
        before = state(own)
        own.resume(20.0)
        assert state(own) == before
        assert len(own.sent) == len(reported(own.sent)), "only reports on rounds"
        start(own, number)
        while not own.stage.trader.finished:
            before = state(own)
            own.resume(20.0)
            assert state(own) == before
            own.answer()
    before = state(own)
    result = own.stage.result
    own.resume(20.0)
    assert state(own) == before
    assert own.stage.result is not None
    assert result is not None
    assert own.stage.result.replanned == result.replanned


def first_exchange(own: Household) -> None:
    """Take a household with a parent through its first exchange, of one round."""
    own.hear(PARENT, NextRound(0, (), 0.5))
    own.hear(PARENT, NextRound(1, (0, 1), 0.5))
    own.answer()
    own.hear(PARENT, End(1))


def done(own: Household) -> RoundDone:
    (found,) = (one.message for one in own.sent if isinstance(one.message, RoundDone))
    return found


def test_a_leaf_enters_another_exchange_when_its_parent_says_so() -> None:
    own = household(parent=True)
    first_exchange(own)
    assert (own.sent, own.stage.paused) == ([], True)
    assert own.stage.trader.missing == ()
    start(own, 1, attempt=4)
    assert (done(own).round, done(own).attempt, done(own).changed) == (2, 4, ())
    assert done(own).count.households == 1
    assert done(own).count.deviation_kwh2 == pytest.approx(0.25)
    assert done(own).count.lookups == 0
    assert (own.stage.gathered, own.stage.begun) == (True, False)
    assert own.stage.missing == (PARENT,)
    own.resume(20.0)
    assert (done(own).round, done(own).attempt) == (2, 4)
    assert own.stage.household.place.attempt == 4
    assert (own.stage.gathered, own.stage.begun) == (True, False)
    own.hear(PARENT, NextRound(3, (0, 1), 0.5), now=21.0)
    assert own.stage.begun
    assert own.lookup.slots == (0, 1), "all offers are made again"
    own.answer()
    assert done(own).round == 3


def test_an_exchange_that_is_withdrawn_leaves_no_trace() -> None:
    own = household(parent=True)
    first_exchange(own)
    before = state(own)
    start(own, 1, attempt=4)
    own.stage.withdraw()
    withdrawn = state(own)
    assert withdrawn[0] == before[0]
    assert (own.stage.household.planned, own.stage.trader.gathers) == (PLANNED, [-1])
    assert own.stage.trader.round == 1
    assert own.written[-1].kind == "withdrawn"
    own.resume(20.0)
    assert state(own)[0] == before[0]
    assert (own.stage.household.planned, own.stage.trader.gathers) == (PLANNED, [-1])
    assert own.stage.trader.round == 1
    start(own, 1, attempt=5)
    assert (done(own).round, done(own).attempt) == (2, 5)
    assert own.stage.household.place.attempt == 5
    own.hear(PARENT, NextRound(3, (0, 1), 0.5))
    own.answer()
    own.hear(PARENT, End(3))
    start(own, 2, attempt=6)
    assert own.stage.generator_state == 102
    own.stage.withdraw()
    for _ in range(2):
        assert own.stage.household.planned.replanned == (Replanned(1, 0.125),)
        assert own.stage.generator_state == 101
        assert (own.stage.trader.gathers, own.stage.trader.round) == ([-1, 2], 3)
        own.resume(20.0)


def test_the_sums_of_the_first_iteration_after_an_exchange_are_not_the_final_ones() -> None:
    own = household(parent=True)
    first_exchange(own)
    assert not own.stage.closes_with(Down(3, MIDDLE, 0.0, 0.0, True, False, attempt=4))
    start(own, 1, attempt=4)
    assert own.stage.closes_with(Down(7, MIDDLE, 0.0, 0.0, True, False, attempt=4))
    with pytest.raises(PeerError):
        own.hear(PARENT, Down(7, MIDDLE, 0.0, 0.0, True, False, attempt=4))


# -- between two exchanges ------------------------------------------------------------------------

PLANS = Plans(np.array([HELD, [3.0, 0.0]]), np.array([1.0, 0.0]))
PLANNER = Participant(OWN, ORCHESTRATOR, PLANS)


def test_planning_begins_with_the_own_plans_and_goes_on_with_the_schedules() -> None:
    assert planner_after(None, PLANNER) is PLANNER
    own = household()
    assert planner_after(own.stage, PLANNER) is PLANNER, "the first exchange is not over"
    end_exchange(own)
    again = planner_after(own.stage, PLANNER)
    assert again.plans.values.tolist() == [*PLANS.values.tolist(), HELD.tolist()]
    assert (again.loop, again.selected) == (1, 2)
    start(own, 1)
    end_exchange(own)
    again = planner_after(own.stage, PLANNER)
    assert again.plans.values.tolist() == [*PLANS.values.tolist(), HELD.tolist(), MIDDLE.tolist()]
    assert (again.loop, again.selected) == (2, 3)
    assert again.chance(0, "h").state == 101


@pytest.mark.parametrize(
    ("selected", "schedule", "drift_kwh"),
    [(1, PLANS.values[1], 0.0), (2, HELD, 0.125), (3, MIDDLE, 0.25)],
)
def test_a_schedule_brings_its_energy_drift_into_the_next_exchange(
    selected: int, schedule: np.ndarray, drift_kwh: float
) -> None:
    own = household()
    end_exchange(own)
    own.stage.ends[0] = (HELD, 0.125)  # as if energy had moved in it
    start(own, 1)
    end_exchange(own)
    row = Iteration(6, *(0.0,) * (len(Iteration._fields) - 1))
    history = PlanningHistory((row,), MIDDLE)
    planned = PlanningResult(selected, history, generator_state=77)
    place = replace(own.stage.household.place, attempt=9)
    another = another_exchange(own.stage, PLANNER, planned, place=place)
    assert another.schedule.tolist() == schedule.tolist()
    assert (another.drift_kwh, another.generator_state, another.attempt) == (drift_kwh, 77, 9)
    before, last = another.planned.replanned
    assert before == Replanned(1, 0.125)
    assert (last.selected_plan, last.history) == (selected, history)
    away = schedule - PLANS.preferred
    assert last.discomfort_kwh == pytest.approx(float((away @ away / 2) ** 0.5))
    assert replace(another.planned, replanned=()) == PLANNED
