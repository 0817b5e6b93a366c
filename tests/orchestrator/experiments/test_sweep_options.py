"""Every option of a run in a sweep: it takes a list, or the refusal gives the reason."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestrator.api import simulate
from orchestrator.cli import app
from orchestrator.coordination.placement import Run
from orchestrator.experiments.sweep_grid import NOT_SWEPT, ONE_VALUE, read_grid
from orchestrator.experiments.sweep_runs import row_of
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate as simulated
from protocol.errors import InputError

pytest.importorskip("pandas", reason="tables are part of the extra `report`")

SLOTS = 36
BASE: dict[str, Any] = {"demo": True, "households": 6, "slots": SLOTS, "iterations": 3}
LISTS: dict[str, list[Any]] = {
    "households": [4, 6],
    "slots": [30, 36],
    "order": ["none", "random", "order.txt"],
    "seed": [0, 1],
    "plans": ["none", 2],
    "score": ["preference", "cost"],
    "children": [1, 3],
    "iterations": [1, 3],
    "alpha": [0.0, 0.5],
    "beta": [0.0, 0.5],
    "behaviours": ["none", "behaviours.csv"],
    "cost": ["var", "max"],
    "scaling": ["std", "min-max"],
    "target": ["none", "target.csv"],
    "discomfort": ["none", "rmse", "index"],
    "hard_plans": ["none", "hard-plans.csv"],
    "hard_costs": ["none", "hard-costs.csv"],
    "feeders": ["none", "feeders.csv"],
    "feeder_limits": ["none", "feeder-limits.csv"],
    "reorganise": ["never", "periodically"],
    "period": [1, 2],
    "offset": [0, 1],
    "memorise": [False, True],
    "threshold": [0.0, 0.5],
    "exchange": ["mutual", "cooperative", "paper", "off"],
    "exchange_every": [0, 2],
    "content": ["none", "slot", "bundle"],
    "energy_drift": ["none", 0.5],
    "disclose": ["limit", "value", "direction"],
    "tolerance": ["none", 0.0, 0.2],
    "min_gain": ["none", 0.0, 0.1],
    "rounds": ["none", 1],
    "exchange_order": ["none", "concurrent", "sequential"],
    "locks": ["slot", "household"],
    "matchmakers": [1, 2],
    "mandates": ["none", "mandates.toml"],
    "participation": [0.0, 0.5, 1.0],
    "isolation": ["auto", "task", "process", "subtree"],
    "hosts": ["none", 2],
}
"""Values of each option that can be swept, one after the other; `dataset`, `homes` and `demo` are
apart."""

NEEDS: dict[str, dict[str, Any]] = {
    "scaling": {"cost": "rss", "target": "target.csv"},
    "feeders": {"feeder_limits": "feeder-limits.csv"},
    "feeder_limits": {"feeders": "feeders.csv"},
    "period": {"reorganise": "periodically"},
    "memorise": {"reorganise": "convergence"},
    "offset": {"reorganise": "convergence", "memorise": "true"},
    "threshold": {"reorganise": "cost-reduction"},
    **{
        name: {"content": "slot"}
        for name in ("disclose", "tolerance", "exchange_order", "locks", "matchmakers")
    },
}
"""Options without which another has no effect."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    names = sorted(read_scenario(RunSettings.model_validate(BASE)).population.households)
    Path("order.txt").write_text("\n".join(reversed(names)) + "\n")
    Path("behaviours.csv").write_text("household,alpha,beta\n" + f"{names[0]},0,1\n")
    Path("target.csv").write_text(",".join(["1.0"] * SLOTS) + "\n")
    row = ",".join(["100.0"] * SLOTS)
    Path("hard-plans.csv").write_text(f"{row}\n{','.join(['1'] * SLOTS)}\n")
    Path("hard-costs.csv").write_text("100,100,100,100\n1,1,1,1\n")
    Path("feeders.csv").write_text("household,feeder\nh0,north\nh1,north\n")
    Path("feeder-limits.csv").write_text("feeder,max_kw\nnorth,10\n")
    Path("mandates.toml").write_text("[h1]\nexchange = false\n")
    return tmp_path


def as_toml(options: Mapping[str, Any]) -> str:
    def text(value: Any) -> str:
        if isinstance(value, list):
            return f"[{', '.join(map(text, value))}]"
        if isinstance(value, bool):
            return str(value).lower()
        return f'"{value}"' if isinstance(value, str) else str(value)

    return "".join(f"{name} = {text(value)}\n" for name, value in options.items())


def words_of(options: Mapping[str, Any]) -> list[str]:
    words = []
    for name, value in options.items():
        several = value if isinstance(value, list) else [value]
        words += ["--" + name.replace("_", "-"), ",".join(str(one) for one in several)]
    return words


