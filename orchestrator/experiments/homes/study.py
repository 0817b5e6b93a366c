"""The study of homes: its questions, each with a table and a figure.

This module decides which runs and programs answer which question. `study_page` writes the page.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from orchestrator.experiments.homes.followable import (
    Followed,
    first_bundles,
    followed,
    welcome_slots,
)
from orchestrator.experiments.homes.home_programs import can_follow, least_discomfort, least_peak
from orchestrator.experiments.homes.study_runs import (
    ITERATIONS,
    ROUNDS,
    StudyRun,
    start_of,
    study_run,
    without,
)
from orchestrator.reporting.figures.chart import Chart, Panel, Series
from orchestrator.reporting.figures.data_table import Cell, Table
from orchestrator.reporting.homes.homes_in_words import NOBODY_PAYS, group_rows, moved_rows

BETAS = (0.0, 0.2, 0.5)
_NONE = "-"


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the study, with its answer as a table and a figure."""

    name: str
    title: str
    text: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    chart: Chart


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyDesign:
    """The population of a study, and how much of it is done."""

    dataset: Path
    swaps: int
    """Single-slot swaps that are asked about."""
    seconds: float
    """Time limit of each central plan."""
    rounds: int = ROUNDS


Told = Callable[[str], None]


def study(design: StudyDesign, tell: Told = lambda done: None) -> list[Question]:
    """Do all runs and programs, and return the questions with their answers."""
    start: dict[str, object] = {**start_of(design.dataset), "rounds": design.rounds}
    found: list[Question] = []

    def done(question: Question) -> None:
        found.append(question)
        tell(question.title)

    amounts = study_run(design.dataset, **start, content="amounts")
    slots = study_run(design.dataset, **start, content="slot", trace=True)
    bundles = study_run(design.dataset, **start, content="bundle", trace=True)
    done(_followable(design, amounts, bundles))
    done(_contents({"slot": slots, "bundle": bundles, "amounts": amounts}))
    done(_bound(design, amounts))
    done(_stores(design, amounts))
    by_beta = {
        beta: study_run(
            design.dataset,
            beta=beta,
            iterations=ITERATIONS,
            rounds=design.rounds,
            content="amounts",
        )
        for beta in BETAS
    }
    done(_betas(by_beta))
    done(_yardstick(design, by_beta))
    done(_payers(amounts))
    return found


def _followable(design: StudyDesign, amounts: StudyRun, bundles: StudyRun) -> Question:
    now, preferred = amounts.schedules["planned"], amounts.schedules["preferred"]
    drawn = welcome_slots(now, preferred, count=design.swaps, seed=0)
    traced = first_bundles(bundles.results.exchanges or ())
    answers = {
        "single slots": followed(drawn, amounts.homes, now),
        "bundles": followed(traced, amounts.homes, now),
    }
    rows: list[tuple[Cell, ...]] = [
        (name, own.swaps, *(_percent(part, own) for part in (own.both, own.one, own.neither)))
        for name, own in answers.items()
    ]
    return _question(
        "followable",
        "Swaps that devices can follow",
        "Single slots: swaps of one slot that the RMSE of both homes welcomes, drawn at random. "
        "Bundles: the first one of each pair that an exchange of bundles makes. For each home a "
        "program with whole numbers "
        "looks for schedules of its devices that give exactly the new energy in every slot.",
        ("swap", "swaps", "both can", "one can", "neither"),
        rows,
        {"both homes can follow (%)": [100 * own.share for own in answers.values()]},
    )


def _percent(part: int, own: Followed) -> str:
    return f"{part / own.swaps:.0%}" if own.swaps else _NONE


