"""Functions of people's own act where the built-in ones do, in both stages, or are refused."""

from collections.abc import Callable
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import coflex
from agents.own_functions import ProposedExchange
from protocol.errors import InputError, RunError
from protocol.vectors import Array
from tests.support.own_functions import distance, for_the_pair, variance, without_loss

SMALL = coflex.Scenario(
    demo=True, households=9, slots=36, iterations=6, seed=3, beta=0.3, content="slot"
)
OWN: dict[str, Any] = {"cost": variance, "discomfort": distance, "accepts": without_loss}
DAYS = np.array([[[1.0, 3.0], [2.0, 2.0]], [[1.0, 3.0], [0.5, 3.5]]])
"""Two households, two plans each, two slots; the first plan is preferred."""


def same(one: coflex.Outcome, other: coflex.Outcome) -> bool:
    """Whether all that was decided and measured is equal to the last bit."""
    a, b = one.results, other.results
    return (a.rows, a.rounds, a.planning_history, a.exchange, a.exchanged) == (
        *(b.rows, b.rounds, b.planning_history, b.exchange, b.exchanged),
    ) and a.demand.planned.tobytes() == b.demand.planned.tobytes()


@pytest.fixture
def two(tmp_path: Path) -> Path:
    return coflex.save_population(tmp_path / "two.npz", DAYS)


# -- equal to a built-in one ----------------------------------------------------------------------


@pytest.mark.parametrize("isolation", ["subtree", "task"])
@pytest.mark.parametrize("name", [*OWN, "all"])
def test_what_equals_a_built_in_changes_nothing(name: str, isolation: Any) -> None:
    own = OWN if name == "all" else {name: OWN[name]}
    scenario = SMALL.changed(isolation=isolation)
    assert same(coflex.simulate(scenario, **own), coflex.simulate(scenario))


@pytest.mark.parametrize("disclose", ["limit", "direction", "value"])
def test_a_rule_equals_mutual_whatever_is_disclosed(disclose: Any) -> None:
    scenario = SMALL.changed(disclose=disclose)
    assert same(coflex.simulate(scenario, accepts=without_loss), coflex.simulate(scenario))


def test_a_rule_equals_cooperative_with_its_cap() -> None:
    """A refusal at the cap is tried again in the next round, as under the built-in rule."""
    scenario = SMALL.changed(exchange="cooperative", households=20, beta=0.0)
    built_in = coflex.simulate(scenario, trace=True).results
    own = coflex.simulate(scenario, accepts=for_the_pair, trace=True).results
    assert own.rows == built_in.rows
    assert own.exchanges == built_in.exchanges
    # The reasons of refusals, "rule" and "no joint gain", differ in length.
    without_bytes = [[replace(row, bytes=0) for row in one.rounds] for one in (own, built_in)]
    assert without_bytes[0] == without_bytes[1]


def test_a_rule_equals_that_of_the_paper() -> None:
    def rule(exchange: ProposedExchange) -> bool:
        wanted = float(exchange.preferred[exchange.slot])
        return exchange.requester or exchange.held_kwh != wanted

    scenario = SMALL.changed(exchange="paper")
    own = coflex.simulate(scenario, accepts=rule).results
    assert own.rows == coflex.simulate(scenario).results.rows


def test_a_cost_by_matrix_product_gives_the_same_in_every_isolation() -> None:
    """The order of summation of a product depends on the number of rows."""
    prices = np.random.default_rng(1).random(36)

    def bill(demand: Array) -> Array:
        return np.asarray(demand**2 @ prices)

    scenario = SMALL.changed(cost=bill)
    one = coflex.simulate(scenario, isolation="subtree", hosts=1)
    other = coflex.simulate(scenario, isolation="task", hosts=2)
    assert one.results.planning_history == other.results.planning_history
    found = float((one.results.demand.planned**2) @ prices)
    assert one.results.planned.inefficiency == pytest.approx(found)


# -- different from a built-in one ----------------------------------------------------------------


def chosen(outcome: coflex.Outcome) -> list[int]:
    return [row.selected_plan for row in outcome.results.rows]


def test_a_cost_decides_which_plans_are_selected(two: Path) -> None:
    def first_slot(demand: Array) -> Array:
        return np.asarray(demand[:, 0])

    outcome = coflex.simulate(dataset=two, cost=first_slot, exchange="off")
    assert chosen(outcome) == [0, 1]  # the smallest values at slot 0: 1 and 0.5
    assert outcome.results.planned.inefficiency == 1.5
    assert outcome.results.states()["preferred"].inefficiency == 2.0
    assert outcome.results.planning_history[-1].inefficiency == 1.5


