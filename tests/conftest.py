"""Fixtures for all tests."""

import os
from pathlib import Path

import pytest

from tests.support.nats import server as server
from tests.support.paths import SHARED


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data that lies beside a checkout; never part of the project."""
    if not SHARED.is_dir():
        pytest.skip(f"reference data not found at {SHARED}: tests that need it are skipped")
    return SHARED


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test in a folder of its own: results that lie in the checkout change no verdict."""
    monkeypatch.chdir(tmp_path)


def pytest_configure() -> None:
    """Refuse to run in CI without the reference data, where skipped tests would go unseen."""
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


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--rewrite`: write down in the scripts what happens now; `--docker`: containers too."""
    parser.addoption("--rewrite", action="store_true", help="rewrite tests/scripts")
    parser.addoption("--docker", action="store_true", help="run what needs a Docker Engine")
