"""What a run costs the people of its homes, by household and for all.

This module decides which plans are measured. After stage 1 the orchestrator of a run knows them,
since it has made or read them; schedules of devices after stage 2 stay with their homes.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict, cast

from agents.devices.home import Comfort, Home
from orchestrator.results.device_kinds import DayByKind, HomeGroup, day_by_kind, home_groups
from orchestrator.results.home_measures import HomeMeasures, home_measures
from orchestrator.results.run_results import HouseholdRow
from orchestrator.scenario.scenario import Scenario
from protocol.messages import Result

ROUNDING = 1e-6
"""A rise of discomfort of devices up to this is rounding: levels are rounded, amounts are not."""
SCHEDULE_ROUNDING_KWH = 1e-12
"""The same for the discomfort of a schedule."""


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


class HomeParts(TypedDict):
    """The parts of results that only homes have; None without homes."""

    homes: dict[str, HomeMeasures] | None
    groups: dict[str, HomeGroup] | None
    kinds: dict[str, DayByKind] | None


def parts_of_homes(scenario: Scenario, reports: Mapping[str, Result]) -> HomeParts:
    """Return the parts of results that only homes have."""
    return HomeParts(
        homes=measures_of_homes(scenario, reports),
        groups=groups_of_homes(scenario, reports),
        kinds=kinds_of_homes(scenario, reports),
    )


def measures_of_homes(
    scenario: Scenario, reports: Mapping[str, Result]
) -> dict[str, HomeMeasures] | None:
    """Return the measures of all homes by state; None if no household is a home."""
    if not scenario.population.has_homes:
        return None
    preferred = {name: own.preferred_index for name, own in scenario.population.households.items()}
    selected = {name: reports[name].selected_plan for name in scenario.members}
    found = {
        "preferred": _measured(scenario, preferred),
        "planned": _measured(scenario, selected),
    }
    exchanged = _exchanged(scenario, reports)
    return found if exchanged is None else {**found, "exchanged": exchanged}


def groups_of_homes(
    scenario: Scenario, reports: Mapping[str, Result]
) -> dict[str, HomeGroup] | None:
    """Return homes by what they have, and their discomfort; None if no household is a home."""
    found: list[tuple[Home, float | None, float | None]] = []
    for name in scenario.members:
        own, report = scenario.population.households[name].home, reports[name]
        before = comfort_of(scenario, name, report.selected_plan)
        after = comfort_exchanged(report)
        if own is not None and before is not None:
            ended = None if after is None else after.discomfort
            found.append((own.home, before.discomfort, ended))
    return home_groups(found) or None


def kinds_of_homes(
    scenario: Scenario, reports: Mapping[str, Result]
) -> dict[str, DayByKind] | None:
    """Return the energy of all homes by kind of device, as preferred and after stage 1; None unless
    all households are homes."""
    members = [(name, scenario.population.households[name]) for name in scenario.members]
    if any(own.home is None for _, own in members):
        return None
    chosen = {
        "preferred": [own.preferred_index for _, own in members],
        "planned": [reports[name].selected_plan for name, _ in members],
    }
    return {
        state: day_by_kind(
            [
                (own.home.home, own.home.plans[plan])
                for (_, own), plan in zip(members, plans, strict=True)
                if own.home is not None
            ]
        )
        for state, plans in chosen.items()
    }


def comfort_exchanged(result: Result) -> Comfort | None:
    """Return the comfort after stage 2 as a home reports it; None if it exchanged no amounts."""
    own = None if result.exchanged is None else result.exchanged.comfort
    if own is None:
        return None
    return Comfort(
        discomfort=own.discomfort,
        minutes_late=own.minutes_late,
        degrees_short=own.degrees_short,
        hours_late=own.hours_late,
    )


def _exchanged(scenario: Scenario, reports: Mapping[str, Result]) -> HomeMeasures | None:
    """Return the measures of all homes after stage 2; None if they exchanged no amounts."""
    found: list[tuple[Home, Comfort]] = []
    for name in scenario.members:
        own, comfort = scenario.population.households[name].home, comfort_exchanged(reports[name])
        if own is not None and comfort is not None:
            found.append((own.home, comfort))
    return home_measures(found) if found else None


def _measured(scenario: Scenario, plans: Mapping[str, int]) -> HomeMeasures:
    found: list[tuple[Home, Comfort]] = []
    for name in scenario.members:
        own = scenario.population.households[name].home
        comfort = comfort_of(scenario, name, plans[name])
        if own is not None and comfort is not None:
            found.append((own.home, comfort))
    return home_measures(found)


def both_comforts(scenario: Scenario, household: str, result: Result) -> ComfortColumns:
    """Return the columns about a home's devices; none for what is no home."""
    return {
        **comfort_columns(comfort_of(scenario, household, result.selected_plan), "planned"),
        **comfort_columns(comfort_exchanged(result), "exchanged"),
    }


def households_worse(rows: Sequence[HouseholdRow]) -> int:
    """Return how many households have more discomfort after stage 2 than before: that of their
    devices if homes exchanged amounts, else that of the schedule."""
    before_after = [
        (row.device_discomfort_planned, row.device_discomfort_exchanged)
        for row in rows
        if row.device_discomfort_exchanged is not None
    ]
    if before_after:
        return sum(after - (before or 0.0) > ROUNDING for before, after in before_after)
    return sum((row.comfort_gain or 0.0) < -SCHEDULE_ROUNDING_KWH for row in rows)
