"""The report: its figures, their data and its page, and the commands that show results."""

import csv
import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.reporting.figures import planning_data as report_series
from orchestrator.reporting.figures.partners import GROUPS_AT_MOST, groups_of, partner_drawings
from orchestrator.reporting.figures.partners import table as partner_table
from orchestrator.reporting.html_page import page
from orchestrator.reporting.report import write_report
from orchestrator.reporting.wording import worse_off
from orchestrator.results.result_files import read, write
from orchestrator.results.run_results import ExchangeRow, RunResults
from protocol.errors import InputError
from tests.support.printed_summary import printed
from tests.support.sample_results import assemble, sample_results

STAGE_ONE = ("convergence", "demand", "levels", "plans")
STAGE_TWO = ("gains", "comfort", "lorenz", "progress", "success")
HOW_TO_TRACE = "run again with this option to see them here"
FIGURES = (*STAGE_ONE, *STAGE_TWO)
FIRST_FIGURES = ("demand", *(name for name in FIGURES if name != "demand"))
"""In the order of the page."""


def column(results: list[dict[str, str]], name: str) -> list[float]:
    return [float(row[name]) for row in results]


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def without_scripts(text: str) -> str:
    return re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunResults, Path]:
    results = sample_results(exchange=True, target=True)
    folder = tmp_path_factory.mktemp("report")
    write_report(results, folder)
    return results, folder


def exchanges(*pairs: tuple[str, str]) -> tuple[ExchangeRow, ...]:
    return tuple(
        ExchangeRow(
            round=1,
            slot=slot,
            requester=asked,
            responder=agreed,
            given=1.5,
            taken=1.0,
            requester_gain=0.5,
            responder_gain=0.25,
        )
        for slot, (asked, agreed) in enumerate(pairs)
    )


def test_has_a_picture_and_its_data_for_each_figure(written: tuple[RunResults, Path]) -> None:
    _, folder = written
    assert {path.name for path in folder.iterdir()} == {
        "index.html",
        *(f"{name}.{kind}" for name in FIGURES for kind in ("png", "csv")),
    }
    for name in FIGURES:
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_the_page_needs_nothing_else(written: tuple[RunResults, Path]) -> None:
    results, folder = written
    text = (folder / "index.html").read_text()
    page = _Page(text)
    assert page.open == []
    # Pictures are fetched only where scripts are off.
    pictures = [f"{name}.png" for name in FIRST_FIGURES]
    links = [link for link in page.links if not link.startswith("data:")]
    assert links == pictures
    assert text.count("<noscript><img") == len(pictures)
    assert "@import" not in without_scripts(text)
    assert "url(" not in without_scripts(text)
    assert "<script src" not in text
    assert len(text) < 6_000_000
    inline = {b64decode(link.split(",")[1]) for link in page.links if "text/csv" in link}
    assert inline == {(folder / f"{name}.csv").read_bytes() for name in FIGURES}
    assert f"coflex run {results.run}" in text


def test_the_data_is_that_of_the_run(written: tuple[RunResults, Path]) -> None:
    results, folder = written
    course = table(folder / "convergence.csv")
    assert column(course, "inefficiency") == [s.inefficiency for s in results.planning_history]
    assert column(course, "unfairness") == [s.unfairness for s in results.planning_history]
    demand = table(folder / "demand.csv")
    for name, values in results.demand.columns().items():
        assert column(demand, name) == values.tolist()
    levels = [row for row in table(folder / "levels.csv") if row["state"] == "exchanged"]
    third = [r.discomfort_exchanged for r in results.rows if r.level == 3]
    assert len(third) == 4
    assert float(levels[2]["max"]) == max(value for value in third if value is not None)
    assert sum(column(levels, "households")) == results.households
    plans = table(folder / "plans.csv")
    selected = [row.selected_plan for row in results.rows]
    assert column(plans, "households") == [selected.count(j) for j in range(len(plans))]
    assert sum(column(plans, "share")) == pytest.approx(1)


