"""Tables on narrow terminals: columns are dropped, or rows become records; no number is cut.

Decides which columns fit. What the cells say is decided by whoever prints them.
"""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text


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


def records(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Text]:
    """Return each row as lines of head and cell, with an empty line between rows."""
    widest = max(map(cell_len, heads))
    for number, row in enumerate(rows):
        if number:
            yield Text()
        for head, cell in zip(heads, row, strict=True):
            yield Text.assemble((f"{head:<{widest}}", "dim"), f"  {cell}")
