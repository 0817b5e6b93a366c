"""A population from a folder or a file, whichever it is, and what its scores mean."""

import tomllib
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import cast, get_args

import numpy as np

from agents.data import archive, epos_folder
from agents.plans import Population, ScoreMeaning
from protocol.errors import InputError

DESCRIPTION = "coflex.toml"
"""Lies in a data set's folder, or beside its file: `score = "preference"` or `score = "cost"`."""


def load(
    path: Path, *, households: int | None = None, score: ScoreMeaning | None = None
) -> Population:
    """All households at `path`, or the first `households`.

    What the scores mean is said by `score`, else by the description beside the data, else by the
    archive itself, else they are preferences; `Population.meaning_source` tells which.
    """
    if not path.exists():
        raise InputError("no such folder or file", file=path, field="--dataset")
    described = _described(path)
    meaning, source = (score, "option") if score else (described, "file")
    if path.is_dir():
        meaning, source = (meaning, source) if meaning else ("preference", "default")
        population = epos_folder.read(path, households=households, meaning=meaning)
    elif path.suffix == ".npz":
        population = archive.read(path, households=households, meaning=meaning)
    else:
        raise InputError("expected a folder of agent_<N>.plans, or an .npz file", file=path)
    return replace(population, meaning_source=source)


def data_sha256(population: Population) -> str:
    """Hexadecimal digest of ids, plans, scores, their meaning and the target: of the content,
    whatever file it came from."""
    digest = sha256()
    for name, plans in population.households.items():
        digest.update(f"{name}:{plans.meaning}:{plans.values.shape}".encode())
        digest.update(np.ascontiguousarray(plans.scores, dtype="<f8").tobytes())
        digest.update(np.ascontiguousarray(plans.values, dtype="<f8").tobytes())
    if population.target is not None:
        digest.update(b"target")
        digest.update(np.ascontiguousarray(population.target, dtype="<f8").tobytes())
    return digest.hexdigest()


def _described(path: Path) -> ScoreMeaning | None:
    """What the description beside the data says, if there is one."""
    file = (path if path.is_dir() else path.parent) / DESCRIPTION
    if not file.exists():
        return None
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"not a TOML file: {error}", file=file) from error
    unknown = set(said) - {"score"}
    if unknown:
        raise InputError("unknown key; only score can be said here", file=file, field=min(unknown))
    score = said.get("score")
    if score is not None and score not in get_args(ScoreMeaning):
        raise InputError('expected "preference" or "cost"', file=file, field="score")
    return cast(ScoreMeaning | None, score)
