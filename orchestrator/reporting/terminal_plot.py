"""Line plots in characters: two by four dots per character, or one star on ASCII terminals.

This module depends on nothing else of coflex. The plotting libraries for terminals that we tried
write their own escape codes and slow down the start of every command.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from protocol.vectors import Array

_BLANK = 0x2800
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""The bit of each dot in a braille character, by row and column."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Values at x = 0, 1, ..., and their style; a `dotted` curve has gaps."""

    values: Array
    style: str
    dotted: bool = False


def plot(
    title: str,
    curves: Sequence[Curve],
    *,
    width: int,
    height: int,
    limits: tuple[float, float],
    log: bool = False,
    ascii_only: bool = False,
) -> Text:
    """Return a plot of `height` lines, with the title above and the first and last index below.

    Every line is exactly `width` characters wide. Later curves cover earlier ones. `limits` are the
    ends of the y axis, positive if it is `log`.
    """
    low, high = limits
    labels = [f"{value:.4g}" for value in (high, low)]
    margin = max(map(len, labels))
    inside = max(width - margin - 1, 8)
    across, down = (inside, height) if ascii_only else (2 * inside, 4 * height)
    owner = np.full((height, inside), -1)
    dots = np.zeros((down, across), dtype=bool)
    for index, curve in enumerate(curves):
        shares = _shares(curve.values, low, high=high, log=log)
        for x, y in _points(shares, across, down=down, dotted=curve.dotted):
            row, column = (y, x) if ascii_only else (y // 4, x // 2)
            dots[y, x], owner[row, column] = True, index
    characters = _ascii(dots) if ascii_only else _braille(dots)
    side, corner, floor = ("|", "+", "-") if ascii_only else ("│", "└", "─")
    text = Text(no_wrap=True)
    text.append(f"{title[:width]:<{width}}\n", style="bold")
    for row in range(height):
        label = labels[0] if row == 0 else labels[1] if row == height - 1 else ""
        text.append(f"{label:>{margin}}{side}", style="dim")
        for column in range(inside):
            mark = owner[row, column]
            text.append(characters[row][column], style=curves[mark].style if mark >= 0 else "")
        text.append("\n")
    text.append(f"{'':>{margin}}{corner}{floor * inside}\n", style="dim")
    last = str(max(len(curve.values) for curve in curves) - 1)
    text.append(f"{'':>{margin}} 0{last:>{inside - 1}}", style="dim")
    return text


def _shares(values: Array, low: float, high: float, log: bool) -> Array:
    """Return the relative positions of values between the limits: 0 for `low`, 1 for `high`."""
    if log:
        values, low, high = np.log(values), float(np.log(low)), float(np.log(high))
    span = high - low
    return np.clip((values - low) / span, 0, 1) if span else np.full(len(values), 0.5)


def _points(shares: Array, across: int, down: int, dotted: bool) -> Iterator[tuple[int, int]]:
    """Yield the dots (x, y) on the line through the values, left to right; y runs downwards."""
    xs = np.linspace(0, across - 1, len(shares)) if len(shares) > 1 else np.zeros(1)
    ys = (1 - shares) * (down - 1)
    for i in range(max(len(shares) - 1, 1)):
        j = min(i + 1, len(shares) - 1)
        steps = int(max(abs(xs[j] - xs[i]), abs(ys[j] - ys[i]))) + 1
        for share in np.linspace(0, 1, steps + 1):
            x = round(xs[i] + share * (xs[j] - xs[i]))
            if not dotted or x % 4 == 0:
                yield x, round(ys[i] + share * (ys[j] - ys[i]))


def _braille(dots: NDArray[np.bool_]) -> list[str]:
    rows, columns = dots.shape[0] // 4, dots.shape[1] // 2
    cells = dots.reshape(rows, 4, columns, 2).swapaxes(1, 2)
    codes = _BLANK + (cells * _BITS).sum((-1, -2))
    return ["".join(" " if code == _BLANK else chr(code) for code in row) for row in codes]


def _ascii(dots: NDArray[np.bool_]) -> list[str]:
    return ["".join("*" if dot else " " for dot in row) for row in dots]
