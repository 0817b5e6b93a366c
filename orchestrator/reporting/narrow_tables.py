"""Tables on narrow terminals: columns are dropped, or rows become records; no number is cut.

Decides which columns fit. What the cells say is decided by whoever prints them.
"""

from collections.abc import Collection, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

_BETWEEN = 3
_LEAST_TEXT = 16
"""Width below which a column of sentences cannot be read."""


def fitting_columns(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    *,
    least_needed: Sequence[str],
    between: int = 3,
) -> list[int]:
    """Return the columns that fit into `width` side by side, `between` cells apart; those named
    first in `least_needed` go first."""
    needed = [max(cell_len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    kept = list(range(len(heads)))
    for name in least_needed:
        if sum(needed[i] + between for i in kept) - between <= width:
            break
        kept = [i for i in kept if heads[i] != name]
    return kept


def print_table(
    console: Console,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    texts: Collection[str] = (),
    numbers: Collection[str] = (),
    least_needed: Sequence[str] = (),
) -> None:
    """Print a table if it fits between the margins, and one record per row if not.

    Heads, and the cells of the columns `texts`, may be wrapped between words; other cells are never
    wrapped. The columns `numbers` are aligned at the right. Columns named first in `least_needed`
    are left out first. A row without a first cell shares that of the row above.
    """
    columns = list(zip(heads, zip(*rows, strict=True) if rows else [()] * len(heads), strict=True))
    widths = [
        max([_longest_word(head), *(_least_width(cell, wraps=head in texts) for cell in cells)])
        for head, cells in columns
    ]
    for dropped in range(len(least_needed) + 1):
        shown = [i for i, head in enumerate(heads) if head not in least_needed[:dropped]]
        left = console.width - sum(widths[i] for i in shown) - _BETWEEN * len(shown) + 1
        if left >= 0:
            break
    else:
        for line in _records(heads, rows):
            console.print(line)
        return
    wanted = [max(map(cell_len, (head, *cells))) for head, cells in columns]
    for i in sorted(shown, key=lambda i: wanted[i] - widths[i]):
        more = min(wanted[i] - widths[i], left)
        widths[i], left = widths[i] + more, left - more
    table = Table(header_style="bold", show_edge=False)
    for i in shown:
        side: JustifyMethod = "right" if heads[i] in numbers else "left"
        table.add_column(heads[i], width=widths[i], overflow="fold", justify=side)
    grouped = not all(row[0] for row in rows)
    for row in rows:
        if grouped and row[0]:
            table.add_section()
        table.add_row(*(Text(row[i]) for i in shown))
    console.print(table)


def _least_width(cell: str, *, wraps: bool) -> int:
    if not wraps:
        return cell_len(cell)
    return max(min(cell_len(cell), _LEAST_TEXT), _longest_word(cell))


def _longest_word(text: str) -> int:
    return max(map(cell_len, text.split()), default=0)


def _records(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Table | Text]:
    """Return each row as lines of head and cell, with an empty line between rows."""
    widest = max(map(cell_len, heads))
    above = ""
    for number, row in enumerate(rows):
        if number:
            yield Text()
        above = row[0] or above
        record = Table.grid(padding=(0, 2, 0, 0))
        record.add_column(style="dim", min_width=widest, no_wrap=True)
        record.add_column(overflow="fold")
        for head, cell in zip(heads, [above, *row[1:]], strict=True):
            record.add_row(head, Text(cell))
        yield record
