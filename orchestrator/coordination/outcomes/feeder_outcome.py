"""What a run comes to at each feeder with limits of its own.

This module takes the sums by feeder apart, as households have added them up. How far they are
beyond the limits is decided in `results/limits`.
"""

from typing import TypedDict

import numpy as np

from agents.feeder_sums import blocks_of
from orchestrator.results.limits import block_of, excesses, upper_limit
from orchestrator.results.run_results import Demand, Feeder
from orchestrator.scenario.scenario import Scenario
from protocol.vectors import Array


class FeederParts(TypedDict):
    """The parts of results that only runs with feeders have; None without."""

    feeders: dict[str, Feeder] | None
    feeder_days: dict[str, Demand] | None


def parts_of_feeders(scenario: Scenario, planned: Array, exchanged: Array | None) -> FeederParts:
    """Return the parts of results about feeders. `planned` and `exchanged` are the sums of the two
    stages as the tree has them, float64[d * (1 + F)] kWh."""
    feeders, terms = scenario.feeders, scenario.common_terms
    if feeders is None:
        return FeederParts(feeders=None, feeder_days=None)
    rows, days = {}, {}
    for number, name in enumerate(feeders.names, start=1):
        members = [member for member in scenario.members if feeders.number(member) == number]
        limits = block_of(terms.constraint, number, scenario.population.slots)
        preferred = [scenario.population.households[member].preferred for member in members]
        days[name] = Demand(
            planned=blocks_of(planned, terms)[number],
            preferred=np.sum(preferred, axis=0) if members else np.zeros(scenario.population.slots),
            exchanged=None if exchanged is None else blocks_of(exchanged, terms)[number],
            limit=upper_limit(limits),
        )
        rows[name] = Feeder(households=len(members), limits=excesses(limits, days[name]) or {})
    return FeederParts(feeders=rows, feeder_days=days)
