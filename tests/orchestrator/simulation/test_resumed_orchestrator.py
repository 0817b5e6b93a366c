"""An orchestrator that is killed in any phase is resumed from its journal, to the same result."""

from collections.abc import Callable

import pytest

from agents.exchange.journal.entries import Entry, MemoryJournal
from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.nodes import ORCHESTRATOR_ADDRESS
from orchestrator.coordination.run_journal import RunJournal
from orchestrator.coordination.run_phase import RunPhase
from protocol.errors import InputError
from protocol.subjects import ORCHESTRATOR
from tests.support.crashing_run import CrashingRun

SEED = 5
MOMENTS: dict[str, Callable[[RunCoordinator], bool]] = {
    "enrolling": lambda course: 0 < len(course.enrolled) < len(course.members),
    "placing": lambda course: course.phase is RunPhase.PLACING,
    "stage 1": lambda course: course.latest is not None,
    "stage 2": lambda course: course.phase is RunPhase.EXCHANGING,
    "collection": lambda course: 0 < len(course.results) < len(course.members),
    "releasing": lambda course: course.phase is RunPhase.RELEASING,
}


def undisturbed() -> CrashingRun:
    run = CrashingRun(SEED)
    assert run.run(lambda: run.course.finished, until=3000)
    return run


@pytest.mark.parametrize("away", [0.0, 60.0])
@pytest.mark.parametrize("moment", MOMENTS)
def test_it_goes_on_where_it_was(moment: str, away: float) -> None:
    run, struck = CrashingRun(SEED), list[float]()

    def strike() -> None:
        if not struck and MOMENTS[moment](run.course):
            struck.append(run.now)
            before = run.course
            before.journal.commit()  # as its process does after each step
            del run.nodes[ORCHESTRATOR]
            run.run(lambda: False, until=run.now + away)  # the others go on
            run.now = max(run.now, struck[0] + away)
            run.start(ORCHESTRATOR)
            assert run.course.enrolled == before.enrolled
            assert (run.course.phase, run.course.attempt) == (before.phase, before.attempt)
            run._send(ORCHESTRATOR, run.nodes[ORCHESTRATOR].start(run.now))

    assert run.run(lambda: run.course.finished, watch=strike, until=3000)
    assert struck
    assert run.course.phase is RunPhase.DONE, run.course.reason
    assert run.course.attempt == 1
    reference = undisturbed().course
    assert {name: own.selected_plan for name, own in run.course.results.items()} == {
        name: own.selected_plan for name, own in reference.results.items()
    }
    assert run.course.planning_history.iterations == reference.planning_history.iterations


def test_the_journal_of_a_host_is_none_of_an_orchestrator() -> None:
    kept = MemoryJournal()
    kept.append(Entry(ORCHESTRATOR, "begin"))
    kept.commit()
    with pytest.raises(InputError, match="no journal of an orchestrator: it has 'begin'"):
        RunJournal(kept).told(ORCHESTRATOR_ADDRESS)


def test_interruptions_take_no_time() -> None:
    """The marks of a resumed run leave out the time in which it had no orchestrator."""
    run = undisturbed()
    told = RunJournal(run.told).told(ORCHESTRATOR_ADDRESS)
    again = CrashingRun(SEED).course
    again.resume(told, 5000.0)
    last = max(at for _, at in told)
    assert again.phase is RunPhase.RELEASING
    for phase in (RunPhase.PLANNING, RunPhase.EXCHANGING, RunPhase.RELEASING):
        assert again.marks[phase] - (5000.0 - last) == pytest.approx(run.course.marks[phase])
