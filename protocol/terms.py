"""The terms of a run: what every household of it must do alike. Checked when built; sent once."""

from dataclasses import dataclass
from typing import Literal

from protocol.exchange_terms import ExchangeTerms
from protocol.vectors import Finite, Vector

CostName = Literal["var", "std", "rss", "rmse", "xcorr", "sqr", "dot", "max"]
ScalingName = Literal["std", "unit-length", "min-max"]
DiscomfortName = Literal["rmse", "preference", "score", "index"]
StrategyName = Literal["never", "periodically", "convergence", "cost-reduction"]

COSTS_WITH_TARGET: frozenset[CostName] = frozenset({"rss", "rmse", "xcorr", "sqr", "dot"})


@dataclass(frozen=True, slots=True)
class Reorganisation:
    """When the tree is laid out anew (EPOS-SPEC section 8)."""

    strategy: StrategyName = "never"
    period: int = 0
    """periodically: every so many iterations."""
    offset: int = 0
    """convergence: the iteration, counted from the last reorganisation, whose selection is kept."""
    memorise: bool = False
    """convergence: go back to the kept selection after a reorganisation."""
    threshold: Finite = 0.0
    """cost-reduction: reorganise when the relative change of the cost is at most this."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.strategy == "periodically" and self.period < 1:
            raise ValueError("reorganisation period must be at least 1")
        if self.offset < 0 or self.threshold < 0:
            raise ValueError("reorganisation offset and threshold must not be negative")


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound for each component: `bound` float64[m]; `mode` m values of 0 none, 1 at most,
    2 at least, 3 equal."""

    bound: Vector
    mode: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.bound) != len(self.mode):
            raise ValueError("a limit has as many modes as bounds")
        if any(mode not in (0, 1, 2, 3) for mode in self.mode):
            raise ValueError("a limit's modes are 0 (none), 1 (at most), 2 (at least) or 3 (equal)")


@dataclass(frozen=True, slots=True)
class HardConstraint:
    """Bounds on the global plan (kind plans: one component a slot, one or two limits) or on
    [mean discomfort, inefficiency, unfairness, combined cost] (kind costs: one limit)."""

    kind: Literal["plans", "costs"]
    limits: tuple[Limit, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.limits) <= (2 if self.kind == "plans" else 1):
            raise ValueError("a constraint on plans has one or two limits, one on costs has one")
        if self.kind == "costs" and len(self.limits[0].mode) != 4:
            raise ValueError("a constraint on costs has four components")


@dataclass(frozen=True, slots=True)
class Terms:
    """What the households of a run agree to before it starts."""

    iterations: int = 50
    arity: int = 2
    """Children of a household in the tree, at most."""
    cost: CostName = "var"
    scaling: ScalingName = "std"
    """How rss scales the global plan and the target."""
    target: Vector | None = None
    discomfort: DiscomfortName = "rmse"
    alpha: Finite = 0.0
    beta: Finite = 0.0
    """alpha and beta are this household's own."""
    seed: int = 0
    reorganisation: Reorganisation = Reorganisation()
    constraint: HardConstraint | None = None
    exchange: ExchangeTerms | None = None
    """How slots are exchanged in stage 2; None: there is no stage 2."""
    patience: Finite = 10.0
    """Seconds of waiting after which a household tells the orchestrator for whom."""

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError("iterations must be at least 1")
        if self.arity < 1 or self.arity > 10:
            raise ValueError("children must be between 1 and 10 (all their combinations are tried)")
        if not (0 <= self.alpha <= 1 and 0 <= self.beta <= 1 and self.alpha + self.beta <= 1):
            raise ValueError("alpha and beta must be in [0, 1] and their sum at most 1")
        if self.patience <= 0:
            raise ValueError("patience must be positive")
        if self.cost in COSTS_WITH_TARGET and self.target is None:
            raise ValueError(f"the cost {self.cost} needs a target")
