"""What the people of a household allow their proxy: one concept, one place.

A mandate narrows the terms of a run for one household. It is checked before every decision and
never widened by anybody else. `--mandates FILE` holds one TOML table per household, and a table
`default` for all of them; what neither says is as the run has it:

    [default]
    disclosure = "direction"

    [h17]
    rule = "cooperative"
    never = [0, 1, 2]
    energy_drift = 0.5
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from agents.devices.home_plans import CAP, Caps
from agents.suggestions import household_suggestion, suggestion
from protocol.checked_input import first_mistake, in_own_style, read_toml
from protocol.errors import InputError
from protocol.terms import DisclosureName, RuleName, Terms


@dataclass(frozen=True, slots=True)
class Mandate:
    """The mandate of one household. None means: as the run has it, or no bound."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    alpha: float | None = None
    beta: float | None = None
    rule: RuleName | None = None
    disclosure: DisclosureName | None = None
    tolerance: float | None = None
    """How far from its preferred value a slot may be that it asks for, kWh."""
    never: frozenset[int] = frozenset()
    """Slots that it never trades, counted from 0."""
    discomfort: float | None = None
    """kWh: no exchange may leave it with more discomfort than this, whatever the rule allows."""
    device_discomfort: float | dict[str, float] | None = None
    """Homes: no plan may give a device more discomfort u than this (1: just acceptable, which is
    also the default for plans), and no exchange of amounts may raise a device above it; for all
    devices, or by device, where `default` is for all others."""
    energy_drift: float | None = None
    """kWh that the sum over all slots may move away from what stage 1 chose, up or down."""
    exchange: bool = True
    """Whether it takes part in stage 2."""
    take_part: bool = True
    """Whether it takes part in the run at all."""

    def __post_init__(self) -> None:
        for name in ("tolerance", "discomfort", "energy_drift"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ValueError(f"{name} must be a number of kWh that is not negative")
        caps = self.device_discomfort
        for cap in caps.values() if isinstance(caps, dict) else () if caps is None else (caps,):
            if not cap >= 0:
                raise ValueError("device_discomfort must not be negative")
        for name in ("alpha", "beta"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"{name} must be in [0, 1]")
        if (self.alpha or 0.0) + (self.beta or 0.0) > 1:
            raise ValueError("alpha + beta must be at most 1")
        if any(slot < 0 for slot in self.never):
            raise ValueError("a slot in never is negative")

    @property
    def device_caps(self) -> Caps | None:
        """The caps on the discomfort of a home's devices in plans; None if it sets none."""
        caps = self.device_discomfort
        if isinstance(caps, dict):
            return Caps(all=caps.get(DEFAULT, CAP), by_device=caps)
        return None if caps is None else Caps(all=caps)

    @property
    def narrowed(self) -> dict[str, object]:
        """Return what its people have asked for, by field; empty if nothing."""
        return {
            field.name: sorted(value) if isinstance(value, frozenset) else value
            for field in fields(self)
            if (value := getattr(self, field.name)) != getattr(FREE, field.name)
        }

    def joins_slots(self, rule: RuleName) -> bool:
        """Return True if what this household decides at one slot, under this rule, may depend on
        its exchanges at others."""
        capped = self.discomfort is not None and rule != "mutual"
        return rule == "cooperative" or capped or self.energy_drift is not None

    def weighted(self, terms: Terms) -> Terms:
        """Return the terms with the weights of this mandate, if it sets any."""
        return replace(
            terms,
            alpha=terms.alpha if self.alpha is None else self.alpha,
            beta=terms.beta if self.beta is None else self.beta,
        )


FREE = Mandate()
"""A mandate that narrows nothing."""
DEFAULT = "default"
"""The table for all households; what a household's own table says wins."""


def load_mandates(file: Path, households: Collection[str], slots: int) -> dict[str, Mandate]:
    """Read the mandates in a TOML file, by household.

    Raises InputError that names the file and the key that is wrong.
    """
    tables = read_toml(file, field="--mandates")
    shared = _table(tables.pop(DEFAULT, {}), file, DEFAULT)
    known = set(households)
    for household in tables:
        if household not in known:
            reason = "no such household in this run: "
            raise InputError(
                f"{reason}{household_suggestion(household, [*households, DEFAULT])}",
                file=file,
                field=household,
            )
    own = {name: _table(table, file, name) for name, table in tables.items()}
    if not shared:
        return {name: _mandate(table, file, name, slots) for name, table in own.items()}
    _mandate(shared, file, DEFAULT, slots)  # so that a mistake in it is reported as its own
    return {
        name: _mandate({**shared, **own.get(name, {})}, file, name, slots) for name in households
    }


def _table(table: object, file: Path, household: str) -> dict[str, Any]:
    """Return the keys of one household's table, with underscores."""
    if not isinstance(table, Mapping):
        raise InputError("a mandate is a TOML table", file=file, field=household)
    return {key.replace("-", "_"): value for key, value in table.items()}


def _mandate(table: Mapping[str, Any], file: Path, household: str, slots: int) -> Mandate:
    values = dict(table)
    if isinstance(values.get("never"), list):
        values["never"] = frozenset(values["never"])
    for key, value in values.items():
        if isinstance(value, bool) != (key in _SWITCHES) and key in _KEYS:
            wanted = "true or false" if key in _SWITCHES else "no switch"
            reason = f"{str(value).lower()}: this key is {wanted}"
            raise InputError(reason, file=file, field=f"{household}.{key}")
    try:
        mandate = _READ.validate_python(values)
    except ValidationError as error:
        place, message, kind = first_mistake(error)
        if kind == "unexpected_keyword_argument":
            message = f"no such key: {suggestion(place, _KEYS)}"
        field = f"{household}.{place}" if place else household
        raise InputError(in_own_style(message), file=file, field=field) from error
    beyond = [slot for slot in mandate.never if slot >= slots]
    if beyond:
        raise InputError(
            f"slot {min(beyond)} is beyond the last one, {slots - 1}",
            file=file,
            field=f"{household}.never",
        )
    return mandate


_KEYS = tuple(field.name for field in fields(Mandate))
_SWITCHES = ("exchange", "take_part")
_READ = TypeAdapter(Mandate)
