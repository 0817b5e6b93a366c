"""Loading a population from a folder or a file, whichever it is.

Decides whose word counts on what scores mean, when slots are, and what households are called.
"""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from agents.plans import Population, ScoreMeaning
from agents.population import epos_folder
from agents.population import npz_archive as archive
from agents.population.description_file import Description, read_description
from protocol.errors import InputError


def load(
    path: Path, *, households: int | None = None, score: ScoreMeaning | None = None
) -> Population:
    """Load all households at `path`, or the first `households`.

    What the scores mean is said by `score`, else by the archive itself or the description beside
    the data, else they are preferences; `Population.meaning_source` tells which.
    """
    if households is not None and households < 1:
        raise InputError("at least one household is needed", field="households")
    if not path.exists():
        raise InputError("no such folder or file", file=path, field="--dataset")
    described = read_description(path)
    if path.is_dir():
        meaning, source = (score, "option") if score else (described.score, "file")
        meaning, source = (meaning, source) if meaning else ("preference", "default")
        population = epos_folder.read(path, households=households, meaning=meaning)
        return _described(replace(population, meaning_source=source), described)
    if path.suffix == ".npz":
        population = archive.read(
            path, households=households, meaning=score, described=described.score
        )
        return _described(population, described)
    raise InputError("expected a folder of agent_<N>.plans, or an .npz file", file=path)


def _described(population: Population, described: Description) -> Population:
    """Return the population with what the description beside it adds to what it says itself."""
    names = {key: name for key, name in described.names.items() if key in population.households}
    return replace(
        population,
        slot_times=population.slot_times or described.slot_times,
        names={**names, **population.names},
    )


def data_sha256(population: Population) -> str:
    """Digest ids, plans, scores, their meaning and the target, as hexadecimal digits.

    It is of the content, whatever file it came from.
    """
    digest = sha256()
    for name, plans in population.households.items():
        digest.update(f"{name}:{plans.meaning}:{plans.values.shape}".encode())
        digest.update(np.ascontiguousarray(plans.scores, dtype="<f8").tobytes())
        digest.update(np.ascontiguousarray(plans.values, dtype="<f8").tobytes())
    if population.target is not None:
        digest.update(b"target")
        digest.update(np.ascontiguousarray(population.target, dtype="<f8").tobytes())
    return digest.hexdigest()
