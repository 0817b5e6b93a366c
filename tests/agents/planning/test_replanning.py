"""Planning again after an exchange: the plans, the generator, and the first iteration."""

import numpy as np

from agents.planning.java_random import JavaRandom, household_chance
from agents.planning.replanning import Replanning, with_schedules
from agents.planning.stage import Participant, PlanningStage
from agents.plans import Plans
from protocol.messages import Address, Place
from protocol.terms import ExchangeTerms, Terms

PLANS = Plans(np.array([[1.0, 2.0], [2.0, 1.0]]), np.array([1.0, 0.0]))
SCHEDULES = (np.array([1.25, 1.75]), np.array([1.5, 1.5]))
TERMS = Terms(iterations=7, exchange=ExchangeTerms(content="bundle"), exchange_every=3)
ALONE = Address("host-1", "h0")
MASK = (1 << 48) - 1


def household() -> Participant:
    return Participant(ALONE, Address("orchestrator", "orchestrator"), PLANS)


def test_schedules_join_the_plans_and_never_become_the_preferred_one() -> None:
    plans = with_schedules(PLANS, SCHEDULES)
    assert plans.values.tolist() == [*PLANS.values.tolist(), *(s.tolist() for s in SCHEDULES)]
    assert plans.preferred_index == PLANS.preferred_index
    costs = with_schedules(Plans(PLANS.values, PLANS.scores, "cost"), SCHEDULES)
    assert costs.preferred_index == 1, "the lowest cost"
    found = plans.discomforts("rmse")
    assert (found[:2] == PLANS.discomforts("rmse")).all()
    assert found[2] == 0.25


def test_the_generator_goes_on_where_it_was() -> None:
    one = household_chance(3, "h0")
    one.next_double()
    other = Replanning(SCHEDULES, one.state).participant(household()).chance(9, "another")
    assert other.next_double() == one.next_double()
    assert JavaRandom.at(one.state).state == one.state <= MASK


def test_iterations_are_divided_by_exchanges() -> None:
    assert TERMS.exchanges == 3
    found = [household().iterations(TERMS)]
    for loop in (1, 2):
        again = Replanning(SCHEDULES[:1] * loop, 1).participant(household())
        assert again.loop == loop
        found.append(again.iterations(TERMS))
    assert found == [range(3), range(3, 6), range(6, 7)]


def test_the_first_iteration_keeps_the_last_schedule_and_draws_nothing() -> None:
    again = Replanning(SCHEDULES, 12345).participant(household())
    place = Place(position=0, households=1, parent=None, children=(), terms=TERMS)
    stage = PlanningStage(again, place)
    stage.begin()
    assert stage.selections == [3]
    assert stage.result is not None
    assert stage.result.generator_state == 12345
    assert stage.result.history is not None
    assert stage.result.history.summed_kwh is not None
    assert stage.result.history.summed_kwh.tolist() == SCHEDULES[-1].tolist()
    assert [row.iteration for row in stage.result.history.iterations] == [6]
