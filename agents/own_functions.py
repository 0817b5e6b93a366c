"""Functions of people's own that take the place of built-in ones: a cost, a discomfort, a plan
generator, an acceptance rule.

Decides what such a function is given, what it must return, and how a mistake in it is named. Where
each of them acts is decided where the built-in one does: planning/costs.py, planning/stage.py,
population/arrays.py, exchange/holding.py. Energy is in kWh per slot.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from agents.plans import Plans
from protocol.errors import InputError
from protocol.vectors import Array

T = TypeVar("T")
_TRIED_ROWS = 67
"""Rows for which a cost is tried; enough for a matrix product to change its order of summation."""
_ROUNDING = 1e-9


class CostFunction(Protocol):
    """The inefficiency of global plans: float64[m, d] in kWh -> m finite numbers, less is better.

    Each row is a plan of its own: compute along the last axis.
    """

    def __call__(self, demand: Array, /) -> ArrayLike:
        """Return one number for each row."""
        ...


class DiscomfortFunction(Protocol):
    """The discomfort of a household's plans, as stage 1 weighs it: the plans, float64[k, d], and
    the preferred one among them, float64[d], in kWh -> k finite numbers, less is better."""

    def __call__(self, plans: Array, preferred: Array, /) -> ArrayLike:
        """Return one number for each plan."""
        ...


class PlanGenerator(Protocol):
    """A household's further plans: its preferred plan, float64[d] in kWh -> k plans, (k, d)."""

    def __call__(self, preferred: Array, /) -> ArrayLike:
        """Return the plans among which a household can choose, besides its preferred one."""
        ...


@dataclass(frozen=True, slots=True)
class ProposedExchange:
    """A proposed exchange at one slot, as one of its two sides sees it."""

    requester: bool
    """True for the side that proposes, False for the side that answers."""
    slot: int
    """Counted from 0."""
    held_kwh: float
    """The value that this household holds and would give."""
    offered_kwh: float
    """The value that it would get."""
    schedule: Array
    """All that it holds now, float64[d], kWh."""
    preferred: Array
    """Its preferred plan, float64[d], kWh."""
    change_kwh2: float
    """Change of its own sum of squared deviations from the preferred plan; negative is closer."""
    partner_change_kwh2: float
    """The same for the partner, as the partner states it: known to the answering side under
    `exchange="cooperative"`, else 0."""
    deviation_kwh2: float
    """Its present sum of squared deviations."""
    deviation_at_start_kwh2: float
    """The same when stage 2 began."""
    min_gain_kwh2: float
    """The least gain worth an exchange in this run."""


class AcceptanceRule(Protocol):
    """Whether a household agrees to an exchange; each side asks its own rule."""

    def __call__(self, exchange: ProposedExchange, /) -> bool:
        """Return True to agree."""
        ...


@dataclass(frozen=True, slots=True)
class OwnFunctions:
    """The functions of people's own in a run; None where the built-in one serves."""

    cost: CostFunction | None = None
    discomfort: DiscomfortFunction | None = None
    alternatives: PlanGenerator | None = None
    accepts: AcceptanceRule | None = None

    def given(self) -> dict[str, Callable[..., Any]]:
        """Return the functions that there are, by the name of their option."""
        every = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: function for name, function in every if function is not None}

    def names(self) -> dict[str, str]:
        """Return the names of these functions, `module:qualified.name`, by option."""
        return {option: name_of(function) for option, function in self.given().items()}


NO_OWN_FUNCTIONS = OwnFunctions()


def name_of(function: Callable[..., Any]) -> str:
    """Return `module:qualified.name` of a function; for an object that can be called, of its
    class."""
    if isinstance(function, partial):
        return f"{name_of(function.func)} (partial)"
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}:{named.__qualname__}"


class _Tried(NamedTuple):
    """A function with the name of its option, for errors."""

    option: str
    function: Callable[..., Any]

    def wrong(self, reason: str) -> InputError:
        return InputError(f"{name_of(self.function)} {reason}", field=self.option)

    def call(self, *arguments: object) -> Any:
        """Call the function. InputError if it raises anything, or changes an array it was given."""
        try:
            return self.function(*arguments)
        except Exception as error:
            if isinstance(error, ValueError) and "read-only" in str(error):
                reason = "changes the array that it is given: let it work on a copy"
                raise self.wrong(reason) from error
            raise self.wrong(f"raised {type(error).__name__}: {error}") from error

    def numbers(self, shape: tuple[int, ...], hint: str, *arguments: object) -> Array:
        """Return finite float64 of a shape, or raise InputError."""
        made = self.array(*arguments)
        if made.shape != shape:
            wrong = f"returned the shape {made.shape} instead of {shape}: {hint}"
            raise self.wrong(wrong)
        if not np.isfinite(made).all():
            raise self.wrong("returned a number that is NaN or infinite")
        return made

    def array(self, *arguments: object) -> Array:
        """Return what the function returns as a new float64 array, or raise InputError."""
        returned = self.call(*arguments)
        try:
            return np.array(returned, dtype=np.float64)
        except (TypeError, ValueError):
            kind = type(returned).__name__
            raise self.wrong(f"returned a {kind}, which is no array of numbers") from None

    def twice(self, attempt: Callable[[], T], same: Callable[[T, T], bool]) -> T:
        """Return the result of an attempt; InputError if a second one has another result."""
        first = attempt()
        if not same(first, attempt()):
            reason = "returned something else when it was called again: it must depend on nothing "
            reason += "but what it is given (draw from a generator with a seed of its own)"
            raise self.wrong(reason)
        return first


