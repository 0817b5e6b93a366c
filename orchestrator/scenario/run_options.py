"""The options of a run as keyword arguments with types, so that editors complete them and a type
checker finds a wrong one.

The names and types are those of RunSettings, which decides what is valid; a test keeps them equal.
Paths may be strings.
"""

from pathlib import Path
from typing import TypedDict

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
    households: int | None
    slots: int
    order: str | None
    seed: int
    score: ScoreMeaning | None
    children: int
    iterations: int
    alpha: float
    beta: float
    behaviours: FileName | None
    cost: CostName
    scaling: ScalingName
    target: FileName | None
    discomfort: DiscomfortName
    hard_plans: FileName | None
    hard_costs: FileName | None
    reorganise: StrategyName
    period: int
    offset: int
    memorise: bool
    threshold: float
    exchange: ExchangeName
    content: ContentName
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
    out: FileName
