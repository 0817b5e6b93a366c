"""The summary in a terminal: what it says, and that it fits."""

import re
from dataclasses import replace

import pytest

from orchestrator.reporting.number_wording import number
from orchestrator.results.run_results import RunResults
from tests.support.printed_summary import printed
from tests.support.sample_results import sample_results


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("exchange", [False, True])
@pytest.mark.parametrize("size", [(1, 1, 1), (2, 2, 2), (31, 24, 12), (200, 144, 50)])
def test_fits_the_width(size: tuple[int, int, int], exchange: bool, width: int) -> None:
    results = sample_results(*size, exchange=exchange, target=True)
    text = printed(results, width)
    assert max(map(len, text.splitlines())) <= width
    for state in results.states().values():
        if state is results.planned or state is results.exchanged:
            assert number(state.pooled_discomfort) in text
    assert "…" not in text
    assert "Demand by slot, kWh: preferred" in text


def test_control_characters_do_not_reach_the_terminal() -> None:
    results = sample_results()
    rows = (replace(results.rows[0], name="Zoë \x1b[31m"), *results.rows[1:])
    text = printed(replace(results, rows=rows, config={"dataset": "a\x1b]0;b"}))
    assert "\x1b" not in text
    assert "h0 Zoë \\x1b[31m" in text


def test_a_negative_comfort_says_why() -> None:
    results = sample_results(exchange=True)
    low = replace(results.planned, mean_comfort=-1.5)
    assert "slots long" in " ".join(printed(replace(results, planned=low)).split())
    assert "slots long" not in printed(results)


def test_it_says_what_did_not_get_more_equal() -> None:
    results = sample_results(exchange=True)
    assert results.exchanged is not None
    worse = replace(results.exchanged, gini=results.planned.gini + 0.1)
    text = " ".join(printed(replace(results, exchanged=worse)).split())
    assert "households are closer in kWh, but not in shares of what is left" in text


def test_says_what_ran_and_what_came_out() -> None:
    text = printed(sample_results())
    for part in (
        "31 households, 24 slots, 12 iterations",
        "a preference: more is better (from --score)",
        "process isolation, 31 hosts, tree of 5 levels, 2 children each",
        "cost var, beta 0.1, alpha 0.0, discomfort rmse",
        "start 1.2, planning 3.5, total 5.0",
        "Files in some/where",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("execution", "order", "exchange", "said"),
    [
        ("bus", "concurrent", True, True),
        ("bus", "sequential", True, False),
        ("bus", "concurrent", False, False),
        ("simulation", "concurrent", True, False),
    ],
)
def test_says_what_to_add_for_the_same_exchanges_each_time(
    execution: str, order: str, exchange: bool, said: bool
) -> None:
    results = sample_results(exchange=exchange)
    config = {**results.config, "execution": execution, "exchange_order": order}
    text = printed(replace(results, config=config))
    assert ("--exchange-order sequential" in text) is said


def test_says_how_the_exchange_went() -> None:
    text = printed(sample_results(exchange=True))
    for part in (
        "exchanges   180 in 5 rounds, 240 proposed (75.0% accepted)",
        "lookups     607 slots, 300 matches (49.4% found), 60 leases unused",
        "50.0% of the discomfort of stage 1 removed",
        "97.0% of what the bound of values allows (",
        "No household has more discomfort",
    ):
        assert part in text
    rounds = [line.split() for line in text.splitlines() if re.match(r" +\d │", line)]
    assert [line[0] for line in rounds] == ["0", "1", "2", "3", "4", "5"]
    assert rounds[1][2:8:2] == ["320", "160", "96"]


def test_of_many_rounds_it_shows_the_first_and_the_last() -> None:
    results = sample_results(exchange=True)
    many = tuple(replace(results.rounds[1], round=number) for number in range(30))
    text = printed(replace(results, rounds=many))
    shown = [line.split()[0] for line in text.splitlines() if re.match(r" +[\d.]+ │", line)]
    assert shown == [*"01234567", "...", "28", "29"]
    assert "Mean comfort by round" in text
    assert "Mean comfort by round" not in printed(results)


def test_the_table_has_a_column_for_each_state_that_there_is() -> None:
    def heads(results: RunResults) -> list[str]:
        line = next(line for line in printed(results).splitlines() if "unit" in line)
        return re.findall(r"\w+", line)

    assert heads(sample_results()) == ["unit", "preferred", "planned"]
    assert heads(sample_results(preferred=False)) == ["unit", "planned"]
    assert heads(sample_results(exchange=True)) == [
        "unit",
        "preferred",
        "planned",
        "exchanged",
        "bound",
        "of",
        "values",
    ]


def test_needs_no_more_than_ascii() -> None:
    text = printed(sample_results(target=True), encoding="ascii")
    assert "kWh^2" in text
    assert "***" in text


def test_writes_no_escape_codes_into_a_file() -> None:
    assert "\x1b" not in printed(sample_results())


def test_an_undefined_number_is_a_dash() -> None:
    results = sample_results()
    planned = replace(results.planned, peak_to_average=float("nan"))
    line = next(
        line
        for line in printed(replace(results, planned=planned)).splitlines()
        if "peak to average" in line
    )
    assert line.split()[-1] == "-"
