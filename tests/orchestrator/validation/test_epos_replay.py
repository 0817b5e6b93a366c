"""Reference traces of EPOS, replayed with our machines to the last bit; differences are named."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.validation.epos_replay import _identical, verify
from protocol.errors import InputError
from tests.support.paths import SHARED

TRACES = sorted((SHARED / "golden").glob("*.json"))
SMALL = "energy50_k3_VAR_b0.json"


@pytest.mark.parametrize("trace", TRACES, ids=lambda path: path.stem)
def test_reference_traces_are_identical(trace: Path, shared: Path) -> None:
    assert verify(trace, shared / "data") is None


def test_reference_traces_exist(shared: Path) -> None:
    assert len(TRACES) >= 18


@pytest.fixture
def small(shared: Path, tmp_path: Path) -> Path:
    """Return a copy of the smallest trace, cut to its first six iterations."""
    trace = json.loads((shared / "golden" / SMALL).read_text())
    trace["numIterations"] = 6
    trace["iterations"] = trace["iterations"][:6]
    path = tmp_path / "trace.json"
    path.write_text(json.dumps(trace))
    return path


def altered(path: Path, change: Any) -> str:
    """Return the message of `verify` for a trace to which `change` was applied."""
    trace = json.loads(path.read_text())
    change(trace)
    path.write_text(json.dumps(trace))
    return str(verify(path, SHARED / "data"))


def test_a_wrong_selection_is_named_with_household_iteration_and_both_values(small: Path) -> None:
    def change(trace: Any) -> None:
        assert trace["iterations"][4]["selected"][3] == 9
        trace["iterations"][4]["selected"][3] = 5

    trace = json.loads(small.read_text())
    trace["global_response_last"] = [0.0] * 144  # later differences are not reported
    small.write_text(json.dumps(trace))
    assert altered(small, change) == (
        "iteration 4, household h46, selected plan: reference 5, replayed 9"
    )


@pytest.mark.parametrize(
    ("field", "called"),
    [
        ("global_cost", "global cost"),
        ("local_cost_mean", "mean local cost"),
        ("unfairness", "unfairness"),
    ],
)
def test_a_cost_that_is_wrong_in_its_last_bit_is_named(
    small: Path, field: str, called: str
) -> None:
    value = json.loads(small.read_text())["iterations"][2][field]
    wrong = math.nextafter(value, 9.0)

    def change(trace: Any) -> None:
        trace["iterations"][2][field] = wrong

    assert altered(small, change) == (
        f"iteration 2, {called}: reference {wrong!r}, replayed {value!r}"
    )


def test_nan_is_identical_only_to_nan(small: Path) -> None:
    def change(trace: Any) -> None:
        trace["iterations"][2]["unfairness"] = math.nan

    assert altered(small, change).startswith("iteration 2, unfairness: reference nan, replayed 0.")
    assert _identical(math.nan, math.nan)


def test_a_wrong_response_is_named(shared: Path, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    shutil.copyfile(shared / "golden" / SMALL, path)
    value = json.loads(path.read_text())["global_response_last"][7]

    def change(trace: Any) -> None:
        trace["global_response_last"][7] = value + 1

    assert altered(path, change) == (
        f"iteration 49, global response, slot 7: reference {value + 1!r}, replayed {value!r}"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda trace: trace.update(dataset="nowhere"), "no data set 'nowhere'"),
        (lambda trace: trace.pop("alpha"), "field alpha"),
        (lambda trace: trace.update(globalCostFunction="SUM"), "field globalCostFunction"),
        (lambda trace: trace.update(localCostFunction="SUM"), "not a run of EPOS"),
        (lambda trace: trace.update(scaling="LOG"), "not a run of EPOS"),
        (lambda trace: trace.update(numChildren=0), "not a run of EPOS"),
        (lambda trace: trace.update(globalCostFunction="RSS"), "needs a target"),
        (lambda trace: trace.update(numIterations=7), "disagree"),
        (lambda trace: trace["agent_ids"].pop(), "disagree"),
        (lambda trace: trace["agent_file_of_vertex"].pop(), "disagree"),
        (lambda trace: trace["iterations"][3]["selected"].pop(), "disagree"),
        (lambda trace: trace.update(weights_by_vertex=[(0, 0)]), "disagree"),
        (lambda trace: trace["global_response_last"].pop(), "slots"),
        (lambda trace: trace["agent_ids"].reverse(), "disagree"),
    ],
)
def test_json_that_is_not_a_trace_is_refused(small: Path, change: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        altered(small, change)


def test_files_that_are_not_traces_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    for content, message in (
        ("{\n\n", "line 3.*not JSON"),
        ("[]", "not a trace"),
        ('"x"', "not a trace"),
    ):
        path.write_text(content)
        with pytest.raises(InputError, match=message):
            verify(path, tmp_path)
    with pytest.raises(InputError, match="no such trace"):
        verify(tmp_path / "none.json", tmp_path)


def test_the_command_says_identical_or_what_differs_first(small: Path, shared: Path) -> None:
    trace = json.loads(small.read_text())
    trace["iterations"][0]["unfairness"] = 0.25
    small.write_text(json.dumps(trace))
    right, data = str(shared / "golden" / SMALL), str(shared / "data")
    runner = CliRunner()
    both = runner.invoke(app, ["verify", right, str(small), "--data", data])
    assert both.exit_code == 1
    first, second = both.stdout.splitlines()
    assert first == f"{SMALL}: identical"
    assert second.startswith("trace.json: iteration 0, unfairness: reference 0.25, replayed ")
    assert both.stderr == "1 of 2 differ\n"
    alone = runner.invoke(app, ["verify", right, "--data", data])
    assert (alone.exit_code, alone.stdout) == (0, f"{SMALL}: identical\n")
