"""What people see of results: the summary in a terminal, and the report's figures and page."""

import csv
import io
import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.text import Text
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.reporting.figures import planning_data as report_series
from orchestrator.reporting.figures.partners import GROUPS_AT_MOST, groups_of, partner_drawings
from orchestrator.reporting.figures.partners import table as partner_table
from orchestrator.reporting.html_page import page
from orchestrator.reporting.report import write_report
from orchestrator.reporting.terminal_plot import Curve, plot
from orchestrator.reporting.terminal_summary import print_summary
from orchestrator.reporting.wording import drawn_target, facts, number, worse_off
from orchestrator.results.result_files import read, write
from orchestrator.results.run_results import ExchangeRow, RunResults
from protocol.errors import InputError
from tests.support.sample_results import assemble, sample_results

STAGE_ONE = ("convergence", "demand", "levels", "plans")
STAGE_TWO = ("gains", "comfort", "lorenz", "progress", "success")
HOW_TO_TRACE = "run again with it to see it here"
FIGURES = (*STAGE_ONE, *STAGE_TWO)
FIRST_FIGURES = ("demand", *(name for name in FIGURES if name != "demand"))
"""In the order of the page."""


def printed(results: RunResults, width: int = 80, encoding: str = "utf-8") -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    print_summary(results, Path("some/where"), Console(file=stream, width=width))
    stream.seek(0)
    return stream.read()


def column(results: list[dict[str, str]], name: str) -> list[float]:
    return [float(row[name]) for row in results]


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def without_scripts(text: str) -> str:
    return re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)


class TestSummary:
    @pytest.mark.parametrize("width", [40, 60, 80, 120])
    @pytest.mark.parametrize("exchange", [False, True])
    @pytest.mark.parametrize("size", [(1, 1, 1), (2, 2, 2), (31, 24, 12), (200, 144, 50)])
    def test_fits_the_width(self, size: tuple[int, int, int], exchange: bool, width: int) -> None:
        results = sample_results(*size, exchange=exchange, target=True)
        text = printed(results, width)
        assert max(map(len, text.splitlines())) <= width
        for state in results.states().values():
            if state is results.planned or state is results.exchanged:
                assert number(state.pooled_discomfort) in text
        assert "…" not in text

    def test_control_characters_do_not_reach_the_terminal(self) -> None:
        results = sample_results()
        rows = (replace(results.rows[0], name="Zoë \x1b[31m"), *results.rows[1:])
        text = printed(replace(results, rows=rows, config={"dataset": "a\x1b]0;b"}))
        assert "\x1b" not in text
        assert "h0 Zoë \\x1b[31m" in text

    def test_a_negative_comfort_says_why(self) -> None:
        results = sample_results(exchange=True)
        low = replace(results.planned, mean_comfort=-1.5)
        assert "slots long" in " ".join(printed(replace(results, planned=low)).split())
        assert "slots long" not in printed(results)

    def test_it_says_what_did_not_get_more_equal(self) -> None:
        results = sample_results(exchange=True)
        assert results.exchanged is not None
        worse = replace(results.exchanged, gini=results.planned.gini + 0.1)
        text = " ".join(printed(replace(results, exchanged=worse)).split())
        assert "in kWh households are closer, in shares of what is left they are not" in text

    def test_says_what_ran_and_what_came_out(self) -> None:
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
            ("bus", "waves", True, False),
            ("bus", "concurrent", False, False),
            ("simulation", "concurrent", True, False),
        ],
    )
    def test_says_what_to_add_for_the_same_exchanges_each_time(
        self, execution: str, order: str, exchange: bool, said: bool
    ) -> None:
        results = sample_results(exchange=exchange)
        config = {
            **results.config,
            "execution": execution,
            "exchange_order": order,
            "matchmakers": 1,
        }
        text = printed(replace(results, config=config))
        assert ("--exchange-order waves" in text) is said

    def test_says_how_the_exchange_went(self) -> None:
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

    def test_of_many_rounds_it_shows_the_first_and_the_last(self) -> None:
        results = sample_results(exchange=True)
        many = tuple(replace(results.rounds[1], round=number) for number in range(30))
        text = printed(replace(results, rounds=many))
        shown = [line.split()[0] for line in text.splitlines() if re.match(r" +[\d.]+ │", line)]
        assert shown == [*"01234567", "...", "28", "29"]
        assert "Mean comfort by round" in text
        assert "Mean comfort by round" not in printed(results)

    def test_the_table_has_a_column_for_each_state_that_there_is(self) -> None:
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
        ]

    def test_needs_no_more_than_ascii(self) -> None:
        text = printed(sample_results(target=True), encoding="ascii")
        assert "kWh^2" in text
        assert "***" in text

    def test_writes_no_escape_codes_into_a_file(self) -> None:
        assert "\x1b" not in printed(sample_results())

    def test_an_undefined_number_is_a_dash(self) -> None:
        results = sample_results()
        planned = replace(results.planned, peak_to_average=float("nan"))
        line = next(
            line
            for line in printed(replace(results, planned=planned)).splitlines()
            if "peak to average" in line
        )
        assert line.split()[-1] == "-"

    @pytest.mark.parametrize(
        ("value", "text"),
        [(0.0, "0"), (0.12345, "0.1235"), (1234.5, "1,234"), (float("nan"), "-")],
    )
    def test_numbers(self, value: float, text: str) -> None:
        assert number(value) == text

    def test_tells_when_households_differ(self) -> None:
        results = sample_results()
        rows = (replace(results.rows[0], beta=0.7), *results.rows[1:])
        assert "beta 0.1 to 0.7 by household" in dict(facts(replace(results, rows=rows)))["aim"]


