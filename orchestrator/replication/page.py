"""The replication as a page: the verdicts, then all figures, interactive and as files.

This module decides the order of the page, and `study` its contents. The page needs no network:
plotly's script is in a file next to it.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from orchestrator.replication.partner_figure import PartnerFigure
from orchestrator.replication.study import PopulationStudy, verdicts
from orchestrator.replication.study_design import COOPERATIVE_RUNS, INNER_RUNS, SIZED_RUNS
from orchestrator.replication.sweeps import SweepStudy
from orchestrator.replication.verdict import TOO_FEW_RUNS, Claim
from orchestrator.reporting.figures.chart import Chart
from orchestrator.reporting.figures.interactive import SCRIPT, files_of, script
from orchestrator.reporting.html_page import PlacedFigure, render
from orchestrator.reporting.number_wording import counted
from orchestrator.results.atomic_folder import publish
from orchestrator.results.csv_tables import csv_text

PAGE, CLAIMS = "index.html", "claims.csv"
PAPER = "Cooperative Flexibility Exchange"
VERDICT_HEADS = ("paper", "it says", "measured: mean [95 % interval]", "verdict", "why")
CSV_HEADS = (
    *("of", "where", "says", "measured", "mean", "low", "high", "runs"),
    *("claimed_low", "claimed_high", "verdict"),
)


def write_page(
    studies: Sequence[PopulationStudy], folder: Path, sweeps: SweepStudy | None = None
) -> Path:
    """Write the page, the pictures and the data of all populations and of the sweeps, if there are
    any; return the path of the page.

    Raises InputError if the folder cannot be written.
    """
    files = {SCRIPT: script()}
    shown = []
    for number, study in enumerate(studies, 1):
        figures = _figures(study, number)
        for figure, _ in figures:
            files |= files_of(figure.drawing, figure.name)
        files[f"{number}-{CLAIMS}"] = _as_csv(study)
        shown.append(_shown(study, figures))
    further = [] if sweeps is None else sweeps.charts
    swept = [PlacedFigure.of(own, name=own.name, title=own.title) for own in further]
    for figure in swept:
        files |= files_of(figure.drawing, figure.name)
    files[PAGE] = render(
        "replication/study.html.j2",
        title=f"{PAPER}, measured again",
        lead=lead(studies),
        heads=VERDICT_HEADS,
        sized_runs=SIZED_RUNS,
        inner_runs=INNER_RUNS,
        cooperative_runs=COOPERATIVE_RUNS,
        studies=shown,
        sweeps=swept,
        sweeps_title="" if sweeps is None else sweeps.title,
        sweeps_runs="" if sweeps is None else counted(sweeps.runs, "run"),
    ).encode()
    publish(folder, files, seal=PAGE)
    return folder / PAGE


def lead(studies: Sequence[PopulationStudy]) -> str:
    """Return the numbers of verdicts as a sentence."""
    found = verdicts(studies)
    holds, differs, open_ = (found[name] for name in ("holds", "differs", "not settled"))
    few = sum(claim.reason == TOO_FEW_RUNS for study in studies for claim in study.claims)
    part = "" if few == open_ else f" {few} of them"
    reason = f",{part} because {TOO_FEW_RUNS}" if few else ""
    tested = f"{counted(found.total(), 'claim')} of the paper {_verb(found.total(), 'was', 'were')}"
    return (
        f"{tested} measured again: {holds} {_verb(holds, 'holds', 'hold')}, "
        f"{differs} {_verb(differs, 'differs', 'differ')} and "
        f"{open_} {_verb(open_, 'is', 'are')} not settled{reason}."
    )


def _verb(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


def _figures(study: PopulationStudy, number: int) -> list[tuple[PlacedFigure, list[Claim]]]:
    """Draw the figures in the order of the paper, each with the paper's claims about it."""
    figures: list[Chart | PartnerFigure] = [*study.charts, PartnerFigure(study.traced)]
    figures.sort(key=lambda own: _of(own.name))
    return [
        (
            PlacedFigure.of(
                own, name=f"{number}-{own.name}", title=f"Figure {_of(own.name)}: {own.title}"
            ),
            _about(study, _of(own.name)),
        )
        for own in figures
    ]


def _of(name: str) -> int:
    """Return the number of a figure."""
    return int(name.rpartition("-")[2])


def _about(study: PopulationStudy, figure: int) -> list[Claim]:
    return [
        claim
        for claim in study.claims
        if claim.where.startswith("figure") and str(figure) in re.findall(r"\d+", claim.where)
    ]


def _shown(
    study: PopulationStudy, figures: list[tuple[PlacedFigure, list[Claim]]]
) -> dict[str, object]:
    """Return the values of one population for the template."""
    return {
        "title": study.title,
        "runs": counted(study.runs, "run"),
        "literal_runs": counted(study.literal_runs, "run"),
        "literal_households": study.literal_households,
        "claims": _lines(study.claims),
        "beyond": _lines(study.beyond),
        "by_the_letter": _lines(study.by_the_letter),
        "growth": _growth(study),
        "figures": figures,
    }


def _lines(claims: Sequence[Claim]) -> list[list[str]]:
    """Return the cells below VERDICT_HEADS."""
    return [[c.where, c.says, c.measured, c.verdict, c.reason] for c in claims]


def _growth(study: PopulationStudy) -> list[list[str]]:
    return [
        [
            f"{own.what}, by {own.of}",
            ", ".join(
                f"{mean:,.0f} ({size:,})" for size, mean in zip(own.sizes, own.means, strict=True)
            ),
            f"{own.exponent:.2f}",
        ]
        for own in study.growth
    ]


def _as_csv(study: PopulationStudy) -> bytes:
    kinds = {"paper": study.claims, "beyond": study.beyond, "paper's rule": study.by_the_letter}
    rows: list[tuple[object, ...]] = []
    for of, claims in kinds.items():
        for claim in claims:
            for own in claim.criteria:
                at = own.point
                measured = (own.what, at.mean, at.low, at.high, len(own.values))
                verdict = (own.low, own.high, own.verdict)
                rows.append((of, claim.where, claim.says, *measured, *verdict))
    return csv_text(CSV_HEADS, rows).encode()
