"""Everything that `coflex paper` does: run what is missing, and make of it charts and verdicts.

What is run is decided in design.py, what is shown in figures.py and claims.py.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from orchestrator.evaluation.growth import Growth, growth
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
from orchestrator.replication.measurements import by_beta, share_of
from orchestrator.replication.study_design import Design
from orchestrator.replication.verdict import Claim
from orchestrator.reporting.figures.chart import Chart
from orchestrator.results.run_results import RunResults, read


@dataclass(frozen=True, slots=True)
class Part:
    """The evaluation on one population."""

    title: str
    runs: int
    charts: list[Chart]
    claims: list[Claim]
    beyond: list[Claim]
    """What the source does not say; empty without runs of the rule cooperative."""
    by_the_letter: list[Claim]
    """Held against runs of the source's own rule; empty without any."""
    literal_runs: int
    literal_households: int
    growth: list[Growth]
    traced: RunResults


Told = Callable[[int, int], None]
"""How many runs are done, and of how many."""


def evaluate(design: Design, folder: Path, workers: int, told: Told) -> Part:
    """The whole evaluation on one population; finished runs in `folder` are not run again."""
    kinds: list[list[Cell]] = [
        design.over_beta(),
        design.cooperative(),
        design.by_the_letter(),
        design.over_size(),
        design.over_slots(),
    ]
    everything = [cell for kind in kinds for cell in kind]
    places = run_kept(
        everything, folder, workers=workers, finished=lambda done: told(done, len(everything))
    )
    results = (read(place) for place in places)
    over_betas, cooperative, literal, sized, slotted = (
        list(islice(results, len(kind))) for kind in kinds
    )
    runs = by_beta(over_betas)
    traced = runs[min(runs)][0]
    charts = [
        gains_by_level(runs),
        trade_off(runs, cooperative),
        *over_beta(runs),
        over_size(sized),
        some_exchanges(traced),
        lorenz(runs),
    ]
    all_take_part = [run for run in sized if share_of(run) == 1.0]
    return Part(
        design.title,
        design.runs,
        charts,
        claims(runs, sized),
        beyond(runs, cooperative) if cooperative else [],
        at_beta_0(literal) if literal else [],
        len(literal),
        literal[0].households if literal else 0,
        growth(all_take_part, slotted),
        traced,
    )


def verdicts(parts: Sequence[Part]) -> Counter[str]:
    """How many claims hold, differ and are not settled, the source's own rule left aside."""
    return Counter(claim.verdict for part in parts for claim in part.claims)
