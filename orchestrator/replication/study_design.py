"""The runs that the replication needs: the design of the paper (section V-A), for a population of
real households and one of generated households.

Runs of one kind differ by their seed: the order of the households in the tree, ties, the households
that exchange, and the generated households themselves.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.experiments.sweep_runs import Cell, seed_of
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings

BETAS = (0.0, 0.25, 0.5, 0.75, 0.9, 0.99, 0.998, 0.999, 1.0)
"""Values of beta. Several are close to 1, where a household's discomfort (below 1 kWh) weighs as
much as the inefficiency of all (kWh²)."""
FEWER_BETAS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Values of beta for 1,000 generated households, whose runs take long."""
SHOWN_BETAS = (0.0, 0.25, 0.5, 0.75)
"""Values of beta in figures 3 and 12."""
SUBSETS, SETS = tuple(range(100, 1000, 100)), 5
"""Sizes of subsets of exchanges, and number of subsets of each size (figure 9)."""
SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Shares of households that exchange; also sizes as shares of the largest population (figure 8)."""
ITERATIONS, SLOTS = 50, 144
FEWER = 3
"""Maximum number of runs of each kind on generated households if there are real ones too."""
QUICK_HOUSEHOLDS, QUICK_ITERATIONS = 24, 6
LARGEST_LITERAL, LITERAL_RUNS, COOPERATIVE_RUNS = 100, 4, 5
"""Runs under the rule `paper` make twenty times as many exchanges as under `mutual`, so there are
fewer, with fewer households; under `cooperative` they make three times as many."""
SIZED_RUNS, INNER_RUNS = 5, 2
"""Runs of each of the 25 kinds in figure 8: of those about which the paper makes claims (largest
population, or all households take part), and of the others."""


@dataclass(frozen=True, slots=True)
class Design:
    """The runs on one population: the households of `dataset`, or generated ones if it is None."""

    dataset: Path | None
    households: int
    runs: int
    betas: Sequence[float] = BETAS
    iterations: int = ITERATIONS
    slots: int = SLOTS
    thorough: bool = True
    """True to include the rules that take long: `cooperative` and `paper`."""

    @property
    def title(self) -> str:
        """The population in words."""
        of = (
            "generated households" if self.dataset is None else f"households of {self.dataset.name}"
        )
        return f"{self.households:,} {of}"

    def over_beta(self) -> list[Cell]:
        """Return runs at every beta under the rule `mutual`; those at beta 0 are traced."""
        return [
            cell
            for beta in self.betas
            for cell in self._replicated({"beta": beta, "trace": beta == 0}, self.households)
        ]

    def cooperative(self) -> list[Cell]:
        """Return runs at beta 0 under the rule `cooperative` (figure 4)."""
        if not self.thorough:
            return []
        cells = self._replicated({"exchange": "cooperative"}, self.households)
        return list(cells)[:COOPERATIVE_RUNS]

    def by_the_letter(self) -> list[Cell]:
        """Return traced runs at beta 0 under the paper's own rule."""
        if not self.thorough:
            return []
        options = {"exchange": "paper", "trace": True}
        cells = self._replicated(options, min(LARGEST_LITERAL, self.households))
        return list(cells)[:LITERAL_RUNS]

    def sizes(self) -> list[int]:
        """Return the sizes of the populations in figure 8, in fifths of the whole population."""
        return sorted({max(2, round(share * self.households)) for share in SHARES})

    def over_size(self) -> list[Cell]:
        """Return runs at beta 0 of every size, with every share that takes part (figure 8)."""
        cells: list[Cell] = []
        for size in self.sizes():
            for share in SHARES:
                # At full size and share, these are the traced runs of over_beta at beta 0.
                traced = size == self.households and share == 1
                options: dict[str, object] = {"participation": share, "trace": traced}
                most = SIZED_RUNS if size == self.households or share == 1 else INNER_RUNS
                cells += list(self._replicated(options, size))[:most]
        return cells

    def over_slots(self) -> list[Cell]:
        """Return runs at beta 0 of generated households by number of slots (Table III)."""
        if self.dataset is not None:
            return []
        size = self.sizes()[0]
        return [
            cell
            for slots in sorted({36, 72, self.slots})
            for cell in self._replicated({"slots": slots}, size)
        ]

    def _replicated(self, options: dict[str, object], households: int) -> Iterator[Cell]:
        source: dict[str, object] = {"dataset": self.dataset, "order": "random"}
        if self.dataset is None:
            source = {"demo": True, "slots": self.slots}
        common = {
            "iterations": self.iterations,
            "households": households,
            "content": "slot",  # as in the paper
            "exchange_every": 0,  # one exchange, after planning, as in the paper
        }
        settings = RunSettings.model_validate({**source, **common, **options})
        for number in range(self.runs):
            seed = seed_of(settings.seed, number)
            yield Cell(settings.model_copy(update={"seed": seed}), number)


def populations(
    dataset: Path | None, generated: int, runs: int, generated_runs: int | None, *, quick: bool
) -> list[Design]:
    """Return the designs for real households, if there is a data set, and for generated ones.

    `quick` makes the runs few and small. Raises InputError if `dataset` cannot be read.
    """
    most, iterations = (QUICK_HOUSEHOLDS, QUICK_ITERATIONS) if quick else (None, ITERATIONS)
    found = []
    if dataset is not None:
        there = len(read_scenario(RunSettings.model_validate({"dataset": dataset})).members)
        betas = FEWER_BETAS if quick else BETAS
        found.append(
            Design(
                dataset=dataset,
                households=min(most or there, there),
                runs=runs,
                betas=betas,
                iterations=iterations,
            )
        )
    if generated:
        fewer = generated_runs or (runs if dataset is None else min(runs, FEWER))
        many = min(most or generated, generated)
        # Rules that take long are run on real households if there are any.
        thorough = dataset is None
        found.append(
            Design(
                dataset=None,
                households=many,
                runs=fewer,
                betas=FEWER_BETAS,
                iterations=iterations,
                thorough=thorough,
            )
        )
    return found
