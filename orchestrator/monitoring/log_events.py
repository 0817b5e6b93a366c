"""What of a run is worth a line in the log: stages, tenths of stage 1, rounds of stage 2.

Looked at after every step: of several things that came in one step, the last is told.
"""

from collections.abc import Sequence

from agents.household import Household
from orchestrator.coordination.coordinator import RunCoordinator, Stage
from orchestrator.monitoring.logs import PartLog
from protocol.errors import DecodeError
from protocol.runtime.node import Node

TENTHS = 10
UNREADABLE = "bytes that are no message of this run"
"""All that is said of them: they may hold anything."""


class Refusals:
    """Logs what a node refuses: the first, the second, the fourth ... so that nobody can fill a
    disk by talking nonsense."""

    def __init__(self, node: Node, log: PartLog) -> None:
        self._node, self._log, self._next = node, log, 1

    def look(self) -> None:
        """Say so if many more have been refused."""
        dropped = self._node.counters.dropped
        if dropped >= self._next:
            reason = self._node.last_refusal
            said = UNREADABLE if isinstance(reason, DecodeError) else str(reason or "")
            self._log.warning("messages refused or lost", dropped=dropped, last=said)
            self._next = 2 * dropped


class RunMilestones:
    """Of the orchestrator; to be called after every step."""

    def __init__(self, node: Node, course: RunCoordinator, iterations: int) -> None:
        self._log = PartLog(node.name, node.run)
        self._refusals = Refusals(node, self._log)
        self._course, self._every = course, max(1, iterations // TENTHS)
        self._stage, self._attempt, self._round = course.stage, course.attempt, -1
        self._iteration = -1

    def look(self) -> None:
        """Log what has changed."""
        course, log = self._course, self._log
        self._refusals.look()
        if course.attempt != self._attempt:
            self._attempt, self._iteration = course.attempt, -1
            log.warning("stage 1 begins anew for all", attempt=course.attempt)
        latest = -1 if course.latest is None else course.latest.iteration
        if latest > self._iteration:
            told = log.info if latest // self._every > self._iteration // self._every else log.debug
            self._iteration = latest
            told("iteration over", iteration=latest)
        number = -1 if course.round is None else course.round[0]
        if number > self._round:
            self._round = number
            log.info("round over", round=number, exchanges=course.exchanges)
        if course.stage is not self._stage:
            self._stage = course.stage
            if course.stage is Stage.FAILED:  # the command that ends with it says so, too
                log.info("run failed", reason=course.reason)
            else:
                log.info(
                    course.stage.value,
                    households=len(course.members),
                    hosts=len(course.hosts),
                    exchanges=course.exchanges,
                )


class HostMilestones:
    """Of a host; its first household stands for all."""

    def __init__(self, node: Node, households: Sequence[Household]) -> None:
        self._log = PartLog(node.name, node.run)
        self._refusals = Refusals(node, self._log)
        self._first, self._phase = households[0], households[0].phase

    def look(self) -> None:
        """Log what has changed."""
        self._refusals.look()
        if self._first.phase is not self._phase:
            self._phase = self._first.phase
            reason = {"reason": self._first.reason} if self._first.reason else {}
            self._log.info(self._phase.value, **reason)