def _contents(runs: dict[str, StudyRun]) -> Question:
    rows: list[tuple[Cell, ...]] = []
    broken = []
    for content, run in runs.items():
        lost = sum(
            not can_follow(home, run.schedules["exchanged"][name])
            for name, home in run.homes.items()
            if not np.array_equal(run.schedules["exchanged"][name], run.schedules["planned"][name])
        )
        broken.append(100.0 * lost / len(run.homes))
        homes, exchange = run.results.homes or {}, run.results.exchange
        after = homes.get("exchanged")
        known = content == "amounts" and after is not None
        rows.append(
            (
                content,
                _number(after.mean_discomfort if known and after else None),
                _number(after.minutes_late if known and after else None),
                lost,
                0 if exchange is None else exchange.messages,
            )
        )
    return _question(
        "contents",
        "What changes hands",
        "The same homes from the same plans. D and delay exist only where devices can follow; a "
        "home is infeasible if no schedule of its devices gives what it holds.",
        ("content", "D", "machines late, min", "infeasible homes", "messages"),
        rows,
        {"infeasible homes (%)": broken},
    )


def _bound(design: StudyDesign, amounts: StudyRun) -> Question:
    names = list(amounts.homes)
    totals = [amounts.schedules["planned"][name] for name in names]
    least, solution = least_discomfort(
        [amounts.homes[name] for name in names], totals, seconds=design.seconds
    )
    before, after = _discomfort(amounts, "planned"), _discomfort(amounts, "exchanged")
    share = (before - after) / (before - least) if before > least else float("nan")
    rows = [
        ("before the exchange", _number(before), ""),
        ("after the exchange", _number(after), f"{share:.0%} of what is possible"),
        ("relaxation", _number(least), f"{solution.seconds:.0f} s"),
    ]
    return _question(
        "bound",
        "How far an exchange could come",
        "The relaxation divides the same energy in each slot among all homes at will: machines "
        "run when they are wanted, stores may take any amount, and each home keeps its own "
        "energy. D cannot be less than it reaches if that is 0.",
        ("state", "D", ""),
        rows,
        {"D": [before, after, least]},
    )


def _stores(design: StudyDesign, amounts: StudyRun) -> Question:
    runs = {"all stores": amounts}
    with TemporaryDirectory(prefix="coflex-") as folder:
        for title, kinds in (
            ("no batteries", ("battery",)),
            ("no batteries, no heat pumps", ("battery", "heatpump")),
        ):
            path = without(design.dataset, kinds, Path(folder))
            if path is not None:
                runs[title] = study_run(
                    path, iterations=ITERATIONS, rounds=design.rounds, content="amounts"
                )
    return _question(
        "stores",
        "What stores are for",
        "The same homes without some of their stores, from plans and a stage 1 of their own at "
        "beta 0.",
        ("stores", "D before", "D after", "machines late, min", "messages"),
        [(name, *_exchange_cells(run)) for name, run in runs.items()],
        {
            "D before": [_discomfort(run, "planned") for run in runs.values()],
            "D after": [_discomfort(run, "exchanged") for run in runs.values()],
        },
    )


def _betas(runs: dict[float, StudyRun]) -> Question:
    rows = [
        (
            f"{beta:g}",
            _number(run.results.planned.inefficiency),
            _number(run.results.planned.peak),
            *_exchange_cells(run),
        )
        for beta, run in runs.items()
    ]
    return _question(
        "beta",
        "What weighing discomfort costs",
        "Stage 1 weighs each home's own D by beta. Variance and peak of demand (kWh² and kWh per "
        "slot) are not changed by the exchange.",
        ("beta", "variance", "peak", "D before", "D after", "machines late, min", "messages"),
        rows,
        {
            "D before": [_discomfort(run, "planned") for run in runs.values()],
            "D after": [_discomfort(run, "exchanged") for run in runs.values()],
        },
    )


