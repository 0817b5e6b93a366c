"""A layer of a subtree: the households of one level with equally many children, and what their
children have reported. Decides nothing; subtree.py says when a layer decides, batch_selection.py
what."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agents.planning.batch_selection import Aggregates, HouseholdBatch
from protocol.messages import Address, Up


@dataclass(slots=True)
class Layer:
    """The households of one level with equally many children, and their progress."""

    batch: HouseholdBatch
    rows: slice
    inner: slice
    """Rows of the children on this host, in order."""
    inner_at: NDArray[np.intp]
    """Positions of the children on this host among all children of the layer."""
    outer: dict[Address, int]
    """Positions of the children on other hosts among all children of the layer."""
    received: dict[Address, Up] = field(default_factory=dict)
    decided: bool = False
    """True once this iteration's sums have been passed on upwards."""

    @property
    def children(self) -> int:
        """Number of children of each household in the layer, on this and other hosts."""
        return len(self.inner_at) + len(self.outer)

    def children_sums(self, sums: Aggregates) -> Aggregates | None:
        """Return the sums of the children by row, float64[m, c, d] and twice float64[m, c]; None if
        there are no children. `sums` has those of all rows of the subtree."""
        rows = self.rows.stop - self.rows.start
        children, slots = self.children, sums.response.shape[1]
        if not children:
            return None
        inner = Aggregates(*(part[self.inner] for part in sums))
        if self.outer:
            together = Aggregates(
                np.empty((children, slots)), np.empty(children), np.empty(children)
            )
            for all_of_them, own in zip(together, inner, strict=True):
                all_of_them[self.inner_at] = own
            for child, at in self.outer.items():
                up = self.received[child]
                together.response[at] = up.response_kwh
                together.discomfort[at] = up.discomfort
                together.discomfort_squares[at] = up.discomfort_squares
            inner = together
        response, discomfort, squares = inner
        return Aggregates(
            response.reshape(rows, -1, slots),
            discomfort.reshape(rows, -1),
            squares.reshape(rows, -1),
        )

    def count(self, sizes: NDArray[np.int64]) -> None:
        """Count the households below each row, itself included, in `sizes` of all rows of the
        subtree."""
        children = self.children
        if not children:
            return
        below = np.empty(children, dtype=np.int64)
        below[self.inner_at] = sizes[self.inner]
        for child, at in self.outer.items():
            below[at] = self.received[child].size
        sizes[self.rows] = 1 + below.reshape(self.rows.stop - self.rows.start, -1).sum(1)
