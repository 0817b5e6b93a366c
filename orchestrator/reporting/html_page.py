"""Pages from templates, and the page about one run: one file that fetches nothing, with interactive
figures or, where scripts are off, vector figures.

`highlights`, `wording` and `glossary` decide what a page says. `page.html.j2`, which all pages
extend, defines its look.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from orchestrator.reporting.figures.interactive import script
from orchestrator.reporting.figures.style import COLOURS, Drawing
from orchestrator.reporting.glossary import GLOSSARY
from orchestrator.reporting.highlights import highlights, lead_sentences
from orchestrator.reporting.homes.homes_in_words import (
    GROUP_HEADS,
    MOVED_HEADS,
    group_rows,
    moved_rows,
    who_absorbed,
)
from orchestrator.reporting.household_view import Schedules, household_view
from orchestrator.reporting.limit_wording import feeder_heads, feeder_rows
from orchestrator.reporting.round_table import ROUND_HEADS, round_lines
from orchestrator.reporting.wording import (
    by_equal_shift,
    exchange_facts,
    exchange_title,
    facts,
    headline,
    home_lines,
    measure_lines,
)
from orchestrator.results.device_schedules import DeviceDay
from orchestrator.results.measures import MEASURES, STATE_LABELS, discomfort_removed
from orchestrator.results.run_results import RunResults

_AFTER = ("exchanged", "bound")
"""States whose discomfort may be less than after stage 1."""
_MEASURE_WORDS = {
    "inefficiency": "inefficiency",
    "peak": "peak",
    "mean_discomfort": "discomfort",
    "mean_comfort": "comfort",
}
"""The glossary's words for measures that have another name there."""
_TEMPLATES = Path(__file__).parents[1]
"""The folder to which names of templates are relative; each is next to the module that fills it."""


class Explorable(Protocol):
    """A figure that can be drawn as a picture and as part of a page."""

    def picture(self) -> Drawing:
        """Draw the figure as pixels and as vectors, with its data."""

    def interactive(self, name: str) -> str:
        """Return the figure as HTML; `name` is unique in the page."""


@dataclass(frozen=True, slots=True)
class PlacedFigure:
    """An interactive figure in a page, with its picture and its data in files with its name."""

    name: str
    title: str
    drawing: Drawing
    live: Markup

    @classmethod
    def of(cls, figure: Explorable, *, name: str, title: str) -> "PlacedFigure":
        """Draw `figure` as a picture and as an interactive figure."""
        live = Markup(figure.interactive(name))  # plotly has escaped it
        return cls(name=name, title=title, drawing=figure.picture(), live=live)


def render(template: str, **values: object) -> str:
    """Fill a template, given by its path in `orchestrator/`; a missing value is an error."""
    return _environment().get_template(template).render(values)


def page(
    results: RunResults,
    drawings: Iterable[Drawing],
    schedules: Schedules | None = None,
    devices: Mapping[str, Sequence[DeviceDay]] | None = None,
) -> str:
    """Return the page about a run as HTML: the result with the figure `demand`, then one household,
    the measures, the other figures, and the configuration."""
    from orchestrator.reporting.figures.explorable import explorable

    figures = {
        own.name: PlacedFigure(
            name=own.name,
            title=own.title,
            drawing=own,
            live=Markup(explorable(results, own.name)),  # plotly has escaped it
        )
        for own in drawings
    }
    return render(
        "reporting/report.html.j2",
        title=f"coflex run {results.run}",
        lead=headline(results),
        sentences=lead_sentences(results),
        cards=highlights(results),
        words=GLOSSARY,
        plotly=Markup(script().decode()),
        first=figures.pop("community", None) or figures.pop("demand", None),
        feeders=feeder_rows(results),
        feeder_heads=feeder_heads(results),
        groups=group_rows(results),
        group_heads=GROUP_HEADS,
        moved=moved_rows(results),
        moved_heads=MOVED_HEADS,
        absorbed=who_absorbed(results),
        figures=list(figures.values()),
        view=_view(results, schedules or {}, devices or {}),
        facts=facts(results),
        states=[(state, STATE_LABELS.get(state, state)) for state in results.states()],
        measures=_measure_cells(results),
        exchange=exchange_facts(results),
        exchange_title=exchange_title(results),
        by_equal_shift=by_equal_shift(results),
        round_heads=ROUND_HEADS,
        rounds=round_lines(results),
        traced=results.exchanges is not None,
        configuration=[(key, _plain(value)) for key, value in results.config.items()],
        versions=[*results.versions.items(), ("data sha256", results.data_sha256)],
        ended=f"Run ended {_date(results.ended)}. " if results.ended else "",
        version=results.versions.get("coflex", ""),
        run=results.run,
        digest=results.data_sha256[:12],
        command=results.command,
    )


def _measure_cells(results: RunResults) -> list[dict[str, object]]:
    """Return the lines of the table of measures, those of homes first.

    The share of discomfort removed follows the comfort, because the scale of comfort depends on the
    size of the homes.
    """
    lines: list[dict[str, object]] = []
    for measure, line in zip(MEASURES, measure_lines(results), strict=False):
        cells = list(line.values.values())
        word = _MEASURE_WORDS.get(measure, line.name)
        lines.append({"name": line.name, "unit": line.unit, "cells": cells, "word": word})
        if measure == "mean_comfort" and results.exchanged is not None:
            removed = [
                discomfort_removed(results.planned, found) if state in _AFTER else None
                for state, found in results.states().items()
            ]
            cells = ["" if share is None else f"{share:.1%}" for share in removed]
            name = "discomfort removed"
            lines.append({"name": name, "unit": "", "cells": cells, "word": name})
    of_homes: list[dict[str, object]] = [
        {
            "name": line.name,
            "unit": line.unit,
            "cells": list(line.values.values()),
            "word": line.name,
        }
        for line in home_lines(results)
    ]
    return of_homes + lines


def _view(
    results: RunResults, schedules: Schedules, devices: Mapping[str, Sequence[DeviceDay]]
) -> dict[str, object]:
    """Return the data of the part about one household, with the style of its schedule."""
    from orchestrator.reporting.figures.community import to_power
    from orchestrator.reporting.figures.explorable import slot_axis, slot_names

    dashes = {"preferred": "solid", "planned": "solid", "exchanged": "dash"}
    factor, unit = to_power(results)
    return household_view(results, schedules, devices) | {
        "factor": factor,
        "unit": unit,
        "slots": slot_names(results),
        "lines": {state: {"color": COLOURS[state], "dash": dash} for state, dash in dashes.items()},
        "layout": {
            "height": 320,
            "font": {"family": 'system-ui, "DejaVu Sans", sans-serif', "size": 13},
            "margin": {"l": 56, "r": 12, "t": 30, "b": 44},
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "paper_bgcolor": "rgba(0, 0, 0, 0)",
            "plot_bgcolor": "rgba(0, 0, 0, 0)",
            "xaxis": slot_axis(results) | {"automargin": True},
            "yaxis": {"title": {"text": "demand (kWh per slot)"}, "automargin": True},
        },
    }


def _date(iso: str) -> str:
    """Return an ISO 8601 time as text for people."""
    return f"{datetime.fromisoformat(iso):%d %B %Y, %H:%M (%Z)}".lstrip("0")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["data_url"] = _data_url
    return environment


def _data_url(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{b64encode(content).decode()}"


def _plain(value: object) -> str:
    return "-" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