class TestPlot:
    def rows(self, text: Text) -> list[str]:
        return text.plain.splitlines()

    def test_a_rising_line_rises(self) -> None:
        curve = Curve(np.array([0.0, 1.0, 2.0, 3.0]), "cyan")
        rows = self.rows(plot("title", [curve], width=12, height=4, limits=(0, 3), ascii_only=True))
        assert rows[0].rstrip() == "title"
        assert [row.index("*") for row in rows[1:5]] == sorted(
            (row.index("*") for row in rows[1:5]), reverse=True
        )
        assert rows[1].startswith("3|")
        assert rows[4].startswith("0|*")
        assert rows[6].split() == ["0", "3"]

    def test_braille_dots_stand_where_the_values_are(self) -> None:
        curve = Curve(np.array([0.0, 0.0, 1.0, 1.0]), "cyan")
        rows = self.rows(plot("", [curve], width=10, height=2, limits=(0, 1)))
        assert rows[2].startswith("0│⣀")
        assert rows[1].endswith("⠉")

    def test_a_logarithm_gives_each_power_the_same_height(self) -> None:
        curve = Curve(np.array([1000.0, 100.0, 10.0, 1.0]), "cyan")
        rows = self.rows(
            plot("", [curve], width=13, height=4, limits=(1, 1000), log=True, ascii_only=True)
        )
        starts = [row[5:].index("*") for row in rows[1:5]]
        assert starts == sorted(starts)
        assert max(np.diff(starts)) - min(np.diff(starts)) <= 1


class TestTarget:
    def with_cost(self, cost: str) -> RunResults:
        results = sample_results()
        shape = np.sin(np.arange(results.slots))
        demand = replace(results.demand, target=shape)
        return replace(results, demand=demand, config={**results.config, "cost": cost})

    @pytest.mark.parametrize("cost", ["rss", "rmse", "xcorr", "dot"])
    def test_is_brought_to_the_demand_where_its_shape_alone_counts(self, cost: str) -> None:
        results = self.with_cost(cost)
        drawn = drawn_target(results)
        assert drawn is not None
        assert drawn[0] == "target (scaled)"
        assert drawn[1].mean() == pytest.approx(results.demand.planned.mean())
        assert drawn[1].std() == pytest.approx(results.demand.planned.std())
        assert np.corrcoef(drawn[1], results.demand.target)[0, 1] == pytest.approx(1)

    def test_is_itself_where_its_size_counts(self) -> None:
        results = self.with_cost("sqr")
        assert drawn_target(results) == ("target", results.demand.target)

    def test_is_not_drawn_where_there_is_none(self) -> None:
        assert drawn_target(sample_results()) is None


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


