"""The terms of a run: what all its households do alike. Checked when built; sent once."""

from dataclasses import dataclass
from typing import Literal

from protocol.domains import Count, Finite, Seed
from protocol.vectors import Vector

CostName = Literal["var", "std", "rss", "rmse", "xcorr", "sqr", "residual", "dot", "max"]
ScalingName = Literal["std", "unit-length", "min-max"]
DiscomfortName = Literal["rmse", "preference", "score", "index", "device"]
StrategyName = Literal["never", "periodically", "convergence", "cost-reduction"]
RuleName = Literal["mutual", "cooperative", "paper", "ttc"]
ContentName = Literal["slot", "bundle", "amounts"]
DisclosureName = Literal["value", "direction", "limit"]
LocksName = Literal["household", "slot"]
OrderName = Literal["waves", "concurrent", "sequential"]

FEEDERS_MAX = 32
"""Greatest number of feeders with limits of their own: each makes every sum along the tree longer
by one day."""
PAPER_TOLERANCE = 0.01
"""Tolerance for the source's rule, kWh. The rule asks for the preferred value itself, which hardly
any household holds."""

COSTS_WITH_TARGET: frozenset[CostName] = frozenset(
    {"rss", "rmse", "xcorr", "sqr", "residual", "dot"}
)
SHAPE_COSTS: frozenset[CostName] = COSTS_WITH_TARGET - {"sqr", "residual"}
"""Costs that compare only the shape of the target, not its size."""


