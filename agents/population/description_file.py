"""What a data set says of itself: a small TOML file in its folder, or beside its single file.

Its keys: `score` ("preference" or "cost"), `first_slot`, `slot_minutes` and `timezone` (when the
slots are), and a table `[names]` with the original names of households by their ids. Whether the
score is believed is decided in loader.
"""

import tomllib
import zoneinfo
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast, get_args

from agents.plans import Population, ScoreMeaning, SlotTimes
from protocol.errors import InputError

DESCRIPTION = "coflex.toml"
_KEYS = ("score", "first_slot", "slot_minutes", "timezone", "names")


@dataclass(frozen=True, slots=True)
class Description:
    """What the description says; None and empty where it says nothing."""

    score: ScoreMeaning | None = None
    slot_times: SlotTimes | None = None
    names: dict[str, str] = field(default_factory=dict)


def read_description(path: Path) -> Description:
    """Read the description of the data at `path`; an empty one if there is none."""
    file = (path if path.is_dir() else path.parent) / DESCRIPTION
    if not file.exists():
        return Description()
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"not a TOML file: {error}", file=file) from error
    unknown = set(said) - set(_KEYS)
    if unknown:
        reason = f"unknown key; only {', '.join(_KEYS)} can be said here"
        raise InputError(reason, file=file, field=min(unknown))
    score = said.get("score")
    if score is not None and score not in get_args(ScoreMeaning):
        raise InputError('expected "preference" or "cost"', file=file, field="score")
    return Description(
        cast(ScoreMeaning | None, score), _slot_times(said, file), _names(said.get("names"), file)
    )


def _slot_times(said: dict[str, Any], file: Path) -> SlotTimes | None:
    given = [key for key in ("first_slot", "slot_minutes", "timezone") if key in said]
    if not given:
        return None
    for key in ("first_slot", "slot_minutes"):
        if key not in said:
            raise InputError(f"is needed beside {given[0]}", file=file, field=key)
    return checked_slot_times(
        said["first_slot"], said["slot_minutes"], timezone=said.get("timezone"), file=file
    )


def checked_slot_times(first: object, minutes: object, timezone: object, file: Path) -> SlotTimes:
    """Return the times of slots if they can be; else InputError that names the key."""
    try:
        datetime.fromisoformat(f"2000-01-01T{first}" if len(str(first)) <= 8 else str(first))
    except ValueError:
        reason = f'{first!r} is no time: write "00:00" or "2025-01-14T00:00:00+01:00"'
        raise InputError(reason, file=file, field="first_slot") from None
    number = isinstance(minutes, int | float) and not isinstance(minutes, bool)
    if not number or not 0 < float(cast(float, minutes)) <= 24 * 60:
        reason = "expected minutes, more than 0 and at most 1440"
        raise InputError(reason, file=file, field="slot_minutes")
    if timezone is not None and not _is_zone(timezone):
        reason = f"{timezone!r} is no zone: write one like Europe/Brussels, or an offset +01:00"
        raise InputError(reason, file=file, field="timezone")
    return SlotTimes(
        str(first), float(cast(float, minutes)), None if timezone is None else str(timezone)
    )


def _is_zone(timezone: object) -> bool:
    if not isinstance(timezone, str):
        return False
    try:
        if timezone[:1] in "+-":
            datetime.fromisoformat(f"2000-01-01T00:00{timezone}")
        else:
            zoneinfo.ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _names(said: object, file: Path) -> dict[str, str]:
    if said is None:
        return {}
    if not isinstance(said, dict) or not all(isinstance(name, str) for name in said.values()):
        reason = 'expected a table of texts: [names] and then h0 = "Meter 7"'
        raise InputError(reason, file=file, field="names")
    return {str(household): name for household, name in said.items()}


def meaning_to_keep(population: Population) -> ScoreMeaning | None:
    """Tell what a file of this population must say of its scores.

    None where nobody said anything and readers assume the same: a default must not turn into
    somebody's word by being written down.
    """
    meaning = next(iter(population.households.values())).meaning
    said = population.meaning_source != "default" or meaning != "preference"
    return meaning if said else None


def write_description(population: Population, folder: Path, names: dict[str, str]) -> None:
    """Write the description into a folder, if there is something to say.

    `names` are the original names of households by the ids that the folder gives them.
    """
    lines = []
    meaning = meaning_to_keep(population)
    if meaning is not None:
        lines.append(f'score = "{meaning}"')
    times = population.slot_times
    if times is not None:
        lines += [f'first_slot = "{times.first}"', f"slot_minutes = {times.minutes!r}"]
        lines += [f'timezone = "{times.timezone}"'] if times.timezone else []
    if names:
        lines.append("[names]")
        lines += [f"{household} = {_quoted(name)}" for household, name in names.items()]
    if lines:
        Path(folder, DESCRIPTION).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _quoted(text: str) -> str:
    """Return a TOML string; control characters are written as escapes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return (
        '"'
        + "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in escaped)
        + '"'
    )
