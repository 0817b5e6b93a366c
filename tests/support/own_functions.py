"""Functions of people's own that can be imported anywhere, equal to built-in ones."""

import numpy as np

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
