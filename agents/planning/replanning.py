"""Planning again after an exchange: a household's plans, and where stage 1 goes on.

The schedules that a household held after each exchange join its plans; the last of them is its
selection when planning goes on. In the first iteration all households keep their selections, which
adds up the schedules along the tree. When exchanges take place is said by the terms
(`exchange_every`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from agents.planning.java_random import JavaRandom
from agents.planning.stage import Participant
from agents.plans import Plans
from protocol.vectors import Array


@dataclass(frozen=True, slots=True)
class Replanning:
    """The state in which a household plans again."""

    schedules: tuple[Array, ...]
    """The schedule after each exchange so far, float64[d], kWh; at least one."""
    generator_state: int
    """The state of the generator for ties, as planning left it."""

    def participant(self, household: Participant) -> Participant:
        """Return the household as it takes part in planning after these exchanges."""
        plans = with_schedules(household.plans, self.schedules)
        return replace(
            household,
            plans=plans,
            chance=lambda seed, name: JavaRandom.at(self.generator_state),
            loop=len(self.schedules),
            selected=len(plans.values) - 1,
        )


def with_schedules(plans: Plans, schedules: Sequence[Array]) -> Plans:
    """Return the plans and, after them, the schedules, float64[d], kWh. These have no score."""
    return Plans(
        np.concatenate([plans.values, np.stack(schedules)]),
        np.append(plans.scores, np.full(len(schedules), np.nan)),
        plans.meaning,
    )
