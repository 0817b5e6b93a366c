"""Results that cannot be, each named; a valid one is taken."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.nodes import ORCHESTRATOR_ADDRESS
from orchestrator.coordination.result_check import Expectation, faults
from orchestrator.coordination.run_phase import RunPhase
from protocol.messages import (
    Address,
    Enrol,
    ExchangeHistory,
    Iteration,
    PlanningHistory,
    Ready,
    Result,
)
from protocol.messages.results import Trace
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms, Terms
from tests.support.valid_results import iterations, valid_result

SLOTS = 3
BOTH, ONE = Terms(iterations=4, exchange=ExchangeTerms()), Terms(iterations=4)
ROOT = valid_result(BOTH, SLOTS, root=True)
ROWS = iterations(4)
ROUNDS = ROOT.exchange_history.rounds if ROOT.exchange_history else ()
NO_VALUES = np.zeros(0)
NO_TRACE = Trace((), (), (), (), (), NO_VALUES, NO_VALUES, NO_VALUES)


def expected(*, terms: Terms = BOTH, root: bool = True, plans: int | None = 2) -> Expectation:
    return Expectation(terms=terms, slots=SLOTS, is_root=root, plans=plans)


def planned(rows: tuple[Iteration, ...] = ROWS, slots: int = SLOTS) -> Result:
    return replace(ROOT, planning_history=PlanningHistory(rows, np.zeros(slots)))


def traced(**columns: Any) -> Result:
    assert ROOT.exchanged is not None
    return replace(ROOT, exchanged=replace(ROOT.exchanged, trace=replace(NO_TRACE, **columns)))


@pytest.mark.parametrize("terms", [BOTH, ONE])
@pytest.mark.parametrize("root", [True, False])
def test_a_valid_result_has_no_fault(terms: Terms, root: bool) -> None:
    result = valid_result(terms, SLOTS, root=root, plan=1)
    assert not list(faults(result, expected(terms=terms, root=root)))


@pytest.mark.parametrize(
    ("result", "named"),
    [
        (replace(ROOT, selected_plan=2), "plan 2 of 2"),
        (replace(ROOT, exchanged=None), "no result of stage 2"),
        (replace(ROOT, planning_history=None), "no history of stage 1"),
        (replace(ROOT, exchange_history=None), "no history of stage 2"),
        (planned(slots=4), "a history of stage 1 for another number of slots"),
        (planned(()), "a history of iterations that there were not"),
        (planned(iterations(5)), "a history of iterations that there were not"),
        (planned(ROWS[::-1]), "a history of iterations that there were not"),
        (planned((*ROWS[:2], *ROWS[1:])), "a history of iterations out of order"),
        (
            replace(ROOT, exchange_history=ExchangeHistory(ROUNDS, np.zeros(2))),
            "a history of stage 2 for another number of slots",
        ),
        (
            replace(ROOT, exchange_history=ExchangeHistory((), np.zeros(SLOTS))),
            "a history of exchanges that there were not",
        ),
        (
            replace(ROOT, exchange_history=ExchangeHistory(ROUNDS, np.zeros(SLOTS), (-1, 0))),
            "a history of exchanges that there were not",
        ),
        (
            replace(ROOT, exchange_history=ExchangeHistory(ROUNDS, np.zeros(SLOTS), (1,))),
            "a history of rounds that there were not",
        ),
        (traced(rounds=(1,)), "a trace whose columns do not fit together"),
    ],
)
def test_a_false_result_is_named(result: Result, named: str) -> None:
    assert named in list(faults(result, expected()))


def test_only_the_root_has_histories() -> None:
    found = list(faults(ROOT, expected(root=False)))
    assert found == ["a history of stage 1", "a history of stage 2"]


def test_a_false_result_ends_the_run_by_name() -> None:
    """At once, and not when the results of all others are there to be lost."""
    coordinator = RunCoordinator(ORCHESTRATOR_ADDRESS, ["a", "b"], lambda _: ONE, plans={"b": 2})
    a, b = Address("host-1", "a"), Address("host-1", "b")
    for sender in (a, b):
        coordinator.handle(Envelope(sender, coordinator.address, Enrol(SLOTS)), 0.0)
    for sender in (a, b):
        coordinator.handle(Envelope(sender, coordinator.address, Ready()), 1.0)
    good = valid_result(ONE, SLOTS, root=True)
    coordinator.handle(Envelope(a, coordinator.address, good), 2.0)
    assert not coordinator.finished
    coordinator.handle(Envelope(b, coordinator.address, valid_result(ONE, SLOTS, plan=2)), 3.0)
    assert coordinator.phase is RunPhase.FAILED
    assert coordinator.reason == "b reports what cannot be: plan 2 of 2"
