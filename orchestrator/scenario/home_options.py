"""What options and mandates mean for homes, and for a run without stage 1.

This module decides the measure of discomfort, which plans mandates allow, and with which plans
households start if stage 1 is skipped.
"""

from collections.abc import Mapping
from dataclasses import replace

from agents.mandate import DEFAULT, Mandate
from agents.plans import Population
from agents.population.homes import within_caps
from agents.suggestions import suggestion
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError
from protocol.terms import DiscomfortName

SAVED_MAX = 1_000
"""Up to this many generated homes, their schedules are saved without asking."""


def measure_of(settings: RunSettings, population: Population) -> DiscomfortName:
    """Return the measure of discomfort in stage 1: of the devices for homes, else RMSE.

    Raises InputError if the option asks for devices where there are none.
    """
    if settings.discomfort == "device" and not population.has_homes:
        raise InputError("only homes have devices: choose another measure", field="--discomfort")
    return settings.discomfort or ("device" if population.has_homes else "rmse")


def with_mandates(
    population: Population, mandates: Mapping[str, Mandate], settings: RunSettings
) -> Population:
    """Return the population with the plans that people allow (`device_discomfort`).

    Raises InputError, naming the household, for devices that it does not have.
    """
    caps = {name: caps for name, own in mandates.items() if (caps := own.device_caps) is not None}
    for name, allowed in caps.items():
        own, field = population.households[name].home, f"{name}.device_discomfort"
        if own is None:
            reason = "only homes have devices: leave it out"
            raise InputError(reason, file=settings.mandates, field=field)
        devices = [device.name for device in own.home.devices]
        for device in allowed.by_device:
            if device not in (*devices, DEFAULT) and devices:
                reason = f"there is no device {device!r}: {suggestion(device, devices)}"
                raise InputError(reason, file=settings.mandates, field=field)
    return within_caps(population, caps, plans=settings.plans, seed=settings.seed)


def with_saved_schedules(settings: RunSettings) -> RunSettings:
    """Return the settings with `save_schedules` for generated homes, which keep nothing private, up
    to a number whose schedules fit on one page."""
    if settings.homes is None or settings.homes > SAVED_MAX:
        return settings
    return settings.model_copy(update={"save_schedules": True})


def starting(population: Population) -> Population:
    """Return the population whose households keep the plans with which they start."""
    households = {name: replace(own, fixed=True) for name, own in population.households.items()}
    return replace(population, households=households)
