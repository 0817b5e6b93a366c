"""The evaluation on one page: verdicts first, then every figure, to be explored, with its picture
and its data beside it. Needs no network: plotly's script lies beside the page."""

import csv
import io
import re
from collections.abc import Sequence
from functools import partial
from html import escape
from pathlib import Path

from orchestrator.replication import partner_figure as partners
from orchestrator.replication.study import Part, verdicts
from orchestrator.replication.study_design import COOPERATIVE_RUNS, INNER_RUNS, SIZED_RUNS
from orchestrator.replication.verdict import Claim
from orchestrator.reporting.figures.interactive import SCRIPT, TAG, files_of, script, section
from orchestrator.reporting.html_page import document, table_of
from orchestrator.results.atomic_folder import publish

PAGE, CLAIMS = "index.html", "claims.csv"
SOURCE = "Cooperative Flexibility Exchange"
HOLDS = (
    "A claim holds where the 95 % intervals (bootstrap over runs) of all that is measured lie in "
    "the range that it gives, and differs where one lies wholly outside; else it is not settled. "
    "From fewer than six runs, intervals come out too narrow: a hint."
)


def write_page(parts: Sequence[Part], folder: Path) -> Path:
    """Write the page, the pictures and the data of all parts; the page's path. InputError where
    the folder cannot be written."""
    html = [TAG, f"<p>{HOLDS}</p>"]
    files = {SCRIPT: script()}
    for number, part in enumerate(parts, 1):
        html += [f"<h2>{escape(part.title)}</h2>", *_verdicts(part), *_growth(part)]
        shown = [(chart.picture(), chart.interactive) for chart in part.charts]
        shown.append((partners.picture(part.traced), partial(partners.interactive, part.traced)))
        for drawing, live in sorted(shown, key=lambda pair: _number(pair[0].name)):
            name, figure = f"{number}-{drawing.name}", _number(drawing.name)
            title = f"Figure {figure}: {drawing.title}"
            after = _said(part, figure)
            html.append(section(title, drawing, live(name), name, level=3, after=after))
            files |= files_of(drawing, name)
        files[f"{number}-{CLAIMS}"] = _as_csv(part)
    files[PAGE] = document(f"{SOURCE}, measured again", lead(parts), html).encode()
    publish(folder, files, seal=PAGE)
    return folder / PAGE


def lead(parts: Sequence[Part]) -> str:
    """How the claims stand, in one sentence."""
    found = verdicts(parts)
    return (
        f"of {found.total()} claims of the source {found['holds']} hold, "
        f"{found['differs']} differ, {found['not settled']} are not settled"
    )


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])


def _verdicts(part: Part) -> list[str]:
    parts = [
        f"<p>{part.runs} runs of each kind, by the rule <code>mutual</code>; at most "
        f"{SIZED_RUNS} for figure 8, {INNER_RUNS} where neither all households are there nor all "
        f"take part, and {COOPERATIVE_RUNS} by the rule <code>cooperative</code>.</p>"
    ]
    parts.append(_table(part.claims))
    if part.beyond:
        parts += ["<h3>Beyond the source</h3>", _table(part.beyond)]
    if part.by_the_letter:
        parts.append(
            f"<h3>The source's own rule</h3>\n<p>{part.literal_runs} runs of "
            f"{part.literal_households} of these households with the rule <code>paper</code>, by "
            "which a responder agrees wherever its slot is not as it prefers.</p>"
        )
        parts.append(_table(part.by_the_letter))
    return parts


def _said(part: Part, figure: int) -> str:
    """What the source says of a figure, and what was measured, beside it."""
    lines = [
        f"<li>The source: {escape(claim.says)}. Measured: {escape(claim.measured)}; "
        f"{claim.verdict}.</li>"
        for claim in part.claims
        if claim.where.startswith("figure") and str(figure) in re.findall(r"\d+", claim.where)
    ]
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def _table(claims: Sequence[Claim]) -> str:
    lines = [
        [c.where, c.says, c.measured, c.verdict, "" if c.verdict == "holds" else c.why]
        for c in claims
    ]
    heads = ["source", "it says", "measured: mean [95 % interval]", "verdict", "why"]
    return table_of(heads, lines, numbers=False)


def _as_csv(part: Part) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads = ("measured", "mean", "low", "high", "runs", "claimed_low", "claimed_high", "verdict")
    writer.writerow(("of", "where", "says", *heads))
    kinds = {"source": part.claims, "beyond": part.beyond, "source's rule": part.by_the_letter}
    for of, claims in kinds.items():
        for claim in claims:
            said = (of, claim.where, claim.says)
            for own in claim.findings:
                at = own.point
                measured = (own.what, at.mean, at.low, at.high, len(own.values))
                writer.writerow((*said, *measured, own.low, own.high, own.verdict))
    return text.getvalue().encode()


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
