"""Every option with a value of its own has an effect or is refused, in every mode."""

import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from orchestrator.cli import main
from orchestrator.experiments.sweep_grid import read_grid
from orchestrator.scenario.option_effects import Mode, without_effect
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError

OTHER: dict[str, Any] = {
    **{"households": 3, "slots": 24, "order": "random", "seed": 1, "score": "cost", "children": 3},
    **{"iterations": 2, "alpha": 0.1, "beta": 0.1, "behaviours": "x", "cost": "max"},
    **{"scaling": "min-max", "target": "x", "discomfort": "index", "hard_plans": "x"},
    **{"hard_costs": "x", "reorganise": "periodically", "period": 3, "offset": 1},
    **{"memorise": True, "threshold": 0.5, "exchange": "cooperative", "disclose": "value"},
    **{"tolerance": 0.5, "min_gain": 0.5, "rounds": 2, "exchange_order": "sequential"},
    **{"locks": "household", "matchmakers": 2, "mandates": "x", "participation": 0.5},
    **{"trace": True, "save_schedules": True, "isolation": "task", "hosts": 2},
    **{"nats": "nats://127.0.0.1:9", "keys": "x", "insecure": True, "run": "r", "external": "h1"},
    **{"deadline": 5.0, "out": "x", "content": "bundle", "energy_drift": 0.5},
}
"""A value of each option that is not its default."""
REORGANISATION = {"period", "memorise", "offset", "threshold"}
STAGE_TWO = {
    *("disclose", "tolerance", "min_gain", "rounds", "exchange_order", "locks", "matchmakers"),
    *("participation", "trace", "content", "energy_drift"),
}
SERVER = {"keys", "insecure"}
BUS = {"nats", "external", "deadline"}
ALWAYS = {"scaling", *REORGANISATION}
"""Without effect in any mode, with the other options at their defaults."""
IDLE: dict[Mode, set[str]] = {
    "run": ALWAYS | SERVER,
    "orchestrate": ALWAYS | SERVER,
    "simulate": ALWAYS | SERVER | BUS,
    "baselines": ALWAYS | SERVER | BUS | {"trace", "save_schedules", "hosts", "isolation", "run"},
    "sweep": ALWAYS | SERVER | {"trace", "save_schedules"},
}


def test_there_is_a_value_for_every_option() -> None:
    assert OTHER.keys() | {"demo", "dataset"} == RunSettings.model_fields.keys()


@pytest.mark.parametrize("exchange", ["mutual", "off"])
@pytest.mark.parametrize("source", ["demo", "dataset"])
@pytest.mark.parametrize("mode", get_args(Mode))
def test_what_has_no_effect(mode: Mode, source: str, exchange: str) -> None:
    base = {"demo": True} if source == "demo" else {"dataset": "x"}
    expected = IDLE[mode] | ({"score"} if source == "demo" else {"slots"})
    expected |= STAGE_TWO if exchange == "off" else set()
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
        ("period", {"reorganise": "periodically"}),
        ("memorise", {"reorganise": "convergence"}),
        ("offset", {"reorganise": "convergence", "memorise": True}),
        ("threshold", {"reorganise": "cost-reduction"}),
        ("keys", {"nats": "x"}),
        ("insecure", {"nats": "x"}),
    ],
)
def test_what_gives_it_an_effect(name: str, options: dict[str, object]) -> None:
    settings = RunSettings.model_validate({"demo": True, **options, name: OTHER[name]})
    assert not without_effect(settings, "run")


def test_hosts_need_households_that_share_them() -> None:
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
def test_it_is_refused_in_one_line(
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
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert f"field --{name.replace('_', '-')}: has no effect: " in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_file_of_options_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.toml").write_text('exchange = "off"\ntrace = true\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["coflex", "simulate", "--demo", "--config", "run.toml"])
    with pytest.raises(SystemExit):
        main()
    assert "run.toml, field trace: has no effect: " in capsys.readouterr().err


def test_a_value_from_the_environment_is_not_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COFLEX_NATS", "nats://127.0.0.1:9")
    small = ["--households", "3", "--slots", "24", "--iterations", "1", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["coflex", "simulate", "--demo", *small])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0


def test_a_sweep_refuses_what_has_no_effect_in_any_run() -> None:
    base = {"demo": "true", "households": "3", "min_gain": "0.1,0.2"}
    assert len(read_grid(None, {**base, "exchange": "off,mutual"}, None).cells()) == 4
    with pytest.raises(InputError, match="--min-gain: has no effect in any run"):
        read_grid(None, {**base, "exchange": "off"}, None).cells()
