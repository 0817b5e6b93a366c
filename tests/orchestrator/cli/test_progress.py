"""The lines of progress of a run: what they say, and that they fit into a terminal."""

import io

import pytest

from orchestrator.cli.progress import StageLines, stage_line
from orchestrator.coordination.nodes import orchestrator_node
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.monitoring.logs import CLEARED_LINE
from protocol.terms import Terms

FACTS = ["9 of 50 iterations", "inefficiency 0.2521"]


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (80, "planning   9 of 50 iterations, inefficiency 0.2521 0:00:07"),
        (40, "planning   9 of 50 iterations 0:00:07"),
        (24, "planning   0:00:07"),
    ],
)
def test_a_line_says_as_much_as_fits(width: int, line: str) -> None:
    assert stage_line("planning", FACTS, "0:00:07", width=width) == line
    assert len(line) < width


def test_a_stage_that_is_over_keeps_its_last_line_and_its_own_clock() -> None:
    _, coordinator = orchestrator_node(
        "r", ["h0", "h1"], lambda _: Terms(iterations=5), deadline=9.0
    )
    terminal = io.StringIO()
    lines = StageLines(terminal, iterations=5, households=2)
    lines.show(coordinator, 100.0)
    lines.show(coordinator, 100.5)
    coordinator.phase = RunPhase.PLANNING
    lines.show(coordinator, 103.0)
    lines.show(coordinator, 105.0)
    coordinator.phase = RunPhase.DONE
    lines.show(coordinator, 107.0)
    lines.end()
    drawn = terminal.getvalue().split(CLEARED_LINE)
    assert drawn == [
        "",
        "enrolling  0 of 2 households 0:00:00",
        "enrolling  0 of 2 households 0:00:03\n",
        "planning   0:00:00",
        "planning   0:00:02",
        "planning   0:00:04\n",
    ]
