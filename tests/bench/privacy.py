"""The price of privacy: what each rule reaches with each content at each disclosure, at how many
messages, and how much of a household its partners see; beside it what a planner who saw everything
could do. Simulated, after stage 1 at beta 0.

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
CONTENTS = {"slot": LEVELS, "bundle": LEVELS[1:]}
"""The disclosures of each content: with values alone nobody can choose a bundle."""
COLOURS = {
    ("mutual", "slot"): "#0072B2",
    ("cooperative", "slot"): "#B35900",
    ("mutual", "bundle"): "#004D7A",
    ("cooperative", "bundle"): "#7A3D00",
}
SMALL = {"demo": True, "households": 40, "slots": 48}
"""What is simulated if nothing is said."""


@dataclass(frozen=True, slots=True)
class Price:
    """The results of one rule and content at one disclosure."""

    rule: str
    content: str
    disclose: str
    comfort_gain: float
    """kWh, mean over the households."""
    share_of_bound_of_values: float
    unfairness: float
    """kWh, after stage 2."""
    households_worse: int
    rounds: int
    exchanges: int
    lookups_per_exchange: float
    """Slots looked up; with bundles, lookups."""
    proposals_per_exchange: float
    messages_per_household: float
    """All messages of stage 2: lookups and their answers, proposals and theirs, rounds."""
    partners: float
    """Households that have exchanged with a household, mean."""
    values_to_responders: float
    """Values that a household shows in its proposals, mean; repeated ones count again."""
    values_to_requesters: float
    """Values that it shows to those that propose to it, mean: with single slots in the matches that
    name it, with bundles in the exchanges."""


@dataclass(frozen=True, slots=True)
class Yardsticks:
    """Comfort gains, kWh, that a planner with full knowledge could reach."""

    greedy: float
    """Best pairwise swap first, nobody losing in any."""
    lossless: float
    """Best assignment in which nobody loses at any slot."""
    bound_of_values: float
    """Best assignment of all."""
    bound_of_amounts: float
    """Equal shift of all, if energy can be divided at will."""


def prices(options: dict[str, Any]) -> Iterator[Price]:
    """Yield one price after another as they are measured."""
    quiet = _messages(_run({**options, "exchange": "off"}))
    for content, levels in CONTENTS.items():
        for rule in RULES:
            for level in levels:
                chosen = {"exchange": rule, "disclose": level, "content": content, "trace": True}
                yield _price(_run({**options, **chosen}), quiet)


def _price(results: RunResults, quiet: int) -> Price:
    """Return the price of a run; `quiet` is the number of messages without stage 2."""
    made, after, bound = results.exchange, results.exchanged, results.bound
    rows, config = results.exchanges, results.config
    assert made is not None
    assert after is not None
    assert bound is not None
    assert rows is not None
    before = results.planned.mean_discomfort
    gain, exchanges, households = (
        before - after.mean_discomfort,
        max(1, made.accepted),
        len(results.rows),
    )
    bundles = config["content"] == "bundle"
    pairs = {frozenset((row.requester, row.responder)) for row in rows}
    return Price(
        rule=str(config["exchange"]),
        content=str(config["content"]),
        disclose=str(config["disclose"]),
        comfort_gain=gain,
        share_of_bound_of_values=gain / (before - bound.mean_discomfort),
        unfairness=after.unfairness,
        households_worse=made.households_worse,
        rounds=made.rounds,
        exchanges=made.accepted,
        lookups_per_exchange=made.lookups / exchanges,
        proposals_per_exchange=made.proposals / exchanges,
        messages_per_household=(_messages(results) - quiet) / households,
        partners=2 * len(pairs) / households,
        values_to_responders=made.proposals * (results.slots if bundles else 1) / households,
        values_to_requesters=(len(rows) if bundles else made.matches) / households,
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
        gain(preferred + (schedules - preferred).mean(0)),
    )


def _run(options: dict[str, Any]) -> RunResults:
    settings = RunSettings.model_validate(options)
    return simulate(Run("privacy", read_scenario(settings, "simulation")))


def _messages(results: RunResults) -> int:
    assert results.bus is not None
    return results.bus.messages


def told(found: Sequence[Price], seen: Yardsticks) -> str:
    """Return a sentence on how far `mutual` is from the best."""
    own = ", ".join(f"mutual {content} {_gain(found, content):.4f}" for content in CONTENTS)
    return (
        f"comfort gain, kWh: {own}, greedy swaps {seen.greedy:.4f}, best without "
        f"loss at any slot {seen.lossless:.4f}, bound of values {seen.bound_of_values:.4f}, "
        f"bound of amounts {seen.bound_of_amounts:.4f}"
    )


def _gain(found: Sequence[Price], content: str) -> float:
    """Return the comfort gain of the default rule and disclosure with this content."""
    wanted = ("mutual", content, "limit")
    return next(p.comfort_gain for p in found if (p.rule, p.content, p.disclose) == wanted)


def bench() -> Measured:
    """Return the results for generated households: the default disclosure beside planners with full
    knowledge."""
    found = list(prices(SMALL))
    messages = ", ".join(
        f"{p.rule} {p.content} {p.disclose} {p.messages_per_household:.0f}" for p in found
    )
    seen = yardsticks(SMALL)
    text = f"{told(found, seen)}; messages a household: {messages}"
    return Measured(text, {"mutual/lossless": _gain(found, "slot") / seen.lossless})


def table(found: Sequence[Price]) -> str:
    """Return the prices as in docs/privacy.md."""
    heads = (
        *("rule", "content", "disclosure", "comfort gain", "share of bound of values"),
        *("unfairness", "worse off", "exchanges", "lookups", "proposals", "messages per household"),
    )
    rows = [
        f"| {p.rule} | {p.content} | {p.disclose} | {p.comfort_gain:.4f} "
        f"| {p.share_of_bound_of_values:.3f} | {p.unfairness:.4f} | {p.households_worse} "
        f"| {p.exchanges:,} | {p.lookups_per_exchange:.1f} | {p.proposals_per_exchange:.1f} "
        f"| {p.messages_per_household:,.0f} |"
        for p in found
    ]
    return "\n".join([f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads), *rows])


def seen_table(found: Sequence[Price]) -> str:
    """Return what partners see of a household, as in docs/privacy.md."""
    heads = ("rule", "content", "disclosure", "partners", "to responders", "to requesters")
    rows = [
        f"| {p.rule} | {p.content} | {p.disclose} | {p.partners:.0f} "
        f"| {p.values_to_responders:,.0f} | {p.values_to_requesters:,.0f} |"
        for p in found
    ]
    return "\n".join([f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads), *rows])


def drawn(found: Sequence[Price], seen: Yardsticks) -> bytes:
    """Return a PNG with comfort gain, messages and the values shown in proposals, side by side."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    gains, messages, shown = panels = figure.subplots(1, 3)
    kinds = list(COLOURS)
    for number, (rule, content) in enumerate(kinds):
        own = [price for price in found if (price.rule, price.content) == (rule, content)]
        where = [LEVELS.index(price.disclose) + 0.21 * (number - 1.5) for price in own]
        look: dict[str, Any] = {"width": 0.19, "color": COLOURS[rule, content]}
        if content == "bundle":
            look |= {"hatch": "//", "edgecolor": "white", "linewidth": 0}
        label = f"{rule}, {content}"
        gains.bar(where, [price.comfort_gain for price in own], label=label, **look)
        bars = messages.bar(where, [price.messages_per_household for price in own], **look)
        messages.bar_label(bars, fmt="{:,.0f}", fontsize=7, padding=2)
        bars = shown.bar(where, [price.values_to_responders for price in own], **look)
        shown.bar_label(bars, fmt="{:,.0f}", fontsize=7, padding=2)
    for value, name in (
        (seen.greedy, "greedy lossless swaps"),
        (seen.lossless, "best, no loss at any slot"),
        (seen.bound_of_values, "bound of values"),
        (seen.bound_of_amounts, "bound of amounts"),
    ):
        gains.axhline(value, color="#333333", linewidth=0.8, linestyle=":")
        gains.annotate(
            name, (1.01, value), xycoords=("axes fraction", "data"), va="center", fontsize=8
        )
    gains.set_ylim(0, 1.1 * seen.bound_of_amounts)
    gains.set_title("comfort gain (mean, kWh)", loc="left")
    messages.set_title("messages per household (logarithmic)", loc="left")
    shown.set_title("values in proposals (logarithmic)", loc="left")
    for axes in (messages, shown):
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        axes.set_ylim(low, 1.5 * high)
        axes.yaxis.set_major_formatter("{x:,g}")
        axes.yaxis.set_minor_formatter("")
    for axes in panels:
        axes.set_xticks(range(len(LEVELS)), LEVELS)
        axes.set_xlabel("what an offer says besides its value")
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper left", ncols=len(kinds), frameon=False)
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
    print(f"\n{table(found)}\n\n{seen_table(found)}\n\n{told(found, seen)}")
    if given.out is not None:
        files = {"privacy.csv": written(found, seen), "privacy.png": drawn(found, seen)}
        publish(given.out, files, seal="privacy.csv")


if __name__ == "__main__":
    main()
