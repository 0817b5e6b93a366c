"""The gate: every message has somebody who may say it, and a node refuses all others."""

from typing import get_args

import pytest

from protocol.codec import Item, encode_frame
from protocol.errors import PeerError
from protocol.messages import Abort, Address, Enrol, Go, Message, Place, Release
from protocol.runtime.gate import SPEAKERS, admit
from protocol.runtime.host_endpoint import HostEndpoint
from protocol.runtime.machine import Envelope, Role
from protocol.runtime.node import Counters
from protocol.runtime.refusals import (
    FRAME_REFUSALS_MAX,
    HEARD_AGAIN_SECONDS,
    HOSTS_MAX,
    MUTED_AFTER,
    Refusals,
    Refused,
)
from tests.support.gate import handed
from tests.support.pingpong import ANYBODY, answering

STRANGER = Address("host-9", "h0")
HERE = Address("host-1", "h1")


def test_somebody_may_say_every_message() -> None:
    assert set(SPEAKERS) == set(get_args(Message))
    assert set().union(*SPEAKERS.values()) == set(get_args(Role))


@pytest.mark.parametrize(("role", "message"), [("member", Enrol(1)), ("orchestrator", Go())])
def test_what_a_role_may_say_is_admitted(role: Role, message: Message) -> None:
    admit(frozenset({"child", role}), Envelope(STRANGER, HERE, message))


def test_nobody_but_the_orchestrator_places() -> None:
    assert SPEAKERS[Place] == {"orchestrator"}


def frame(message: Message) -> bytes:
    return encode_frame("r", [Item("answerer", "asker", message)])


def test_a_node_names_whom_it_refuses_and_what() -> None:
    node, answerer = answering("a")
    assert {"member"} == ANYBODY
    node.accept("host-2", frame(Enrol(1)), 0.0)
    node.accept("host-9", frame(Go()), 0.0)
    node.accept("host-9", b"nonsense", 0.0)
    node.accept("host-8", encode_frame("r", [Item("nobody", "asker", Enrol(1))]), 0.0)
    assert answerer.received == [1]
    assert node.counters.dropped == 3
    assert node.refusals.most == [
        ("host-9", Refused(2, "bytes that are not a message of this run")),
        ("host-8", Refused(1, "Enrol: no nobody here")),
    ]
    node.accept("host-9", frame(Go()), 0.0)
    assert node.refusals.by_host["host-9"].what == "Go is not for a member to say"


def test_a_host_that_only_floods_is_muted_and_can_still_be_heard() -> None:
    node, answerer = answering("a")
    node.accept("host-2", frame(Enrol(1)), 0.0)
    for _ in range(2 * MUTED_AFTER):
        node.accept("host-9", frame(Go()), 1.0)
        node.accept("host-2", frame(Go()), 1.0)
    assert node.refusals.by_host["host-9"].times == 2 * MUTED_AFTER
    assert node.accept("host-9", frame(Enrol(7)), 1.0) is False
    assert answerer.received == [1], "it is muted"
    assert node.accept("host-2", frame(Enrol(2)), 1.0) is True
    assert answerer.received == [1, 2], "a host that has said something is never muted"
    node.accept("host-9", frame(Go()), 1.0 + HEARD_AGAIN_SECONDS)
    node.accept("host-9", frame(Enrol(7)), 1.0 + HEARD_AGAIN_SECONDS)
    assert answerer.received == [1, 2]
    node.accept("host-9", frame(Enrol(8)), 1.0 + 2 * HEARD_AGAIN_SECONDS)
    node.accept("host-9", frame(Enrol(9)), 1.0 + 2 * HEARD_AGAIN_SECONDS)
    assert answerer.received == [1, 2, 8, 9], "now it has said something, too"


def test_a_frame_full_of_noise_is_not_read_to_its_end() -> None:
    node, answerer = answering("a")
    enough = MUTED_AFTER + FRAME_REFUSALS_MAX
    items = [Item("answerer", "asker", Go())] * (2 * enough) + [Item("answerer", "asker", Enrol(1))]
    node.accept("host-9", encode_frame("r", items), 0.0)
    assert answerer.received == []
    assert node.counters.dropped == len(items)
    assert node.refusals.by_host["host-9"].times == len(items)
    few = items[: MUTED_AFTER - 1] + items[-1:]
    node.accept("host-8", encode_frame("r", few), 0.0)
    assert answerer.received == [1]


@pytest.mark.parametrize(
    "sender", [STRANGER, Address("host-9", "orchestrator"), Address("orchestrator", "host")]
)
def test_a_host_itself_hears_the_orchestrator_alone(sender: Address) -> None:
    orchestrator = Address("orchestrator", "orchestrator")
    endpoint = HostEndpoint("host-1", orchestrator, Counters())
    for message in (Release(), Abort("because")):
        with pytest.raises(PeerError, match=f"{sender.name} on {sender.host} is not the orch"):
            handed(endpoint, Envelope(sender, endpoint.address, message))
    assert not endpoint.released
    handed(endpoint, Envelope(orchestrator, endpoint.address, Release()))
    assert endpoint.released


def test_strangers_take_little_memory() -> None:
    refusals = Refusals()
    for number in range(10_000):
        refusals.note(f"s{number}", "noise")
        refusals.note("loud", "Proposal: without a lease")
    assert len(refusals.by_host) == HOSTS_MAX
    assert refusals.most[0] == ("loud", Refused(10_000, "Proposal: without a lease"))
    assert refusals.others + sum(each.times for each in refusals.by_host.values()) == 20_000
