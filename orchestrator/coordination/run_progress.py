"""How far a run is, as a value for programs that watch it.

Decides what is reported, and when: each iteration and each round once, in order, the last ones
included. How progress looks on a terminal is decided in cli/progress.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.scenario.scenario import Scenario
from protocol.messages import Iteration

Stage = Literal["enrolling", "planning", "exchanging", "sweep"]


@dataclass(frozen=True, slots=True)
class RunProgress:
    """The progress of a run, or of a sweep."""

    stage: Stage
    done: int
    """Households enrolled, iterations planned, rounds of exchange over, or runs of a sweep over."""
    of: int
    """The number at which the stage is over. Rounds may end before."""
    inefficiency: float | None = None
    """The inefficiency after the last iteration; None before the first, and in a sweep."""
    exchanges: int = 0
    """Exchanges so far."""


Tell = Callable[[RunProgress], None]
"""Called with the progress whenever there is some. What it raises ends the run."""


class ProgressTeller:
    """Tells the progress of one run: after every step of its coordinator (`watch`), and after every
    iteration where one step has many (`iterated`)."""

    def __init__(self, scenario: Scenario, tell: Tell) -> None:
        self._tell, self._households = tell, len(scenario.members)
        self._iterations, self._rounds = scenario.common_terms.iterations, scenario.rounds_in_all
        self._enrolled = self._planned = self._rounds_over = self._exchanges = 0
        self._inefficiency: float | None = None

    def watch(self, coordinator: RunCoordinator) -> None:
        """Tell what is new since the last call."""
        if len(coordinator.enrolled) > self._enrolled:
            self._enrolled = len(coordinator.enrolled)
            self._tell(RunProgress("enrolling", self._enrolled, self._households))
        # One frame may bring the reports of several iterations or rounds.
        planned, over = self._planned, self._rounds_over
        iterations = takewhile(lambda it: it.iteration >= planned, reversed(coordinator.iterations))
        for iteration in reversed(list(iterations)):
            self.iterated(iteration)
        rounds = takewhile(lambda row: row[0] > over, reversed(coordinator.rounds))
        for number, count in reversed(list(rounds)):
            self._rounds_over = number
            self._exchanges += count.accepted
            self._tell(
                RunProgress(
                    stage="exchanging",
                    done=number,
                    of=self._rounds,
                    inefficiency=self._inefficiency,
                    exchanges=self._exchanges,
                )
            )

    def iterated(self, iteration: Iteration) -> None:
        """Report an iteration that is over, unless it has been reported."""
        done = iteration.iteration + 1
        if done > self._planned:
            self._planned, self._inefficiency = done, iteration.inefficiency
            self._tell(
                RunProgress(
                    stage="planning",
                    done=done,
                    of=self._iterations,
                    inefficiency=iteration.inefficiency,
                )
            )
