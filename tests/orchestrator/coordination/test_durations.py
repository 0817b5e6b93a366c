"""How long a run and its parts took, in the time of its coordinator's clock."""

import pytest

from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.nodes import orchestrator_of
from orchestrator.coordination.outcome import seconds_of
from orchestrator.coordination.placement import Run
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.monitoring.presence import state_of
from orchestrator.results.run_results import Seconds
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from protocol.messages import (
    Address,
    Enrol,
    Left,
    Message,
    Ready,
    RoundCount,
    RoundProgress,
)
from protocol.runtime.machine import Envelope
from tests.support.valid_results import valid_result

NOTHING = RoundCount._make([0] * len(RoundCount._fields))


@pytest.fixture
def run() -> Run:
    options = {"demo": True, "households": 2, "slots": 36, "hosts": 2, "isolation": "task"}
    return Run("r", read_scenario(RunSettings.model_validate(options)))


def say(run: Run, coordinator: RunCoordinator, message: Message, now: float) -> None:
    """Let all households say this, or the root alone what only a root says."""
    for host, households in run.hosts.items():
        for name in households:
            if not isinstance(message, RoundProgress) or name == run.scenario.members[0]:
                envelope = Envelope(Address(host, name), coordinator.address, message)
                coordinator.handle(envelope, now)


def report(run: Run, coordinator: RunCoordinator, now: float) -> None:
    """Let all households report their results."""
    for host, households in run.hosts.items():
        for name in households:
            root = name == run.scenario.members[0]
            result = valid_result(run.scenario.terms(name), 36, root=root)
            coordinator.handle(Envelope(Address(host, name), coordinator.address, result), now)


def test_each_part_lasts_from_its_beginning_to_that_of_the_next(run: Run) -> None:
    _, coordinator = orchestrator_of(run)
    coordinator.tick(100.0)
    say(run, coordinator, Enrol(36), 101.0)
    say(run, coordinator, Ready(), 103.0)
    say(run, coordinator, RoundProgress(-1, NOTHING), 110.0)
    report(run, coordinator, 130.0)
    say(run, coordinator, Left(), 131.5)
    assert coordinator.phase is RunPhase.DONE
    seconds = seconds_of(coordinator, 99.0)
    assert seconds == Seconds(start=4.0, planning=7.0, exchange=20.0, total=32.5)


def test_without_an_exchange_planning_lasts_until_the_release(run: Run) -> None:
    _, coordinator = orchestrator_of(run)
    say(run, coordinator, Enrol(36), 1.0)
    say(run, coordinator, Ready(), 2.0)
    report(run, coordinator, 5.0)
    say(run, coordinator, Left(), 6.0)
    assert seconds_of(coordinator, 0.0) == Seconds(start=2.0, planning=3.0, total=6.0)


def test_an_operator_hears_times_of_the_coordinators_clock(run: Run) -> None:
    """Which stands still while the process does, unlike any other clock here."""
    now = 10.0
    node, coordinator = orchestrator_of(run)
    answer = state_of(run, node, coordinator, lambda: now)
    assert [part.heard_seconds for part in answer().parts] == [None] * len(answer().parts)
    say(run, coordinator, Enrol(36), 11.0)
    say(run, coordinator, Ready(), 12.0)
    say(run, coordinator, RoundProgress(-1, NOTHING), 14.0)
    now = 20.0
    heard = {part.name: part.heard_seconds for part in answer().parts}
    root = next(host for host, own in run.hosts.items() if run.scenario.members[0] in own)
    assert heard == {host: 6.0 if host == root else 8.0 for host in run.hosts} | {
        name: seconds for name, seconds in heard.items() if name not in run.hosts
    }
    assert (answer().seconds, answer().exchanging_seconds) == (10.0, 6.0)
    report(run, coordinator, 22.0)
    now = 30.0
    assert (answer().seconds, answer().exchanging_seconds) == (20.0, 8.0)
