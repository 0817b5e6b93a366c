"""Script of the end of every stage 2: the final sum over all schedules, and the result."""

from collections.abc import Awaitable, Callable

import numpy as np

from orchestrator.coordination.nodes import ORCHESTRATOR_ADDRESS
from orchestrator.validation.conformance.expected_state import ExpectedState
from orchestrator.validation.conformance.planning_script import PlanningScript
from orchestrator.validation.conformance.roles import CHILDREN, ITERATIONS, PARENT
from protocol.messages import Down, Result, Up
from protocol.vectors import Array

AFTER = "Stage 2: lookups, proposals, rounds, After stage 2"
ROUNDING = 1e-9


class FinalSumScript:
    """The final sum of the tested household, whose children hold nothing."""

    def __init__(self, tree: PlanningScript, expected: ExpectedState, planned: Up) -> None:
        """Set up the script. `planned` has the household's sums at the end of stage 1."""
        self._tree, self._probe, self._expected = tree, tree.probe, expected
        self._planned = planned

    async def sums_up(
        self,
        check: str,
        meanwhile: Callable[[], Awaitable[None]],
        *,
        tolerance_kwh: float = 0.0,
        clipped: Callable[[Array], tuple[int, float]] = lambda held: (0, 0.0),
    ) -> Result:
        """Let the household add up its subtree, and return its result.

        `check` names the check of its schedule. `meanwhile` runs before the answer comes.
        `clipped` returns what the result must say of a schedule below zero.
        """
        probe, held = self._probe, self._expected.held
        ups = self._tree.ups(ITERATIONS, 0.0)
        await self._tree.tell(ups)
        up = await probe.expect(
            check,
            AFTER,
            Up,
            PARENT,
            f"iteration {ITERATIONS}, size 3, the values that it holds",
            pick=lambda up: up.iteration == ITERATIONS,
            right=lambda up: (
                up.size == 3 and bool(np.all(np.abs(up.response_kwh - held) <= tolerance_kwh))
            ),
        )
        await probe.again("repeats the last Up until Down comes", AFTER, PARENT, up)
        await meanwhile()
        probe.mark()
        await probe.say(PARENT, self._tree.down(ITERATIONS, up.sums))
        for child in CHILDREN:
            await probe.expect("passes the last Down on", AFTER, Down, child, "approved")
        drift = float(held.sum() - self._planned.response_kwh.sum())
        asked, agreed = self._expected.asked, self._expected.agreed
        refused = self._expected.refused
        refused = asked - agreed if refused is None else refused
        counts = (asked, agreed, refused, *clipped(held))
        return await probe.expect(
            "reports its results",
            "Joining and leaving",
            Result,
            ORCHESTRATOR_ADDRESS,
            "requests, accepted, refused, clipped_slots, clipped_kwh "
            f"{counts}, energy_drift {drift:.6g}",
            right=lambda result: self._is_result(result, counts, drift, up.discomfort),
        )

    def _is_result(
        self,
        result: Result,
        counts: tuple[int, int, int, int, float],
        drift: float,
        discomfort: float,
    ) -> bool:
        made = result.exchanged
        return (
            made is not None
            and (made.requests, made.accepted, made.refused, made.clipped_slots) == counts[:4]
            and abs(made.clipped_kwh - counts[4]) <= ROUNDING
            and abs(made.energy_drift_kwh - drift) <= ROUNDING * max(1.0, abs(drift))
            and abs(made.discomfort_kwh - discomfort) <= ROUNDING
            and abs(result.discomfort_planned_kwh - self._planned.discomfort) <= ROUNDING
        )
