"""Loading of populations, from a folder or a file.

This module decides which source counts for the meaning of scores, the times of slots, and the names
of households.
"""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from agents.plans import Population, ScoreMeaning
from agents.population import epos_folder, homes
from agents.population import npz_archive as archive
from agents.population.description_file import Description, read_description
from protocol.errors import InputError


def load(
    path: Path,
    *,
    households: int | None = None,
    score: ScoreMeaning | None = None,
    plans: int | None = None,
    seed: int = 0,
) -> Population:
    """Load all households at `path`, or the first `households` of them.

    Homes make `plans` plans from their devices with a seed; None: those of their file, or as many
    as is usual. The meaning of scores is `score`, else that in the archive or the description of
    the data, else "preference"; `Population.meaning_source` says which. Raises InputError if the
    data are wrong.
    """
    if households is not None and households < 1:
        raise InputError("must be at least 1", field="--households")
    if not path.exists():
        raise InputError("no such folder or file", file=path, field="--dataset")
    if homes.holds_homes(path):
        if score is not None:
            raise InputError("homes have no scores to read", field="--score")
        return homes.read(path, households=households, plans=plans, seed=seed)
    if plans is not None:
        raise InputError("only homes make plans from devices", field="--plans")
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
    reason = "expected a folder of agent_<N>.plans, an .npz file, or homes (.toml, .json)"
    raise InputError(reason, file=path)


def _described(population: Population, described: Description) -> Population:
    """Return the population with times and names from its description where it has none."""
    names = {key: name for key, name in described.names.items() if key in population.households}
    return replace(
        population,
        slot_times=population.slot_times or described.slot_times,
        names={**names, **population.names},
    )


def data_sha256(population: Population) -> str:
    """Return a digest of ids, plans, scores, their meaning, devices and the target, in hexadecimal.

    It depends on the content only, not on the kind of file.
    """
    digest = sha256()
    for name, plans in population.households.items():
        digest.update(f"{name}:{plans.meaning}:{plans.values.shape}".encode())
        digest.update(np.ascontiguousarray(plans.scores, dtype="<f8").tobytes())
        digest.update(np.ascontiguousarray(plans.values, dtype="<f8").tobytes())
        if plans.home is not None:
            digest.update(homes.fingerprint(plans.home))
    if population.target is not None:
        digest.update(b"target")
        digest.update(np.ascontiguousarray(population.target, dtype="<f8").tobytes())
    return digest.hexdigest()
