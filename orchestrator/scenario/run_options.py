"""The options of a run as typed keyword arguments, for completion in editors and for type checkers.

Names and types are those of RunSettings, which decides what is valid; a test keeps the two equal.
Paths may be strings. Some options may also be functions (own_functions.py).
"""

from pathlib import Path
from typing import TypedDict

from agents.own_functions import (
    AcceptanceRule,
    CostFunction,
    DiscomfortFunction,
    PlanGenerator,
)
from agents.plans import ScoreMeaning
from orchestrator.scenario.settings import ExchangeName, IsolationName
from protocol.terms import (
    ContentName,
    CostName,
    DisclosureName,
    DiscomfortName,
    LocksName,
    OrderName,
    ScalingName,
    StrategyName,
)

FileName = str | Path


class RunOptions(TypedDict, total=False):
    """The options of `coflex run` and `coflex simulate`; None means that an option is not given."""

    dataset: FileName | None
    demo: bool
    homes: int | None
    households: int | None
    slots: int
    order: str | None
    seed: int
    plans: int | None
    score: ScoreMeaning | None
    children: int
    iterations: int
    alpha: float
    beta: float
    behaviours: FileName | None
    cost: CostName | CostFunction
    scaling: ScalingName
    target: FileName | None
    discomfort: DiscomfortName | DiscomfortFunction | None
    hard_plans: FileName | None
    hard_costs: FileName | None
    feeders: FileName | None
    feeder_limits: FileName | None
    reorganise: StrategyName
    period: int
    offset: int
    memorise: bool
    threshold: float
    exchange: ExchangeName
    exchange_every: int
    content: ContentName | None
    energy_drift: float | None
    disclose: DisclosureName
    tolerance: float | None
    min_gain: float | None
    rounds: int | None
    exchange_order: OrderName | None
    locks: LocksName
    matchmakers: int
    mandates: FileName | None
    participation: float
    trace: bool
    save_schedules: bool
    isolation: IsolationName
    hosts: int | None
    nats: str | None
    keys: FileName | None
    insecure: bool
    run: str | None
    external: str | None
    deadline: float
    round_limit: float | None
    limit: float | None
    out: FileName
    alternatives: PlanGenerator | None
    accepts: AcceptanceRule | None
