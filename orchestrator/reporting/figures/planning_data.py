"""The data behind the figures of stage 1, which is also the content of their CSV files. Pure; draws
nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.reporting.figures.data_table import Cell, Table
from orchestrator.reporting.wording import drawn_target
from orchestrator.results.run_results import RunResults
from orchestrator.results.slot_clock import iso_times
from protocol.vectors import Array


@dataclass(frozen=True, slots=True)
class LevelDiscomforts:
    """The discomforts of the households on each level of the tree in one state, kWh."""

    state: str
    by_level: dict[int, Array]


def convergence(results: RunResults) -> Table:
    """Return the costs of stage 1 after each iteration."""
    planning_history = results.planning_history
    return Table(
        {
            "iteration": [step.iteration for step in planning_history],
            "inefficiency": [step.inefficiency for step in planning_history],
            "mean_discomfort": [step.mean_discomfort for step in planning_history],
            "unfairness": [step.unfairness for step in planning_history],
        }
    )


def demand(results: RunResults) -> Table:
    """Return the demand of all households in each slot, kWh, with the target as given and as
    drawn."""
    columns: dict[str, Sequence[Cell]] = {"slot": list(range(results.slots))}
    if results.slot_times is not None:
        columns["time"] = iso_times(results.slot_times, results.slots)
    columns |= {name: values.tolist() for name, values in results.demand.columns().items()}
    target = drawn_target(results)
    if target is not None:
        columns["target_drawn"] = target[1].tolist()
    return Table(columns)


def discomforts(results: RunResults) -> list[LevelDiscomforts]:
    """Return the discomforts after stage 1, and after stage 2 if there was one."""
    states = {
        "planned": [(row.level, row.discomfort_planned) for row in results.rows],
        "exchanged": [
            (row.level, row.discomfort_exchanged)
            for row in results.rows
            if row.discomfort_exchanged is not None
        ],
    }
    return [
        LevelDiscomforts(
            state,
            {
                level: np.array([value for at, value in pairs if at == level])
                for level in sorted({at for at, _ in pairs})
            },
        )
        for state, pairs in states.items()
        if pairs
    ]


def levels(results: RunResults) -> Table:
    """Return discomfort by level of the tree, kWh: households, mean, quartiles and extremes."""
    rows: list[tuple[Cell, ...]] = [
        (state.state, level, len(values), float(values.mean()), *_quartiles(values))
        for state in discomforts(results)
        for level, values in state.by_level.items()
    ]
    names = ("state", "level", "households", "mean", "min", "q1", "median", "q3", "max")
    return Table({name: [row[i] for row in rows] for i, name in enumerate(names)})


def plans(results: RunResults) -> Table:
    """Return the number of households that selected the plan at each index of their own list."""
    selected = np.array([row.selected_plan for row in results.rows])
    counts = np.bincount(selected)
    return Table(
        {
            "plan": list(range(len(counts))),
            "households": counts.tolist(),
            "share": (counts / len(selected)).tolist(),
        }
    )


def _quartiles(values: Array) -> list[float]:
    quartiles: list[float] = np.quantile(values, [0, 0.25, 0.5, 0.75, 1]).tolist()
    return quartiles
