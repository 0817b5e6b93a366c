"""The public face: what `import coflex` brings, how typed it is, and how light."""

import dataclasses
import importlib.metadata
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from typer.testing import CliRunner

import coflex
from agents.own_functions import (
    AcceptanceRule,
    CostFunction,
    DiscomfortFunction,
    PlanGenerator,
)
from orchestrator.cli import app
from orchestrator.scenario.run_options import RunOptions
from orchestrator.scenario.settings import RunSettings
from tests.support.paths import ROOT

HEAVY = ("clarabel", "matplotlib", "nats", "pandas", "plotly", "rich", "scipy", "typer")


def test_all_that_is_offered_is_there_and_documented() -> None:
    assert set(coflex.__all__) == {name for name in vars(coflex) if name in coflex.__all__}
    assert all(
        inspect.getdoc(getattr(coflex, name)) for name in coflex.__all__ if name != "__version__"
    )
    assert coflex.__version__ == importlib.metadata.version("coflex")


def test_importing_it_is_light() -> None:
    """What takes long to import is imported when it is used."""
    code = f"import sys, coflex; print(*(m for m in {HEAVY} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_the_options_are_those_of_the_settings() -> None:
    hints = get_type_hints(RunOptions)
    expected: dict[str, Any] = {
        name: _with_strings(field.annotation) for name, field in RunSettings.model_fields.items()
    }
    expected |= {"cost": expected["cost"] | CostFunction}
    expected |= {"discomfort": expected["discomfort"] | DiscomfortFunction}
    expected |= {"alternatives": PlanGenerator | None, "accepts": AcceptanceRule | None}
    assert hints == expected


def _with_strings(kind: object) -> object:
    """Where the settings have a path, callers may give a string."""
    if kind == Path:
        return str | Path
    return str | Path | None if kind == Path | None else kind


@pytest.mark.slow
def test_a_type_checker_finds_wrong_callers_and_nothing_else(tmp_path: Path) -> None:
    caller = tmp_path / "caller.py"
    caller.write_text((Path(__file__).parent / "caller.txt").read_text())
    command = [sys.executable, "-m", "mypy", "--no-error-summary", str(caller)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = caller.read_text().splitlines()
    wrong = {number for number, line in enumerate(lines, start=1) if line.endswith("# wrong")}
    found = {int(number) for number in re.findall(r"caller\.py:(\d+): error", done.stdout)}
    assert found == wrong, done.stdout + done.stderr


def test_options_can_be_completed_at_run_time() -> None:
    for function in (coflex.simulate, coflex.run):
        names = set(inspect.signature(function).parameters)
        own = {"progress", "alternatives", "accepts"}
        assert names == {"scenario", *RunSettings.model_fields, *own}
    assert set(inspect.signature(coflex.Scenario).parameters) >= set(RunSettings.model_fields)


# -- scenarios ------------------------------------------------------------------------------------


def test_a_scenario_has_every_option_and_is_checked() -> None:
    scenario = coflex.Scenario(demo=True, beta=0.25, out="there")
    assert (scenario.beta, scenario.iterations, scenario.out) == (0.25, 50, Path("there"))
    with pytest.raises(coflex.InputError, match="--beta"):
        coflex.Scenario(demo=True, beta=7)
    with pytest.raises(coflex.InputError, match="alpha \\+ beta"):
        scenario.changed(alpha=0.9)


def test_a_changed_scenario_leaves_the_first_as_it_was() -> None:
    scenario = coflex.Scenario(demo=True, beta=0.25, households=6)
    changed = scenario.changed(beta=0.5)
    assert (scenario.beta, changed.beta, changed.households) == (0.25, 0.5, 6)


def test_a_scenario_and_its_options_give_the_same_run() -> None:
    scenario = coflex.Scenario(demo=True, households=6, slots=36, iterations=3)
    first = coflex.simulate(scenario, beta=0.1)
    second = coflex.simulate(demo=True, households=6, slots=36, iterations=3, beta=0.1)
    assert first.results.rows == second.results.rows
    assert dataclasses.asdict(first.results.planned) == dataclasses.asdict(second.results.planned)


# -- the command line -----------------------------------------------------------------------------


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "coflex", "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, f"coflex {coflex.__version__}\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(shell: str) -> None:
    """What the completion scripts of the shells ask for after `coflex sim`."""
    environment = {
        "_COFLEX_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "coflex sim",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "coflex sim",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    result = CliRunner().invoke(app, [], env=environment)
    assert "simulate" in result.output
    assert "generate" not in result.output
