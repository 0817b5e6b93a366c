"""The charts of a comparison: means with their intervals, and the comfort of the households.

This module decides what is shown, `comparison` what is compared, and `reporting.figures.chart` how
charts look.
"""

from collections.abc import Sequence

from orchestrator.experiments.compared_configurations import ComparedConfiguration
from orchestrator.experiments.comparison import ComparedMeasure, label_of
from orchestrator.reporting.figures.chart import Chart, Panel, Series
from orchestrator.reporting.figures.data_table import Table
from orchestrator.reporting.figures.style import with_unit
from orchestrator.results.measures import cost_unit

_SHARE, _COMFORT = "share of the households, least comfort first (%)", "comfort (1: as preferred)"
_LONGEST = 34
"""Maximum length of a line with a configuration's name, in characters."""
_INKS = {"planned": 0, "exchanged": 2}
_BOTH = ("planned", "exchanged")


def measures_chart(
    configurations: Sequence[ComparedConfiguration], compared: Sequence[ComparedMeasure]
) -> Chart:
    """Return a chart of the means of all configurations with their 95 % intervals, with one panel
    per measure."""
    names = [wrapped(own.name) for own in configurations]
    places = {own.name: number for number, own in enumerate(configurations)}
    panels = []
    for label, measure, states in _shown(configurations):
        series = []
        for number, state in enumerate(states):
            lines = [line for line in compared if line.measure == label_of(state, measure)]
            # Two states of a configuration are drawn slightly above one another.
            shift = 0.24 * (number - (len(states) - 1) / 2)
            if lines:
                heights = [places[line.configuration] + shift for line in lines]
                series.append(_means(state, lines, heights))
        panels.append(Panel(title="", x_label=label, y_label="", series=series, rows=names))
    caption = (
        "Means over the runs of each configuration. Lines are 95 % intervals, if there are several "
        "runs."
    )
    table = Table(
        {
            "measure": [line.measure for line in compared],
            "configuration": [line.configuration for line in compared],
            "mean": [line.mean for line in compared],
            "low": [line.interval.low if line.interval else "" for line in compared],
            "high": [line.interval.high if line.interval else "" for line in compared],
        }
    )
    return Chart(
        name="measures",
        title="Measures by configuration",
        caption=caption,
        panels=panels,
        height=0.85 + sum(0.22 * (1 + name.count("\n")) for name in names),
        legend="above",
        data=table,
    )


def households_chart(configurations: Sequence[ComparedConfiguration]) -> Chart:
    """Return a chart of the households' comfort in the end, from the least to the most."""
    curves = {own.name: own.comfort() for own in configurations}
    whole = all(own.whole for own in configurations)
    series = [
        Series(
            name=wrapped(name),
            x=curve.share.tolist(),
            y=curve.comfort.tolist(),
            mark="line" if whole else "joined",
            ink=number,
            hover_texts=[
                f"{share:.0f}%: comfort {comfort:.3f}<br>{name}"
                for share, comfort in zip(curve.share, curve.comfort, strict=True)
            ],
        )
        for number, (name, curve) in enumerate(curves.items())
    ]
    caption = (
        "Comfort in the end of all households in the runs of a configuration, sorted."
        if whole
        else "Percentiles of the households' comfort in the end, as means over runs."
    )
    table = Table(
        {
            "configuration": [name for name, curve in curves.items() for _ in curve.share],
            "share": [float(share) for curve in curves.values() for share in curve.share],
            "comfort": [float(value) for curve in curves.values() for value in curve.comfort],
        }
    )
    panel = Panel(title="", x_label=_SHARE, y_label=_COMFORT, series=series, x_range=(0, 100))
    return Chart(
        name="households",
        title="Comfort of the households",
        caption=caption,
        panels=[panel],
        height=3.4 + 0.22 * len(curves),
        legend="above",
        data=table,
    )


def wrapped(name: str) -> str:
    """Return a configuration's name, with line breaks between its options."""
    lines: list[str] = []
    for part in name.split(", "):
        if lines and len(lines[-1]) + len(part) + 2 <= _LONGEST:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return ",\n".join(lines)


def _shown(
    configurations: Sequence[ComparedConfiguration],
) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return label, measure and states of each panel.

    The inefficiency is left out if the costs differ, and shown for stage 1 only, since no exchange
    changes it.
    """
    panels: list[tuple[str, str, tuple[str, ...]]] = [
        ("mean comfort of the households (1: all as preferred)", "mean_comfort", _BOTH),
        (with_unit("unfairness", "kWh"), "unfairness", _BOTH),
    ]
    costs = {own.cost for own in configurations}
    if len(costs) > 1:
        return panels
    label = with_unit("inefficiency of the global plan", cost_unit(costs.pop()))
    return [(label, "inefficiency", ("planned",)), *panels]


def _means(state: str, lines: Sequence[ComparedMeasure], heights: Sequence[float]) -> Series:
    """Return the means of one state at these heights; a missing interval has no width."""
    return Series(
        name=state,
        x=[line.mean for line in lines],
        y=heights,
        mark="dots",
        low=[line.interval.low if line.interval else line.mean for line in lines],
        high=[line.interval.high if line.interval else line.mean for line in lines],
        ink=_INKS[state],
        hover_texts=[_hover_text(line) for line in lines],
    )


def _hover_text(line: ComparedMeasure) -> str:
    text = f"{line.configuration}<br>{line.measure}: {line.mean:.4g}"
    if line.interval is not None:
        text += f"<br>95 % interval {line.interval.low:.4g} to {line.interval.high:.4g}"
    return f"{text}<br>runs: {line.runs}"
