"""People's own meter data as preferred plans: one day, or the mean day, cut into d slots.

Decides which days go in, and for each household alone: its mean is over its own complete days.
Reading files is meter_file's, alternatives are plan_alternatives'.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from pathlib import Path

import numpy as np

from agents.metering.meter_file import MeterFile, read_meter_file
from agents.metering.options import LARGEST_KW, MeterOptions
from agents.metering.readings.complete_days import LocalDay, cut, days_of
from agents.metering.readings.household_names import ids_of, printable
from agents.metering.readings.local_time import midnight
from agents.metering.readings.reading_checks import check_day
from agents.metering.readings.readings import MINUTE, Readings
from agents.plans import SlotTimes
from protocol.errors import InputError
from protocol.vectors import Array

_DAY = 24 * 60 * MINUTE
_HOUR = 60 * MINUTE
_SHOWN_DAYS = 4
_MOST_SLOTS = 86_400
_HARDLY_KWH = 0.2
"""Less than a single lamp in a day: a unit that nobody said is then in doubt."""


_MUCH_KWH = 300.0
"""Twice what a home that heats with electricity takes on a cold day."""


@dataclass(frozen=True, slots=True)
class MeterDay:
    """One day of every household in a file: ids[n] and energy float64[n, d], kWh per slot."""

    ids: list[str]
    energy: Array
    days: tuple[date, ...]
    """The local days that went in: one, or all complete ones of any household for the mean day."""
    names: list[str] = field(default_factory=list)
    """Names of the households as they stand in the file, without control characters."""
    days_each: list[int] = field(default_factory=list)
    """How many days went into each household's mean."""
    slot_times: SlotTimes | None = None
    notes: list[str] = field(default_factory=list)
    """What was assumed and left out, for people."""


def read_meters(
    path: Path | str,
    *,
    slots: int | None = None,
    day: str = "mean",
    options: MeterOptions | None = None,
    drop_incomplete: bool = False,
) -> MeterDay:
    """Read a meter file and cut `day` (YYYY-MM-DD, or "mean" over all complete days) into slots.

    Without `slots` the readings keep their own resolution. A household without a complete day is
    refused, or left out with `drop_incomplete`. Raises InputError, with file, line and column, for
    everything that cannot be read with certainty.
    """
    path, options = Path(path), options or MeterOptions()
    if slots is not None and slots < 1:
        raise InputError(f"must be at least 1, not {slots}", field="--slots")
    if slots is not None and slots > _MOST_SLOTS:
        reason = f"a day has {_MOST_SLOTS:,} seconds, so at most as many slots, not {slots:,}"
        raise InputError(reason, field="--slots")
    wanted = _day(day)
    file = read_meter_file(path, options)
    count = slots or _own_slots(file, path)
    rows: list[Array] = []
    names: list[str] = []
    days_each: list[int] = []
    used: dict[date, None] = {}
    notes = list(file.notes)
    for group in file.groups:
        chosen = _chosen(group, file.zone, wanted=wanted, path=path)
        total, number = _mean_day(
            group=group, days=chosen, slots=count, file=file, options=options, path=path
        )
        keep = number > 0
        if not keep.all():
            column = int(np.argmin(keep))
            refusal = _incomplete(
                group, column, days=list(days_of(group, file.zone)), wanted=wanted, path=path
            )
            if not drop_incomplete:
                raise refusal
            gone = [name for name, kept in zip(group.names, keep, strict=True) if not kept]
            notes.append(f"left out, without a complete day: {', '.join(map(printable, gone))}")
        if wanted is None:
            notes += _left_out(group, chosen)
        used |= {each.day: None for each in chosen if each.complete.any()}
        rows += list((total[:, keep] / number[keep]).T)
        names += [name for name, kept in zip(group.names, keep, strict=True) if kept]
        days_each += number[keep].tolist()
    if not rows:
        raise InputError("no household has a complete day", file=path, field="--day")
    energy = np.ascontiguousarray(rows)
    _check_unit(energy, names, file=file, options=options, path=path)
    return MeterDay(
        ids=ids_of(names),
        energy=energy,
        days=tuple(sorted(used)),
        names=[printable(name) for name in names],
        days_each=days_each,
        slot_times=_slot_times(wanted, count, file),
        notes=list(dict.fromkeys(notes)),
    )


def _day(text: str) -> date | None:
    if text == "mean":
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise InputError(
            f"{text!r} is neither 'mean' nor a day YYYY-MM-DD", field="--day"
        ) from None


