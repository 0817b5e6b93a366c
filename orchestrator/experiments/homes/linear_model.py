"""A linear program with whole numbers, put together row by row and solved by HiGHS (scipy).

It knows no homes. Needs scipy.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from protocol.vectors import Array

Index = np.ndarray[tuple[int, ...], np.dtype[np.int64]]

_INFEASIBLE = 2


@dataclass(frozen=True, slots=True)
class Solution:
    """The outcome of a program."""

    values: Array | None
    """The values of all variables; None without a solution."""
    infeasible: bool
    """True if it is proven that there is no solution."""
    bound: float
    """No solution costs less than this."""
    seconds: float


@dataclass(slots=True)
class LinearModel:
    """Variables with bounds and costs, and rows that tie them."""

    _low: list[Array] = field(default_factory=list)
    _high: list[Array] = field(default_factory=list)
    _cost: list[Array] = field(default_factory=list)
    _whole: list[Array] = field(default_factory=list)
    _rows: list[tuple[Sequence[int], Sequence[float], float, float]] = field(default_factory=list)
    _count: int = 0

    def variables(
        self, low: Array, high: Array, *, cost: Array | float = 0.0, whole: bool = False
    ) -> Index:
        """Add variables between these bounds; return their numbers."""
        size = len(low)
        self._low.append(low)
        self._high.append(high)
        self._cost.append(np.broadcast_to(np.asarray(cost, dtype=np.float64), size))
        self._whole.append(np.full(size, float(whole)))
        self._count += size
        return np.arange(self._count - size, self._count)

    def row(self, terms: Sequence[tuple[int, float]], *, low: float, high: float) -> None:
        """Keep a weighted sum of variables between two bounds."""
        self._rows.append(([int(at) for at, _ in terms], [by for _, by in terms], low, high))

    def solve(self, seconds: float) -> Solution:
        """Find the values of least cost within a time limit."""
        began = time.perf_counter()
        places = np.concatenate([np.full(len(row[0]), at) for at, row in enumerate(self._rows)])
        columns = np.concatenate([np.array(row[0], dtype=np.int64) for row in self._rows])
        amounts = np.concatenate([np.array(row[1]) for row in self._rows])
        shape = (len(self._rows), self._count)
        matrix = csr_array((amounts, (places.astype(np.int64), columns)), shape=shape)
        lows, highs = (np.array([row[at] for row in self._rows]) for at in (2, 3))
        with _silent_solver():
            found = milp(
                np.concatenate(self._cost),
                integrality=np.concatenate(self._whole),
                bounds=Bounds(np.concatenate(self._low), np.concatenate(self._high)),
                constraints=LinearConstraint(matrix, lows, highs),
                options={"time_limit": seconds},
            )
        bound = getattr(found, "mip_dual_bound", None)
        return Solution(
            values=None if found.x is None else np.asarray(found.x, dtype=np.float64),
            infeasible=int(found.status) == _INFEASIBLE,
            bound=float("-inf") if bound is None else float(bound),
            seconds=time.perf_counter() - began,
        )


@contextmanager
def _silent_solver() -> Iterator[None]:
    """Keep the solver from printing: it writes some notes past Python, whatever its options say."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
