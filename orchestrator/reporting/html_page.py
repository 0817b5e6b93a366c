"""Pages from templates, and the page about one run: no scripts, nothing fetched, figures as vectors
inside.

What a page says is decided in `wording`, its look in `page.html.j2`, which all pages extend.
"""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from orchestrator.reporting.figures.style import Drawing
from orchestrator.reporting.wording import (
    ROUND_HEADS,
    exchange_facts,
    facts,
    headline,
    measure_lines,
    round_lines,
)
from orchestrator.results.run_results import RunResults

_TEMPLATES = Path(__file__).parents[1]
"""Templates lie beside the modules that fill them, and are named from here."""


class Explorable(Protocol):
    """A figure that exists as a picture and as a piece of a page."""

    def picture(self) -> Drawing:
        """Draw it as pixels and vectors, with its data."""

    def interactive(self, name: str) -> str:
        """Return it as HTML; `name` is unique in the page."""


@dataclass(frozen=True, slots=True)
class PlacedFigure:
    """A figure in a page: to be explored, with its picture and its data in files of its name."""

    name: str
    title: str
    drawing: Drawing
    live: Markup

    @classmethod
    def of(cls, figure: Explorable, *, name: str, title: str) -> "PlacedFigure":
        """Draw `figure` both ways."""
        live = Markup(figure.interactive(name))  # plotly has escaped it
        return cls(name=name, title=title, drawing=figure.picture(), live=live)


def render(template: str, **values: object) -> str:
    """Fill a template, named by its path in `orchestrator/`; a value that it lacks is an error."""
    return _environment().get_template(template).render(values)


def page(results: RunResults, drawings: Iterable[Drawing]) -> str:
    """Return the page about a run as HTML: what ran, the measures, the figures with their data,
    the configuration."""
    return render(
        "reporting/report.html.j2",
        title=f"coflex run {results.run}",
        lead=headline(results),
        facts=facts(results),
        states=list(results.states()),
        measures=measure_lines(results),
        exchange=exchange_facts(results),
        round_heads=ROUND_HEADS,
        rounds=round_lines(results),
        traced=results.exchanges is not None,
        figures=list(drawings),
        configuration=[(key, _plain(value)) for key, value in results.config.items()],
        versions=[*results.versions.items(), ("data sha256", results.data_sha256)],
    )


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
