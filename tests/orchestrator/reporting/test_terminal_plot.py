"""Curves drawn with characters."""

import numpy as np
from rich.text import Text

from orchestrator.reporting.terminal_plot import Curve, plot


def lines(text: Text) -> list[str]:
    return text.plain.splitlines()


def test_a_rising_line_rises() -> None:
    curve = Curve(np.array([0.0, 1.0, 2.0, 3.0]), "cyan")
    rows = lines(plot("title", [curve], width=12, height=4, limits=(0, 3), ascii_only=True))
    assert rows[0].rstrip() == "title"
    assert [row.index("*") for row in rows[1:5]] == sorted(
        (row.index("*") for row in rows[1:5]), reverse=True
    )
    assert rows[1].startswith("3|")
    assert rows[4].startswith("0|*")
    assert rows[6].split() == ["0", "3"]


def test_braille_dots_stand_where_the_values_are() -> None:
    curve = Curve(np.array([0.0, 0.0, 1.0, 1.0]), "cyan")
    rows = lines(plot("", [curve], width=10, height=2, limits=(0, 1)))
    assert rows[2].startswith("0│⣀")
    assert rows[1].endswith("⠉")


def test_a_logarithm_gives_each_power_the_same_height() -> None:
    curve = Curve(np.array([1000.0, 100.0, 10.0, 1.0]), "cyan")
    rows = lines(plot("", [curve], width=13, height=4, limits=(1, 1000), log=True, ascii_only=True))
    starts = [row[5:].index("*") for row in rows[1:5]]
    assert starts == sorted(starts)
    assert max(np.diff(starts)) - min(np.diff(starts)) <= 1
