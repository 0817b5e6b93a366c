"""One compact file for a population: a numpy .npz archive without pickles.

Arrays: `version` (1), `ids` (n strings), `counts` (plans of each household), `scores` (all plans,
one after another), `values` (all plans, slots), `meaning`, and `target` if there is one.
"""

import os
import tempfile
import zipfile
from pathlib import Path
from typing import cast, get_args

import numpy as np

from agents.plans import Plans, Population, ScoreMeaning
from protocol.errors import InputError

VERSION = 1
_REQUIRED = ("version", "ids", "counts", "scores", "values", "meaning")


def write(population: Population, path: Path) -> None:
    """Write the archive; every number reads back exactly."""
    members = population.households
    parts = {
        "version": np.array(VERSION),
        "ids": np.array(list(members)),
        "counts": np.array([len(plans.scores) for plans in members.values()]),
        "scores": np.concatenate([plans.scores for plans in members.values()]),
        "values": np.concatenate([plans.values for plans in members.values()]),
        "meaning": np.array(next(iter(members.values())).meaning),
    }
    if population.target is not None:
        parts["target"] = population.target
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}-", delete=False
        ) as draft:
            np.savez(draft, allow_pickle=False, **parts)
        os.replace(draft.name, path)
    except OSError as error:
        raise InputError(f"cannot be written: {error}", file=path) from error


def read(
    path: Path, *, households: int | None = None, meaning: ScoreMeaning | None = None
) -> Population:
    """The population of an archive, or its first `households`."""
    parts = _parts(path)
    try:
        version = int(parts["version"])
        if version != VERSION:
            raise InputError(f"format version {version}, only {VERSION} can be read", file=path)
        ids = [str(name) for name in parts["ids"]]
        counts = parts["counts"].astype(np.int64, casting="safe")
        scores = np.ascontiguousarray(parts["scores"], dtype=np.float64)
        values = np.ascontiguousarray(parts["values"], dtype=np.float64)
        written = str(parts["meaning"])
    except (TypeError, ValueError) as error:
        raise InputError(f"an array is of the wrong kind: {error}", file=path) from None
    if written not in get_args(ScoreMeaning):
        raise InputError(f"unknown meaning of scores {written!r}", file=path, field="meaning")
    if values.ndim != 2 or scores.shape != values.shape[:1] or counts.shape != (len(ids),):
        raise InputError("shapes of scores, values, counts and ids do not fit", file=path)
    if (counts < 1).any() or counts.sum() != len(values):
        raise InputError("counts do not add up to the plans there are", file=path, field="counts")
    if len(set(ids)) != len(ids):
        raise InputError("two households have the same id", file=path, field="ids")
    if not (np.isfinite(values).all() and np.isfinite(scores).all()):
        raise InputError("a value or score is NaN or infinite", file=path)
    if households is not None and households > len(ids):
        reason = f"{households} households are asked for, the file has {len(ids)}"
        raise InputError(reason, file=path, field="households")
    ends = np.cumsum(counts)
    own = meaning or cast(ScoreMeaning, written)
    members = {
        name: Plans(values[end - count : end], scores[end - count : end], own)
        for name, count, end in list(zip(ids, counts, ends, strict=True))[:households]
    }
    if not members:
        raise InputError("no households", file=path)
    return Population(members, str(path), _target(parts, path))


def _target(parts: dict[str, np.ndarray], path: Path) -> np.ndarray | None:
    target = parts.get("target")
    if target is None:
        return None
    if target.dtype != np.float64 or target.ndim != 1 or not np.isfinite(target).all():
        raise InputError("not a vector of finite numbers", file=path, field="target")
    return target


def _parts(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            parts = dict(archive.items())
    except FileNotFoundError:
        raise InputError("no such file", file=path) from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, TypeError) as error:
        raise InputError(f"not an .npz archive: {error}", file=path) from None
    for name in _REQUIRED:
        if name not in parts:
            raise InputError("the array is missing", file=path, field=name)
    return parts
