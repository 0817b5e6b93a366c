"""The components of monitoring, one by one: log lines, refusals, missing parts, and who may
abort."""

import json
import logging

import pytest

from orchestrator.coordination.nodes import orchestrator_node
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.monitoring.log_events import RefusalEvents
from orchestrator.monitoring.logs import LogSettings, PartLog, complain, logging_as
from orchestrator.monitoring.operator_console import BusSurvey, exchange_rate
from orchestrator.monitoring.part_status import refused_by
from orchestrator.monitoring.prometheus import Endpoint, read_endpoint
from protocol.codec import Item
from protocol.errors import DecodeError, InputError, PeerError
from protocol.messages import Abort, Address, Enrol, Expected, Presence, RefusedHost, RunState
from protocol.runtime.machine import Envelope
from protocol.runtime.node import Node
from protocol.runtime.refusals import HOSTS_MAX, UNREADABLE
from protocol.subjects import OPERATOR, ORCHESTRATOR
from protocol.terms import Terms
from tests.support.gate import handed

THE_ORCHESTRATOR = Address(ORCHESTRATOR, ORCHESTRATOR)
THE_OPERATOR = Address(OPERATOR, OPERATOR)


def state(*parts: Expected, run: str = "r", exchanges: int = 0, seconds: float = 0.0) -> RunState:
    return RunState(
        run=run,
        stage="planning",
        seconds=9.0,
        households=3,
        enrolled=3,
        iteration=4,
        iterations=50,
        round=-1,
        rounds=50,
        exchanges=exchanges,
        exchanging_seconds=seconds,
        parts=parts,
    )


def host(name: str, heard: float | None = 1.0) -> Expected:
    return Expected(name=name, role="host", households=1, heard_seconds=heard)


def external(name: str, heard: float | None) -> Expected:
    return Expected(name=name, role="external", households=1, heard_seconds=heard)


def present(run: str | None, stage: str) -> Presence:
    return Presence(role="host", run=run, stage=stage, households=int(run is not None), seconds=1.0)


def test_lines_for_people_and_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_as(LogSettings("text", "info")):
        PartLog("host-1", "r").info("planning", households=3)
        PartLog("host-1").debug("not of interest")
    time, line = capsys.readouterr().err.split(" ", 1)
    assert time.endswith("Z")
    assert line == "INFO host-1: planning (run=r, households=3)\n"
    with logging_as(LogSettings("json", "warning")):
        PartLog("host-1").info("not of interest")
        PartLog("host-1", "r").warning("a\nline", dropped=3)
        assert complain("host-1", InputError("no"))
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first.pop("time").endswith("+00:00")
    about = {"part": "host-1", "run": "r"}
    assert first == {"level": "WARNING", "message": "a\nline", "dropped": 3, **about}
    assert (second["level"], second["message"]) == ("ERROR", "no")
    assert not complain("host-1", InputError("no"))
    PartLog("host-1").info("nobody set logging up")
    assert capsys.readouterr().err == ""
    assert logging.getLogger("coflex").handlers == []


def test_refusals_are_logged_less_and_less_often(capsys: pytest.CaptureFixture[str]) -> None:
    node = Node("host-1", "r")
    with logging_as(LogSettings("json", "warning")):
        refusals = RefusalEvents(node, PartLog("host-1", "r"))
        for number in range(100):
            node.refuse(DecodeError("0.25 kWh") if number < 4 else PeerError("not your parent"))
            refusals.look()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["dropped"] for line in lines] == [1, 2, 4, 8, 16, 32, 64]
    assert [line["last"] for line in lines] == [UNREADABLE] * 3 + ["not your parent"] * 4


