"""Interactive figures in pages (plotly), in the style of the pictures.

Pages fetch nothing: they contain plotly's script, or it is in a file next to them. Other modules
decide what is drawn.
"""

from typing import Any

from orchestrator.reporting.figures.style import INK, Drawing

SCRIPT = "plotly.min.js"
"""Name of the file with plotly's script, next to a page that does not contain it."""
INKS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colours of series: the palette of Okabe and Ito, which colour-blind readers can distinguish."""
DASHES = (("-", "solid"), ("--", "dash"), (":", "dot"), ("-.", "dashdot"))
"""Dashes: their names in matplotlib and in plotly."""


def ink(number: int) -> str:
    """Return the colour of a series, by its number."""
    return INKS[number % len(INKS)]


def script() -> bytes:
    """Return plotly's script, the content of the file SCRIPT."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).encode()


def as_html(figure: Any, name: str) -> str:
    """Return a plotly figure as HTML for a page with plotly's script; `name` is its id there."""
    from plotly.io import to_html

    font = {"family": 'system-ui, "DejaVu Sans", sans-serif', "color": INK, "size": 13}
    clear = "rgba(0, 0, 0, 0)"  # the background of the page shows through, light or dark
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
    """Return the files of a figure called `name`: its picture and its data, by file name."""
    return {f"{name}.png": drawing.png, f"{name}.csv": drawing.table.csv().encode()}
