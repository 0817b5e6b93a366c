"""Populations of homes: the plans that households have are those that their devices can follow.

This module decides where the plans of a home come from: its file, else its devices (`home_plans`).
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from agents.devices.compact_file import homes_of
from agents.devices.day import Day
from agents.devices.home import PlannedHome
from agents.devices.home_file import SUFFIXES, home_files, read_homes
from agents.devices.home_plans import NO_MANDATE, Caps, plans_of
from agents.devices.home_table import Homes
from agents.plans import Plans, Population, SlotTimes
from agents.population.epos_folder import has_plan_files
from agents.population.home_generation import generated_homes
from protocol.errors import InputError

PLANS = 10
"""Plans that a home makes from its devices unless people say otherwise."""


def holds_homes(path: Path) -> bool:
    """Return True if a data set is of homes: a .toml or .json file, or a folder with such files and
    without plan files."""
    if path.is_dir():
        return not has_plan_files(path) and bool(home_files(path))
    return path.suffix in SUFFIXES


def read(path: Path, *, households: int | None, plans: int | None, seed: int) -> Population:
    """Read the population of the homes at `path`, or the first `households` of them.

    Homes keep the plans of their file, unless `plans` says how many are to be made. Raises
    InputError, naming file, home and field.
    """
    found = read_homes(path)
    if households is not None and households > len(found.homes):
        reason = f"{households} is not possible: there are {len(found.homes)}"
        raise InputError(reason, file=path, field="--households")
    kept = dict(list(found.homes.items())[:households])
    try:
        return population_of_homes(
            Homes(day=found.day, homes=kept), source=str(path), plans=plans, seed=seed
        )
    except InputError as error:
        raise InputError(error.reason, file=path, field=error.field) from error


def generated_population(count: int, *, plans: int | None, seed: int) -> Population:
    """Return a population of generated homes (`home_generation`)."""
    homes = homes_of(generated_homes(count, seed=seed), Path("generated"), {})
    return population_of_homes(homes, source="generated", plans=plans, seed=seed)


def population_of_homes(
    homes: Homes, *, source: str, plans: int | None = None, seed: int = 0
) -> Population:
    """Return the population of homes. Raises InputError with the field `home.device` if a home
    cannot do what it must."""
    return Population(
        households={
            name: home_plans(own, count=plans, seed=seed) for name, own in homes.homes.items()
        },
        source=source,
        meaning_source="file",
        slot_times=_slot_times(homes.day),
    )


def home_plans(own: PlannedHome, *, count: int | None, seed: int, caps: Caps = NO_MANDATE) -> Plans:
    """Return the plans of a home: those of its file, or `count` new ones within the caps.

    The same seed gives the same plans, whichever other homes there are.
    """
    if count is not None or not own.plans:
        name = own.home.id
        chance = np.random.default_rng([seed, int.from_bytes(sha256(name.encode()).digest()[:8])])
        try:
            made = plans_of(own.home, count or PLANS, chance, caps)
        except InputError as error:
            raise InputError(error.reason, field=f"{name}.{error.field}") from error
        own = PlannedHome(home=own.home, plans=made, made=True)
    scores = np.zeros(len(own.plans))
    scores[0] = 1.0
    values = np.stack([own.home.total(schedules) for schedules in own.plans])
    return Plans(values, scores, home=own)


def within_caps(
    population: Population, caps: Mapping[str, Caps], *, plans: int | None, seed: int
) -> Population:
    """Return the population with plans of the named homes that are within what their people allow.

    Plans of a file that go beyond are left out; plans made from devices are made anew. The
    preferred plan always stays.
    """
    households = dict(population.households)
    for name, allowed in caps.items():
        own = households[name].home
        if own is not None:
            households[name] = _within(own, allowed, plans=plans, seed=seed)
    return replace(population, households=households)


def fingerprint(own: PlannedHome) -> bytes:
    """Return bytes that differ wherever two homes can do different things, or start differently."""
    digest = sha256(f"{own.home.essential_share}:{own.selected}".encode())
    for device in own.home.devices:
        digest.update(_description(device).encode())
    for plan in own.plans:
        for schedule in plan.values():
            digest.update(np.ascontiguousarray(schedule, dtype="<f8").tobytes())
    return digest.digest()


def _description(value: object) -> str:
    """Return all numbers and words of a device, exactly."""
    if isinstance(value, np.ndarray):
        return str(value.tolist())
    if is_dataclass(value):
        names = [each.name for each in fields(value)]
    elif hasattr(value, "__dict__"):  # a device of people's own
        names = sorted(vars(value))
    else:
        return repr(value)
    parts = [f"{name}={_description(getattr(value, name))}" for name in names]
    return f"{type(value).__name__}({', '.join(parts)})"


def _within(own: PlannedHome, caps: Caps, *, plans: int | None, seed: int) -> Plans:
    if plans is not None or own.made:
        return home_plans(replace(own, plans=()), count=plans, seed=seed, caps=caps)
    at_ease = own.home.discomforts(own.plans[0])
    kept = [
        number
        for number, schedules in enumerate(own.plans)
        if all(
            discomfort <= max(caps.of(device), at_ease[device])
            for device, discomfort in own.home.discomforts(schedules).items()
        )
    ]
    selected = kept.index(own.selected) if own.selected in kept else None
    left = replace(own, plans=tuple(own.plans[number] for number in kept), selected=selected)
    return home_plans(left, count=None, seed=seed)


def _slot_times(day: Day) -> SlotTimes:
    first = day.first if day.date is None else f"{day.date}T{day.first}"
    return SlotTimes(first, day.slot_minutes, day.time_zone)
