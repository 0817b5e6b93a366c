"""Everything that `coflex paper` does: run what is missing, and make of it charts and verdicts.

What is run is decided in design.py, what is shown in figures.py and claims.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.evaluation.chart import Chart
from orchestrator.evaluation.claims import Claim, claims
from orchestrator.evaluation.design import Design
from orchestrator.evaluation.evidence import by_beta
from orchestrator.evaluation.figures import (
    gains_by_level,
    lorenz,
    over_beta,
    over_size,
    some_exchanges,
    trade_off,
)
from orchestrator.evaluation.growth import Growth, growth
from orchestrator.experiments.cells import Cell, run_kept
from orchestrator.results import RunResults, read

RULE = "mutual"
"""Of the runs that are shown, unless a figure says otherwise."""
_COOPERATIVE_BETAS = (0.0, 0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class Part:
    """The evaluation on one population."""

    title: str
    runs: int
    charts: list[Chart]
    claims: list[Claim]
    growth: list[Growth]
    traced: RunResults


Told = Callable[[int, int], None]
"""How many runs are done, and of how many."""


def evaluate(design: Design, title: str, folder: Path, workers: int, told: Told) -> Part:
    """The whole evaluation on one population; finished runs in `folder` are not run again."""
    kinds: list[list[Cell]] = [
        design.over_beta(RULE),
        design.over_beta("cooperative", [b for b in _COOPERATIVE_BETAS if b in design.betas]),
        design.over_size(),
        design.over_slots(),
        [design.traced()],
    ]
    everything = [cell for kind in kinds for cell in kind]
    places = run_kept(
        everything, folder, workers=workers, finished=lambda done: told(done, len(everything))
    )
    results = [read(place) for place in places]
    parts: list[list[RunResults]] = []
    for kind in kinds:
        parts.append(results[: len(kind)])
        results = results[len(kind) :]
    mutual, cooperative, sized, slotted, (traced,) = parts
    runs, other = by_beta(mutual), by_beta(cooperative)
    charts = [
        gains_by_level(runs),
        trade_off(runs, other),
        *over_beta(runs),
        over_size(sized),
        some_exchanges(traced),
        lorenz(runs),
    ]
    charts.sort(key=lambda chart: int(chart.name.rpartition("-")[2]))
    all_take_part = [run for run in sized if float(str(run.config["participation"])) == 1.0]
    return Part(
        title,
        design.runs,
        charts,
        claims(runs, sized, traced),
        growth(all_take_part, slotted),
        traced,
    )


def verdicts(parts: Sequence[Part]) -> tuple[int, int]:
    """How many claims hold, of how many."""
    found = [claim.holds for part in parts for claim in part.claims]
    return sum(found), len(found)
