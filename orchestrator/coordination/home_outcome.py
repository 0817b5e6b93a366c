"""What a run costs the people of its homes, by household and for all.

This module decides which plans are measured. After stage 1 the orchestrator of a run knows them,
since it has made or read them; schedules of devices after stage 2 stay with their homes.
"""

from collections.abc import Mapping
from typing import Literal, TypedDict, cast

from agents.devices.home import Comfort, Home
from orchestrator.results.home_measures import HomeMeasures, home_measures
from orchestrator.scenario.scenario import Scenario
from protocol.messages import Result


class ComfortColumns(TypedDict, total=False):
    """The columns of households.csv about a home's devices."""

    device_discomfort_planned: float | None
    minutes_late_planned: float | None
    degrees_short_planned: float | None
    hours_late_planned: float | None
    device_discomfort_exchanged: float | None
    minutes_late_exchanged: float | None
    degrees_short_exchanged: float | None
    hours_late_exchanged: float | None


def comfort_columns(
    comfort: Comfort | None, state: Literal["planned", "exchanged"]
) -> ComfortColumns:
    """Return the columns of a household's row in one state; none for what is no home."""
    if comfort is None:
        return {}
    columns = {
        f"device_discomfort_{state}": comfort.discomfort,
        f"minutes_late_{state}": comfort.minutes_late,
        f"degrees_short_{state}": comfort.degrees_short,
        f"hours_late_{state}": comfort.hours_late,
    }
    return cast(ComfortColumns, columns)


def comfort_of(scenario: Scenario, household: str, plan: int) -> Comfort | None:
    """Return what a plan costs the people of a home; None for what is no home."""
    own = scenario.population.households[household].home
    return None if own is None else own.home.comfort(own.plans[plan])


def measures_of_homes(
    scenario: Scenario, reports: Mapping[str, Result]
) -> dict[str, HomeMeasures] | None:
    """Return the measures of all homes by state; None if no household is a home."""
    if not scenario.population.has_homes:
        return None
    preferred = {name: own.preferred_index for name, own in scenario.population.households.items()}
    selected = {name: reports[name].selected_plan for name in scenario.members}
    return {
        "preferred": _measured(scenario, preferred),
        "planned": _measured(scenario, selected),
    }


def _measured(scenario: Scenario, plans: Mapping[str, int]) -> HomeMeasures:
    found: list[tuple[Home, Comfort]] = []
    for name in scenario.members:
        own = scenario.population.households[name].home
        comfort = comfort_of(scenario, name, plans[name])
        if own is not None and comfort is not None:
            found.append((own.home, comfort))
    return home_measures(found)
