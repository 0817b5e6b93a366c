"""What a coordinator has heard of its run, for results and display."""

from orchestrator.coordination.run_phase import RunPhase
from protocol.messages import (
    ExchangeHistory,
    HostTraffic,
    Iteration,
    PlanningHistory,
    Result,
    RoundCount,
)


class RunReports:
    """The reports of one run, so far."""

    def __init__(self) -> None:
        self.results: dict[str, Result] = {}
        self.iterations: list[Iteration] = []
        """The iterations of this attempt that the root has reported, in order."""
        self.traffic: dict[str, HostTraffic] = {}
        """Traffic of each host until its release."""
        self.marks: dict[RunPhase, float] = {}
        """Time at which each phase began."""
        self.rounds: list[tuple[int, RoundCount]] = []
        """The rounds of stage 2 that the root has reported, in order, each with its counts."""
        self.exchanges = 0
        """Number of exchanges up to and including the last of them."""
        self.heard: dict[str, float] = {}
        """Time at which each host was last heard from."""

    @property
    def planning_history(self) -> PlanningHistory:
        """The history of stage 1, from the result of the root."""
        parts = [
            result.planning_history
            for result in self.results.values()
            if result.planning_history is not None
        ]
        rows = sorted(row for part in parts for row in part.iterations)
        return PlanningHistory(tuple(rows), parts[0].response_kwh)

    @property
    def exchange_history(self) -> ExchangeHistory | None:
        """The history of stage 2; None without a stage 2."""
        reported = (result.exchange_history for result in self.results.values())
        return next((history for history in reported if history is not None), None)

    @property
    def latest(self) -> Iteration | None:
        """The newest iteration that the root has reported."""
        return self.iterations[-1] if self.iterations else None

    @property
    def round(self) -> tuple[int, RoundCount] | None:
        """The newest round of stage 2 that the root has reported, and its counts."""
        return self.rounds[-1] if self.rounds else None