def _yardstick(design: StudyDesign, runs: dict[float, StudyRun]) -> Question:
    coflex = runs[0.2]
    homes = list(coflex.homes.values())
    peak = coflex.results.planned.peak
    assert coflex.results.preferred is not None
    rows: list[tuple[Cell, ...]] = [
        (
            "as preferred",
            _number(coflex.results.preferred.peak),
            _number(_discomfort(coflex, "preferred")),
            _NONE,
        ),
    ]
    rows += [
        (
            f"coflex, beta {beta:g}",
            _number(run.results.planned.peak),
            _number(_discomfort(run, "exchanged")),
            f"{run.seconds:.0f}",
        )
        for beta, run in runs.items()
    ]
    for title, allowed in (
        ("central: bound on the peak", None),
        ("central: least D at that peak", peak),
    ):
        plan = least_peak(homes, seconds=design.seconds, peak_kwh=allowed)
        spent = [
            own
            for home, schedules in zip(homes, plan.schedules or [], strict=False)
            if (own := home.discomfort(schedules)) is not None
        ]
        rows.append(
            (
                title,
                _number(plan.peak_kwh),
                _number(float(np.mean(spent)) if spent else None),
                f"{plan.solution.seconds:.0f}",
            )
        )
    peaks = [float(str(row[1]).replace(",", "")) if row[1] != _NONE else 0.0 for row in rows]
    return _question(
        "yardstick",
        "Beside a central planner",
        "The central planner knows every device and plans all at once (HiGHS), with stores "
        "relaxed, within the time limit. The bound on the peak also splits machines; the last line "
        "is the least discomfort at the peak that coflex reaches at beta 0.2, with whole machines. "
        "Gerards et al. (2015, profile steering) compare central and decentral planning likewise.",
        ("planner", "peak", "D", "seconds"),
        rows,
        {"peak (kWh per slot)": peaks},
    )


def _payers(amounts: StudyRun) -> Question:
    rows = group_rows(amounts.results)
    moved = {kind: f"{more} / {less}" for kind, more, less in moved_rows(amounts.results)}
    return _question(
        "payers",
        "Who pays",
        NOBODY_PAYS + " A home with several stores is in several lines.",
        ("homes with", "homes", "D before", "D after", "took more / less in the exchange, kWh"),
        [(*row, moved.get(str(row[0]).replace(" only", ""), _NONE)) for row in rows],
        {
            "D before": [_float(row[2]) for row in rows],
            "D after": [_float(row[3]) for row in rows],
        },
    )


def _exchange_cells(run: StudyRun) -> tuple[Cell, ...]:
    homes, exchange = run.results.homes or {}, run.results.exchange
    after = homes.get("exchanged")
    return (
        _number(_discomfort(run, "planned")),
        _number(_discomfort(run, "exchanged")),
        _number(None if after is None else after.minutes_late),
        0 if exchange is None else exchange.messages,
    )


def _discomfort(run: StudyRun, state: str) -> float:
    own = (run.results.homes or {}).get(state)
    return 0.0 if own is None or own.mean_discomfort is None else own.mean_discomfort


def _number(value: float | None) -> str:
    return _NONE if value is None or np.isnan(value) else f"{round(value, 6):.3g}"


def _float(cell: str) -> float:
    return 0.0 if cell == _NONE else float(cell)


def _question(
    name: str,
    title: str,
    text: str,
    heads: tuple[str, ...],
    rows: Sequence[tuple[Cell, ...]],
    values: dict[str, list[float]],
) -> Question:
    """Return a question whose figure has a row for each line of its table."""
    labels = [str(row[0]) for row in rows]
    places = [float(at) for at in range(len(labels))]
    series = [
        Series(label, own, places, mark="dots", ink=ink)
        for ink, (label, own) in enumerate(values.items())
    ]
    label = next(iter(values)) if len(values) == 1 else "device discomfort D"
    chart = Chart(
        name=name,
        title=title,
        caption=text,
        panels=[Panel(title="", x_label=label, y_label="", series=series, rows=labels)],
        height=1.0 + 0.45 * len(labels),
        legend="above",
        data=_data(heads, rows),
    )
    return Question(name=name, title=title, text=text, heads=heads, rows=rows, chart=chart)


def _data(heads: Sequence[str], rows: Sequence[tuple[Cell, ...]]) -> Table:
    """Return the table for its CSV file, with empty cells for what does not exist."""
    columns = {head or "note": [row[at] for row in rows] for at, head in enumerate(heads)}
    return Table(
        {head: ["" if own == _NONE else own for own in column] for head, column in columns.items()}
    )
