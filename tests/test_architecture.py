"""The architecture: the directions of imports, and what pure folders may not use.

import-linter (.importlinter) checks the directions inside the packages.
"""

import ast
from pathlib import Path

import pytest

import agents
import coflex
import matchmaker
import orchestrator
import protocol
from tests.support.imports import imports
from tests.support.paths import ROOT

PACKAGES = ("agents", "coflex", "matchmaker", "orchestrator", "protocol")
ALLOWED = {
    "protocol": set[str](),
    "agents": {"protocol"},
    "matchmaker": {"protocol"},
    "orchestrator": {"agents", "matchmaker", "protocol"},
    "coflex": {"agents", "orchestrator", "protocol"},
}
NATS_HOMES = {"protocol/transport/nats_bus.py", "protocol/transport/nats_service.py"}
"""The bus, and the answers in the wording of nats-py's own services."""
IMPURE = {"asyncio", "nats", "time", "random", "logging", "socket", "subprocess", "threading"}
PURE = (
    "agents/",
    "matchmaker/",
    "protocol/",
    "orchestrator/baselines/",
    "orchestrator/coordination/coordinator.py",
    "orchestrator/coordination/placement.py",
    "orchestrator/results/measures.py",
    "orchestrator/reporting/figures/exchange_data.py",
    "orchestrator/reporting/figures/planning_data.py",
)
"""Folders and files that decide."""
WITH_IO = (
    *NATS_HOMES,
    "protocol/runtime/event_loop.py",
    "protocol/runtime/shell.py",
    "agents/population/",
    "agents/data/",
    "orchestrator/baselines/baseline_table.py",
)
"""What reads files, or says how long something took."""


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
def test_only_the_transport_imports_nats(file: str) -> None:
    assert "nats" not in imports(ROOT / file) or file in NATS_HOMES


@pytest.mark.parametrize("file", files())
def test_pure_folders_use_no_clock_no_chance_and_no_io(file: str) -> None:
    if file.startswith(PURE) and not file.startswith(WITH_IO):
        assert not imports(ROOT / file) & IMPURE


def test_every_pure_folder_exists() -> None:
    assert all(any(file.startswith(place) for file in files()) for place in PURE)


@pytest.mark.parametrize("package", [agents, coflex, matchmaker, orchestrator, protocol])
def test_the_packages_are_those_of_this_repository(package: object) -> None:
    path = getattr(package, "__file__", None)
    assert path is not None
    assert Path(path).is_relative_to(ROOT)


def test_the_public_package_has_no_logic() -> None:
    """Check that `coflex` only re-exports names, with no function or class of its own."""
    for path in (ROOT / "coflex").glob("*.py"):
        defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
        assert not any(isinstance(node, defined) for node in ast.walk(ast.parse(path.read_text())))
