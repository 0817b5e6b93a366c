"""The Python examples on the pages work as shown, with fewer households."""

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PAGES = ("experiments.md", "homes.md", "python.md")


def examples(page: str) -> list[str]:
    """Return the Python blocks of a page."""
    text = (ROOT / "docs" / page).read_text()
    return re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_work(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    found = examples(page)
    assert found
    for example in found:
        smaller = example.replace("households=50", "households=6, iterations=3")
        exec(compile(smaller, page, "exec"), {})
    assert list(tmp_path.glob("*/run.json"))
