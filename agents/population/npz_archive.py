"""Compact files of populations: numpy .npz archives without pickles.

This module decides what a valid archive is. docs/data.md describes the arrays, and FORM has their
types. Every number reads back exactly.
"""

from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from agents.plans import Plans, Population, ScoreMeaning, SlotTimes
from agents.population.atomic_write import drafted
from agents.population.description_file import DESCRIPTION, checked_slot_times, meaning_to_keep
from protocol.errors import InputError
from protocol.vectors import Array

VERSION = 1
FORM: dict[str, tuple[type[Any], int]] = {
    "ids": (np.str_, 1),
    "counts": (np.integer, 1),
    "scores": (np.float64, 1),
    "values": (np.float64, 2),
    "meaning": (np.str_, 0),
    "target": (np.float64, 1),
    "names": (np.str_, 1),
    "first_slot": (np.str_, 0),
    "slot_minutes": (np.float64, 0),
    "timezone": (np.str_, 0),
}
"""Type and number of dimensions of each array except `version`."""
_OPTIONAL = ("meaning", "target", "names", "first_slot", "slot_minutes", "timezone")


def write(population: Population, path: Path) -> None:
    """Write an archive; raises InputError if `path` exists."""
    members = population.households
    parts = {
        "version": np.array(VERSION),
        "ids": np.array(list(members)),
        "counts": np.array([len(plans.scores) for plans in members.values()]),
        "scores": np.concatenate([plans.scores for plans in members.values()]),
        "values": np.concatenate([plans.values for plans in members.values()]),
    }
    meaning = meaning_to_keep(population)
    if meaning is not None:
        parts["meaning"] = np.array(meaning)
    if population.target is not None:
        parts["target"] = population.target
    if population.names:
        parts["names"] = np.array([population.names.get(name, name) for name in members])
    times = population.slot_times
    if times is not None:
        parts["first_slot"] = np.array(times.first)
        parts["slot_minutes"] = np.array(float(times.minutes))
        if times.timezone is not None:
            parts["timezone"] = np.array(times.timezone)
    with drafted(path) as draft, draft.open("xb") as file:
        np.savez(file, allow_pickle=False, **parts)


def read(
    path: Path,
    *,
    households: int | None = None,
    meaning: ScoreMeaning | None = None,
    described: ScoreMeaning | None = None,
) -> Population:
    """Read the population of an archive, or its first `households`.

    The meaning of scores is `meaning`, else that in the archive, else `described` (from the
    description next to it), else "preference". Raises InputError if the archive is not valid, or if
    archive and description contradict each other.
    """
    parts = _parts(path)
    ids = [str(name) for name in parts["ids"]]
    counts = parts["counts"]
    scores = np.ascontiguousarray(parts["scores"], dtype=np.float64)
    values = np.ascontiguousarray(parts["values"], dtype=np.float64)
    if not ids or values.shape[1] == 0:
        raise InputError("no households, or no slots", file=path)
    if scores.shape != values.shape[:1] or counts.shape != (len(ids),):
        raise InputError("shapes of scores, values, counts and ids do not fit", file=path)
    if ((counts < 1) | (counts > len(values))).any() or counts.sum() != len(values):
        raise InputError("counts do not add up to the plans there are", file=path, field="counts")
    if len(set(ids)) != len(ids):
        raise InputError("two households have the same id", file=path, field="ids")
    if not (np.isfinite(values).all() and np.isfinite(scores).all()):
        raise InputError("a value or score is NaN or infinite", file=path)
    if households is not None and households > len(ids):
        reason = f"{households} is not possible: the file has {len(ids)}"
        raise InputError(reason, file=path, field="--households")
    stated = _stated_meaning(parts, path)
    if meaning is None and stated and described and stated != described:
        reason = f"{DESCRIPTION} says {described}, but the file says {stated}: choose with --score"
        raise InputError(reason, file=path, field="meaning")
    source = "option" if meaning else "file" if stated or described else "default"
    own = meaning or stated or described or "preference"
    ends = np.cumsum(counts)
    members = {
        name: Plans(values[end - count : end], scores[end - count : end], own)
        for name, count, end in list(zip(ids, counts, ends, strict=True))[:households]
    }
    return Population(
        households=members,
        source=str(path),
        target=_target(parts, path),
        meaning_source=source,
        slot_times=_slot_times(parts, path),
        names={key: name for key, name in _names(parts, ids, path).items() if key in members},
    )


def _slot_times(parts: dict[str, Any], path: Path) -> SlotTimes | None:
    """Return the times of slots if the archive has them."""
    if "first_slot" not in parts or "slot_minutes" not in parts:
        return None
    timezone = str(parts["timezone"]) if "timezone" in parts else None
    return checked_slot_times(
        str(parts["first_slot"]), float(parts["slot_minutes"]), timezone=timezone, file=path
    )


def _names(parts: dict[str, Any], ids: list[str], path: Path) -> dict[str, str]:
    """Return the original names of households that differ from their ids, by id."""
    if "names" not in parts:
        return {}
    names = [str(name) for name in parts["names"]]
    if len(names) != len(ids):
        raise InputError(f"{len(names)} names for {len(ids)} ids", file=path, field="names")
    return {key: name for key, name in zip(ids, names, strict=True) if key != name}


def _stated_meaning(parts: dict[str, Any], path: Path) -> ScoreMeaning | None:
    """Return the meaning of scores that the archive itself states, if any."""
    if "meaning" not in parts:
        return None
    meaning = str(parts["meaning"])
    if meaning not in get_args(ScoreMeaning):
        raise InputError(f"unknown meaning of scores {meaning!r}", file=path, field="meaning")
    return cast(ScoreMeaning, meaning)


def _target(parts: dict[str, Any], path: Path) -> Array | None:
    if "target" not in parts:
        return None
    target = np.ascontiguousarray(parts["target"], dtype=np.float64)
    if not np.isfinite(target).all():
        raise InputError("a value is NaN or infinite", file=path, field="target")
    return target


def _parts(path: Path) -> dict[str, Any]:
    """Return the arrays of an archive, after checking the type of each."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            parts = {name: archive[name] for name in ("version", *FORM) if name in archive}
    except FileNotFoundError:
        raise InputError("no such file", file=path) from None
    except Exception as error:
        # Damaged bytes make zipfile, zlib, tokenize and numpy raise nearly anything.
        raise InputError(f"not an .npz archive: {error}", file=path) from None
    _check(parts, "version", kind=np.integer, dimensions=0, path=path)
    if parts["version"] != VERSION:
        reason = f"format version {parts['version']}, only {VERSION} can be read"
        raise InputError(reason, file=path, field="version")
    for name, (kind, dimensions) in FORM.items():
        if name in parts or name not in _OPTIONAL:
            _check(parts, name, kind=kind, dimensions=dimensions, path=path)
    return parts


def _check(parts: dict[str, Any], name: str, kind: type[Any], dimensions: int, path: Path) -> None:
    if name not in parts:
        raise InputError("the array is missing", file=path, field=name)
    array = np.asanyarray(parts[name])
    if not np.issubdtype(array.dtype, kind) or array.ndim != dimensions:
        reason = (
            f"{array.dtype} and {array.ndim} dimensions do not fit: "
            f"expected {kind.__name__.strip('_')} and {dimensions}"
        )
        raise InputError(reason, file=path, field=name)