def _own_slots(file: MeterFile, path: Path) -> int:
    """Return as many slots as the finest readings of the file have in a day of 24 hours."""
    step = min(group.step for group in file.groups)
    if _DAY % step:
        raise InputError(
            f"readings are {step / MINUTE:g} minutes apart, which do not fill a day evenly: say "
            "into how many slots a day is cut, --slots",
            file=path,
            field="--slots",
        )
    return int(_DAY // step)


def _chosen(group: Readings, zone: tzinfo, wanted: date | None, path: Path) -> list[LocalDay]:
    """Return the days that may go in; InputError if the wanted one is not there."""
    days = list(days_of(group, zone))
    if wanted is None:
        return days
    found = [each for each in days if each.day == wanted]
    if not found or not found[0].whole:
        full = [each.day for each in days if each.whole]
        raise InputError(
            f"does not cover the whole day {wanted} in {zone}: "
            + (f"complete days are {full[0]} to {full[-1]}" if full else "nor any"),
            file=path,
            field="--day",
        )
    return found


def _mean_day(
    group: Readings,
    days: list[LocalDay],
    slots: int,
    file: MeterFile,
    options: MeterOptions,
    path: Path,
) -> tuple[Array, "np.ndarray[tuple[int, ...], np.dtype[np.int64]]"]:
    """Sum the complete days of each household, float64[d, n] in kWh, and count them."""
    power = file.quantity == "power"
    total = np.zeros((slots, len(group.names)))
    number = np.zeros(len(group.names), dtype=np.int64)
    for each in days:
        if not each.complete.any():
            continue
        check_day(group, each, path, power=power, options=options)
        total += np.where(each.complete, cut(group, each, slots), 0.0)
        number += each.complete
    return total * (group.step / _HOUR if power else 1.0), number


def _incomplete(
    group: Readings, column: int, days: list[LocalDay], wanted: date | None, path: Path
) -> InputError:
    """Tell why a household has no complete day, with the first thing that is missing."""
    days = [each for each in days if wanted in (None, each.day)]
    inner = [each for each in days if each.whole] or days
    first = next(each for each in inner if not each.complete[column])
    missing, line = first.missing, first.missing_line
    values = group.values[first.rows, column]
    if np.isnan(values).any() and missing.startswith("at "):
        row = first.rows.start + int(np.argmax(np.isnan(values)))
        missing = f"at {group.written(row)} there is no reading"
        line = int(group.lines[row])
    which = f"day {wanted} is not complete" if wanted else "covers no whole day"
    return InputError(
        f"{which}: {missing}. Fill it, choose another --day, check --timezone, or leave such "
        "households out with --drop-incomplete",
        file=path,
        line=line or None,
        field=group.names[column],
    )


def _left_out(group: Readings, days: list[LocalDay]) -> list[str]:
    """Write notes that name the incomplete days, of all households or of single ones."""
    if not days:
        return []
    notes = []
    nobody = [each for each in days if not each.complete.any()]
    if nobody:
        line = f", line {nobody[0].missing_line}" if nobody[0].missing_line else ""
        notes.append(
            f"days left out as incomplete: {_some([each.day for each in nobody])} "
            f"({nobody[0].missing}{line})"
        )
    for column, name in enumerate(group.names):
        own = [each.day for each in days if each.complete.any() and not each.complete[column]]
        if own:
            notes.append(f"days of {printable(name)} left out as incomplete: {_some(own)}")
    return notes


def _some(days: list[date]) -> str:
    shown = ", ".join(map(str, days[:_SHOWN_DAYS]))
    return shown if len(days) <= _SHOWN_DAYS else f"{shown} and {len(days) - _SHOWN_DAYS} more"


def _check_unit(
    energy: Array, names: list[str], file: MeterFile, options: MeterOptions, path: Path
) -> None:
    """Refuse what consumes hardly anything, or more than homes do, if nobody has said its unit."""
    assumed = any(note.startswith("unit ") and "--unit" in note for note in file.notes)
    largest = float(np.abs(energy.sum(axis=1)).max())
    if assumed and options.unit is None and 0.0 < largest < _HARDLY_KWH:
        raise InputError(
            f"the largest household has {largest:.3g} kWh a day if readings are in kWh, which "
            "nothing says: give their unit with --unit, such as MW",
            file=path,
            field="--unit",
        )
    if assumed and options.unit is None and options.max_kw == LARGEST_KW and largest > _MUCH_KWH:
        column = int(np.argmax(np.abs(energy.sum(axis=1))))
        raise InputError(
            f"has {largest:,.0f} kWh a day if readings are in kWh, which nothing says: give their "
            "unit with --unit, or leave it out with --skip-columns if it is no home",
            file=path,
            field=names[column],
        )


def _slot_times(wanted: date | None, slots: int, file: MeterFile) -> SlotTimes:
    """Tell when slots begin: on the wanted day, or from midnight on for the mean day."""
    minutes = _DAY / MINUTE / slots
    if wanted is None:
        return SlotTimes("00:00", minutes, file.zone_name)
    begin = midnight(wanted, file.zone)
    first = datetime.fromtimestamp(begin // 1_000_000_000, file.zone).isoformat()
    following = midnight(date.fromordinal(wanted.toordinal() + 1), file.zone)
    return SlotTimes(
        first if file.zone_name else first[:19],
        (following - begin) / MINUTE / slots,
        file.zone_name,
    )
