"""Every option that differs from its default has an effect or is refused, in every mode."""

import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.main import get_command

from orchestrator.api import Scenario, run, simulate
from orchestrator.cli import main
from orchestrator.cli.application import MODULES, app
from orchestrator.experiments.sweep_grid import read_grid
from orchestrator.scenario.option_effects import Mode, without_effect
from orchestrator.scenario.run_options import RunOptions
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError

OTHER: dict[str, Any] = {
    **{"households": 3, "slots": 24, "order": "random", "seed": 1, "score": "cost", "children": 3},
    **{"iterations": 2, "alpha": 0.1, "beta": 0.1, "behaviours": "x", "cost": "max"},
    **{"scaling": "min-max", "target": "x", "discomfort": "index", "plans": 3, "hard_plans": "x"},
    **{"hard_costs": "x", "reorganise": "periodically", "period": 3, "offset": 1},
    **{"memorise": True, "threshold": 0.5, "exchange": "cooperative", "disclose": "value"},
    **{"tolerance": 0.5, "min_gain": 0.5, "rounds": 2, "exchange_order": "sequential"},
    **{"locks": "household", "matchmakers": 2, "mandates": "x", "participation": 0.5},
    **{"trace": True, "save_schedules": True, "isolation": "task", "hosts": 2},
    **{"nats": "nats://127.0.0.1:9", "keys": "x", "insecure": True, "run": "r", "external": "h1"},
    **{"deadline": 5.0, "round_limit": 50.0, "limit": 500.0},
    **{"out": "x", "content": "bundle", "energy_drift": 0.5},
    **{"exchange_every": 5, "feeders": "x", "feeder_limits": "x"},
}
"""A value of each option that is not its default."""
REORGANISATION = {"period", "memorise", "offset", "threshold"}
STAGE_TWO = {
    *("disclose", "tolerance", "min_gain", "rounds", "exchange_order", "locks", "matchmakers"),
    *("participation", "trace", "content", "energy_drift", "exchange_every"),
}
CYCLES = STAGE_TWO - {"content", "matchmakers", "participation"}
SERVER = {"keys", "insecure"}
BUS = {"nats", "external", "deadline", "round_limit", "limit"}
SINGLE_SLOTS = {"tolerance", "exchange_order", "locks"}
FEEDERS = {"feeders", "feeder_limits"}
ALWAYS = {"scaling", "plans", *REORGANISATION, *SINGLE_SLOTS, *FEEDERS}
"""Without effect in any mode, with the other options at their defaults."""
IDLE: dict[Mode, set[str]] = {
    "run": ALWAYS | SERVER,
    "orchestrate": ALWAYS | SERVER,
    "simulate": ALWAYS | SERVER | BUS,
    "baselines": ALWAYS | SERVER | BUS | {"trace", "save_schedules", "hosts", "isolation", "run"},
    "sweep": ALWAYS | SERVER | {"trace", "save_schedules"},
}


def test_every_option_has_a_value_here() -> None:
    assert OTHER.keys() | {"demo", "dataset", "homes"} == RunSettings.model_fields.keys()


@pytest.mark.parametrize("exchange", ["mutual", "ttc", "off"])
@pytest.mark.parametrize("source", ["demo", "dataset"])
@pytest.mark.parametrize("mode", get_args(Mode))
def test_options_without_effect(mode: Mode, source: str, exchange: str) -> None:
    base = {"demo": True} if source == "demo" else {"dataset": "x"}
    expected = IDLE[mode] | ({"score"} if source == "demo" else {"slots"})
    expected |= {"off": STAGE_TWO, "ttc": CYCLES}.get(exchange, set())
    found: set[str] = set()
    for name, value in OTHER.items():
        if name == "exchange":
            continue
        settings = RunSettings.model_validate({**base, "exchange": exchange, name: value})
        found |= without_effect(settings, mode).keys()
    assert found == expected


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("scaling", {"cost": "rss"}),
        ("tolerance", {"content": "slot"}),
        ("locks", {"content": "slot"}),
        ("exchange_order", {"exchange": "paper"}),
        ("period", {"reorganise": "periodically"}),
        ("memorise", {"reorganise": "convergence"}),
        ("offset", {"reorganise": "convergence", "memorise": True}),
        ("threshold", {"reorganise": "cost-reduction"}),
        ("keys", {"nats": "x"}),
        ("insecure", {"nats": "x"}),
    ],
)
def test_options_that_give_another_an_effect(name: str, options: dict[str, object]) -> None:
    settings = RunSettings.model_validate({"demo": True, **options, name: OTHER[name]})
    assert not without_effect(settings, "run")


def test_hosts_need_an_isolation_that_shares_them() -> None:
    settings = RunSettings.model_validate({"demo": True, "isolation": "process", "hosts": 2})
    assert without_effect(settings, "run").keys() == {"hosts"}


def words_of(name: str) -> list[str]:
    flag, value = "--" + name.replace("_", "-"), OTHER[name]
    return [flag] if value is True else [flag, str(value)]


