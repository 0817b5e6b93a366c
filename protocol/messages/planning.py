"""Stage 1: what passes along the tree, and what is said about it to the orchestrator."""

from dataclasses import dataclass
from typing import NamedTuple

from protocol.messages.exchange import LeaseId, RoundCount
from protocol.messages.lifecycle import Address
from protocol.vectors import Finite, Vector


@dataclass(frozen=True, slots=True)
class Up:
    """Child to parent: the aggregate of my subtree in this iteration."""

    iteration: int
    size: int
    """Households in the subtree."""
    response: Vector
    """Sum of the subtree's selected plans, kWh."""
    discomfort: Finite
    """Sum of the subtree's discomforts."""
    discomfort_squares: Finite
    attempt: int = 1
    """As in Place; what belongs to another attempt is not heard."""


@dataclass(frozen=True, slots=True)
class Down:
    """Parent to child: the global plan after this iteration; whether your change is approved."""

    iteration: int
    response: Vector
    """The global plan g, kWh."""
    discomfort: Finite
    """Sum over all households."""
    discomfort_squares: Finite
    approved: bool
    reorganise: bool
    """Whether the next iteration runs on the next tree."""
    attempt: int = 1


class Iteration(NamedTuple):
    """The state of the whole after one iteration, as the root computes it."""

    iteration: int
    inefficiency: Finite
    unfairness: Finite
    mean_discomfort: Finite
    cost: Finite


@dataclass(frozen=True, slots=True)
class Progress:
    """Root to orchestrator, once an iteration, for display only: nothing waits for it."""

    iteration: Iteration


@dataclass(frozen=True, slots=True)
class Waiting:
    """Household to orchestrator: I have waited longer than my patience; nothing waits for this."""

    iteration: int
    """-1 before the first; all of them in stage 2."""
    missing: tuple[Address, ...]
    """For these."""
    done: int = 0
    """What the household did in stage 2 so far: lookups, and proposals that it answered."""


@dataclass(frozen=True, slots=True)
class PlanningHistory:
    """How stage 1 went, as a root saw it: the iterations in which it was the root."""

    iterations: tuple[Iteration, ...]
    response: Vector
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
    given: Vector
    """kWh."""
    taken: Vector
    """kWh."""
    gains: Vector
    """Fall of its own squared deviation, kWh^2."""


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What stage 2 made of one household's plan."""

    discomfort: Finite
    """RMSE of the schedule against the preferred plan, kWh."""
    energy_drift: Finite
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
    response: Vector
    """The sum of all schedules at the end, kWh."""


@dataclass(frozen=True, slots=True)
class Result:
    """Household to orchestrator: what came out for me. Repeated until Release arrives."""

    selected_plan: int
    beta: Finite
    discomfort_planned: Finite
    """RMSE against the preferred plan, kWh (source, eq. 1), whatever measure stage 1 weighed."""
    course: PlanningHistory | None = None
    """From households that were the root, in whichever iteration."""
    exchanged: Exchanged | None = None
    """What stage 2 made of it, if there was one."""
    exchange: ExchangeHistory | None = None
    """From the root of stage 2."""
