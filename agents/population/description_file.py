"""The description of a data set: a small TOML file in its folder, or next to its single file.

It has the keys `score` ("preference" or "cost"), `first_slot`, `slot_minutes` and `timezone` (the
times of slots), and a table `[names]` with the original names of households by id. `loader.py`
decides which source counts if several define the meaning of scores.
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
    """The content of a description; missing keys are None or empty."""

    score: ScoreMeaning | None = None
    slot_times: SlotTimes | None = None
    names: dict[str, str] = field(default_factory=dict)


def read_description(path: Path) -> Description:
    """Read the description of the data at `path`; return an empty one if there is none.

    Raises InputError, which names the wrong key.
    """
    file = (path if path.is_dir() else path.parent) / DESCRIPTION
    if not file.exists():
        return Description()
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"not a TOML file: {error}", file=file) from error
    unknown = set(content) - set(_KEYS)
    if unknown:
        reason = f"unknown key: use only {', '.join(_KEYS)}"
        raise InputError(reason, file=file, field=min(unknown))
    score = content.get("score")
    if score is not None and score not in get_args(ScoreMeaning):
        raise InputError('expected "preference" or "cost"', file=file, field="score")
    return Description(
        score=cast(ScoreMeaning | None, score),
        slot_times=_slot_times(content, file),
        names=_names(content.get("names"), file),
    )


def _slot_times(content: dict[str, Any], file: Path) -> SlotTimes | None:
    given = [key for key in ("first_slot", "slot_minutes", "timezone") if key in content]
    if not given:
        return None
    for key in ("first_slot", "slot_minutes"):
        if key not in content:
            raise InputError(f"is required together with {given[0]}", file=file, field=key)
    return checked_slot_times(
        content["first_slot"], content["slot_minutes"], timezone=content.get("timezone"), file=file
    )


def checked_slot_times(first: object, minutes: object, timezone: object, file: Path) -> SlotTimes:
    """Return the times of slots; raises InputError, which names the wrong key."""
    try:
        datetime.fromisoformat(f"2000-01-01T{first}" if len(str(first)) <= 8 else str(first))
    except ValueError:
        reason = f'{first!r} is not a time: write "00:00" or "2025-01-14T00:00:00+01:00"'
        raise InputError(reason, file=file, field="first_slot") from None
    number = isinstance(minutes, int | float) and not isinstance(minutes, bool)
    if not number or not 0 < float(cast(float, minutes)) <= 24 * 60:
        reason = "expected minutes, more than 0 and at most 1440"
        raise InputError(reason, file=file, field="slot_minutes")
    if timezone is not None and not _is_zone(timezone):
        reason = f"{timezone!r} is not a time zone: write Europe/Brussels or +01:00, for example"
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


def _names(table: object, file: Path) -> dict[str, str]:
    if table is None:
        return {}
    if not isinstance(table, dict) or not all(isinstance(name, str) for name in table.values()):
        reason = 'expected a table of texts: [names] and then h0 = "Meter 7"'
        raise InputError(reason, file=file, field="names")
    return {str(household): name for household, name in table.items()}


def meaning_to_keep(population: Population) -> ScoreMeaning | None:
    """Return the meaning of scores that a file of this population must state.

    Returns None if the meaning is the default and no source stated it: writing it down would make
    an assumption look like a statement.
    """
    meaning = next(iter(population.households.values())).meaning
    stated = population.meaning_source != "default" or meaning != "preference"
    return meaning if stated else None


def write_description(population: Population, folder: Path, names: dict[str, str]) -> None:
    """Write the description into a folder, unless it would be empty.

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
