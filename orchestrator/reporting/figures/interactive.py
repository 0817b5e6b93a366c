"""Figures to be explored in a page (plotly), in the style of the pictures; nothing is fetched:
plotly's script lies beside the page. What is drawn is decided elsewhere.
"""

from typing import Any

from orchestrator.reporting.figures.style import INK, Drawing

SCRIPT = "plotly.min.js"
"""File name of plotly's script beside a page that does not contain it."""
INKS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colours of series: the palette of Okabe and Ito, which colour-blind readers can tell apart."""
DASHES = (("-", "solid"), ("--", "dash"), (":", "dot"), ("-.", "dashdot"))
"""Dashes, by their names in matplotlib and in plotly."""


def ink(number: int) -> str:
    """Return the colour of a series, by its number."""
    return INKS[number % len(INKS)]


def script() -> bytes:
    """Return plotly's script: the content of SCRIPT."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).encode()


def as_html(figure: Any, name: str) -> str:
    """Return a plotly figure as HTML for a page that has the script; `name` is its id in the
    page."""
    from plotly.io import to_html

    font = {"family": 'system-ui, "DejaVu Sans", sans-serif', "color": INK, "size": 13}
    clear = "rgba(0, 0, 0, 0)"  # the page is the paper, light or dark
    figure.update_layout(
        template="plotly_white", font=font, paper_bgcolor=clear, plot_bgcolor=clear
    )
    figure.update_xaxes(
        automargin=True, showline=True, linecolor=INK, ticks="outside", zeroline=False
    )
    figure.update_yaxes(automargin=True, showline=True, linecolor=INK, zeroline=False)
    config = {"displaylogo": False, "responsive": True}
    return str(to_html(figure, include_plotlyjs=False, full_html=False, div_id=name, config=config))


def files_of(drawing: Drawing, name: str) -> dict[str, bytes]:
    """Return the picture and its data by file name, each called `name`."""
    return {f"{name}.png": drawing.png, f"{name}.csv": drawing.table.csv().encode()}