def read_only(array: Array) -> Array:
    """Return a view of an array through which it cannot be changed."""
    view = array.view()
    view.flags.writeable = False
    return view


def checked_cost(function: CostFunction, demand: Array) -> Callable[[Array], Array]:
    """Return a cost (m, d) -> (m,) that raises InputError where the function returns anything but
    m finite numbers.

    It is tried on plans like the global plans in `demand`, float64[n, d]: the answer must be the
    same for the same plans, and for a row whatever the other rows are. Where that holds but for
    rounding (matrix products), it is called row by row, so that results do not depend on how
    households are spread over processes.
    """
    tried = _Tried("cost", function)
    hint = "it is given plans (m, slots) and returns m numbers (compute along axis=-1)"

    def cost(x: Array) -> Array:
        return tried.numbers((len(x),), hint, read_only(x))

    def cost_by_row(x: Array) -> Array:
        return np.concatenate([cost(row[None, :]) for row in x]) if len(x) else cost(x)

    mixture = np.random.default_rng(0).dirichlet(np.ones(len(demand)), size=_TRIED_ROWS)
    rows = mixture @ demand * np.linspace(0.5, 1.5, _TRIED_ROWS)[:, None]
    together = tried.twice(lambda: cost(rows.copy()), np.array_equal)
    alone = cost_by_row(rows)
    if np.array_equal(together, alone):
        return cost
    if np.allclose(together, alone, rtol=_ROUNDING, atol=_ROUNDING * float(np.abs(alone).max())):
        return cost_by_row
    raise tried.wrong("returns another number for a plan when other plans are beside it: " + hint)


def checked_discomfort(function: DiscomfortFunction) -> Callable[[Plans], Array]:
    """Return the discomforts of a household's plans, float64[k], as the function has them.

    InputError if they are not k finite numbers, or not the same when asked again.
    """
    tried = _Tried("discomfort", function)
    hint = "it is given plans (k, slots) and the preferred one, and returns k numbers"

    def discomfort(plans: Plans) -> Array:
        def attempt() -> Array:
            given = read_only(plans.values.copy()), read_only(plans.preferred.copy())
            return tried.numbers((len(plans.values),), hint, *given)

        return tried.twice(attempt, np.array_equal)

    return discomfort


def generated_plans(function: PlanGenerator, preferred: Array, household: str) -> Array:
    """Return a household's further plans, float64[k, d], k at least 0.

    InputError if they are not finite, do not fit, or are not the same when asked again.
    """
    tried = _Tried("alternatives", function)
    plans = tried.twice(lambda: tried.array(read_only(preferred.copy())), _same_array)
    if plans.ndim != 2 or plans.shape[1:] != preferred.shape:
        reason = f"for {household} returned the shape {plans.shape} instead of (plans, "
        raise tried.wrong(f"{reason}{len(preferred)})")
    if not np.isfinite(plans).all():
        raise tried.wrong(f"for {household} returned a number that is NaN or infinite")
    return plans


def checked_rule(function: AcceptanceRule, plans: Plans) -> AcceptanceRule:
    """Return a rule that raises InputError where the function returns anything but True or False.

    It is tried from both sides on an exchange by a household that holds its last plan.
    """
    tried = _Tried("accepts", function)

    def rule(exchange: ProposedExchange, /) -> bool:
        answer = tried.call(exchange)
        if not isinstance(answer, bool | np.bool_):
            kind = type(answer).__name__
            raise tried.wrong(f"returned {answer!r} ({kind}) instead of True or False")
        return bool(answer)

    for side in (True, False):
        example = _example(plans, requester=side)
        tried.twice(partial(rule, example), lambda one, other: one == other)
    return rule


def _example(plans: Plans, *, requester: bool) -> ProposedExchange:
    """Return an exchange that brings the last plan to the preferred value at slot 0."""
    schedule, preferred = plans.values[-1].copy(), plans.preferred.copy()
    deviation = float(((schedule - preferred) ** 2).sum())
    return ProposedExchange(
        requester=requester,
        slot=0,
        held_kwh=float(schedule[0]),
        offered_kwh=float(preferred[0]),
        schedule=read_only(schedule),
        preferred=read_only(preferred),
        change_kwh2=-float((schedule[0] - preferred[0]) ** 2),
        partner_change_kwh2=0.0,
        deviation_kwh2=deviation,
        deviation_at_start_kwh2=deviation,
        min_gain_kwh2=0.0,
    )


def _same_array(one: Array, other: Array) -> bool:
    return np.array_equal(one, other, equal_nan=True)
