"""Functions of people's own that can be imported anywhere, equal to built-in ones."""

import numpy as np

from agents.exchange.acceptance_rules import MARGIN
from agents.own_functions import ProposedExchange
from protocol.vectors import Array


def variance(demand: Array) -> Array:
    """The cost `var`, in its order of summation."""
    slots = demand.shape[-1]
    centred = demand - (np.add.reduce(demand, -1) / slots)[..., None]
    return np.asarray(np.add.reduce(centred * centred, -1) / slots)


def distance(plans: Array, preferred: Array) -> Array:
    """The discomfort `rmse`."""
    apart = plans - preferred
    return np.asarray(np.sqrt((apart * apart).sum(-1) / len(preferred)))


def without_loss(exchange: ProposedExchange) -> bool:
    """The rule `mutual`."""
    return exchange.change_kwh2 <= 0


def for_the_pair(exchange: ProposedExchange) -> bool:
    """The rule `cooperative`."""
    if exchange.requester:
        return True
    change = exchange.change_kwh2
    together = change + exchange.partner_change_kwh2
    if together >= 0 or -together < exchange.min_gain_kwh2:
        return False
    most = exchange.deviation_at_start_kwh2 * (1 - MARGIN)
    return change <= 0 or exchange.deviation_kwh2 + change <= most
