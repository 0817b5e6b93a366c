"""Results: the report of a household that has finished, and the histories of both stages."""

from dataclasses import dataclass

from protocol.domains import Count, Finite, SlotOrWhole, Step
from protocol.messages.exchange import LeaseId, RoundCount
from protocol.messages.planning import Iteration
from protocol.subjects import Name
from protocol.vectors import Vector


@dataclass(frozen=True, slots=True)
class PlanningHistory:
    """The history of stage 1, as a root recorded it: the iterations in which it was the root."""

    iterations: tuple[Iteration, ...]
    response_kwh: Vector
    """The global plan after the last iteration of the run, or before the next exchange, kWh."""
    summed_kwh: Vector | None = None
    """The global plan after the first iteration, kWh, if an exchange went before: in that iteration
    every household kept its schedule. None before the first exchange."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The exchanges of one household, in their order, one field per column. Only sent if the terms
    ask for it."""

    rounds: tuple[Step, ...]
    slots: tuple[SlotOrWhole, ...]
    partners: tuple[Name, ...]
    leases: tuple[LeaseId, ...]
    asked: tuple[bool, ...]
    """True where the household was the requester."""
    given_kwh: Vector
    """Value given, kWh."""
    taken_kwh: Vector
    """Value taken, kWh."""
    gains_kwh2: Vector
    """Decrease of its own squared deviation, kWh^2."""


@dataclass(frozen=True, slots=True)
class HomeComfort:
    """What its schedules cost the people of a home; None where they have no such device."""

    discomfort: Finite | None
    """Root mean square of the discomforts of its devices; 1 is just acceptable."""
    minutes_late: Finite | None
    """Mean time between start and preferred start of its machines."""
    degrees_short: Finite | None
    """Mean over its stores of heat."""
    hours_late: Finite | None
    """Mean over its cars of the time by which their reserve is late."""


@dataclass(frozen=True, slots=True)
class Exchanged:
    """The result of stage 2 for one household."""

    discomfort_kwh: Finite
    """RMSE of the schedule against the preferred plan, kWh."""
    energy_drift_kwh: Finite
    """Sum of the schedule minus sum of the selected plan, kWh."""
    requests: Count
    """Number of proposals the household made."""
    accepted: Count
    """Number of these that were accepted."""
    refused: Count
    trace: Trace | None = None
    clipped_slots: Count = 0
    """Equal shift: number of slots with negative consumption where the preferred plan has none."""
    clipped_kwh: Finite = 0.0
    """Energy below zero at these slots, kWh, not negative."""
    comfort: HomeComfort | None = None
    """Content amounts: the comfort after the exchange."""


@dataclass(frozen=True, slots=True)
class ExchangeHistory:
    """The history of stage 2, as the root recorded it."""

    rounds: tuple[RoundCount, ...]
    """Counts by round. In the first two nothing is asked: the start of the stage, and the time when
    all offers are made."""
    response_kwh: Vector
    """Sum of all schedules at the end, kWh."""
    gathers: tuple[Step, ...] = (-1,)
    """Rounds in which an exchange began: they only add up the state at its start."""


@dataclass(frozen=True, slots=True)
class Replanned:
    """The result of stage 1 for one household after an exchange (`exchange_every`)."""

    selected_plan: Count
    """Index of the selected plan; beyond the own plans: of a schedule after an exchange."""
    discomfort_kwh: Finite
    """RMSE of that plan or schedule against the preferred plan, kWh."""
    history: PlanningHistory | None = None
    """The iterations since the exchange; from the root only."""


@dataclass(frozen=True, slots=True)
class Result:
    """Household to orchestrator: its result. Repeated until Release arrives."""

    selected_plan: Count
    beta: Finite
    discomfort_planned_kwh: Finite
    """RMSE of the selected plan against the preferred plan, kWh (source, eq. 1), whichever measure
    stage 1 used."""
    planning_history: PlanningHistory | None = None
    """The iterations in which the household was the root, if there were any."""
    exchanged: Exchanged | None = None
    """The result of stage 2; None if there was no stage 2."""
    exchange_history: ExchangeHistory | None = None
    """The history of stage 2, from its root only."""
    replanned: tuple[Replanned, ...] = ()
    """The results of stage 1 after each exchange but the last."""
