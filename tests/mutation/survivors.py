"""Survivors: mutants that no test notices, with keys that do not depend on line numbers.

The defended ones are in `survivors.toml`, each with the reason why it is accepted.
"""

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_name("survivors.toml")


class Survivor(NamedTuple):
    """A mutation that changes nothing that the tests see."""

    module: str
    """File from the top of the checkout."""
    function: str
    """Class and method, or function."""
    mutation: str
    """The lines that change, before and after."""


def defended(file: Path = FILE) -> dict[Survivor, str]:
    """Read the list of defended survivors with their reasons; raises ValueError for one without."""
    found = {}
    for entry in tomllib.loads(file.read_text()).get("survivor", []):
        survivor = Survivor(entry["module"], entry["function"], entry["mutation"])
        if not entry["reason"].strip():
            raise ValueError(f"{file.name}: no reason for {survivor}")
        found[survivor] = entry["reason"]
    return found


def mutation_of(difference: str) -> str:
    """Return the key of a mutation: the changed lines of a unified diff, before and after."""
    lines = difference.splitlines()[3:]
    before = " ".join(line[1:].strip() for line in lines if line.startswith("-"))
    after = " ".join(line[1:].strip() for line in lines if line.startswith("+"))
    return f"{before} -> {after}"


def as_toml(survivors: Iterable[Survivor]) -> str:
    """Return entries for `survivors.toml` whose reasons are still to be written."""
    # A JSON string is a TOML string.
    return "\n".join(
        "\n".join(
            [
                "[[survivor]]",
                *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in fields),
                'reason = ""',
                "",
            ]
        )
        for fields in (zip(Survivor._fields, survivor, strict=True) for survivor in survivors)
    )