def test_a_discomfort_decides_where_it_has_all_the_weight(two: Path) -> None:
    def last_slot(plans: Array, preferred: Array) -> Array:
        return np.asarray(plans[:, 1] - preferred[1])

    outcome = coflex.simulate(dataset=two, discomfort=last_slot, beta=1, exchange="off")
    assert chosen(outcome) == [1, 0]  # 2 is below 3, and 3 below 3.5
    assert outcome.results.planning_history[-1].mean_discomfort == -0.5  # (2 - 3 + 3 - 3) / 2


def test_a_generator_makes_the_plans(two: Path) -> None:
    def reversed_day(preferred: Array) -> Array:
        return preferred[None, ::-1]

    outcome = coflex.simulate(dataset=two, alternatives=reversed_day, exchange="off")
    assert sorted(chosen(outcome)) == [0, 1]  # one of them turns round: 1 + 3 and 3 + 1
    assert outcome.results.demand.planned.tolist() == [4.0, 4.0]
    assert outcome.results.data_sha256 != coflex.simulate(dataset=two).results.data_sha256


@pytest.mark.parametrize("refuses", [True, False])
def test_each_side_asks_its_rule(refuses: bool) -> None:
    sides: list[bool] = []

    def rule(exchange: ProposedExchange) -> bool:
        sides.append(exchange.requester)
        return exchange.requester is not refuses

    exchange = coflex.simulate(SMALL, accepts=rule).results.exchange
    assert exchange is not None
    assert exchange.matches > 0
    assert exchange.accepted == 0
    assert (exchange.proposals == 0) is refuses  # a requester that refuses does not propose
    assert (exchange.refused > 0) is not refuses


def test_a_rule_sees_the_exchange_as_its_side_does() -> None:
    seen: list[ProposedExchange] = []

    def rule(exchange: ProposedExchange) -> bool:
        seen.append(exchange)
        return True

    coflex.simulate(SMALL, accepts=rule, exchange="cooperative")
    own = seen[2 * 2 :]  # it was tried before, twice for each side
    assert {exchange.requester for exchange in own} == {True, False}
    for exchange in own:
        new, old = (
            value - exchange.preferred[exchange.slot]
            for value in (exchange.offered_kwh, exchange.held_kwh)
        )
        assert exchange.held_kwh == exchange.schedule[exchange.slot]
        assert exchange.change_kwh2 == new * new - old * old
        assert exchange.requester == (exchange.partner_change_kwh2 == 0)
        away = exchange.schedule - exchange.preferred
        assert exchange.deviation_kwh2 == pytest.approx(float((away * away).sum()))


def test_a_mandate_with_a_rule_goes_before_an_own_one(tmp_path: Path) -> None:
    mandates = tmp_path / "mandates.toml"
    mandates.write_text('[default]\nrule = "mutual"\n')
    scenario = SMALL.changed(mandates=mandates)
    own = coflex.simulate(scenario, accepts=lambda exchange: False)
    assert same(own, coflex.simulate(scenario))


# -- what is recorded -----------------------------------------------------------------------------


def test_results_name_the_functions_and_say_that_no_command_repeats_them(tmp_path: Path) -> None:
    coflex.simulate(SMALL, cost=variance, accepts=without_loss).save(tmp_path / "run")
    config = coflex.load_results(tmp_path / "run").results.config
    assert config["cost"] == "tests.support.own_functions:variance"
    assert config["accepts"] == "tests.support.own_functions:without_loss"
    assert config["discomfort"] == "rmse"
    assert config["repeatable"] == "from Python only: cost, accepts"
    assert "repeatable" not in coflex.simulate(SMALL).results.config


def test_a_scenario_keeps_its_functions_until_they_are_changed() -> None:
    scenario = SMALL.changed(cost=variance, accepts=without_loss)
    assert scenario.own.cost is variance
    assert scenario.changed(beta=0.5).own == scenario.own
    assert scenario.changed(cost="max").own.cost is None
    assert scenario.changed(cost="max").cost == "max"


# -- what is refused ------------------------------------------------------------------------------

ALTERNATING = cycle([True, False])


def in_place(demand: Array) -> Array:
    demand *= 2
    return np.asarray(demand.sum(-1))


def drawn(demand: Array) -> Array:
    return np.random.default_rng().random(len(demand))