def test_a_refused_host_is_logged_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    node = Node("host-1", "r")
    item = Item("h1", "evil", Abort("no"))
    with logging_as(LogSettings("json", "warning")):
        refusals = RefusalEvents(node, PartLog("host-1", "r"))
        for number in range(100):
            node.refuse(PeerError("a stranger"), "host-9", item)
            if number == 50:
                node.refuse(DecodeError("x"), "host-8")
            refusals.look()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    named = [(line["dropped"], line["sender"], line["times"]) for line in lines]
    of_nine = [(number, "host-9", number) for number in (1, 2, 4, 8, 16, 32)]
    assert named == [*of_nine, (52, "host-8", 1), (64, "host-9", 63)]
    assert refused_by(node) == (
        RefusedHost("host-9", 100, "Abort: a stranger"),
        RefusedHost("host-8", 1, UNREADABLE),
    )


def test_nobody_fills_a_disk_with_names(capsys: pytest.CaptureFixture[str]) -> None:
    node = Node("host-1", "r")
    with logging_as(LogSettings("json", "warning")):
        refusals = RefusalEvents(node, PartLog("host-1", "r"))
        for number in range(5000):
            node.refuse(PeerError("no"), f"host-{number}")
            refusals.look()
    assert len(capsys.readouterr().err.splitlines()) < HOSTS_MAX + 14


def test_what_is_refused_is_shown_in_plain_words() -> None:
    node = Node("host-1", "r")
    node.refuse(PeerError("\x1b[2J\u202e" + 300 * "x"), "host-9")
    (shown,) = refused_by(node)
    assert shown.what == "?[2J?" + 155 * "x"


def test_addresses_of_endpoints() -> None:
    assert read_endpoint("9300") == Endpoint("127.0.0.1", 9300)
    assert read_endpoint("0.0.0.0:9300") == Endpoint("0.0.0.0", 9300)
    assert read_endpoint("[::1]:9300") == Endpoint("::1", 9300)
    for wrong in ("", "host", "host:", "70000", "-1"):
        with pytest.raises(InputError, match="neither PORT nor HOST:PORT"):
            read_endpoint(wrong)


def test_a_needed_part_that_does_not_answer_is_missing() -> None:
    theirs = external("h7", None)
    run = state(host("host-1"), host("host-2"), host("host-3", None), theirs)
    seen = BusSurvey({"r": run})
    assert [part.name for part in seen.missing(run)] == ["host-1", "host-2", "host-3", "h7"]
    seen.parts["host-1", "r"] = present("r", "planning")
    seen.parts["host-2", "another"] = present("another", "planning")
    seen.parts["host-3", None] = present(None, "")
    assert [part.name for part in seen.missing(run)] == ["host-2", "host-3", "h7"]
    assert seen.orphans() == ["another"]
    enrolled = state(host("host-1"), external("h7", 60.0))
    assert seen.missing(enrolled) == []
    assert exchange_rate(state(exchanges=30, seconds=1.5)) == 20
    assert exchange_rate(state()) == 0
    assert seen.as_json()["runs"][0]["missing"] == ["host-2", "host-3", "h7"]


def test_only_the_operator_may_abort() -> None:
    _, coordinator = orchestrator_node("r", ["h0", "h1"], lambda _: Terms())
    coordinator.tick(0.0)
    member = Address("host-1", "h0")
    coordinator.handle(Envelope(member, THE_ORCHESTRATOR, Enrol(3)), 1.0)
    for nobody in (member, Address("host-1", OPERATOR), Address(OPERATOR, "h0"), THE_ORCHESTRATOR):
        with pytest.raises(PeerError):
            handed(coordinator, Envelope(nobody, THE_ORCHESTRATOR, Abort("no")), 1.0)
    assert not coordinator.finished
    answers = handed(coordinator, Envelope(THE_OPERATOR, THE_ORCHESTRATOR, Abort("enough")), 2.0)
    assert coordinator.phase is RunPhase.FAILED
    assert coordinator.reason == "aborted by the operator: enough"
    assert answers == [
        Envelope(THE_ORCHESTRATOR, member, Abort(coordinator.reason)),
        Envelope(THE_ORCHESTRATOR, THE_OPERATOR, Abort("enough")),
    ]
    # A second request is only confirmed.
    again = coordinator.handle(Envelope(THE_OPERATOR, THE_ORCHESTRATOR, Abort("enough")), 3.0)
    assert [envelope.to for envelope in again] == [THE_OPERATOR]
