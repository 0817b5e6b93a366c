"""What people see of results: the summary in a terminal, and the report's figures and page."""

import csv
import io
import re
import sys
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.text import Text
from typer.testing import CliRunner

from orchestrator.account import drawn_target, facts, number
from orchestrator.braille import Curve, plot
from orchestrator.cli import app
from orchestrator.report import series as report_series
from orchestrator.report import write_report
from orchestrator.results import RunResults, read, write
from orchestrator.summary import print_summary
from protocol.errors import InputError
from tests.sample_results import sample_results

FIGURES = ("convergence", "demand", "levels", "plans")


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


class TestSummary:
    @pytest.mark.parametrize("exchange", [False, True])
    @pytest.mark.parametrize("size", [(1, 1, 1), (2, 2, 2), (31, 24, 12), (200, 144, 50)])
    def test_fits_the_width(self, size: tuple[int, int, int], exchange: bool) -> None:
        lines = printed(sample_results(*size, exchange=exchange, target=True)).splitlines()
        assert max(map(len, lines)) <= 80

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
        if tag not in ("meta", "img"):
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
        assert "script" not in page.tags
        assert page.links
        assert all(link.startswith("data:") for link in page.links)
        assert "@import" not in text
        assert "url(" not in text
        assert len(text) < 6_000_000
        images = [link for link in page.links if link.startswith("data:image/svg+xml;base64,")]
        assert len(images) == len(FIGURES)
        for image in images:
            assert b"<svg" in b64decode(image.split(",")[1])
        inline = [b64decode(link.split(",")[1]) for link in page.links if "text/csv" in link]
        assert inline == [(folder / f"{name}.csv").read_bytes() for name in FIGURES]
        assert f"coflex run {results.run}" in text

    def test_the_data_is_that_of_the_run(self, written: tuple[RunResults, Path]) -> None:
        results, folder = written
        course = table(folder / "convergence.csv")
        assert column(course, "inefficiency") == [s.inefficiency for s in results.course]
        assert column(course, "unfairness") == [s.unfairness for s in results.course]
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

    def test_stage_1_alone_has_no_traces_of_stage_2(self) -> None:
        results = sample_results()
        assert set(report_series.levels(results).columns["state"]) == {"planned"}
        assert list(report_series.demand(results).columns) == ["slot", "preferred", "planned"]

    def test_names_are_text_not_markup(self, tmp_path: Path) -> None:
        results = sample_results(3, 4, 2)
        odd = replace(results, config={**results.config, "dataset": "<b>&[red]"})
        write_report(odd, tmp_path)
        assert "<b>" not in (tmp_path / "index.html").read_text()
        assert "<b>&[red]" in printed(odd)

    @pytest.mark.parametrize("preferred", [False, True])
    def test_the_smallest_run_can_be_drawn(self, tmp_path: Path, preferred: bool) -> None:
        assert write_report(sample_results(1, 1, 1, preferred=preferred), tmp_path).is_file()

    def test_is_the_same_each_time(self, written: tuple[RunResults, Path], tmp_path: Path) -> None:
        results, folder = written
        write_report(results, tmp_path)
        for path in folder.iterdir():
            assert path.read_bytes() == (tmp_path / path.name).read_bytes()

    def test_says_what_to_install(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(sys.modules, "orchestrator.report.figures", raising=False)
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        with pytest.raises(InputError, match=r"needs matplotlib: .*coflex\[report\]"):
            write_report(sample_results(), tmp_path)


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
