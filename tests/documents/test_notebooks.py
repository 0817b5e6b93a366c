"""The notebooks in docs/ run, and their outputs are those that they show."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.paths import ROOT

pytest.importorskip("pandas", reason="the notebooks need the extra `report`")
pytest.importorskip("matplotlib", reason="the notebooks need the extra `report`")
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
LARGEST = 200_000
"""Bytes: a notebook is read in a browser, and kept in the repository."""


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebooks_give_the_outputs_that_they_show(path: Path) -> None:
    shown = nbformat.read(path, as_version=4)
    again = nbformat.read(path, as_version=4)
    NotebookClient(again, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    for cell, anew in zip(shown.cells, again.cells, strict=True):
        if cell.cell_type == "code":
            assert texts(anew) == texts(cell), cell.source


def test_notebooks_exist_and_are_small() -> None:
    assert len(NOTEBOOKS) >= 2
    assert all(path.stat().st_size < LARGEST for path in NOTEBOOKS)


def texts(cell: nbformat.NotebookNode) -> list[str]:
    """Return the texts that a cell printed and displayed, without pictures and the last digits of
    rounding errors."""
    found = []
    for output in cell.outputs:
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        if "image/png" not in output.get("data", {}):
            found.append(re.sub(r"\d+\.\d+e-1[0-9]", "0", text))
    return found