def test_the_data_of_stage_2_is_that_of_the_run(written: tuple[RunResults, Path]) -> None:
    results, folder = written
    gains = table(folder / "gains.csv")
    named = {row.household: row for row in results.rows}
    assert {row["household"] for row in gains} == named.keys()
    falling = column(gains, "comfort_gain")
    assert falling == sorted(falling, reverse=True)
    for line in gains:
        row = named[line["household"]]
        assert int(line["level"]) == row.level
        assert float(line["comfort_planned"]) == 1 - row.discomfort_planned
        assert float(line["comfort_gain"]) == pytest.approx(row.comfort_gain)
    levels = table(folder / "comfort.csv")
    assert sum(column(levels, "households")) == results.households
    third = [r.discomfort_planned for r in results.rows if r.level == 3]
    assert float(levels[2]["comfort_planned"]) == pytest.approx(1 - np.mean(third))
    progress = table(folder / "progress.csv")
    assert column(progress, "exchanges") == [row.accepted for row in results.rounds]
    assert column(progress, "mean_comfort") == [1 - r.mean_discomfort for r in results.rounds]
    success = table(folder / "success.csv")
    assert column(success, "matches_per_lookup") == [
        row.matches / row.lookups for row in results.rounds[1:]
    ]
    assert success[-1]["exchanges_per_proposal"] == ""


def test_lorenz_curves_hold_what_gini_says(written: tuple[RunResults, Path]) -> None:
    results, folder = written
    curves = table(folder / "lorenz.csv")
    shares = np.array(column(curves, "households_share"))
    assert len(shares) == results.households + 1
    for state in ("planned", "exchanged", "bound"):
        curve = np.array(column(curves, state))
        assert (curve[0], curve[-1]) == (0, pytest.approx(1))
        assert (np.diff(curve, 2) >= -1e-12).all()
        # Twice the area between the diagonal and the curve.
        area = float(np.sum((curve[1:] + curve[:-1]) / 2 * np.diff(shares)))
        assert 1 - 2 * area == pytest.approx(results.states()[state].gini)


def test_stage_1_alone_has_no_traces_of_stage_2(tmp_path: Path) -> None:
    results = sample_results()
    write_report(results, tmp_path)
    assert {path.stem for path in tmp_path.glob("*.png")} == set(STAGE_ONE)
    text = without_scripts((tmp_path / "index.html").read_text())
    assert "xchange" not in text.split("<details>")[0]
    assert "xchange" not in printed(results)
    assert set(report_series.levels(results).columns["state"]) == {"planned"}
    assert list(report_series.demand(results).columns) == ["slot", "preferred", "planned"]


def test_names_are_text_not_markup(tmp_path: Path) -> None:
    results = sample_results(3, 4, 2)
    odd = replace(results, config={**results.config, "dataset": "<b>&[red]"})
    write_report(odd, tmp_path)
    assert "<b>" not in without_scripts((tmp_path / "index.html").read_text())
    assert "<b>&[red]" in printed(odd)


@pytest.mark.parametrize("exchange", [False, True])
@pytest.mark.parametrize("preferred", [False, True])
def test_the_smallest_run_can_be_drawn(tmp_path: Path, preferred: bool, exchange: bool) -> None:
    results = sample_results(1, 1, 1, preferred=preferred, exchange=exchange)
    assert write_report(results, tmp_path).is_file()


def test_a_run_that_exchanged_nothing_can_be_drawn(tmp_path: Path) -> None:
    wanted = np.ones((5, 4))
    results = assemble(wanted, wanted, selected=[0] * 5, inefficiencies=[1.0], halved=np.zeros(5))
    assert results.exchange is not None
    nothing = dict.fromkeys(("lookups", "matches", "proposals", "accepted", "refused"), 0)
    rounds = tuple(replace(row, **nothing) for row in results.rounds[:2])
    exchange = replace(
        replace(
            results.exchange,
            rounds=1,
            lookups=0,
            matches=0,
            proposals=0,
            accepted=0,
            refused=0,
        ),
        lookup_success=None,
        proposal_success=None,
        messages_per_exchange=None,
    )
    still = replace(results, exchange=exchange, rounds=rounds)
    assert write_report(still, tmp_path).is_file()
    assert column(table(tmp_path / "lorenz.csv"), "exchanged") == pytest.approx(
        [0, 0.2, 0.4, 0.6, 0.8, 1]
    )
    assert "0 in 1 round, 0 proposed\n" in re.sub(" +\n", "\n", printed(still))


