"""Runs side by side: which of them belong together, how their measures differ, and how sure that
is. How it looks is decided in compare_page.py and where it is printed.

Runs of one configuration with different seeds are one side. Two sides are compared over the seeds
that both have, in pairs; where there are fewer than two of these, nothing is concluded.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from orchestrator.experiments.statistics import FEWEST, Difference, Interval, difference, interval
from orchestrator.results import RunResults, read
from protocol.errors import InputError

MEASURES = {
    ("planned", "inefficiency"): "inefficiency, planned",
    ("planned", "peak"): "peak, planned (kWh)",
    ("planned", "mean_comfort"): "comfort, planned",
    ("exchanged", "mean_comfort"): "comfort, exchanged",
    ("planned", "unfairness"): "unfairness, planned (kWh)",
    ("exchanged", "unfairness"): "unfairness, exchanged (kWh)",
    ("exchanged", "gini"): "Gini, exchanged",
    ("exchanged", "max_discomfort"): "largest discomfort, exchanged (kWh)",
}
"""What is compared: state and measure, and its name."""
_NO_OPTIONS = {
    *("seed", "out", "run", "nats", "keys", "insecure", "external", "deadline", "trace"),
    *("save_schedules", "isolation", "hosts", "source", "score_from", "config"),
}
"""What changes nothing in the outcome, or only its chance."""


@dataclass(frozen=True, slots=True)
class Side:
    """Runs of one configuration, by their seeds."""

    name: str
    """By what it differs from the other sides."""
    runs: tuple[RunResults, ...]

    def values(self, state: str, measure: str) -> dict[int, float]:
        """A measure of each run that has it, by seed."""
        found = {run.seed: getattr(run.states().get(state), measure, None) for run in self.runs}
        return {seed: value for seed, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Compared:
    """One measure on one side, and how it differs from the first side's."""

    side: str
    measure: str
    mean: float
    runs: int
    spread: Interval | None
    """None: one run is no evidence."""
    apart: Difference | None
    """From the first side, over the seeds that both have; None: the first side itself, or fewer
    than two pairs."""


def read_sides(folders: Sequence[Path]) -> list[Side]:
    """The runs in these folders, those of one configuration together; InputError if there are
    fewer than two folders, or one is named twice."""
    if len({folder.resolve() for folder in folders}) < max(2, len(folders)):
        raise InputError("name two or more different folders of results")
    groups: dict[str, list[RunResults]] = {}
    for folder in folders:
        run = read(folder)
        groups.setdefault(json.dumps(_options(run), sort_keys=True), []).append(run)
    told = [json.loads(options) for options in groups]
    varied = [name for name in told[0] if len({json.dumps(each.get(name)) for each in told}) > 1]
    sides = []
    for options, runs in zip(told, groups.values(), strict=True):
        seeds = [run.seed for run in runs]
        if len(set(seeds)) < len(seeds):
            raise InputError(f"two runs of one configuration have the seed {min(seeds)}")
        name = ", ".join(f"{name} {_text(options.get(name))}" for name in varied)
        sides.append(Side(name or "all runs", tuple(runs)))
    return sides


def compare(sides: Sequence[Side]) -> list[Compared]:
    """Every measure of every side, by measure, then by side."""
    found = []
    for (state, measure), name in MEASURES.items():
        first = sides[0].values(state, measure)
        for side in sides:
            values = side.values(state, measure)
            if not values:
                continue
            shared = sorted(first.keys() & values.keys()) if side is not sides[0] else []
            several = list(values.values())
            found.append(
                Compared(
                    side.name,
                    name,
                    sum(several) / len(several),
                    len(several),
                    interval(several) if len(several) >= FEWEST else None,
                    difference([first[s] for s in shared], [values[s] for s in shared])
                    if len(shared) >= FEWEST
                    else None,
                )
            )
    return found


def conclusion(sides: Sequence[Side]) -> str:
    """What the number of runs allows to say."""
    fewest = min(len(side.runs) for side in sides)
    if fewest < FEWEST:
        return (
            "One run a side: what differs may be chance, and nothing is concluded. Run each "
            "configuration with several seeds, the same on all sides."
        )
    return "Means with 95 % bootstrap intervals; differences from the first side, pair by pair."


def _options(run: RunResults) -> dict[str, object]:
    options: dict[str, object] = {
        name: value for name, value in run.config.items() if name not in _NO_OPTIONS
    }
    if run.config.get("demo"):  # another seed generates other households
        return options
    return options | {"data": run.data_sha256[:12]}


def _text(value: object) -> str:
    return (
        "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    )


def as_rows(compared: Sequence[Compared]) -> list[dict[str, object]]:
    """Flat, for a table."""
    rows = []
    for line in compared:
        row: dict[str, object] = {"measure": line.measure, "side": line.side, "runs": line.runs}
        row["mean"] = line.mean
        if line.spread is not None:
            row |= {"low": line.spread.low, "high": line.spread.high}
        if line.apart is not None:
            row |= {f"difference_{name}": value for name, value in asdict(line.apart).items()}
        rows.append(row)
    return rows
