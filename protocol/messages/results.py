"""Results: what a household reports when it has finished, and the histories of both stages."""

from dataclasses import dataclass

from protocol.messages.exchange import LeaseId, RoundCount
from protocol.messages.planning import Iteration
from protocol.vectors import Finite, Vector


@dataclass(frozen=True, slots=True)
class PlanningHistory:
    """How stage 1 went, as a root saw it: the iterations in which it was the root."""

    iterations: tuple[Iteration, ...]
    response_kwh: Vector
    """The global plan after the last iteration of the run, kWh."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The exchanges that one household made, in their order, one column each; only if the terms ask
    for it."""

    rounds: tuple[int, ...]
    slots: tuple[int, ...]
    partners: tuple[str, ...]
    leases: tuple[LeaseId, ...]
    asked: tuple[bool, ...]
    """Whether the household was the requester."""
    given_kwh: Vector
    """kWh."""
    taken_kwh: Vector
    """kWh."""
    gains_kwh2: Vector
    """Fall of its own squared deviation, kWh^2."""


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What stage 2 made of one household's plan."""

    discomfort_kwh: Finite
    """RMSE of the schedule against the preferred plan, kWh."""
    energy_drift_kwh: Finite
    """Sum of the schedule minus sum of the selected plan, kWh."""
    requests: int
    """Proposals it made."""
    accepted: int
    """Of them, those that were accepted."""
    refused: int
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class ExchangeHistory:
    """How stage 2 went, as the root saw it."""

    rounds: tuple[RoundCount, ...]
    """The first two ask nobody: where the stage starts, and when all offers are made."""
    response_kwh: Vector
    """The sum of all schedules at the end, kWh."""


@dataclass(frozen=True, slots=True)
class Result:
    """Household to orchestrator: what came out for me. Repeated until Release arrives."""

    selected_plan: int
    beta: Finite
    discomfort_planned_kwh: Finite
    """RMSE against the preferred plan, kWh (source, eq. 1), whatever measure stage 1 weighed."""
    planning_history: PlanningHistory | None = None
    """From households that were the root, in whichever iteration."""
    exchanged: Exchanged | None = None
    """What stage 2 made of it, if there was one."""
    exchange_history: ExchangeHistory | None = None
    """From the root of stage 2."""
