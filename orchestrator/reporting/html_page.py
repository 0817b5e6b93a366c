"""One page with everything about a run: no scripts, nothing fetched, figures as vectors inside."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from orchestrator.exchange_account import ROUND_HEADS, exchange_facts, round_lines
from orchestrator.reporting.figures.style import Drawing
from orchestrator.reporting.wording import facts, headline, measure_lines
from orchestrator.results.run_results import RunResults

UNTRACED = (
    "<p>Who exchanged with whom is known only of a run with <code>--trace</code>: run again with "
    "it to see it here.</p>"
)
_STYLE = """
body { color: #222; background: #fff; margin: 2rem auto; max-width: 50rem; padding: 0 1rem;
       font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; }
p.lead { color: #555; margin: .2rem 0 1.4rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem 1rem .25rem 0; text-align: left; vertical-align: top; }
tbody tr { border-top: 1px solid #ddd; }
table.facts tr { border: 0; }
table.facts th, td.unit { color: #666; font-weight: normal; }
table.rounds { margin-top: .8rem; }
.number { text-align: right; }
figure { margin: 0; break-inside: avoid; }
figure img { width: 100%; height: auto; }
figcaption { color: #555; font-size: .9rem; }
section { break-inside: avoid; }
code { font-size: .9em; overflow-wrap: anywhere; }
details { margin-top: 2.2rem; }
summary { cursor: pointer; font-weight: bold; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } a { color: inherit; } }
"""


def page(results: RunResults, drawings: Iterable[Drawing]) -> str:
    """The page as HTML: what ran, the measures, the figures with their data, the configuration."""
    return document(
        f"coflex run {results.run}",
        headline(results),
        [
            _pairs(facts(results)),
            "<h2>Measures</h2>",
            _measures(results),
            *_exchange(results),
            *(section(drawing) for drawing in drawings),
            "<details><summary>Configuration and versions</summary>",
            _pairs([(key, _plain(value)) for key, value in results.config.items()]),
            _pairs([*results.versions.items(), ("data sha256", results.data_sha256)]),
            "</details>",
        ],
    )


def document(title: str, lead: str, parts: Iterable[str]) -> str:
    """A page in the one style; `parts` are HTML, the others plain text."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            f'<h1>{escape(title)}</h1>\n<p class="lead">{escape(lead)}</p>',
            *parts,
            "</body>\n</html>\n",
        ]
    )


def section(drawing: Drawing) -> str:
    """A figure with its title, caption and data, as HTML."""
    title = escape(drawing.title)
    data = _inline("text/csv", drawing.table.csv().encode())
    return (
        f"<section>\n<h2>{title}</h2>\n<figure>\n"
        f'<img alt="{title}" src="{_inline("image/svg+xml", drawing.svg)}">\n'
        f"<figcaption>{escape(drawing.caption)} "
        f'<a download="{drawing.name}.csv" href="{data}">Data (CSV)</a></figcaption>\n'
        "</figure>\n</section>"
    )


def table_of(heads: Sequence[str], lines: Iterable[Sequence[str]], *, numbers: bool = True) -> str:
    """A table as HTML: words in the first column, in the others `numbers`, or words, too."""
    kind = ' class="number"' if numbers else ""
    first, *others = heads
    head = f"<th>{escape(first)}</th>" + "".join(
        f"<th{kind}>{escape(name)}</th>" for name in others
    )
    rows = "\n".join(
        f"<tr><th>{escape(name)}</th>"
        + "".join(f"<td{kind}>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, *cells in lines
    )
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _measures(results: RunResults) -> str:
    states = "".join(f'<th class="number">{escape(state)}</th>' for state in results.states())
    rows = "\n".join(
        f'<tr><td>{escape(line.name)}</td><td class="unit">{escape(line.unit)}</td>'
        f"{_numbers(line.values)}</tr>"
        for line in measure_lines(results)
    )
    head = f"<tr><th></th><th></th>{states}</tr>"
    return f"<table>\n<thead>{head}</thead>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _exchange(results: RunResults) -> list[str]:
    """Stage 2 in words and round by round, where it took place."""
    if results.exchange is None:
        return []
    heads = "".join(f'<th class="number">{escape(head)}</th>' for head in ROUND_HEADS)
    gap = f'<tr><td colspan="{len(ROUND_HEADS)}" class="number">...</td></tr>'
    rows = "\n".join(
        gap
        if line.cells is None
        else "<tr>" + "".join(f'<td class="number">{cell}</td>' for cell in line.cells) + "</tr>"
        for line in round_lines(results)
    )
    return [
        "<h2>Slot exchange</h2>",
        _pairs(exchange_facts(results)),
        f'<table class="rounds">\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n'
        "</table>",
        *([UNTRACED] if results.exchanges is None else []),
    ]


def _numbers(values: Mapping[str, str]) -> str:
    return "".join(f'<td class="number">{escape(value)}</td>' for value in values.values())


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    rows = "\n".join(
        f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in pairs
    )
    return f'<table class="facts">\n{rows}\n</table>'


def _plain(value: object) -> str:
    return "-" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _inline(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{b64encode(content).decode()}"
