"""The scripts in tests/scripts hold; `pytest --rewrite` writes down what happens now."""

from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.script import replay

SCRIPTS = sorted((ROOT / "tests" / "scripts").rglob("*.txt"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path: Path, request: pytest.FixtureRequest) -> None:
    happens = replay(path.read_text())
    if request.config.getoption("--rewrite"):
        path.write_text(happens)
    assert path.read_text() == happens


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) >= 8
