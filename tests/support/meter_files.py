"""Small meter files of two days, and the energy that they hold: for tests of how they are read."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from agents.metering.day_profile import MeterDay, read_meters
from agents.metering.options import MeterOptions

START = datetime(2025, 1, 14)


def times_every(minutes: int, days: int = 2, start: datetime = START) -> list[datetime]:
    """Return the starts of intervals of this length."""
    return [start + timedelta(minutes=minutes * n) for n in range(days * 1440 // minutes)]


def energies(count: int, stride: int, period: int, largest: float) -> list[float]:
    """Return readings without an order in them, between an eighth of the largest and all of it."""
    span = largest * 7 / 8
    return [round(largest / 8 + span * (n * stride % period) / period, 3) for n in range(count)]


HALF_HOURS = times_every(30)
A, B = energies(96, 37, period=48, largest=0.8), energies(96, 29, period=48, largest=0.7)
QUARTERS = times_every(15)
AQ = energies(192, 37, period=96, largest=0.4)
HOURS = times_every(60)
AH = energies(48, 7, period=24, largest=1.4)


def table(header: str, line: Callable[[int, datetime], str], times: Sequence[datetime]) -> str:
    """Return a header (of one or more lines) and a line for each time."""
    return "\n".join([header, *(line(row, time) for row, time in enumerate(times))]) + "\n"


def half_hours(header: str, line: Callable[[int, datetime], str]) -> str:
    """Return a table of half hours, two days long."""
    return table(header, line, HALF_HOURS)


def quarters(header: str, line: Callable[[int, datetime], str]) -> str:
    """Return a table of quarter hours, two days long."""
    return table(header, line, QUARTERS)


def hours(header: str, line: Callable[[int, datetime], str]) -> str:
    """Return a table of hours, two days long."""
    return table(header, line, HOURS)


def a_row_a_day(header: str, before: Callable[[datetime], str], values: Sequence[float]) -> str:
    """Return a table with two rows, each of the values of a day behind some cells."""
    each = len(values) // 2
    days = [START, START + timedelta(days=1)]
    parts = [values[:each], values[each:]]
    rows = [before(day) + ",".join(map(str, part)) for day, part in zip(days, parts, strict=True)]
    return "\n".join([header, *rows]) + "\n"


def comma(value: float) -> str:
    """Write a number with a decimal comma."""
    return f"{value}".replace(".", ",")


def mean(values: Sequence[float], days: int = 2) -> float:
    """Return kWh a day, the mean over the days of the file."""
    return sum(values) / days


def read(
    folder: Path,
    text: str | bytes,
    options: MeterOptions | None = None,
    name: str = "meters.csv",
    encoding: str = "utf-8",
) -> MeterDay:
    """Write a file into the folder and read it."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return read_meters(path, options=options)


def kwh(made: MeterDay) -> dict[str, float]:
    """Return the energy of each household in kWh a day."""
    return {name: float(each.sum()) for name, each in zip(made.names, made.energy, strict=True)}