@dataclass(frozen=True, slots=True)
class Reorganisation:
    """The strategy for tree reorganisation: when a new tree is laid out."""

    strategy: StrategyName = "never"
    period: Count = 0
    """Number of iterations between reorganisations (strategy `periodically`)."""
    offset: Count = 0
    """Iteration, counted from the last reorganisation, whose selection is kept (strategy
    `convergence`)."""
    memorise: bool = False
    """True to return to the kept selection after a reorganisation (strategy `convergence`)."""
    threshold: Finite = 0.0
    """Relative change of the cost at or below which the tree is reorganised (strategy
    `cost-reduction`)."""
    seed: Seed = 0

    def __post_init__(self) -> None:
        if self.strategy == "periodically" and self.period < 1:
            raise ValueError("reorganisation period must be at least 1")
        if self.offset < 0 or self.threshold < 0:
            raise ValueError("reorganisation offset and threshold must not be negative")


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound for each component: `bound` is float64[m]; `mode` has m values, 0 none, 1 at most, 2
    at least, 3 equal."""

    bound: Vector
    mode: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.bound) != len(self.mode):
            raise ValueError("a limit has as many modes as bounds")
        if any(mode not in (0, 1, 2, 3) for mode in self.mode):
            raise ValueError("a limit's modes are 0 (none), 1 (at most), 2 (at least) or 3 (equal)")


@dataclass(frozen=True, slots=True)
class HardConstraint:
    """A hard constraint: bounds on the global plan (kind `plans`: one component per slot, then one
    per slot of each feeder, one or two limits) or on mean discomfort, inefficiency, unfairness and
    combined cost (kind `costs`: one limit)."""

    kind: Literal["plans", "costs"]
    limits: tuple[Limit, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.limits) <= (2 if self.kind == "plans" else 1):
            raise ValueError("a constraint on plans has one or two limits, one on costs has one")
        if self.kind == "costs" and len(self.limits[0].mode) != 4:
            raise ValueError("a constraint on costs has four components")


@dataclass(frozen=True, slots=True)
class ExchangeTerms:
    """The terms of the exchange. Checked when built; ValueError says what is wrong."""

    rule: RuleName = "mutual"
    content: ContentName = "slot"
    """What changes hands in one exchange: the values at one slot, or at a bundle of slots, or
    amounts moved between slots."""
    energy_drift_kwh: Finite | None = None
    """Largest change of a household's own energy over all slots, kWh; None for no bound."""
    disclosure: DisclosureName = "limit"
    tolerance_kwh: Finite | None = None
    """Distance from the preferred value that a requester accepts, kWh; None: any value that is
    closer than its own."""
    min_gain: Finite = 0.02
    """Smallest decrease of squared deviation worth an exchange, as a share of the mean squared
    deviation over all households and slots when the stage begins."""
    rounds: Count = 50
    """Largest number of rounds."""
    attempts: Count = 4
    """Failed negotiations per slot and round after which a household gives the slot up."""
    locks: LocksName = "slot"
    """The offers that a lease marks busy: all of both households, or only those at its slot."""
    at_once: Count = 4
    """Number of negotiations that a household may have open at once when locks are per slot."""
    order: OrderName = "concurrent"
    """When households look up partners: together in waves, each at once, or one after another."""
    seed: Seed = 0
    """Seed of the order in which the matchmaker serves the lookups of one wave, and of the partners
    that it draws (content bundle)."""
    lease_seconds: Finite = 15.0
    """Seconds after which the matchmaker treats a lease as lost."""
    trace: bool = False
    """True if households report every exchange they made to the orchestrator at the end."""
    equal_shift: bool = False
    """True if no pairs exchange: all share equally what is planned beyond what they prefer."""

    def __post_init__(self) -> None:
        if self.tolerance_kwh is not None and self.tolerance_kwh < 0:
            raise ValueError("tolerance must not be negative")
        if self.content != "slot" and self.rule == "paper":
            raise ValueError("the rule paper exchanges single slots: content slot")
        if self.content != "slot" and self.rule == "ttc":
            raise ValueError("the rule ttc trades single slots: content slot")
        if self.energy_drift_kwh is not None and self.energy_drift_kwh < 0:
            raise ValueError("energy drift must not be negative")
        if self.min_gain < 0:
            raise ValueError("min_gain must not be negative")
        if self.rounds < 1 or self.attempts < 1 or self.at_once < 1:
            raise ValueError("rounds, attempts and at_once must be at least 1")
        if self.lease_seconds <= 0:
            raise ValueError("lease must be positive")

    @property
    def leases_at_once(self) -> int:
        """Number of negotiations that a household may have open at once."""
        return self.at_once if self.locks == "slot" else 1


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms that all households of a run agree to before it starts."""

    iterations: Count = 50
    arity: Count = 2
    """Largest number of children of a household in the tree."""
    cost: CostName = "var"
    scaling: ScalingName = "std"
    """The way in which rss scales the global plan and the target."""
    target: Vector | None = None
    discomfort: DiscomfortName = "rmse"
    alpha: Finite = 0.0
    """Weight of unfairness; this household's own."""
    beta: Finite = 0.0
    """Weight of discomfort; this household's own."""
    seed: Seed = 0
    reorganisation: Reorganisation = Reorganisation()
    constraint: HardConstraint | None = None
    feeders: Count = 0
    """Number of feeders whose households have limits of their own."""
    feeder: Count = 0
    """The feeder of this household, from 1; 0 if it is at none of them."""
    exchange: ExchangeTerms | None = None
    """The terms of stage 2; None if there is no stage 2."""
    exchange_every: Count = 0
    """Number of iterations between exchanges (replanning); 0: one exchange, after the last
    iteration."""
    patience_seconds: Finite = 10.0
    """Seconds of waiting after which a household reports the neighbours it waits for."""

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError("iterations must be at least 1")
        if self.arity < 1 or self.arity > 10:
            raise ValueError("children must be between 1 and 10 (all their combinations are tried)")
        if not (0 <= self.alpha <= 1 and 0 <= self.beta <= 1 and self.alpha + self.beta <= 1):
            raise ValueError("alpha and beta must be in [0, 1] and their sum at most 1")
        if self.exchange_every and not (self.exchange and self.exchange.content == "bundle"):
            raise ValueError("exchange_every needs an exchange of bundles")
        if self.exchange_every == 1 or self.exchange_every < 0:
            raise ValueError("exchange_every must be 0 or at least 2")
        if self.exchange_every and self.reorganisation.strategy != "never":
            raise ValueError("exchange_every needs a tree that is never reorganised")
        if self.exchange_every and self.discomfort != "rmse":
            raise ValueError("exchange_every needs the discomfort rmse: schedules have no score")
        if self.patience_seconds <= 0:
            raise ValueError("patience must be positive")
        if not 0 <= self.feeder <= self.feeders <= FEEDERS_MAX:
            raise ValueError(f"there are at most {FEEDERS_MAX} feeders, and a household is at one")
        if self.feeders and (self.constraint is None or self.constraint.kind != "plans"):
            raise ValueError("feeders need limits by slot")
        if self.feeders and self.exchange and self.exchange.content != "amounts":
            raise ValueError("only amounts are exchanged at one feeder at a time")
        if self.cost in COSTS_WITH_TARGET and self.target is None:
            raise ValueError(f"the cost {self.cost} needs a target")

    @property
    def exchanges(self) -> int:
        """Number of exchanges in the run: one after every `exchange_every` iterations, and one
        after the last."""
        return -(-self.iterations // self.exchange_every) if self.exchange_every else 1
