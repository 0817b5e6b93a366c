"""What a data set says of itself: a small TOML file in its folder, or beside its single file.

One key: `score = "preference"` or `score = "cost"`. Whether it is believed is decided in load.py.
"""

import tomllib
from pathlib import Path
from typing import cast, get_args

from agents.plans import Population, ScoreMeaning
from protocol.errors import InputError

DESCRIPTION = "coflex.toml"


def read_description(path: Path) -> ScoreMeaning | None:
    """What scores mean by the description of the data at `path`; None if it does not say."""
    file = (path if path.is_dir() else path.parent) / DESCRIPTION
    if not file.exists():
        return None
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"not a TOML file: {error}", file=file) from error
    unknown = set(said) - {"score"}
    if unknown:
        raise InputError("unknown key; only score can be said here", file=file, field=min(unknown))
    score = said.get("score")
    if score is not None and score not in get_args(ScoreMeaning):
        raise InputError('expected "preference" or "cost"', file=file, field="score")
    return cast(ScoreMeaning | None, score)


def meaning_to_keep(population: Population) -> ScoreMeaning | None:
    """What a file of this population must say of its scores.

    None where nobody said anything and readers assume the same: a default must not turn into
    somebody's word by being written down.
    """
    meaning = next(iter(population.households.values())).meaning
    said = population.meaning_source != "default" or meaning != "preference"
    return meaning if said else None


def write_description(population: Population, folder: Path) -> None:
    """Write the description into a folder, if there is something to say."""
    meaning = meaning_to_keep(population)
    if meaning is not None:
        Path(folder, DESCRIPTION).write_text(f'score = "{meaning}"\n', encoding="ascii")
