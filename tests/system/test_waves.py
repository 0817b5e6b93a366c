"""Exchanges in waves on a real bus: the files of two runs are the same, and those of a simulation.

How much was sent, and when, may differ; nothing else may.
"""

import csv
from pathlib import Path

import pytest

from orchestrator.results.result_files import HOUSEHOLDS, ROUNDS, write
from orchestrator.results.run_results import RunResults
from tests.support.settings import in_simulation, on_bus, settings_of

SMALL: dict[str, object] = {
    **{"demo": True, "households": 14, "slots": 24, "iterations": 4, "seed": 5},
    **{"isolation": "task", "hosts": 3},
}
TRAFFIC = {"messages", "answers", "frames", "bytes"}
"""The columns of rounds.csv that count what was sent."""
LAYOUTS: list[dict[str, object]] = [
    {"isolation": "process"},
    {"hosts": 2},
    {"hosts": 3},
    {"isolation": "subtree", "hosts": 2},
]


def files(results: RunResults, folder: Path) -> tuple[bytes, list[dict[str, str]]]:
    """The bytes of households.csv, and rounds.csv without the traffic."""
    write(results, folder)
    with (folder / ROUNDS).open(newline="") as file:
        rows = list(csv.DictReader(file))
    rounds = [{name: row[name] for name in row if name not in TRAFFIC} for row in rows]
    return (folder / HOUSEHOLDS).read_bytes(), rounds


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[dict[str, str]]]:
    results = in_simulation(settings_of(SMALL))
    assert results.exchange is not None
    assert results.exchange.accepted > 0
    assert results.config["exchange_order"] == "waves"
    return files(results, tmp_path_factory.mktemp("simulated"))


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_in_every_layout_a_simulation_writes_the_same_files(
    simulated: tuple[bytes, list[dict[str, str]]], layout: dict[str, object], tmp_path: Path
) -> None:
    assert files(in_simulation(settings_of(SMALL, layout)), tmp_path) == simulated


@pytest.mark.nats
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_on_a_bus_the_files_are_those_of_the_simulation(
    simulated: tuple[bytes, list[dict[str, str]]], layout: dict[str, object], tmp_path: Path
) -> None:
    assert files(on_bus(settings_of(SMALL, layout)), tmp_path) == simulated


@pytest.mark.nats
def test_two_runs_under_the_cooperative_rule_write_the_same_files(tmp_path: Path) -> None:
    """There a decision at one slot depends on those at others."""
    chosen = settings_of(SMALL, exchange="cooperative", exchange_order="waves")
    first, second = (files(on_bus(chosen), tmp_path / name) for name in ("first", "second"))
    assert first == second == files(in_simulation(chosen), tmp_path / "simulated")
