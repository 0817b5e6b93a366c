"""Mandates: the limits that the people of a household set for their proxy.

A mandate narrows the terms of a run for one household. It is checked before every decision, and
nobody else ever widens it. `--mandates FILE` has one TOML table per household; a key that is left
out means that the run's own terms apply:


    [h17]
    rule = "cooperative"
    never = [0, 1, 2]
    energy_drift = 0.5
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from protocol.errors import InputError
from protocol.terms import DisclosureName, RuleName


@dataclass(frozen=True, slots=True)
class Mandate:
    """The mandate of one household. A field that is None leaves the run's terms as they are, or
    sets no bound."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    alpha: float | None = None
    beta: float | None = None
    rule: RuleName | None = None
    disclosure: DisclosureName | None = None
    tolerance: float | None = None
    """Distance from the preferred value that the household may accept when it asks, kWh."""
    never: frozenset[int] = frozenset()
    """Slots that the household never trades."""
    discomfort: float | None = None
    """Largest discomfort that an exchange may leave the household with, kWh, whatever the rule
    allows."""
    energy_drift: float | None = None
    """Largest change of the sum over all slots from the selected plan's, up or down, kWh."""
    exchange: bool = True
    """False if the household takes no part in stage 2."""
    take_part: bool = True
    """False if the household takes no part in the run."""

    def __post_init__(self) -> None:
        for name in ("tolerance", "discomfort", "energy_drift"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ValueError(f"{name} must be a number of kWh that is not negative")
        for name in ("alpha", "beta"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"{name} must be in [0, 1]")
        if (self.alpha or 0.0) + (self.beta or 0.0) > 1:
            raise ValueError("alpha + beta must be at most 1")
        if any(slot < 0 for slot in self.never):
            raise ValueError("a slot in never is negative")


FREE = Mandate()
"""A mandate that narrows nothing."""


def load_mandates(file: Path, households: Collection[str], slots: int) -> dict[str, Mandate]:
    """Read mandates from a TOML file, by household id. InputError names the file and the field."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("no such file", file=file, field="--mandates") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"not a TOML file: {error}", file=file) from error
    known = set(households)
    mandates: dict[str, Mandate] = {}
    for household, table in tables.items():
        if household not in known:
            raise InputError(
                "no such household in this run: name a table after a household's id",
                file=file,
                field=household,
            )
        mandates[household] = _mandate(table, file, household, slots)
    return mandates


def _mandate(table: Any, file: Path, household: str, slots: int) -> Mandate:
    if not isinstance(table, Mapping):
        raise InputError("a mandate is a TOML table", file=file, field=household)
    values = {key.replace("-", "_"): value for key, value in table.items()}
    if isinstance(values.get("never"), list):
        values["never"] = frozenset(values["never"])
    try:
        mandate = _READ.validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join([household, *(str(part) for part in first["loc"])])
        advice = (
            f" (known: {', '.join(f.name for f in fields(Mandate))})"
            if first["type"] == "unexpected_keyword_argument"
            else ""
        )
        raise InputError(f"{first['msg']}{advice}", file=file, field=place) from error
    beyond = [slot for slot in mandate.never if slot >= slots]
    if beyond:
        raise InputError(
            f"slot {min(beyond)} is beyond the last one, {slots - 1}",
            file=file,
            field=f"{household}.never",
        )
    return mandate


_READ = TypeAdapter(Mandate)
