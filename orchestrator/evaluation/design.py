"""Which runs the evaluation needs: the source's design (section V-A), on a population of real
households and on generated ones.

A run differs from the others of its kind by its seed: the order of the households in the tree,
ties, who takes part in the exchange, and, where they are generated, the households.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.experiments.cells import Cell, seed_of
from orchestrator.settings import RunSettings

BETAS = (0.0, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 1.0)
SHOWN_BETAS = (0.0, 0.25, 0.5, 0.75)
"""Of figures 3 and 12."""
SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Of households that exchange: figure 8."""
SIZES = (200, 400, 600, 800, 1_000)
ITERATIONS, SLOTS = 50, 144


@dataclass(frozen=True, slots=True)
class Design:
    """What is run: `dataset` or generated households, how many `runs` of each kind, and the sizes
    of the populations in figure 8."""

    dataset: Path | None
    households: int
    runs: int
    sizes: Sequence[int] = SIZES
    betas: Sequence[float] = BETAS
    iterations: int = ITERATIONS
    slots: int = SLOTS

    def over_beta(self, rule: str, betas: Sequence[float] | None = None) -> list[Cell]:
        """Every beta, with an exchange by this rule."""
        chosen = self.betas if betas is None else betas
        return [
            cell
            for beta in chosen
            for cell in self._replicated({"beta": beta, "exchange": rule}, self.households)
        ]

    def over_size(self) -> list[Cell]:
        """Every size and every share that takes part, beta 0 (figure 8)."""
        return [
            cell
            for size in self.sizes
            for share in SHARES
            for cell in self._replicated({"participation": share}, size)
        ]

    def over_slots(self) -> list[Cell]:
        """Generated households with more and more slots, beta 0 (Table III)."""
        return [
            cell
            for slots in sorted({36, 72, self.slots})
            for cell in self._replicated({"slots": slots}, min(self.sizes))
        ]

    def traced(self) -> Cell:
        """One run at beta 0 in which every exchange is told (figures 5 and 9)."""
        return next(self._replicated({"trace": True}, self.households))

    def _replicated(self, options: dict[str, object], households: int) -> Iterator[Cell]:
        source: dict[str, object] = {"dataset": self.dataset, "order": "random"}
        if self.dataset is None or households != self.households or "slots" in options:
            # Real households are as many as they are; other sizes are generated.
            source = {"demo": True, "slots": self.slots}
        common = {"iterations": self.iterations, "households": households}
        settings = RunSettings.model_validate({**source, **common, **options})
        for number in range(self.runs):
            seed = seed_of(settings.seed, number)
            yield Cell(settings.model_copy(update={"seed": seed}), number)
