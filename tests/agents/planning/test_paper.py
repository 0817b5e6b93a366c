"""One test for each statement of the paper on which plan selection relies, in our own words; the
docstring has the section."""

from collections import Counter
from functools import lru_cache
from itertools import pairwise
from statistics import mean

import numpy as np
import pytest

from agents.planning.costs import EXACT
from agents.planning.java_random import JavaRandom
from agents.planning.plan_selection import PlanSelection
from agents.planning.tree import children_of
from agents.plans import Population, rmse
from agents.population.synthetic import generate
from orchestrator.coordination.nodes import host_node, orchestrator_node
from orchestrator.coordination.placement import Run
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import Scenario, read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.network import Network
from orchestrator.simulation.simulator import simulate
from protocol.codec import decode_frame
from protocol.messages import Down, Up
from protocol.messages.planning import Aggregate
from protocol.runtime.node import Frame
from protocol.terms import Terms


def population() -> Population:
    return generate(households=40, slots=60, seed=3)


@lru_cache(maxsize=16)
def ran(beta: float, alpha: float = 0.0, seed: int = 3) -> tuple[RunResults, Scenario]:
    settings = RunSettings.model_validate(
        {
            **{"demo": True, "households": 40, "slots": 60, "seed": seed, "iterations": 15},
            **{"isolation": "task", "hosts": 1, "beta": beta, "alpha": alpha},
        }
    )
    resolved = read_scenario(settings)
    return simulate(Run("paper", read_scenario(settings, "simulation"))), resolved


def test_plans_are_vectors_of_d_slots_that_keep_the_household_s_energy() -> None:
    """III-A: all plans of a household have the same energy and differ only in time."""
    for plans in population().households.values():
        assert plans.values.shape == (10, 60)
        for plan in plans.values:
            assert sorted(plan) == sorted(plans.values[0])


def test_the_preferred_plan_causes_no_discomfort_and_the_others_do() -> None:
    """III-A: the preferred plan has the least possible discomfort."""
    for plans in population().households.values():
        discomforts = plans.discomforts("rmse")
        assert discomforts[plans.preferred_index] == 0
        assert (np.delete(discomforts, plans.preferred_index) > 0).all()


def test_discomfort_is_the_rmse_against_the_preferred_plan() -> None:
    """III-B, equation 1."""
    selected, preferred = np.array([1.0, 2.0, 4.0]), np.array([1.0, 4.0, 0.0])
    assert float(rmse(selected, preferred)) == pytest.approx(np.sqrt((0 + 4 + 16) / 3))


def test_comfort_is_one_minus_discomfort() -> None:
    """III-B, equation 2."""
    planned = ran(0.3)[0].planned
    assert planned.mean_comfort == 1 - planned.mean_discomfort


def test_the_global_plan_is_the_sum_of_all_selected_plans() -> None:
    """III-C, equation 4: inefficiency is a function of that sum."""
    results, resolved = ran(0.3)
    plans = resolved.population.households
    total = sum(plans[row.household].values[row.selected_plan] for row in results.rows)
    assert results.demand.planned == pytest.approx(total)
    assert results.planned.inefficiency == pytest.approx(np.var(total))


def test_unfairness_is_the_standard_deviation_of_the_discomforts() -> None:
    """III-D, equation 5."""
    results, _ = ran(0.3)
    discomforts = np.array([row.discomfort_planned for row in results.rows])
    assert results.planned.unfairness == pytest.approx(discomforts.std())
    assert results.planning_history[-1].unfairness == pytest.approx(discomforts.std())


def test_beta_weighs_discomfort_against_inefficiency() -> None:
    """III-E, equation 6: at 0 only the common cost counts, at 1 only the household's own
    comfort."""
    altruistic, selfish = ran(0.0)[0], ran(1.0)[0]
    assert selfish.planned.mean_discomfort == 0
    assert selfish.demand.preferred is not None
    assert selfish.demand.planned == pytest.approx(selfish.demand.preferred)
    assert altruistic.planned.inefficiency < selfish.planned.inefficiency / 50


def test_more_selfish_households_are_more_comfortable_and_less_efficient() -> None:
    """V-B: comfort rises with beta and so does inefficiency, up to the noise of local optima."""
    series = [ran(beta)[0].planned for beta in (0.0, 0.5, 0.9, 1.0)]
    comfort = [measures.mean_comfort for measures in series]
    inefficiency = [measures.inefficiency for measures in series]
    assert comfort == sorted(comfort)
    assert 10 * max(inefficiency[:3]) < inefficiency[3]


def test_weighing_unfairness_evens_out_the_discomforts() -> None:
    """III-D: unfairness can be reduced together with inefficiency."""
    evened, ordinary = (
        [ran(0.0, alpha, seed)[0].planned.unfairness for seed in range(3, 8)]
        for alpha in (0.9, 0.0)
    )
    assert mean(evened) < mean(ordinary)


def test_every_household_selects_exactly_one_of_its_plans() -> None:
    """III-A: every household selects one of its plans."""
    results, resolved = ran(0.0)
    assert len({row.household for row in results.rows}) == 40
    for row in results.rows:
        assert 0 <= row.selected_plan < len(resolved.population.households[row.household].scores)