def test_tells_who_exchanged_with_whom_if_it_was_traced(tmp_path: Path) -> None:
    results = sample_results(exchange=True)
    assert HOW_TO_TRACE in page(results, [])
    none = replace(results, exchanges=())
    assert HOW_TO_TRACE not in page(none, [])
    assert partner_drawings(none) == []
    traced = replace(results, exchanges=exchanges(("h0", "h7"), ("h0", "h9"), ("h3", "h0")))
    write_report(traced, tmp_path)
    assert (tmp_path / "partners.png").read_bytes().startswith(b"\x89PNG\r\n")
    found = table(tmp_path / "partners.csv")
    # Four households took part: they stand for themselves.
    assert [(row["requester"], row["responder"]) for row in found] == [
        ("h0", "h7"),
        ("h0", "h9"),
        ("h3", "h0"),
    ]


def test_many_partners_are_grouped_by_level() -> None:
    results = sample_results(31, exchange=True)
    pairs = [(f"h{i}", f"h{(i + 1) % 31}") for i in range(31)]
    traced = replace(results, exchanges=exchanges(*pairs))
    groups = groups_of(traced)
    assert groups.names == ("level 1", "level 2", "level 3", "level 4", "level 5")
    columns = partner_table(traced, groups).columns
    assert sum(map(int, columns["exchanges"])) == 31
    assert sum(map(float, columns["requester_gain"])) == pytest.approx(31 * 0.5)
    assert sum(map(float, columns["responder_gain"])) == pytest.approx(31 * 0.25)
    rows = tuple(replace(row, level=row.position + 1) for row in results.rows)
    chain = groups_of(replace(traced, rows=rows))
    assert len(chain.names) == GROUPS_AT_MOST
    assert chain.names[0] == "levels 1 to 3"


def test_a_tree_like_a_chain_can_be_drawn(tmp_path: Path) -> None:
    results = sample_results(40, exchange=True)
    rows = tuple(replace(row, level=row.position + 1) for row in results.rows)
    assert write_report(replace(results, rows=rows), tmp_path).is_file()


def test_is_the_same_each_time(written: tuple[RunResults, Path], tmp_path: Path) -> None:
    results, folder = written
    write_report(results, tmp_path)
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_the_page_says_how_many_are_worse_off(written: tuple[RunResults, Path]) -> None:
    results, folder = written
    assert worse_off(results) == "No household has more discomfort than after stage 1."
    assert worse_off(results) in (folder / "index.html").read_text()
    assert results.exchange is not None
    for rule, worse, sentence in (
        ("mutual", 1, "1 of 31 households has more discomfort than before."),
        ("paper", 12, "12 of 31 households have more discomfort than before. The literal"),
    ):
        exchange = replace(results.exchange, households_worse=worse)
        config = {**results.config, "exchange": rule}
        assert worse_off(replace(results, exchange=exchange, config=config)).startswith(sentence)


def test_show_prints_what_the_run_printed(tmp_path: Path) -> None:
    results = sample_results()
    write(results, tmp_path)
    shown = CliRunner().invoke(app, ["show", str(tmp_path)])
    assert shown.exit_code == 0
    assert "31 households, 24 slots, 12 iterations" in shown.output
    assert printed(read(tmp_path)) == printed(results)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_report_says_where_it_is(tmp_path: Path, elsewhere: bool) -> None:
    write(sample_results(3, 4, 2), tmp_path / "run")
    out = tmp_path / "other" if elsewhere else tmp_path / "run" / "report"
    options = ["--out", str(out)] if elsewhere else []
    done = CliRunner().invoke(app, ["report", str(tmp_path / "run"), *options])
    assert done.exit_code == 0
    assert done.output.split()[-1] == str(out / "index.html")
    assert (out / "index.html").is_file()


@pytest.mark.parametrize("command", ["show", "report"])
def test_a_folder_without_results_is_bad_input(tmp_path: Path, command: str) -> None:
    failed = CliRunner().invoke(app, [command, str(tmp_path)])
    assert isinstance(failed.exception, InputError)
    assert "no complete results" in str(failed.exception)
