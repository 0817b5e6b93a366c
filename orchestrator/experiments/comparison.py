"""The comparison of configurations by each measure, with the confidence of each difference.

Two configurations are compared in pairs of runs with the same seed; with fewer than three pairs,
nothing is concluded. `compared_configurations` groups the runs, and `comparison_page` shows the
comparison.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from orchestrator.experiments.compared_configurations import END, ComparedConfiguration
from orchestrator.experiments.statistics import (
    FEWEST_SHOWN,
    Interval,
    PairedDifference,
    difference,
    interval,
)
from orchestrator.results.measures import MEASURES

CONFIRMED = 6
"""Least number of pairs with which Wilcoxon's two-sided test can fall below 0.05: 2 / 2**6 is 0.03.
"""
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
"""State and measure of each comparison. END is shown only if some configurations exchange and some
do not; the inefficiency is shown only if all have the same cost."""


@dataclass(frozen=True, slots=True)
class ComparedMeasure:
    """One measure of one configuration, and its difference from that of another."""

    configuration: str
    measure: str
    """Name of the measure, with its unit."""
    more_is_better: bool
    mean: float
    runs: int
    interval: Interval | None
    """None with fewer than three runs, which are no evidence."""
    difference: PairedDifference | None
    """The difference from the reference configuration, over the seeds that both have. None without
    a reference, or with fewer than three pairs."""

    @property
    def verdict(self) -> str:
        """The verdict against the reference: better, worse, the same, or not distinguishable."""
        found = self.difference
        if found is None:
            return ""
        if not (found.mean or found.low or found.high):
            return "the same"
        if found.low <= 0 <= found.high:
            return "not distinguishable"
        return "better" if (found.mean > 0) == self.more_is_better else "worse"


def label_of(state: str, measure: str) -> str:
    """Return the name of a measure in a state, with its unit."""
    described = MEASURES[measure]
    name = f"{described.short}, {'in the end' if state == END else state}"
    return f"{name} ({described.unit})" if described.unit else name


def compare(configurations: Sequence[ComparedConfiguration]) -> list[ComparedMeasure]:
    """Compare the configurations by every measure that they have; return the lines by measure."""
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
            first = known[own.reference] if own.reference is not None else {}
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
    """Return sentences that say what can be concluded from the runs."""
    if len(configurations) == 1:
        return ["All runs have the same configuration: there is nothing to compare."]
    if all(len(own.runs) < FEWEST_SHOWN for own in configurations):
        return [
            f"There are fewer than {_FEWEST_WORD} runs per configuration, so differences may be "
            "chance and nothing is concluded. Run every configuration with the same several seeds."
        ]
    sentences, fewest = [], CONFIRMED
    for own in configurations:
        if own.reference is None:
            continue
        lines = [
            line
            for line in compared
            if line.configuration == own.name and line.difference is not None
        ]
        if not lines:
            sentences.append(
                f"{own.name} and {own.reference} have fewer than {_FEWEST_WORD} seeds in common: "
                "nothing is concluded. Run both with the same seeds."
            )
            continue
        pairs = min(line.difference.runs for line in lines if line.difference is not None)
        fewest = min(fewest, pairs)
        against = f"{own.name}, compared with {own.reference} ({pairs} pairs of runs)."
        sentences.append(f"{against} {_verdicts(lines)}")
    if not sentences:
        return ["No configuration matches one of the first folder, so none is compared."]
    sentences.append(
        "A measure is better or worse if the 95 % bootstrap interval of the difference, between "
        "runs with the same seed, does not contain zero."
    )
    if fewest < CONFIRMED:
        sentences.append(
            f"Fewer than {CONFIRMED} pairs are only a hint: the intervals are then too narrow."
        )
    return sentences


def _verdicts(lines: Sequence[ComparedMeasure]) -> str:
    """Return the measures with each verdict, as sentences."""
    parts = []
    for verdict in ("better", "worse", "the same", "not distinguishable"):
        names = [_named(line) for line in lines if line.verdict == verdict]
        parts += [f"{verdict[0].upper()}{verdict[1:]}: {'; '.join(names)}."] if names else []
    return " ".join(parts)


def _named(line: ComparedMeasure) -> str:
    """Return the name of a measure, with its difference if that is more than chance."""
    name = line.measure.partition(" (")[0]
    if line.difference is None or line.verdict not in ("better", "worse"):
        return name
    return f"{name} {line.difference.mean:+.3g}"


def as_rows(compared: Sequence[ComparedMeasure]) -> list[dict[str, object]]:
    """Return the comparison as flat rows for a table, without values that are not known."""
    rows = []
    for line in compared:
        row: dict[str, object] = {"measure": line.measure, "configuration": line.configuration}
        row |= {"runs": line.runs, "mean": line.mean}
        if line.interval is not None:
            row |= {"low": line.interval.low, "high": line.interval.high}
        if line.difference is not None:
            row |= {f"difference_{key}": value for key, value in asdict(line.difference).items()}
            row["verdict"] = line.verdict
        rows.append(row)
    return rows
