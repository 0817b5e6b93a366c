"""People's own functions among the options of a run, and tried on its households.

Decides which options may be functions, and that they are as they must be before a run starts. What
each of them is given and returns is decided in agents/own_functions.py.
"""

import pickle
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agents.own_functions import (
    AcceptanceRule,
    OwnFunctions,
    checked_cost,
    checked_discomfort,
    checked_rule,
    name_of,
)
from agents.planning.costs import EXACT, Arithmetic
from agents.plans import Population
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError
from protocol.terms import DiscomfortName

OPTIONS = ("cost", "discomfort", "alternatives", "accepts")
"""The options that may be functions."""


def divided(options: Mapping[str, Any]) -> tuple[OwnFunctions, dict[str, Any]]:
    """Return the functions among the options, and the other options.

    InputError for a function where none can be, and for anything else where one must be.
    """
    own = {name: options[name] for name in OPTIONS if callable(options.get(name))}
    others = {name: value for name, value in options.items() if name not in own}
    for name, value in others.items():
        if callable(value):
            advice = ": pass it as accepts=" if name == "exchange" else ""
            raise InputError(f"{name_of(value)}: no function can be given here{advice}", field=name)
    for name in ("alternatives", "accepts"):
        value = others.pop(name, None)
        if value is not None:
            raise InputError(f"{value!r} is not a function", field=name)
    return OwnFunctions(**own), others


def arithmetic_with(
    own: OwnFunctions, population: Population, measure: DiscomfortName
) -> Arithmetic:
    """Return the arithmetic of stage 1 with own cost and discomfort, once they have been tried on
    this population."""
    cost = discomfort = None
    if own.cost is not None:
        households = population.households.values()
        chosen = [[home.preferred, home.values[0], home.values[-1]] for home in households]
        cost = checked_cost(own.cost, np.array(chosen).sum(0))
    if own.discomfort is not None:
        discomfort = checked_discomfort(own.discomfort)
        for home in population.households.values():
            discomfort(home)
    return Arithmetic(
        EXACT.total,
        EXACT.epos,
        own_cost=cost,
        own_discomfort=discomfort,
        weighs_sums=measure == "device" and discomfort is None,
    )


def accepting_with(
    own: OwnFunctions, population: Population, settings: RunSettings
) -> AcceptanceRule | None:
    """Return the own acceptance rule, once it has been tried."""
    if own.accepts is None:
        return None
    if settings.exchange == "off":
        raise InputError("has no effect: there is no stage 2 with exchange='off'", field="accepts")
    if settings.exchange == "equal":
        raise InputError("has no effect: no pairs exchange with exchange='equal'", field="accepts")
    if settings.exchange == "ttc":
        raise InputError("has no effect: the rule ttc is for all households", field="accepts")
    if settings.content_exchanged != "slot":
        raise InputError("decides about single slots: add content='slot'", field="accepts")
    return checked_rule(own.accepts, next(iter(population.households.values())))


def refuse_externals(own: OwnFunctions, externals: Sequence[str]) -> None:
    """Raise InputError if others run households that could not know our functions."""
    if externals and own.given():
        (option, name), *_ = own.names().items()
        reason = f"households that others run cannot know the {option} {name}"
        raise InputError(reason, field="--external")


def refuse_unsendable(own: OwnFunctions, advice: str) -> None:
    """Raise InputError, with this advice, for a function that another interpreter cannot have: it
    is not in a module that can be imported there."""
    for option, function in own.given().items():
        try:
            sendable = b"__main__" not in pickle.dumps(function)
        except Exception:  # of whatever kind: the function, or what it holds, has no such form
            sendable = False
        if not sendable:
            reason = f"{name_of(function)} cannot be handed to another process: put it in a module "
            raise InputError(f"{reason}of its own and import it, or {advice}", field=option)