def test_iterations_lower_the_common_cost_until_it_stays() -> None:
    """IV-B: iterations of bottom-up and top-down passes improve the selection; with equal weights
    the combined cost never rises."""
    for beta in (0.0, 0.5):
        costs = [row.cost for row in ran(beta)[0].planning_history]
        assert all(later <= earlier * (1 + 1e-12) for earlier, later in pairwise(costs))
        assert costs[-1] < costs[0] / 2


def test_the_portfolio_is_the_preferred_plan_and_three_of_each_scheme() -> None:
    """IV-A: there are ten plans; scores say how far each departs; mean and deviation are kept."""
    for plans in generate(households=5, slots=144, seed=1).households.values():
        expected = [1.0] + 3 * [1 / 144] + 3 * [1 / 15] + 3 * [1 / 30]
        assert sorted(plans.scores) == pytest.approx(sorted(expected))
        assert plans.scores[plans.preferred_index] == 1
        assert plans.values.mean(1) == pytest.approx(plans.preferred.mean())
        assert plans.values.std(1) == pytest.approx(plans.preferred.std())
        moved = (plans.values != plans.preferred).sum(1)
        for score, most in ((1 / 15, 15), (1 / 30, 30)):
            swapped = moved[np.isclose(plans.scores, score)]
            assert ((swapped > 0) & (swapped <= 2 * most)).all()


@pytest.mark.parametrize("beta", [0.0, 0.2, 0.5, 1.0])
def test_a_household_minimises_the_weighted_sum(beta: float) -> None:
    """III-E, equation 6: given the plans of all others, no other plan of its own would cost
    less."""
    rng = np.random.default_rng(5)
    plans, others = rng.random((6, 4)), rng.random(4) * 3
    discomforts = rmse(plans, plans[0])
    planner = PlanSelection(
        plans=plans,
        discomforts=discomforts,
        terms=Terms(beta=beta),
        households=1,
        chance=JavaRandom(0),
        arithmetic=EXACT,
    )
    first = planner.bottom_up([], 1).response
    planner.top_down(Aggregate(first + others, float(discomforts[planner.selected]), 0.0), True)
    planner.bottom_up([], 1)
    weighted = [
        (1 - beta) * np.var(others + plan) + beta * discomfort
        for plan, discomfort in zip(plans, discomforts, strict=True)
    ]
    assert planner.selected == int(np.argmin(weighted))


def test_households_that_decide_alone_make_new_peaks() -> None:
    """III-E: without coordination, households that each even out their own demand do worse
    together."""
    results, resolved = ran(0.0)
    alone = sum(
        plans.values[int(np.argmin(plans.values.var(1)))]
        for plans in resolved.population.households.values()
    )
    assert results.planned.inefficiency < np.var(alone) / 10


def test_the_number_of_iterations_is_that_of_the_terms() -> None:
    """IV, algorithm 1: selection is repeated for the given number of iterations."""
    assert [row.iteration for row in ran(0.3)[0].planning_history] == list(range(15))


def test_a_household_sends_one_message_up_and_one_down_per_iteration() -> None:
    """IV-B: passes up and down the tree keep communication low: it grows with the number of
    households, not of pairs."""
    plans = population().households
    members = list(plans)
    hosts = [host_node("r", f"on-{name}", {name: plans[name]}) for name in members]
    node, course = orchestrator_node("r", members, lambda name: Terms(iterations=6))
    sent = Counter[tuple[str, type, int]]()

    def listen(sender: str, frame: Frame) -> None:
        for item in decode_frame(frame.data, "r"):
            if isinstance(item.message, Up | Down):
                sent[item.sender, type(item.message), item.message.iteration] += 1

    network = Network([*hosts, node])
    network.listen = listen
    assert network.run(lambda: course.finished)
    tree = {name: children_of(at, 2, len(members)) for at, name in enumerate(members)}
    assert sent == Counter(
        {(name, Up, t): 1 for name in members[1:] for t in range(6)}
        | {(name, Down, t): len(tree[name]) for name in members if tree[name] for t in range(6)}
    )


def test_some_discomfort_remains_after_convergence() -> None:
    """IV-B: a choice among few plans leaves some households less comfortable than they could be."""
    results, _ = ran(0.0)
    assert results.planning_history[-1].cost == results.planning_history[-2].cost
    assert sum(row.discomfort_planned > 0 for row in results.rows) > 20


def test_messages_along_the_tree_are_aggregates() -> None:
    """IV-B: plans are not disclosed; only sums over subtrees and over all households are."""
    assert set(Up.__dataclass_fields__) == {
        *("attempt", "iteration", "size", "response_kwh", "discomfort", "discomfort_squares"),
    }
    assert set(Down.__dataclass_fields__) == {
        *("attempt", "iteration", "response_kwh", "discomfort", "discomfort_squares"),
        *("approved", "reorganise"),
    }


def test_the_binary_tree_of_the_paper_has_its_levels() -> None:
    """V-B: in a binary tree, most households are on the lowest levels."""
    levels = [row.level for row in ran(0.0)[0].rows]
    assert max(levels) == 6
    assert [levels.count(level) for level in range(1, 7)] == [1, 2, 4, 8, 16, 9]
