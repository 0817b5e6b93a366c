"""The results of a benchmark, and the file with the ratios of earlier runs.

Ratios hold for one machine, so the file is not in version control: `.bench/ratios.jsonl`, with one
line per benchmark and run.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.support.paths import ROOT

RATIOS = ROOT / ".bench" / "ratios.jsonl"


@dataclass(frozen=True, slots=True)
class Measured:
    """The result of one benchmark."""

    text: str
    """One line for people; a table where the benchmark is a study."""
    ratios: Mapping[str, float] = field(default_factory=dict)
    """By name: what is compared from run to run. Absolute times are not."""


def last_ratios(name: str, file: Path = RATIOS) -> tuple[str, Mapping[str, float]] | None:
    """Return the date and the ratios of the last run of benchmark `name`; None before the first."""
    if not file.exists():
        return None
    for line in reversed(file.read_text().splitlines()):
        record = json.loads(line)
        if record["name"] == name:
            return record["date"], record["ratios"]
    return None


def keep_ratios(name: str, measured: Measured, file: Path = RATIOS) -> None:
    """Append the ratios of this run to the file."""
    if not measured.ratios:
        return
    file.parent.mkdir(exist_ok=True)
    date = datetime.now(UTC).date().isoformat()
    with file.open("a") as out:
        out.write(json.dumps({"name": name, "date": date, "ratios": measured.ratios}) + "\n")


def comparison(measured: Measured, last: tuple[str, Mapping[str, float]] | None) -> str:
    """Return the ratios of this run, each beside the last one; empty if there are none."""
    if not measured.ratios:
        return ""
    date, before = last or ("", {})
    told = [
        f"{name} {ratio:.2f}" + (f" (last {before[name]:.2f})" if name in before else "")
        for name, ratio in measured.ratios.items()
    ]
    return ", ".join(told) + (f", last run {date}" if before else ", no earlier run")
