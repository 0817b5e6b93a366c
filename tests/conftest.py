"""Fixtures for all tests."""

import os
from pathlib import Path

import pytest

from tests.support.nats import server as server
from tests.support.paths import ROOT, SHARED
from tests.support.thorough import LEFT_OUT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of reference data next to a checkout, which is never part of the
    project."""
    if not SHARED.is_dir():
        pytest.skip(f"reference data not found at {SHARED}: tests that need it are skipped")
    return SHARED


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test in its `tmp_path`, so that results in the checkout change no verdict."""
    monkeypatch.chdir(tmp_path)


def pytest_configure() -> None:
    """Refuse to run in CI without the reference data, where nobody would notice skipped tests."""
    if os.environ.get("CI", "").lower() in ("1", "true") and not SHARED.is_dir():
        raise pytest.UsageError(
            f"CI is set and there is no reference data at {SHARED}: put it there, or unset CI to "
            "skip the tests that need it"
        )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of workers for `-n auto`: one more than processors, since many tests wait
    for processes that they have started."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that `make test` leaves out. Put the files with slow tests or with real
    servers first: at the end of a run on several processors, none of them then waits for one that
    has just begun a long file."""
    for item in items:
        left_out = LEFT_OUT.get(item.path.relative_to(ROOT).as_posix(), ())
        if item.name in left_out or item.name.partition("[")[0] in left_out:
            item.add_marker("thorough")
    long = {
        item.path
        for item in items
        if any(item.get_closest_marker(name) for name in ("slow", "nats"))
    }
    items.sort(key=lambda item: item.path not in long)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--rewrite`, which updates the scripts to the present behaviour, and `--docker` for tests
    with containers."""
    parser.addoption("--rewrite", action="store_true", help="rewrite tests/scripts")
    parser.addoption("--docker", action="store_true", help="run what needs a Docker Engine")