def test_every_option_is_listed_as_swept_or_not() -> None:
    known = [set(LISTS), {"dataset", "demo", "homes"}, set(NOT_SWEPT), set(ONE_VALUE)]
    assert set().union(*known) == set(RunSettings.model_fields)
    assert sum(map(len, known)) == len(RunSettings.model_fields)
    optional = {n for n, field in RunSettings.model_fields.items() if field.default is None}
    assert {name for name, values in LISTS.items() if "none" in values} >= optional & (
        LISTS.keys() - {"households", "score", "exchange_order"}
    )


@pytest.mark.parametrize("name", LISTS)
def test_a_list_on_the_command_line_and_in_a_file(name: str, folder: Path) -> None:
    base = {**BASE, **NEEDS.get(name, {})}
    options: dict[str, Any] = {key: value for key, value in base.items() if key != name}
    if name == "score":
        made = ["generate", "--households", "5", "--slots", str(SLOTS), "--out", "scored"]
        assert CliRunner().invoke(app, made).exit_code == 0
        options = {"dataset": "scored", "iterations": 3}
    if name in ("plans", "feeders", "feeder_limits"):
        options = {"homes": 3, "iterations": 3, **NEEDS.get(name, {})}
    options[name] = LISTS[name]
    Path("grid.toml").write_text(as_toml(options))
    grid = read_grid(Path("grid.toml"), {}, None)
    assert grid.varied == [name]
    swept = [getattr(cell.settings, name) for cell in grid.cells()]
    assert [str(value).lower() for value in swept] == [str(v).lower() for v in LISTS[name]]
    texts = words_of(options)
    named = dict(zip([w[2:].replace("-", "_") for w in texts[::2]], texts[1::2], strict=True))
    assert read_grid(None, named, None).cells() == grid.cells()
    words = ["sweep", *texts, "--workers", "1", "--out", "out"]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    lines = Path("out/sweep.csv").read_text().splitlines()
    assert len(lines) == 1 + len(swept)


def test_lists_of_data_sets(folder: Path) -> None:
    for number in (1, 2):
        made = ["generate", "--households", "5", "--slots", "36", "--seed", str(number)]
        assert CliRunner().invoke(app, [*made, "--out", f"d{number}"]).exit_code == 0
    Path("grid.toml").write_text('dataset = ["d1", "d2"]\niterations = 2\n')
    for words in (["grid.toml"], ["--dataset", "d1,d2", "--iterations", "2"]):
        out = f"out-{len(words)}"
        found = CliRunner().invoke(app, ["sweep", *words, "--workers", "1", "--out", out])
        assert found.exit_code == 0, found.output
    first, second = (Path(f"out-{n}/sweep.csv").read_bytes() for n in (1, 4))
    assert first == second
    assert first.count(b"\n") == 3


SAID: dict[str, Any] = {"trace": True, "save_schedules": True, "insecure": True}


@pytest.mark.parametrize("name", NOT_SWEPT)
def test_options_that_cannot_be_swept_are_refused(name: str, folder: Path) -> None:
    Path("grid.toml").write_text(as_toml(BASE | {name: SAID.get(name, "x")}))
    with pytest.raises(InputError, match=rf"grid.toml, field {name}: cannot be part of a sweep: "):
        read_grid(Path("grid.toml"), {}, None)
    if name == "out":  # an option of the sweep itself
        return
    flag = "--" + name.replace("_", "-")
    words = [flag] if name in SAID else [flag, "x"]
    result = CliRunner().invoke(app, ["sweep", "--demo", "true", *words])
    assert isinstance(result.exception, InputError)
    assert f"{flag}: cannot be part of a sweep: {NOT_SWEPT[name]}" in str(result.exception)
    assert not Path("sweep").exists()


@pytest.mark.parametrize("name", ONE_VALUE)
def test_options_with_one_value_refuse_lists(name: str) -> None:
    (cell,) = read_grid(None, {"demo": "true", name: "30"}, None).cells()
    assert getattr(cell.settings, name) == 30
    flag = "--" + name.replace("_", "-")
    with pytest.raises(InputError, match=f"{flag}: takes one value in a sweep: "):
        read_grid(None, {"demo": "true", name: "30,40"}, None)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"beta": "0,"}, "--beta: a value is missing next to a comma"),
        ({"beta": "0.5,0.50"}, "--beta: a value is given twice"),
        ({"memorise": "true,True"}, "--memorise: a value is given twice"),
        ({"beta": "0,none"}, "--beta: .*valid number.*in the run beta none"),
    ],
)
def test_typing_errors_are_refused(options: dict[str, str], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read_grid(None, {"demo": "true", **options}, None).cells()


def test_the_value_none_omits_an_option() -> None:
    left, given = read_grid(
        None, words(BASE) | {"content": "slot", "tolerance": "none,0.2"}, None
    ).cells()
    assert (left.settings.tolerance, given.settings.tolerance) == (None, 0.2)
    rows = [
        row_of(cell, simulated(Run("cell", read_scenario(cell.settings, "simulation"))))
        for cell in (left, given)
    ]
    alone = simulate(**BASE, content="slot").results.exchange
    assert alone is not None
    assert rows[0]["exchange_accepted"] == alone.accepted > rows[1]["exchange_accepted"]


def words(options: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in options.items()}
