"""Draw the figure of the README from the results of a run: demand, and comfort by household.

    coflex simulate --demo --out results
    python -m tests.bench.readme_figure results docs/figures/first-result.png

Needs the `report` extra. Reads demand.csv and households.csv only.
"""

import argparse
import csv
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from protocol.vectors import Array

COLOURS = {"preferred": "#E69F00", "planned": "#0072B2", "exchanged": "#009E73"}


def column(file: Path, name: str) -> Array:
    """Return one column of a CSV file as float64[rows]."""
    with file.open(newline="") as lines:
        return np.array([float(row[name]) for row in csv.DictReader(lines)])


def draw(results: Path) -> Figure:
    """Draw the demand by slot (left) and the comfort of every household, sorted (right)."""
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    demand, comfort = figure.subplots(1, 2, width_ratios=(3, 2))
    demand_file, households_file = results / "demand.csv", results / "households.csv"
    demand.plot(
        column(demand_file, "preferred"),
        color=COLOURS["preferred"],
        linewidth=1.2,
        label="everyone's preferred plan",
    )
    demand.plot(
        column(demand_file, "exchanged"),
        color=COLOURS["planned"],
        linewidth=2,
        label="after stage 1, and after stage 2",
    )
    demand.set(title="Demand of all households", xlabel="slot", ylabel="kWh per slot")
    low, high = demand.get_ylim()
    demand.set_ylim(low, high + 0.25 * (high - low))
    demand.legend(frameon=False, loc="upper left", fontsize=9)
    labels = {"exchanged": ("after stage 2", (2, 0.935)), "planned": ("after stage 1", (42, 0.745))}
    for state, (label, place) in labels.items():
        values = np.sort(1 - column(households_file, f"discomfort_{state}"))
        comfort.plot(np.linspace(0, 100, len(values)), values, color=COLOURS[state], linewidth=2)
        text = f"{label}: mean {values.mean():.2f}"
        comfort.annotate(text, place, color=COLOURS[state], fontsize=9)
    comfort.set(
        title="Comfort", xlabel="% of households, sorted", ylabel="comfort (1 = as preferred)"
    )
    for axes in (demand, comfort):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def main() -> None:
    """Read the arguments and write the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    with mpl.rc_context(
        {"font.size": 10, "axes.titleweight": "bold", "axes.titlelocation": "left"}
    ):
        draw(arguments.results).savefig(arguments.out)


if __name__ == "__main__":
    main()