@pytest.mark.parametrize(
    ("option", "function", "why"),
    [
        ("cost", lambda x: x.sum(), r"shape \(\) instead of \(67,\).*axis=-1"),
        ("cost", lambda x: x, r"shape \(67, 36\) instead"),
        ("cost", lambda x: np.full(len(x), np.nan), "NaN or infinite"),
        ("cost", lambda x: "text", "returned a str"),
        ("cost", lambda x: x.var(-1) - x.mean(), "other plans are beside it"),
        ("cost", lambda x: 1 / 0, "ZeroDivisionError: division by zero"),
        ("cost", lambda x, y: x, "TypeError"),
        ("cost", in_place, "in_place changes the array"),
        ("cost", drawn, "drawn returned something else when it was called again"),
        ("discomfort", lambda plans, preferred: plans, r"shape \(10, 36\) instead of \(10,\)"),
        ("discomfort", lambda plans, preferred: drawn(plans), "something else"),
        ("alternatives", lambda preferred: preferred, r"for h0 returned the shape \(36,\)"),
        ("alternatives", lambda preferred: preferred[None] / 0, "for h0 returned a number"),
        ("alternatives", lambda preferred: preferred.sort(), "changes the array"),
        ("alternatives", "shuffle", "'shuffle' is not a function"),
        ("accepts", lambda exchange: 1, r"returned 1 \(int\) instead of True or False"),
        ("accepts", lambda exchange: exchange.schedule.sort(), "changes the array"),
        ("accepts", lambda exchange: next(ALTERNATING), "something else"),
        ("exchange", lambda exchange: True, "pass it as accepts="),
        ("beta", lambda: 1, "no function can be given here"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_function_is_tried_before_the_run(
    option: str, function: Callable[..., Any], why: str
) -> None:
    options: dict[str, Any] = {option: function}
    with pytest.raises(InputError, match=why) as found:
        coflex.simulate(SMALL, **options)
    assert found.value.field == option
    if callable(function):
        assert "tests.orchestrator.test_own_functions:" in str(found.value)


def test_a_rule_without_stage_2_has_no_effect() -> None:
    with pytest.raises(InputError, match="there is no stage 2"):
        coflex.simulate(SMALL, accepts=without_loss, exchange="off")
    with pytest.raises(InputError, match="ttc is for all households"):
        coflex.simulate(SMALL, accepts=without_loss, exchange="ttc")


def test_what_goes_wrong_in_the_middle_is_named() -> None:
    calls = iter(range(100_000))

    def tiring(demand: Array) -> Array:
        return variance(demand) if next(calls) < 100 else demand

    with pytest.raises(InputError, match=r"field cost: .*tiring returned the shape"):
        coflex.simulate(SMALL, cost=tiring)


# -- over processes -------------------------------------------------------------------------------


@pytest.mark.nats
def test_functions_act_in_processes_of_their_own() -> None:
    """Hosts are forked: they have what cannot be written down, too."""
    scenario = SMALL.changed(exchange_order="sequential", isolation="process")
    own = coflex.run(
        scenario,
        cost=lambda demand: variance(demand),
        discomfort=lambda plans, preferred: distance(plans, preferred),
        accepts=lambda exchange: without_loss(exchange),
    ).results
    built_in = coflex.simulate(scenario).results
    assert own.rows == built_in.rows
    assert own.planning_history == built_in.planning_history


@pytest.mark.nats
def test_what_goes_wrong_in_a_host_is_the_reason_of_the_run() -> None:
    calls = iter(range(100_000))

    def tiring(exchange: ProposedExchange) -> bool:
        if next(calls) >= 6:
            raise ValueError("tired")
        return True

    with pytest.raises(RunError, match=r"h[0-9]: field accepts: .*tiring raised ValueError: tired"):
        coflex.run(SMALL, accepts=tiring)


@pytest.mark.nats
async def test_a_fresh_interpreter_needs_functions_that_can_be_imported() -> None:
    """Inside a running loop, as in a notebook."""
    scenario = SMALL.changed(exchange_order="sequential")
    with pytest.raises(InputError, match=r"lambda.*cannot be handed.*use coflex.simulate"):
        coflex.run(scenario, cost=lambda demand: variance(demand))
    assert coflex.run(scenario, **OWN).results.rows == coflex.simulate(scenario).results.rows


def test_a_sweep_over_functions() -> None:
    pytest.importorskip("pandas")
    tiny = SMALL.changed(households=4, iterations=2)

    def peak(demand: Array) -> Array:
        return np.asarray(demand.max(-1))

    frame = coflex.sweep(tiny, over={"cost": ["var", "max", peak], "beta": [0, 0.5]})
    costs = frame.set_index(["cost", "beta"])["planned_inefficiency"]
    mine = f"{peak.__module__}:{peak.__qualname__}"
    assert set(costs.index.get_level_values("cost")) == {"var", "max", mine}
    assert costs[mine].tolist() == costs["max"].tolist()


def test_runs_with_functions_are_not_taken_from_an_earlier_sweep(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    tiny = SMALL.changed(households=4, iterations=2, content=None, exchange="off")
    first = coflex.sweep(tiny, over={"cost": [lambda x: x.max(-1)]}, folder=tmp_path)
    second = coflex.sweep(tiny, over={"cost": [lambda x: 2 * x.max(-1)]}, folder=tmp_path)
    twice = [2 * value for value in first["planned_inefficiency"]]
    assert second["planned_inefficiency"].tolist() == twice


def test_workers_need_functions_that_can_be_imported() -> None:
    pytest.importorskip("pandas")
    with pytest.raises(InputError, match=r"cannot be handed.*take one worker"):
        coflex.sweep(SMALL, over={"cost": ["var", lambda x: x.max(-1)]}, workers=2)
