"""How sides differ, measure by measure, and how sure that is. Which runs make up a side is decided
in sides.py; how it looks in compare_page.py and where it is printed.

Two sides are compared over the seeds that both have, in pairs; where there are fewer than two of
these, nothing is concluded.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from orchestrator.experiments.comparison_sides import END, ComparedConfiguration
from orchestrator.experiments.statistics import FEWEST, Difference, Interval, difference, interval

CONFIRMED = 6
"""Pairs from which on Wilcoxon's test can fall below 0.05, two-sided: 2 / 2**6 is 0.03."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What is compared."""

    name: str
    unit: str = ""
    rising: bool = False
    """Whether more is better."""

    @property
    def label(self) -> str:
        """With its unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


MEASURES = {
    ("planned", "inefficiency"): Measure("inefficiency, planned"),
    ("planned", "peak"): Measure("peak, planned", "kWh"),
    ("planned", "mean_comfort"): Measure("comfort, planned", rising=True),
    ("exchanged", "mean_comfort"): Measure("comfort, exchanged", rising=True),
    (END, "mean_comfort"): Measure("comfort, in the end", rising=True),
    ("planned", "unfairness"): Measure("unfairness, planned", "kWh"),
    ("exchanged", "unfairness"): Measure("unfairness, exchanged", "kWh"),
    (END, "unfairness"): Measure("unfairness, in the end", "kWh"),
    ("exchanged", "gini"): Measure("Gini, exchanged"),
    ("exchanged", "max_discomfort"): Measure("largest discomfort, exchanged", "kWh"),
}
"""By state and measure. What is so in the end is told where only some sides exchange, the
inefficiency where all have the same cost."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One measure on one side, and how it differs from that of another."""

    side: str
    measure: str
    """With its unit."""
    rising: bool
    """Whether more of it is better."""
    mean: float
    runs: int
    spread: Interval | None
    """None: one run is no evidence."""
    apart: Difference | None
    """From the side that it is held against, over the seeds that both have; None: it is held
    against none, or there are fewer than two pairs."""

    @property
    def verdict(self) -> str:
        """How it stands to the other: better, worse, the same, not told apart."""
        apart = self.apart
        if apart is None:
            return ""
        if not (apart.mean or apart.low or apart.high):
            return "the same"
        if apart.low <= 0 <= apart.high:
            return "not told apart"
        return "better" if (apart.mean > 0) == self.rising else "worse"


def compare(sides: Sequence[ComparedConfiguration]) -> list[Compared]:
    """Every measure of every side that has it, the sides of one measure together."""
    exchanging = {bool(side.values("exchanged", "mean_comfort")) for side in sides}
    found = []
    for (state, measure), told in MEASURES.items():
        if state == END and len(exchanging) == 1:
            continue
        if measure == "inefficiency" and len({side.cost for side in sides}) > 1:
            continue
        known = {side.name: side.values(state, measure) for side in sides}
        for side in sides:
            values = known[side.name]
            if not values:
                continue
            first = known[side.beside] if side.beside is not None else {}
            shared = sorted(first.keys() & values.keys())
            several = list(values.values())
            found.append(
                Compared(
                    side.name,
                    told.label,
                    told.rising,
                    sum(several) / len(several),
                    len(several),
                    interval(several) if len(several) >= FEWEST else None,
                    difference([first[s] for s in shared], [values[s] for s in shared])
                    if len(shared) >= FEWEST
                    else None,
                )
            )
    return found


def conclusion(sides: Sequence[ComparedConfiguration], compared: Sequence[Compared]) -> list[str]:
    """What the runs allow to say, in sentences."""
    if len(sides) == 1:
        return ["All runs have one configuration: there is nothing to compare them with."]
    if all(len(side.runs) < FEWEST for side in sides):
        return [
            "One run a side: what differs may be chance, and nothing is concluded. Run each "
            "configuration with several seeds, the same on all sides."
        ]
    said, fewest = [], CONFIRMED
    for side in sides:
        if side.beside is None:
            continue
        own = [line for line in compared if line.side == side.name and line.apart is not None]
        if not own:
            said.append(
                f"{side.name} and {side.beside} have fewer than two seeds in common: nothing is "
                "concluded. Run both with the same seeds."
            )
            continue
        pairs = min(line.apart.runs for line in own if line.apart is not None)
        fewest = min(fewest, pairs)
        parts = []
        for verdict in ("better", "worse", "the same", "not told apart"):
            names = [_named(line) for line in own if line.verdict == verdict]
            parts += [f"{verdict}: {'; '.join(names)}."] if names else []
        text = " ".join(part[0].upper() + part[1:] for part in parts)
        said.append(f"{side.name}, beside {side.beside} ({pairs} pairs of runs). {text}")
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


def _named(line: Compared) -> str:
    """A measure, and by how much it differs where that is more than chance."""
    name = line.measure.partition(" (")[0]
    if line.apart is None or line.verdict not in ("better", "worse"):
        return name
    return f"{name} {line.apart.mean:+.3g}"


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
            row["verdict"] = line.verdict
        rows.append(row)
    return rows
