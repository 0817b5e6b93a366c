"""Commands name the extra that has a missing package, before they do anything."""

import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app, optional_packages
from orchestrator.cli.optional_packages import EXTRAS, require
from protocol.errors import InputError
from tests.support.paths import ROOT


def test_the_extras_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    found = {
        name: tuple(sorted(re.split(r"[<>=]", package)[0] for package in extras[name]))
        for name in extras
        if name != "dev"
    }
    assert found == EXTRAS


def test_installed_packages_pass() -> None:
    require("a run", "numpy", "pydantic")


@pytest.mark.parametrize(
    ("command", "package"),
    [
        (["report", "nowhere"], "matplotlib"),
        (["compare", "nowhere", "--out", "there"], "pandas"),
        (["sweep", "--demo", "true", "--out", "there"], "scipy"),
        (["generate", "--from", "meters.csv", "--out", "there"], "pandas"),
        (["generate", "--from", "meters.parquet", "--out", "there"], "pyarrow"),
    ],
)
def test_a_command_names_the_extra_to_install(
    command: list[str], package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(optional_packages, "find_spec", lambda name: None)
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, InputError)
    message = str(result.exception)
    assert package in message
    assert "pip install 'coflex[report]'" in message
    assert not list(tmp_path.iterdir())
