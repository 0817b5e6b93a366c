"""The evaluation on one page: verdicts first, then every figure, to be explored, with its picture
and its data beside it. Needs no network: plotly's script lies beside the page."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from plotly.offline import get_plotlyjs

from orchestrator.evaluation import partners
from orchestrator.evaluation.evaluate import Part, verdicts
from orchestrator.publish import publish
from orchestrator.report.page import document, table_of

PAGE, SCRIPT = "index.html", "plotly.min.js"
SOURCE = "Cooperative Flexibility Exchange"


def write_page(parts: Sequence[Part], folder: Path) -> Path:
    """Write the page, the pictures and the data of all parts; the page's path. InputError where
    the folder cannot be written."""
    hold, all_of_them = verdicts(parts)
    html = [f'<script src="{SCRIPT}"></script>']
    files = {SCRIPT: get_plotlyjs().encode()}
    for number, part in enumerate(parts, 1):
        html += [f"<h2>{escape(part.title)}</h2>", *_claims(part), *_growth(part)]
        shown = [(chart.picture(), chart.interactive()) for chart in part.charts]
        shown.append((partners.picture(part.traced), partners.interactive(part.traced)))
        for picture, live in sorted(shown, key=lambda pair: _number(pair[0].name)):
            name = f"{number}-{picture.name}"
            files[f"{name}.png"] = picture.png
            files[f"{name}.csv"] = picture.table.csv().encode()
            html.append(
                f"<section><h3>Figure {_number(picture.name)}: {escape(picture.title)}</h3>\n"
                f"{live}\n<p>{escape(picture.caption)} "
                f'<a href="{name}.png">Picture</a>, <a href="{name}.csv">data</a></p></section>'
            )
    lead = f"{hold} of {all_of_them} claims of the source hold as they stand"
    files[PAGE] = document(f"{SOURCE}, measured again", lead, html).encode()
    publish(folder, files, seal=PAGE)
    return folder / PAGE


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])


def _claims(part: Part) -> list[str]:
    lines = [
        [
            claim.where,
            claim.says,
            claim.measured,
            "holds" if claim.holds else "differs",
            _why(claim),
        ]
        for claim in part.claims
    ]
    heads = ["source", "it says", "measured", "verdict", "why"]
    return [f"<p>{part.runs} runs of each kind.</p>", table_of(heads, lines, numbers=False)]


def _why(claim: object) -> str:
    return "" if getattr(claim, "holds", False) else str(getattr(claim, "why", ""))


def _growth(part: Part) -> list[str]:
    lines = [
        [
            f"{own.what}, by {own.of}",
            ", ".join(
                f"{mean:,.0f} ({size:,})" for size, mean in zip(own.sizes, own.means, strict=True)
            ),
            f"{own.exponent:.2f}",
        ]
        for own in part.growth
    ]
    heads = ["Table III: what grows", "mean count (size)", "fitted exponent"]
    return [table_of(heads, lines, numbers=False)]
