"""The price of privacy: what each rule reaches at each disclosure, and at how many messages; beside
it what a planner who saw everything could do. Simulated, after stage 1 at beta 0.

    python -m tests.bench.privacy [--dataset DIR] [--households N] [--out FOLDER]

writes privacy.csv and privacy.png (needs the `report` extra); docs/privacy.md shows them.
"""

import argparse
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agents.plans import rmse
from orchestrator.baselines.exchange_assignment import greedy_swaps, lossless_assignment
from orchestrator.coordination.placement import Run
from orchestrator.results.atomic_folder import publish
from orchestrator.results.measures import bound_of_values
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate
from protocol.vectors import Array
from tests.bench.measured import Measured

RULES, LEVELS = ("mutual", "cooperative"), ("value", "direction", "limit")
COLOURS = {"mutual": "#0072B2", "cooperative": "#B35900"}
SMALL = {"demo": True, "households": 40, "slots": 48}
"""What is simulated if nothing is said."""


@dataclass(frozen=True, slots=True)
class Price:
    """The results of one rule at one disclosure."""

    rule: str
    disclose: str
    comfort_gain: float
    """kWh, mean over the households."""
    share_of_bound: float
    unfairness: float
    """kWh, after stage 2."""
    households_worse: int
    rounds: int
    exchanges: int
    lookups_per_exchange: float
    """Slots looked up."""
    proposals_per_exchange: float
    messages_per_exchange: float
    """All messages of stage 2: lookups and their answers, proposals and theirs, rounds."""


@dataclass(frozen=True, slots=True)
class Yardsticks:
    """Comfort gains, kWh, that a planner with full knowledge could reach."""

    greedy: float
    """Best pairwise swap first, nobody losing in any."""
    lossless: float
    """Best assignment in which nobody loses at any slot."""
    bound: float
    """Best assignment of all: the bound."""


def prices(options: dict[str, Any]) -> Iterator[Price]:
    """Yield one price after another as they are measured."""
    quiet = _messages(_run({**options, "exchange": "off"}))
    for rule in RULES:
        for level in LEVELS:
            results = _run({**options, "exchange": rule, "disclose": level, "content": "slot"})
            made, after = results.exchange, results.exchanged
            assert made is not None
            assert after is not None
            assert made.share_of_bound is not None
            exchanges = max(1, made.accepted)
            yield Price(
                rule,
                level,
                results.planned.mean_discomfort - after.mean_discomfort,
                made.share_of_bound,
                after.unfairness,
                made.households_worse,
                made.rounds,
                made.accepted,
                made.lookups / exchanges,
                made.proposals / exchanges,
                (_messages(results) - quiet) / exchanges,
            )


def yardsticks(options: dict[str, Any]) -> Yardsticks:
    """Return the yardsticks for the same households after the same stage 1."""
    settings = RunSettings.model_validate({**options, "exchange": "off"})
    inputs = read_scenario(settings)
    rows = simulate(Run("privacy", read_scenario(settings, "simulation"))).rows
    plans = [inputs.population.households[row.household] for row in rows]
    preferred = np.stack([own.preferred for own in plans])
    schedules = np.stack(
        [own.values[row.selected_plan] for own, row in zip(plans, rows, strict=True)]
    )

    def gain(after: Array) -> float:
        return float((rmse(schedules, preferred) - rmse(after, preferred)).mean())

    return Yardsticks(
        gain(greedy_swaps(schedules, preferred)[0]),
        gain(lossless_assignment(schedules, preferred)),
        gain(bound_of_values(schedules, preferred)),
    )


def _run(options: dict[str, Any]) -> RunResults:
    settings = RunSettings.model_validate(options)
    return simulate(Run("privacy", read_scenario(settings, "simulation")))


def _messages(results: RunResults) -> int:
    assert results.bus is not None
    return results.bus.messages


def told(mutual: float, seen: Yardsticks) -> str:
    """Return a sentence on how far `mutual` is from the best."""
    return (
        f"comfort gain, kWh: mutual {mutual:.4f}, greedy swaps {seen.greedy:.4f}, best without "
        f"loss {seen.lossless:.4f}, bound {seen.bound:.4f}"
    )


