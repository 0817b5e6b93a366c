"""A bad number for any option of any command: the error names the option as it was typed."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from orchestrator.cli import main
from orchestrator.cli.application import MODULES, app
from orchestrator.scenario.settings import RunSettings

_BUS = "--nats nats://127.0.0.1:9"
REQUIRED = {
    **dict.fromkeys(("run", "simulate", "baselines"), "--demo"),
    **{"orchestrate": f"--demo --hosts 2 {_BUS}", "sweep": "--demo true", "generate": "--out new"},
    **{"convert": "full new", "show": "full", "report": "full", "compare": "full", "paper": ""},
    **{"explain": "full --household h1", "verify": "full --data full", "doctor": ""},
    **{"conformance": f"--household h1 {_BUS}", "keys": "new --count 2", "status": _BUS},
    **{"abort": f"run-1 {_BUS}", "host": f"host-1 {_BUS}", "matchmaker": _BUS},
    **{"manipulate": "--demo --out new", "check": "full", "study": "full"},
}
"""The words that each command needs before an option is read."""


def _is_number(name: str, option: Any, command: str) -> bool:
    if command == "sweep" and name in RunSettings.model_fields:  # lists, as text
        kind = RunSettings.model_fields[name].annotation
        return kind in (int, float, int | None)
    return option.type_descriptor.annotation in (int, float)


def _number_options() -> Iterator[tuple[str, str]]:
    group: Any = get_command(app)
    for command in MODULES:
        for option in group.get_command(None, command).params:
            if _is_number(option.name, option, command):
                yield command, option.opts[0]


def test_every_command_is_tried() -> None:
    assert REQUIRED.keys() == MODULES.keys()


@pytest.mark.parametrize("number", ["-1", "nan"])
@pytest.mark.parametrize(("command", "option"), list(_number_options()))
def test_a_bad_number_is_refused_by_the_name_of_its_option(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    command: str,
    option: str,
    number: str,
) -> None:
    (tmp_path / "full").mkdir()
    monkeypatch.setattr(
        sys, "argv", ["coflex", command, *REQUIRED[command].split(), option, number]
    )
    with pytest.raises(SystemExit) as end:
        main()
    error = capsys.readouterr().err
    assert end.value.code == 2, error
    assert f"field {option}: " in error
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["full"]