@pytest.mark.parametrize(
    ("mode", "name", "further"),
    [
        *(("simulate", name, "") for name in sorted(IDLE["simulate"])),
        *(("simulate", name, "--exchange off") for name in sorted(STAGE_TWO)),
        *(("baselines", name, "") for name in sorted(IDLE["baselines"])),
        *(("run", name, "") for name in sorted(IDLE["run"])),
        ("run", "hosts", "--households 4"),
    ],
)
def test_an_option_without_effect_is_refused_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    mode: str,
    name: str,
    further: str,
) -> None:
    words = [mode, "--demo", *words_of(name), *further.split(), "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["coflex", *words])
    with pytest.raises(SystemExit) as end:
        main()
    error = capsys.readouterr().err
    assert end.value.code == 2
    assert f"field --{name.replace('_', '-')}: has no effect: " in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_file_with_the_option_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.toml").write_text('exchange = "off"\ntrace = true\n')
    monkeypatch.setattr(sys, "argv", ["coflex", "simulate", "--demo", "--config", "run.toml"])
    with pytest.raises(SystemExit):
        main()
    assert "run.toml, field trace: has no effect: " in capsys.readouterr().err


def test_options_in_the_environment_may_have_no_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COFLEX_NATS", "nats://127.0.0.1:9")
    small = ["--households", "3", "--slots", "24", "--iterations", "1", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["coflex", "simulate", "--demo", *small])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0


def test_a_sweep_refuses_options_without_effect_in_any_run() -> None:
    base = {"demo": "true", "households": "3", "min_gain": "0.1,0.2"}
    assert len(read_grid(None, {**base, "exchange": "off,mutual"}, None).cells()) == 4
    with pytest.raises(InputError, match="--min-gain: has no effect in any run"):
        read_grid(None, {**base, "exchange": "off"}, None).cells()


REQUIRED = {
    **dict.fromkeys(("run", "simulate", "orchestrate", "baselines"), "--demo"),
    **{"abort": "run-1", "host": "host-1", "status": "", "matchmaker": "", "doctor": ""},
}
"""Commands with both --keys and --insecure, and the words that each needs besides."""


def test_insecure_is_listed_for_every_command_with_keys() -> None:
    group: Any = get_command(app)
    for name in MODULES:
        command = group.get_command(None, name)
        options = {option.name for option in command.params if not option.hidden}
        assert (name in REQUIRED) == ({"keys", "insecure"} <= options), name


@pytest.mark.parametrize("options", ["--keys k --insecure", "--insecure --keys k"])
@pytest.mark.parametrize("command", REQUIRED)
def test_insecure_has_no_effect_beside_keys(
    command: str, options: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = f"{command} {REQUIRED[command]} --nats nats://127.0.0.1:9 {options}"
    monkeypatch.setattr(sys, "argv", ["coflex", *words.split()])
    with pytest.raises(SystemExit) as end:
        main()
    error = capsys.readouterr().err
    assert end.value.code == 2
    on_a_bus = command not in ("simulate", "baselines")
    field, reason = ("insecure", "with --keys is encrypted") if on_a_bus else ("nats", "")
    assert f"field --{field}: has no effect: " in error
    assert reason in error


def test_insecure_in_the_environment_is_accepted_beside_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.toml").write_text("hosts = 2\n")
    monkeypatch.setenv("COFLEX_INSECURE", "1")
    words = "orchestrate --demo --nats nats://127.0.0.1:9 --keys nowhere --config run.toml"
    monkeypatch.setattr(sys, "argv", ["coflex", *words.split()])
    with pytest.raises(SystemExit):
        main()
    assert "nowhere: no keys of orchestrator" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        {"nats": "nats://127.0.0.1:9"},
        {"keys": Path("keys")},
        {"insecure": True},
        {"external": "h1"},
        {"deadline": 5.0},
        {"round_limit": 50.0},
        {"limit": 500.0},
        {"save_schedules": True},
        {"out": Path("results")},
        {"scaling": "min-max"},
        {"exchange": "off", "trace": True},
        {"exchange": "off", "rounds": 3},
    ],
)
def test_an_option_without_effect_is_refused_in_python(options: RunOptions) -> None:
    name = list(options)[-1].replace("_", "-")
    with pytest.raises(InputError, match=f"{name}: has no effect: "):
        simulate(Scenario(demo=True, households=3, slots=36), **options)


def _agree(*_: object) -> bool:
    return True


def test_an_own_rule_without_a_stage_2_is_refused() -> None:
    with pytest.raises(InputError, match="accepts: has no effect: "):
        simulate(demo=True, households=3, slots=36, exchange="off", accepts=_agree)


def test_an_own_rule_needs_single_slots() -> None:
    with pytest.raises(InputError, match="accepts: decides about single slots: add content='slot'"):
        simulate(demo=True, households=3, slots=36, accepts=_agree)


def test_a_bus_of_its_own_needs_no_keys() -> None:
    with pytest.raises(InputError, match="keys: has no effect: "):
        run(demo=True, households=3, slots=36, keys=Path("keys"))


def test_a_scenario_may_have_options_for_other_calls() -> None:
    scenario = Scenario(demo=True, households=3, slots=36, iterations=2, deadline=5.0)
    assert simulate(scenario).results.households == 3
    with pytest.raises(InputError, match="deadline: has no effect: "):
        simulate(scenario, deadline=6.0)
