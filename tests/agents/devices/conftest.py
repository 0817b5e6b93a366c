"""The homes of the reference data."""

from pathlib import Path

import pytest

from agents.devices.home_file import read_homes
from agents.devices.home_table import Homes


@pytest.fixture(scope="session")
def homes_file(shared: Path) -> Path:
    return shared / "data" / "homes" / "homes-200.json"


@pytest.fixture(scope="session")
def homes(homes_file: Path) -> Homes:
    return read_homes(homes_file)
