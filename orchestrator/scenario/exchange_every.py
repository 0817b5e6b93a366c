"""The number of iterations between exchanges.

This module decides which options do not go with exchanges between iterations.
"""

from agents.own_functions import OwnFunctions
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError


def exchange_every(settings: RunSettings, own: OwnFunctions) -> int:
    """Return the number of iterations between exchanges. Raises InputError if other options do not
    go with it."""
    every = settings.exchange_every
    if not every:
        return 0
    reason = ""
    if settings.exchange == "paper":
        reason = "the rule paper exchanges single slots: use --exchange mutual or cooperative"
    elif settings.content_exchanged != "bundle":
        reason = "single slots do not keep own energy: use --content bundle"
    elif every == 1:
        reason = "the first iteration after an exchange only adds up: use at least 2"
    elif every >= settings.iterations:
        reason = f"there are only {settings.iterations} iterations: use fewer, or leave it out"
    elif settings.reorganise != "never":
        reason = "planning goes on along the same tree: leave out --reorganise"
    elif settings.discomfort != "rmse" or own.discomfort is not None:
        reason = "a schedule has no score: leave out --discomfort"
    elif settings.externals:
        reason = "households of others are not asked to plan again: leave out --external"
    if reason:
        raise InputError(reason, field="--exchange-every")
    return every
