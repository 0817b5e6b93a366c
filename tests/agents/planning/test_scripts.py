"""The scripts of stage 1 hold; `pytest --rewrite` writes down what happens now."""

from pathlib import Path

import pytest

from tests.support.script import played, scripts


@pytest.mark.parametrize("path", scripts("planning"), ids=lambda path: path.stem)
def test_script(path: Path, request: pytest.FixtureRequest) -> None:
    happens = played(path, rewrite=request.config.getoption("--rewrite"))
    assert path.read_text() == happens
