"""A defect in one machine: who ends, and who goes on."""

import logging

import numpy as np
import pytest

from agents.household import Household
from agents.phases import Phase
from agents.plans import Plans
from orchestrator.coordination.nodes import (
    host_node,
    households_of,
    orchestrator_node,
)
from orchestrator.distributed.containment import containing
from orchestrator.monitoring.logs import PartLog
from orchestrator.simulation.network import Network
from protocol.messages import Address, Failure, Place
from protocol.runtime.machine import Envelope, Roles
from protocol.runtime.node import Node
from protocol.terms import Terms


def host() -> tuple[Node, list[Household]]:
    plans = {name: Plans(np.eye(2), np.ones(2)) for name in ("a", "b")}
    node = host_node("r", "host-1", plans)
    return node, households_of(node)


def broken(household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this household fail on its place."""

    def fail(place: Place, now: float) -> list[Envelope]:
        raise KeyError("a defect in a test")

    monkeypatch.setattr(household, "_on_place", fail)


def test_a_defect_ends_one_household_and_the_run_says_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    node, (first, second) = host()
    broken(second, monkeypatch)
    center, coordinator = orchestrator_node("r", ["a", "b"], lambda _: Terms(iterations=2))
    network = Network([node, center])
    node.contain = containing(PartLog("host-1", "r"), lambda: network.now)
    with caplog.at_level(logging.ERROR, "coflex"):
        assert network.run(lambda: coordinator.finished and first.finished and second.finished)
    assert coordinator.reason.startswith("b: a defect of coflex on Place from orchestrator")
    assert "a defect in a test" in coordinator.reason
    assert (first.phase, second.phase) == (Phase.ABORTED, Phase.ABORTED)
    assert "KeyError" in caplog.text


def test_without_containment_a_defect_is_loud(monkeypatch: pytest.MonkeyPatch) -> None:
    node, (_, second) = host()
    broken(second, monkeypatch)
    center, coordinator = orchestrator_node("r", ["a", "b"], lambda _: Terms(iterations=2))
    with pytest.raises(KeyError):
        Network([node, center]).run(lambda: coordinator.finished)


def test_a_broken_household_only_repeats_why() -> None:
    _, (household, _) = host()
    household.tick(0.0)
    (said,) = household.break_down("why", 1.0)
    assert said.message == Failure("why")
    due = household.next_deadline()
    assert due is not None
    assert household.tick(due) == [said]
    assert household.phase is Phase.BROKEN


def test_a_machine_that_all_wait_for_drops_the_message() -> None:
    class Matchmaker:
        address = Address("m", "m")

        def roles_of(self, sender: Address) -> Roles:
            return frozenset()

        def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
            raise AssertionError

        def tick(self, now: float) -> list[Envelope]:
            return []

        def next_deadline(self) -> float | None:
            return None

    contain = containing(PartLog("m"), lambda: 0.0)
    envelope = Envelope(Address("h", "a"), Address("m", "m"), Failure("x"))
    with pytest.raises(ValueError, match="a defect") as raised:
        raise ValueError("a defect")
    assert contain(Matchmaker(), raised.value, envelope) == []
    with pytest.raises(ValueError, match="a defect"):
        contain(Matchmaker(), raised.value, None)
