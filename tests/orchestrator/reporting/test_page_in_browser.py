"""Pages in a real browser: nothing scrolls sideways on a phone, and the chosen household is
shown."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from agents.plans import SlotTimes
from orchestrator.experiments.compared_configurations import read_configurations
from orchestrator.experiments.comparison import compare
from orchestrator.experiments.comparison_page import write_comparison
from orchestrator.experiments.sweep_page import write_sweep_page
from orchestrator.reporting.report import write_report
from orchestrator.results.result_files import write
from tests.support.sample_results import sample_results
from tests.support.sweep_summary import write_summary

CHROMIUM = os.environ.get("COFLEX_CHROMIUM") or shutil.which("chromium") or shutil.which("chrome")
PHONE, DESK = 400, 1280

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium: install one, or name it in COFLEX_CHROMIUM"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as started:
        launched = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    results = replace(
        sample_results(exchange=True, target=True),
        slot_times=SlotTimes("00:00", 60, "Europe/Brussels"),
        command="coflex simulate --demo --households 31 --exchange mutual --out results/of/a/run",
        ended="2026-01-02T03:04:05+01:00",
        names={"h3": "Zo\u00eb Str\u00f6m"},
    )
    for place, cost in (("one", "var"), ("two", "rmse")):
        write(replace(results, config={**results.config, "cost": cost}), folder / place)
    configurations = read_configurations([folder / "one", folder / "two"])
    sweep = write_summary(folder / "sweep", ["beta"], [(0,), (0.5,), (1,)])
    return {
        "report": write_report(results, folder / "report"),
        "sweep": write_sweep_page(sweep, folder / "swept"),
        "comparison": write_comparison(
            configurations, compare(configurations), folder / "compared"
        ),
    }


@pytest.fixture(scope="module")
def shown(browser: Browser, pages: dict[str, Path]) -> Callable[[str, int], Page]:
    """Return a function that opens a page by its name and width, once for all tests."""

    @cache
    def once(name: str, width: int) -> Page:
        return opened(browser, pages[name], width)

    return once


def opened(browser: Browser, file: Path, width: int, *, dark: bool = False) -> Page:
    """Open a page, wait for its figures, and return it; an error in a script fails."""
    scheme = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
    )
    page = scheme.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_function(
        "[...document.querySelectorAll('.plotly-graph-div')].every(own => own.querySelector('svg'))"
    )
    assert errors == []
    return page


@pytest.mark.parametrize("name", ["report", "comparison", "sweep"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_nothing_scrolls_sideways(shown: Callable[[str, int], Page], name: str, width: int) -> None:
    page = shown(name, width)
    closed = [
        own for own in page.query_selector_all("details") if not own.evaluate("own => own.open")
    ]
    for own in closed:
        own.evaluate("own => { own.open = true; }")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for own in closed:
        own.evaluate("own => { own.open = false; }")


def test_the_first_screen_has_the_result_and_the_figures_are_drawn(
    shown: Callable[[str, int], Page],
) -> None:
    page = shown("report", DESK)
    for card in page.query_selector_all(".card"):
        box = card.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900
    figure = page.query_selector("#demand")
    assert figure is not None
    box = figure.bounding_box()
    assert box is not None
    assert box["y"] < 900
    assert "04:00" in figure.inner_text()


def test_a_household_can_be_chosen(shown: Callable[[str, int], Page]) -> None:
    page = shown("report", PHONE)
    before = page.inner_text("#household-facts")
    page.select_option("#household-choice", label="Zo\u00eb Str\u00f6m (h3)")
    chosen = page.inner_text("#household-facts")
    assert chosen != before
    assert "50% of its discomfort was removed" in chosen


@pytest.mark.parametrize("name", ["report", "comparison", "sweep"])
def test_text_is_light_on_a_dark_background(
    browser: Browser, pages: dict[str, Path], shown: Callable[[str, int], Page], name: str
) -> None:
    for dark in (False, True):
        page = opened(browser, pages[name], DESK, dark=True) if dark else shown(name, DESK)
        paper, ink, axis = (
            _brightness(
                str(page.evaluate(f"getComputedStyle(document.querySelector('{of}')).{what}"))
            )
            for of, what in (
                ("body", "backgroundColor"),
                ("h1", "color"),
                (".main-svg .xtick text", "fill"),
            )
        )
        assert (paper < 60) is dark
        for words in (ink, axis):
            assert abs(words - paper) > 150


def _brightness(colour: str) -> float:
    """Return the mean of red, green and blue of a colour as browsers write it."""
    parts = colour[colour.index("(") + 1 : -1].split(",")[:3]
    return sum(map(float, parts)) / 3
