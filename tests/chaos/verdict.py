"""The verdict on a struck run: did it keep its promises, or end with a reason that its strikes
explain?"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from orchestrator.results.run_results import RunResults
from orchestrator.scenario.settings import RunSettings
from tests.chaos.schedule import Schedule
from tests.support.settings import in_simulation
from tests.support.struck_runs import held_by_journals, homes_kept_their_promises

MAY_END = {"full disk": "the journal cannot be kept"}
"""Strikes that may end a run, and what its reason then says."""
MAY_BE_WORSE = ("equal", "loops")
"""Kinds of run in which a household may end worse than stage 1 left it."""
BY_VALUES = ("slot", "bundle", "public pairs", "ttc")
"""Kinds of run in which the values of each slot only change hands."""


def explained(reason: str, struck: Sequence[str]) -> bool:
    """Return True if a run that was struck so may end with this reason."""
    return any(words in reason for kind, words in MAY_END.items() if kind in struck)


def broken_promises(
    schedule: Schedule, settings: RunSettings, results: RunResults, kept: Path
) -> list[str]:
    """Return the promises that a finished run has broken; empty if it kept them all."""
    broken = []
    reference = in_simulation(settings)
    if results.demand.planned.tobytes() != reference.demand.planned.tobytes():
        broken.append("stage 1 came to another result")
    if [row.household for row in results.rows] != [row.household for row in reference.rows]:
        broken.append("a household is missing")
    exchange = results.exchange
    if exchange is None:
        return broken
    if exchange.conserved is not True:
        broken.append("not conserved by the results")
    if schedule.kind not in MAY_BE_WORSE and exchange.households_worse:
        broken.append(f"{exchange.households_worse} worse off")
    if schedule.kind in BY_VALUES:
        before, after = held_by_journals(kept)
        if len(before) != len(results.rows):
            broken.append(f"journals of {len(before)} households of {len(results.rows)}")
        elif (np.sort(before, axis=0) != np.sort(after, axis=0)).any():
            broken.append("not conserved by the journals")
    if schedule.kind == "amounts":
        try:
            homes_kept_their_promises(settings, kept)
        except AssertionError as error:
            broken.append(f"by the journals of the homes: {error or 'energy or feasibility'}")
    return broken
