"""The events of a run that are logged: phases, every tenth part of stage 1, rounds of stage 2.

The parts call `look` after every step. If several events happen in one step, only the last is
logged.
"""

from collections.abc import Sequence

from agents.household import Household
from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.monitoring.logs import PartLog
from protocol.errors import DecodeError
from protocol.runtime.node import Node
from protocol.runtime.refusals import HOSTS_MAX, UNREADABLE

TENTHS = 10


class RefusalEvents:
    """Log of the messages that a node refuses: the first of each host, as long as they are few, and
    of all of them the first, the second, the fourth, and so on. So nobody can fill a disk by
    sending nonsense."""

    def __init__(self, node: Node, log: PartLog) -> None:
        self._node, self._log, self._next = node, log, 1
        self._named: set[str] = set()

    def look(self) -> None:
        """Log the number of refused messages if it has doubled since the last line, or if a host is
        among those refused that is not named yet."""
        node = self._node
        dropped, host = node.counters.dropped, node.refusals.last_host
        new = host not in self._named and len(self._named) < HOSTS_MAX
        if dropped < self._next and not (host and new):
            return
        self._named.add(host)
        reason = node.last_refusal
        last = UNREADABLE if isinstance(reason, DecodeError) else str(reason or "")
        known = node.refusals.by_host.get(host)
        sender = {} if known is None else {"sender": host, "times": known.times}
        self._log.warning("messages refused or lost", dropped=dropped, last=last, **sender)
        if dropped >= self._next:
            self._next = 2 * dropped


class RunEvents:
    """Log of the events of a run, kept by its orchestrator."""

    def __init__(self, node: Node, coordinator: RunCoordinator, iterations: int) -> None:
        self._log = PartLog(node.name, node.run)
        self._refusals = RefusalEvents(node, self._log)
        self._coordinator, self._every = coordinator, max(1, iterations // TENTHS)
        self._phase, self._attempt = coordinator.phase, coordinator.attempt
        self._round = self._iteration = -1

    def look(self) -> None:
        """Log what has changed since the last call."""
        coordinator, log = self._coordinator, self._log
        self._refusals.look()
        if coordinator.attempt != self._attempt:
            self._attempt, self._iteration = coordinator.attempt, -1
            log.warning("stage 1 restarts for all", attempt=coordinator.attempt)
        latest = -1 if coordinator.latest is None else coordinator.latest.iteration
        if latest > self._iteration:
            tenth = latest // self._every > self._iteration // self._every
            self._iteration = latest
            (log.info if tenth else log.debug)("iteration over", iteration=latest)
        number = -1 if coordinator.round is None else coordinator.round[0]
        if number > self._round:
            self._round = number
            log.info("round over", round=number, exchanges=coordinator.exchanges)
        if coordinator.phase is not self._phase:
            self._phase = coordinator.phase
            self._log_phase()

    def _log_phase(self) -> None:
        coordinator, log = self._coordinator, self._log
        if coordinator.phase is RunPhase.FAILED:  # no error: the command reports that at its end
            log.info("run failed", reason=coordinator.reason)
            return
        log.info(
            coordinator.phase.value,
            households=len(coordinator.members),
            hosts=len(coordinator.hosts),
            exchanges=coordinator.exchanges,
        )


class HostEvents:
    """Log of the events of a host; its first household represents all of them."""

    def __init__(self, node: Node, households: Sequence[Household]) -> None:
        self._log = PartLog(node.name, node.run)
        self._refusals = RefusalEvents(node, self._log)
        self._first, self._phase = households[0], households[0].phase

    def look(self) -> None:
        """Log what has changed since the last call."""
        self._refusals.look()
        if self._first.phase is not self._phase:
            self._phase = self._first.phase
            reason = {"reason": self._first.reason} if self._first.reason else {}
            self._log.info(self._phase.value, **reason)
