"""The summary of a finished sweep, without its runs."""

from collections.abc import Sequence
from pathlib import Path


def write_summary(folder: Path, varied: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    """Make the folder of a sweep with these values of the varied options; return it."""
    columns = ("planned_mean_comfort", "exchanged_mean_comfort", "planned_inefficiency")
    heads = [*varied, "runs"]
    for column in columns:
        heads += [column, f"{column}_low", f"{column}_high"]
    lines = [",".join(heads)]
    for number, row in enumerate(rows):
        values = [0.5 + number / 10, 0.4 + number / 10, 0.6 + number / 10] * len(columns)
        lines.append(",".join(map(str, [*row, 3, *values])))
    folder.mkdir()
    (folder / "summary.csv").write_text("\n".join(lines) + "\n")
    (folder / "sweep.json").write_text('{"on": "simulation"}\n')
    return folder