class TestReport:
    def test_has_a_picture_and_its_data_for_each_figure(
        self, written: tuple[RunResults, Path]
    ) -> None:
        _, folder = written
        assert {path.name for path in folder.iterdir()} == {
            "index.html",
            *(f"{name}.{kind}" for name in FIGURES for kind in ("png", "csv")),
        }
        for name in FIGURES:
            assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG\r\n")

    def test_the_page_needs_nothing_else(self, written: tuple[RunResults, Path]) -> None:
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

    def test_the_data_is_that_of_the_run(self, written: tuple[RunResults, Path]) -> None:
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

    def test_the_data_of_stage_2_is_that_of_the_run(self, written: tuple[RunResults, Path]) -> None:
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

    def test_lorenz_curves_hold_what_gini_says(self, written: tuple[RunResults, Path]) -> None:
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

    def test_the_page_says_how_many_are_worse_off(self, written: tuple[RunResults, Path]) -> None:
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
            assert worse_off(replace(results, exchange=exchange, config=config)).startswith(
                sentence
            )

    def test_stage_1_alone_has_no_traces_of_stage_2(self, tmp_path: Path) -> None:
        results = sample_results()
        write_report(results, tmp_path)
        assert {path.stem for path in tmp_path.glob("*.png")} == set(STAGE_ONE)
        text = without_scripts((tmp_path / "index.html").read_text())
        assert "xchange" not in text.split("<details>")[0]
        assert "xchange" not in printed(results)
        assert set(report_series.levels(results).columns["state"]) == {"planned"}
        assert list(report_series.demand(results).columns) == ["slot", "preferred", "planned"]

    def test_names_are_text_not_markup(self, tmp_path: Path) -> None:
        results = sample_results(3, 4, 2)
        odd = replace(results, config={**results.config, "dataset": "<b>&[red]"})
        write_report(odd, tmp_path)
        assert "<b>" not in without_scripts((tmp_path / "index.html").read_text())
        assert "<b>&[red]" in printed(odd)

    @pytest.mark.parametrize("exchange", [False, True])
    @pytest.mark.parametrize("preferred", [False, True])
    def test_the_smallest_run_can_be_drawn(
        self, tmp_path: Path, preferred: bool, exchange: bool
    ) -> None:
        results = sample_results(1, 1, 1, preferred=preferred, exchange=exchange)
        assert write_report(results, tmp_path).is_file()

    def test_a_run_that_exchanged_nothing_can_be_drawn(self, tmp_path: Path) -> None:
        wanted = np.ones((5, 4))
        results = assemble(
            wanted, wanted, selected=[0] * 5, inefficiencies=[1.0], halved=np.zeros(5)
        )
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

    def test_tells_who_exchanged_with_whom_if_it_was_traced(self, tmp_path: Path) -> None:
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

    def test_many_partners_are_grouped_by_level(self) -> None:
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

    def test_a_tree_like_a_chain_can_be_drawn(self, tmp_path: Path) -> None:
        results = sample_results(40, exchange=True)
        rows = tuple(replace(row, level=row.position + 1) for row in results.rows)
        assert write_report(replace(results, rows=rows), tmp_path).is_file()

    def test_is_the_same_each_time(self, written: tuple[RunResults, Path], tmp_path: Path) -> None:
        results, folder = written
        write_report(results, tmp_path)
        for path in folder.iterdir():
            assert path.read_bytes() == (tmp_path / path.name).read_bytes()


class TestCommands:
    def test_show_prints_what_the_run_printed(self, tmp_path: Path) -> None:
        results = sample_results()
        write(results, tmp_path)
        shown = CliRunner().invoke(app, ["show", str(tmp_path)])
        assert shown.exit_code == 0
        assert "31 households, 24 slots, 12 iterations" in shown.output
        assert printed(read(tmp_path)) == printed(results)

    @pytest.mark.parametrize("elsewhere", [False, True])
    def test_report_says_where_it_is(self, tmp_path: Path, elsewhere: bool) -> None:
        write(sample_results(3, 4, 2), tmp_path / "run")
        out = tmp_path / "other" if elsewhere else tmp_path / "run" / "report"
        options = ["--out", str(out)] if elsewhere else []
        done = CliRunner().invoke(app, ["report", str(tmp_path / "run"), *options])
        assert done.exit_code == 0
        assert done.output.split()[-1] == str(out / "index.html")
        assert (out / "index.html").is_file()

    @pytest.mark.parametrize("command", ["show", "report"])
    def test_a_folder_without_results_is_bad_input(self, tmp_path: Path, command: str) -> None:
        failed = CliRunner().invoke(app, [command, str(tmp_path)])
        assert isinstance(failed.exception, InputError)
        assert "no complete results" in str(failed.exception)
