"""Figure 5 of the paper: the pairs of households that exchanged most often."""

from collections import Counter, defaultdict
from dataclasses import dataclass, replace

from orchestrator.reporting.figures.interactive import as_html, ink
from orchestrator.reporting.figures.partners import partner_drawings
from orchestrator.reporting.figures.style import Drawing
from orchestrator.results.run_results import ExchangeRow, RunResults

SHOWN = 12
"""Number of households in the figure; more could not be distinguished."""
NAME, TITLE = "figure-5", "Exchange partners"
CAPTION = (
    f"The {SHOWN} households with the most exchanges at beta 0, first run. In the page, the width "
    "of a band is the joint gain of both sides (decrease of the squared deviation, kWh²); in the "
    "picture, it is the number of exchanges. The data has both."
)


def busiest(run: RunResults) -> RunResults:
    """Return a traced run reduced to the households with the most exchanges."""
    assert run.exchanges is not None
    count: Counter[str] = Counter()
    for row in run.exchanges:
        count.update((row.requester, row.responder))
    shown = {name for name, _ in count.most_common(SHOWN)}
    own = tuple(e for e in run.exchanges if e.requester in shown and e.responder in shown)
    rows = tuple(row for row in run.rows if row.household in shown)
    return replace(run, households=len(rows), rows=rows, exchanges=own)


@dataclass(frozen=True, slots=True)
class PartnerFigure:
    """The figure of a traced run: requesters on the left, responders on the right."""

    run: RunResults
    name: str = NAME
    title: str = TITLE

    def picture(self) -> Drawing:
        """Draw the figure; the width of a band is the number of exchanges."""
        drawing = partner_drawings(busiest(self.run))[0]
        return replace(drawing, name=NAME, title=TITLE, caption=CAPTION)

    def interactive(self, name: str) -> str:
        """Return the figure as HTML for a page with plotly's script.

        The width of a band is the joint gain.
        """
        from plotly import graph_objects

        own = busiest(self.run)
        names = [row.household for row in own.rows]
        place = {household: number for number, household in enumerate(names)}
        gains: defaultdict[tuple[int, int], float] = defaultdict(float)
        for row in own.exchanges or ():
            gains[place[row.requester], place[row.responder]] += _joint(row)
        pairs = [pair for pair, gain in gains.items() if gain > 0]
        node = {
            "label": [f"{household} requested" for household in names]
            + [f"{household} accepted" for household in names],
            "color": [ink(number) for number in range(len(names))] * 2,
        }
        link = {
            "source": [one for one, _ in pairs],
            "target": [len(names) + other for _, other in pairs],
            "value": [gains[pair] for pair in pairs],
        }
        figure = graph_objects.Figure(graph_objects.Sankey(node=node, link=link))
        figure.update_layout(height=480, margin={"l": 10, "r": 10, "t": 10, "b": 10})
        return as_html(figure, name)


def _joint(row: ExchangeRow) -> float:
    """Return the joint gain of both sides, kWh²."""
    return row.requester_gain + row.responder_gain
