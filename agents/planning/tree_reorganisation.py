"""Tree reorganisation: when a new tree is laid out, and the selection to which a household returns
(docs/epos.md).

The root decides at the end of an iteration. Every household then works out its new neighbours
itself, from the roster and the seed.
"""

from dataclasses import dataclass

import numpy as np

from agents.planning.costs import Cost
from protocol.terms import Reorganisation
from protocol.vectors import Array


def due(
    terms: Reorganisation, iteration: int, responses: tuple[Array, Array] | None, cost: Cost
) -> bool:
    """Return True if the tree is reorganised after this iteration.

    `responses` are the global plans before and after it, or None if it was the first on its tree.
    """
    match terms.strategy:
        case "never":
            return False
        case "periodically":
            return iteration != 0 and iteration % terms.period == 0
        case "convergence":
            return responses is not None and bool(np.array_equal(*responses))
        case "cost-reduction":
            if responses is None:
                return False
            before, after = (float(cost(response[None, :])[0]) for response in responses)
            return before != 0 and 0 < abs(before - after) / before <= terms.threshold


@dataclass(slots=True)
class Memory:
    """A household's memory of an earlier selection (strategy `convergence`, option `memorise`)."""

    terms: Reorganisation
    _saved: int | None = None
    _last: int = 0
    """Iteration of the last reorganisation; 0 before the first."""
    _reorganised: bool = False

    @property
    def _remembers(self) -> bool:
        return self.terms.strategy == "convergence" and self.terms.memorise

    def note(self, iteration: int, selected: int) -> None:
        """Remember the selection if it is due; called at the end of each iteration."""
        if not self._remembers:
            return
        if not self._reorganised:
            if iteration == self.terms.offset:
                self._saved = selected
        elif iteration == self._last + self.terms.offset:
            unchanged = self._saved is None or self._saved == selected
            self._saved = None if unchanged else selected

    def reorganise(self, iteration: int) -> int | None:
        """Return the selection to go back to, if any, now that the tree changes after
        `iteration`."""
        if not self._remembers:
            return None
        if iteration < self._last + self.terms.offset:
            self._saved = None
        self._last, self._reorganised = iteration, True
        return self._saved