def bench() -> Measured:
    """Return the results for generated households: the default disclosure beside planners with full
    knowledge."""
    found = {(price.rule, price.disclose): price for price in prices(SMALL)}
    messages = ", ".join(
        f"{rule} {level} {found[rule, level].messages_per_exchange:.1f}"
        for rule in RULES
        for level in LEVELS
    )
    gain = found["mutual", "limit"].comfort_gain
    seen = yardsticks(SMALL)
    text = f"{told(gain, seen)}; messages an exchange: {messages}"
    return Measured(text, {"mutual/lossless": gain / seen.lossless})


def table(found: Sequence[Price]) -> str:
    """Return the prices as in docs/privacy.md."""
    head = (
        "| rule | disclosure | comfort gain | share of bound | unfairness | worse off | exchanges "
        "| lookups | proposals | messages |\n|" + " --- |" * 10
    )
    rows = [
        f"| {p.rule} | {p.disclose} | {p.comfort_gain:.4f} | {p.share_of_bound:.3f} "
        f"| {p.unfairness:.4f} | {p.households_worse} | {p.exchanges:,} "
        f"| {p.lookups_per_exchange:.1f} | {p.proposals_per_exchange:.1f} "
        f"| {p.messages_per_exchange:.1f} |"
        for p in found
    ]
    return "\n".join([head, *rows])


def drawn(found: Sequence[Price], seen: Yardsticks) -> bytes:
    """Return a PNG with comfort gain and messages of each disclosure, side by side."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    places = np.arange(len(LEVELS))
    for number, rule in enumerate(RULES):
        own = [price for price in found if price.rule == rule]
        where, look = places + 0.38 * (number - 0.5), {"width": 0.36, "color": COLOURS[rule]}
        bars = left.bar(where, [price.comfort_gain for price in own], label=rule, **look)
        left.bar_label(bars, fmt="%.3f", label_type="center", color="white", fontsize=9)
        bars = right.bar(where, [price.messages_per_exchange for price in own], **look)
        right.bar_label(bars, fmt="%.1f", fontsize=9, padding=2)
    for value, name in (
        (seen.greedy, "greedy lossless"),
        (seen.lossless, "best lossless"),
        (seen.bound, "bound"),
    ):
        left.axhline(value, color="#333333", linewidth=0.8, linestyle=":")
        left.annotate(
            name, (1.01, value), xycoords=("axes fraction", "data"), va="center", fontsize=8
        )
    left.set_ylim(0, 1.2 * seen.bound)
    left.set_title("comfort gain (mean, kWh)", loc="left")
    left.legend(loc="upper left", ncols=2, frameon=False)
    right.set_yscale("log")
    right.set_ylim(1, 1.6 * max(price.messages_per_exchange for price in found))
    right.yaxis.set_major_formatter("{x:g}")
    right.yaxis.set_minor_formatter("")
    right.set_title("messages per exchange (logarithmic)", loc="left")
    for axes in (left, right):
        axes.set_xticks(places, LEVELS)
        axes.set_xlabel("what an offer says besides its value")
        axes.spines[["top", "right"]].set_visible(False)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=150, metadata={"Software": None})
    return png.getvalue()


def written(found: Sequence[Price], seen: Yardsticks) -> bytes:
    """Return the prices and the yardsticks as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(asdict(found[0])), lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(price) for price in found)
    writer.writerows({"rule": name, "comfort_gain": value} for name, value in asdict(seen).items())
    return text.getvalue().encode()


def main() -> None:
    """Print the tables and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--dataset", type=Path, help="EPOS folder or .npz file")
    parser.add_argument("--households", type=int, help="the first N")
    parser.add_argument("--out", type=Path, help="folder for privacy.csv and privacy.png")
    given = parser.parse_args()
    options: dict[str, Any] = dict(SMALL)
    if given.dataset is not None:
        options = {"dataset": given.dataset, "households": given.households}
    elif given.households is not None:
        options["households"] = given.households
    found = []
    for price in prices(options):
        found.append(price)
        print(table(found).splitlines()[-1], flush=True)
    seen = yardsticks(options)
    default = next(p for p in found if (p.rule, p.disclose) == ("mutual", "limit"))
    print(f"\n{table(found)}\n\n{told(default.comfort_gain, seen)}")
    if given.out is not None:
        files = {"privacy.csv": written(found, seen), "privacy.png": drawn(found, seen)}
        publish(given.out, files, seal="privacy.csv")


if __name__ == "__main__":
    main()
