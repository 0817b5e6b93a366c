"""The study of one population: do the missing runs, then make charts and claims from the results.

`study_design` decides which runs there are, `figures` what is shown, and `claims` what is judged.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from orchestrator.experiments.sweep_runs import Cell, run_kept
from orchestrator.replication.claims import at_beta_0, beyond, claims
from orchestrator.replication.figures import (
    gains_by_level,
    lorenz,
    over_beta,
    over_size,
    some_exchanges,
    trade_off,
)
from orchestrator.replication.measurements import Growth, by_beta, growth, share_of
from orchestrator.replication.study_design import Design
from orchestrator.replication.verdict import Claim
from orchestrator.reporting.figures.chart import Chart
from orchestrator.results.result_files import read
from orchestrator.results.run_results import RunResults


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationStudy:
    """The evaluation of the paper, repeated on one population."""

    title: str
    runs: int
    charts: list[Chart]
    claims: list[Claim]
    beyond: list[Claim]
    """Claims that the paper does not make; empty without runs under the rule `cooperative`."""
    by_the_letter: list[Claim]
    """The paper's claims, judged by runs under the rule `paper`; empty without any."""
    literal_runs: int
    """Number of runs under the rule `paper`."""
    literal_households: int
    """Number of households in these runs."""
    growth: list[Growth]
    traced: RunResults


Progress = Callable[[int, int], None]
"""A function that is called with the numbers of finished runs and of all runs."""


def evaluate(design: Design, folder: Path, *, workers: int, progress: Progress) -> PopulationStudy:
    """Study one population; finished runs in `folder` are not repeated."""
    kinds: list[list[Cell]] = [
        design.over_beta(),
        design.cooperative(),
        design.by_the_letter(),
        design.over_size(),
        design.over_slots(),
    ]
    cells = [cell for kind in kinds for cell in kind]
    places = run_kept(
        cells, folder, workers=workers, finished=lambda done: progress(done, len(cells))
    )
    results = (read(place) for place in places)
    over_betas, cooperative, literal, sized, slotted = (
        list(islice(results, len(kind))) for kind in kinds
    )
    runs = by_beta(over_betas)
    traced = runs[min(runs)][0]
    return PopulationStudy(
        title=design.title,
        runs=design.runs,
        charts=[
            gains_by_level(runs),
            trade_off(runs, cooperative),
            *over_beta(runs),
            over_size(sized),
            some_exchanges(traced),
            lorenz(runs),
        ],
        claims=claims(runs, sized),
        beyond=beyond(runs, cooperative) if cooperative else [],
        by_the_letter=at_beta_0(literal) if literal else [],
        literal_runs=len(literal),
        literal_households=literal[0].households if literal else 0,
        growth=growth([run for run in sized if share_of(run) == 1.0], slotted),
        traced=traced,
    )


def verdicts(studies: Sequence[PopulationStudy]) -> Counter[str]:
    """Count the verdicts on the paper's claims, except those for runs under the rule `paper`."""
    return Counter(claim.verdict for study in studies for claim in study.claims)
