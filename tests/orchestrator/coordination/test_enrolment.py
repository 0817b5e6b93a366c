"""Enrolment by the roster: only a household's own host may speak for it, or for a host."""

import pytest

from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.nodes import ORCHESTRATOR_ADDRESS
from orchestrator.coordination.placement import Run
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from protocol.errors import PeerError
from protocol.messages import Address, Enrol, Failure, HostTraffic, Message, Ready, Result
from protocol.runtime.machine import Envelope
from protocol.subjects import HOST
from protocol.terms import Terms

ROSTER = {"a": "host-1", "b": "host-1", "c": "host-2"}
MATCHMAKER = Address("matchmaker-0", "matchmaker-0")
TRAFFIC = HostTraffic(messages=1, frames=1, bytes=1, resent=0, dropped=0)
RESULT = Result(selected_plan=0, beta=0.0, discomfort_planned_kwh=0.0, planning_history=None)


def coordinator_of(roster: dict[str, str] | None = ROSTER) -> RunCoordinator:
    return RunCoordinator(
        ORCHESTRATOR_ADDRESS,
        list(ROSTER),
        lambda _: Terms(),
        roster=roster,
        matchmakers=[MATCHMAKER],
    )


def say(coordinator: RunCoordinator, host: str, name: str, message: Message) -> list[Envelope]:
    return coordinator.handle(Envelope(Address(host, name), ORCHESTRATOR_ADDRESS, message), 0.0)


@pytest.mark.parametrize("host", ["host-9", "host-2", "a", "matchmaker-0"])
def test_a_household_is_not_stolen_by_an_early_enrol(host: str) -> None:
    coordinator = coordinator_of()
    with pytest.raises(PeerError, match="a lives on host-1, not on "):
        say(coordinator, host, "a", Enrol(2))
    say(coordinator, "host-1", "a", Enrol(2))
    assert coordinator.enrolled == {"a": Address("host-1", "a")}


@pytest.mark.parametrize("message", [Enrol(2, session=9), Ready(session=9), RESULT, Failure("no")])
def test_nobody_speaks_for_the_household_of_another_host(message: Message) -> None:
    coordinator = coordinator_of()
    for name, host in ROSTER.items():
        say(coordinator, host, name, Enrol(2))
    with pytest.raises(PeerError, match="a lives on host-1, not on host-2"):
        say(coordinator, "host-2", "a", message)
    assert coordinator.phase is RunPhase.PLACING


@pytest.mark.parametrize("message", [Failure("the end"), TRAFFIC])
def test_a_stranger_neither_fails_the_run_nor_counts(message: Message) -> None:
    coordinator = coordinator_of()
    with pytest.raises(PeerError, match="host-9 is not a host of this run"):
        say(coordinator, "host-9", HOST, message)
    assert not coordinator.finished
    assert not coordinator.traffic


@pytest.mark.parametrize("host", ["host-2", MATCHMAKER.host])
def test_a_host_that_cannot_take_part_says_so_before_it_enrols(host: str) -> None:
    coordinator = coordinator_of()
    say(coordinator, host, HOST, Failure("no plans"))
    assert coordinator.reason == f"{host}: no plans"


def test_without_a_roster_a_household_lives_where_it_enrols_first() -> None:
    coordinator = coordinator_of(roster=None)
    say(coordinator, "host-9", "a", Enrol(2))
    with pytest.raises(PeerError, match="a lives on host-9, not on host-1"):
        say(coordinator, "host-1", "a", Enrol(2))


@pytest.mark.parametrize("isolation", ["process", "task"])
def test_the_roster_of_a_run_has_the_external_households_on_their_own_hosts(isolation: str) -> None:
    options = {"demo": True, "households": 5, "slots": 24, "external": "h3", "hosts": 2}
    if isolation == "process":
        del options["hosts"]
    scenario = read_scenario(
        RunSettings.model_validate({**options, "isolation": isolation, "nats": "nats://x"})
    )
    run = Run("r", scenario)
    assert set(run.roster) == set(scenario.members)
    assert run.roster["h3"] == "h3"
    for host, share in run.hosts.items():
        assert {run.roster[name] for name in share} == {host}
