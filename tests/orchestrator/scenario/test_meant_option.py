"""Options and commands that do not exist: the one that is meant is named, and no other."""

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from orchestrator.cli.application import MODULES, app
from orchestrator.scenario.meant_option import meant_command, meant_option
from orchestrator.scenario.settings import RunSettings, settings_from
from protocol.errors import InputError


@pytest.mark.parametrize(
    ("command", "typed", "meant"),
    [
        ("simulate", "--betta", "--beta"),
        ("simulate", "--iteration", "--iterations"),
        ("simulate", "--house", "--households"),
        ("simulate", "--agents", "--households"),
        ("simulate", "--output", "--out"),
        ("simulate", "--overwrite", "--force"),
        ("simulate", "--data", "--dataset"),
        ("simulate", "--min_gain", "--min-gain"),
        ("simulate", "--max-gain", "--min-gain"),
        ("simulate", "--jobs", "--hosts"),
        ("simulate", "--timeout", "--deadline"),
        ("simulate", "--rule", "--exchange"),
        ("simulate", "--zzz", None),
        ("sweep", "--runs", "--replications"),
        ("sweep", "--jobs", "--workers"),
        ("sweep", "--demmo", "--demo"),
        ("generate", "--data", "--from"),
        ("generate", "--tz", "--timezone"),
        ("host", "--dataset", None),
        ("host", "--server", "--nats"),
        ("explain", "--agent", "--household"),
        ("status", "--timeout", "--wait"),
        ("conformance", "--timeout", "--patience"),
        ("doctor", "--key", "--keys"),
        ("keys", "--host", "--hosts"),
        ("paper", "--output", "--out"),
        ("show", "--format", "--json"),
    ],
)
def test_the_option_that_is_meant(command: str, typed: str, meant: str | None) -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    found = group.get_command(group.make_context("coflex", [command]), command)
    assert found is not None
    known = [name for parameter in found.params for name in parameter.opts]
    assert meant_option(typed, known) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("agents", "households"),
        ("betta", "beta"),
        ("hard_plan", "hard_plans"),
        ("rule", "exchange"),
    ],
)
def test_the_key_of_a_file_that_is_meant(typed: str, meant: str) -> None:
    assert meant_option(typed, RunSettings.model_fields) == meant
    with pytest.raises(InputError, match=f"no such option: did you mean '{meant}'"):
        settings_from({"demo": True, typed: 1})


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("simulat", "simulate"),
        ("Simulate", "simulate"),
        ("sim", "simulate"),
        ("start", "run"),
        ("stop", "abort"),
        ("matchmakers", "matchmaker"),
        ("comparison", "compare"),
        ("page", "report"),
        ("zzz", None),
    ],
)
def test_the_command_that_is_meant(typed: str, meant: str | None) -> None:
    assert meant_command(typed, MODULES) == meant
