"""The comparison of configurations, measure by measure, with the confidence of each difference.

Two configurations are compared in pairs, over the seeds that both have; with fewer than three pairs
nothing is concluded. Runs are grouped in `comparison_sides`, and the comparison is shown by
`comparison_page`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from orchestrator.experiments.comparison_sides import END, ComparedConfiguration
from orchestrator.experiments.statistics import (
    FEWEST_SHOWN,
    Interval,
    PairedDifference,
    difference,
    interval,
)
from orchestrator.results.measures import MEASURES

CONFIRMED = 6
"""Pairs from which on Wilcoxon's test can fall below 0.05, two-sided: 2 / 2**6 is 0.03."""
_FEWEST_WORD = "three"
COMPARED = (
    ("planned", "inefficiency"),
    ("planned", "peak"),
    ("planned", "mean_comfort"),
    ("exchanged", "mean_comfort"),
    (END, "mean_comfort"),
    ("planned", "unfairness"),
    ("exchanged", "unfairness"),
    (END, "unfairness"),
    ("exchanged", "gini"),
    ("exchanged", "max_discomfort"),
)
"""State and measure of all that is compared. The end is shown where only some configurations
exchange, the inefficiency where all have the same cost."""


@dataclass(frozen=True, slots=True)
class ComparedMeasure:
    """One measure of one configuration, and how it differs from that of another."""

    configuration: str
    measure: str
    """With its unit."""
    more_is_better: bool
    mean: float
    runs: int
    interval: Interval | None
    """None: so few runs are no evidence."""
    difference: PairedDifference | None
    """From the configuration that this one is held against, over the seeds that both have. None
    where it is held against none, or there are fewer than three pairs."""

    @property
    def verdict(self) -> str:
        """The verdict against the other configuration: better, worse, the same, or not told
        apart."""
        found = self.difference
        if found is None:
            return ""
        if not (found.mean or found.low or found.high):
            return "the same"
        if found.low <= 0 <= found.high:
            return "not told apart"
        return "better" if (found.mean > 0) == self.more_is_better else "worse"


def label_of(state: str, measure: str) -> str:
    """Return the words for a measure of a state, with its unit."""
    described = MEASURES[measure]
    name = f"{described.short}, {'in the end' if state == END else state}"
    return f"{name} ({described.unit})" if described.unit else name


def compare(configurations: Sequence[ComparedConfiguration]) -> list[ComparedMeasure]:
    """Compare every measure of every configuration that has it, measure by measure."""
    exchanging = {bool(own.values("exchanged", "mean_comfort")) for own in configurations}
    found = []
    for state, measure in COMPARED:
        if state == END and len(exchanging) == 1:
            continue
        if measure == "inefficiency" and len({own.cost for own in configurations}) > 1:
            continue
        known = {own.name: own.values(state, measure) for own in configurations}
        for own in configurations:
            values = known[own.name]
            if not values:
                continue
            first = known[own.beside] if own.beside is not None else {}
            shared = sorted(first.keys() & values.keys())
            several = list(values.values())
            found.append(
                ComparedMeasure(
                    configuration=own.name,
                    measure=label_of(state, measure),
                    more_is_better=MEASURES[measure].more_is_better,
                    mean=sum(several) / len(several),
                    runs=len(several),
                    interval=interval(several) if len(several) >= FEWEST_SHOWN else None,
                    difference=difference([first[s] for s in shared], [values[s] for s in shared])
                    if len(shared) >= FEWEST_SHOWN
                    else None,
                )
            )
    return found


def conclusion(
    configurations: Sequence[ComparedConfiguration], compared: Sequence[ComparedMeasure]
) -> list[str]:
    """Say in sentences what the runs allow to conclude."""
    if len(configurations) == 1:
        return ["All runs have one configuration: there is nothing to compare them with."]
    if all(len(own.runs) < FEWEST_SHOWN for own in configurations):
        return [
            f"Fewer than {_FEWEST_WORD} runs a side: what differs may be chance, and nothing is "
            "concluded. Run each configuration with several seeds, the same on all sides."
        ]
    said, fewest = [], CONFIRMED
    for own in configurations:
        if own.beside is None:
            continue
        lines = [
            line
            for line in compared
            if line.configuration == own.name and line.difference is not None
        ]
        if not lines:
            said.append(
                f"{own.name} and {own.beside} have fewer than {_FEWEST_WORD} seeds in common: "
                "nothing is concluded. Run both with the same seeds."
            )
            continue
        pairs = min(line.difference.runs for line in lines if line.difference is not None)
        fewest = min(fewest, pairs)
        said.append(f"{own.name}, beside {own.beside} ({pairs} pairs of runs). {_verdicts(lines)}")
    if not said:
        return ["No side has its like in the first folder: nothing is held against another."]
    said.append(
        "Better or worse is what lies outside zero with its 95 % bootstrap interval, run by run "
        "with the same seed."
    )
    if fewest < CONFIRMED:
        said.append(
            f"Fewer than {CONFIRMED} pairs are a hint: from so few, intervals come out too narrow."
        )
    return said


def _verdicts(lines: Sequence[ComparedMeasure]) -> str:
    """List the measures by their verdicts."""
    parts = []
    for verdict in ("better", "worse", "the same", "not told apart"):
        names = [_named(line) for line in lines if line.verdict == verdict]
        parts += [f"{verdict[0].upper()}{verdict[1:]}: {'; '.join(names)}."] if names else []
    return " ".join(parts)


def _named(line: ComparedMeasure) -> str:
    """Return a measure, and by how much it differs where that is more than chance."""
    name = line.measure.partition(" (")[0]
    if line.difference is None or line.verdict not in ("better", "worse"):
        return name
    return f"{name} {line.difference.mean:+.3g}"


def as_rows(compared: Sequence[ComparedMeasure]) -> list[dict[str, object]]:
    """Return the comparison as flat rows, for a table; a row lacks what is not known."""
    rows = []
    for line in compared:
        row: dict[str, object] = {"measure": line.measure, "side": line.configuration}
        row |= {"runs": line.runs, "mean": line.mean}
        if line.interval is not None:
            row |= {"low": line.interval.low, "high": line.interval.high}
        if line.difference is not None:
            row |= {f"difference_{key}": value for key, value in asdict(line.difference).items()}
            row["verdict"] = line.verdict
        rows.append(row)
    return rows
