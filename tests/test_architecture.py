"""The architecture, held by tests: who imports whom, and what pure files may not touch."""

import ast
from pathlib import Path

import pytest

import agents
import coflex
import matchmaker
import orchestrator
import protocol
from tests.support.paths import ROOT

PACKAGES = ("agents", "coflex", "matchmaker", "orchestrator", "protocol")
ALLOWED = {
    "protocol": set[str](),
    "agents": {"protocol"},
    "matchmaker": {"protocol"},
    "orchestrator": {"agents", "matchmaker", "protocol"},
    "coflex": {"orchestrator", "protocol"},
}
NATS_HOMES = {"protocol/transport/nats_bus.py", "protocol/transport/nats_service.py"}
"""The bus, and the answers in the wording of nats-py's own services."""
WITH_IO = {*NATS_HOMES, "protocol/runtime/shell.py"}
IMPURE = {"asyncio", "nats", "time", "random", "logging", "socket", "subprocess", "threading"}
PURE_ORCHESTRATOR = {"orchestrator/coordination/coordinator.py", "orchestrator/results/measures.py"}


def imports(path: Path) -> set[str]:
    """First parts of the names of all modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def files() -> list[str]:
    return sorted(
        str(path.relative_to(ROOT)) for name in PACKAGES for path in (ROOT / name).rglob("*.py")
    )


@pytest.mark.parametrize("file", files())
def test_imports_go_one_way(file: str) -> None:
    package = file.split("/")[0]
    ours = imports(ROOT / file) & (set(PACKAGES) - {package})
    assert ours <= ALLOWED[package]


@pytest.mark.parametrize("file", files())
def test_nats_has_one_home(file: str) -> None:
    assert "nats" not in imports(ROOT / file) or file in NATS_HOMES


@pytest.mark.parametrize("file", files())
def test_what_decides_has_no_clock_no_chance_no_wires(file: str) -> None:
    decides = file.split("/")[0] in ("protocol", "agents", "matchmaker")
    decides = decides and file not in WITH_IO and not file.startswith("agents/data/")
    if decides or file in PURE_ORCHESTRATOR:
        assert not imports(ROOT / file) & IMPURE


@pytest.mark.parametrize("package", [agents, coflex, matchmaker, orchestrator, protocol])
def test_the_packages_are_those_of_this_repository(package: object) -> None:
    path = getattr(package, "__file__", None)
    assert path is not None
    assert Path(path).is_relative_to(ROOT)


def test_the_public_face_decides_nothing() -> None:
    """It passes names on, and has neither a function nor a class of its own."""
    for path in (ROOT / "coflex").glob("*.py"):
        defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
        assert not any(isinstance(node, defined) for node in ast.walk(ast.parse(path.read_text())))


@pytest.mark.parametrize("file", files())
def test_files_stay_small(file: str) -> None:
    assert len((ROOT / file).read_text().splitlines()) <= 400
