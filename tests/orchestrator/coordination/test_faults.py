"""Loss, repetition, delay and disorder of frames do not change the result; undecodable bytes are
only counted."""

from collections import Counter
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.coordination.run_phase import RunPhase
from orchestrator.simulation.network import NO_FAULTS, NetworkFaults
from protocol.codec import decode_frame, encode_frame
from protocol.messages import Down, Up
from protocol.runtime.node import Frame
from tests.support.faulty_run import SLOTS, outcome, results, world


@pytest.fixture(scope="module", params=["never", "periodically"])
def undisturbed(request: pytest.FixtureRequest) -> tuple[str, object]:
    return request.param, outcome(NO_FAULTS, request.param)[:3]


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("share", [0.05, 0.25])
def test_network_faults_change_nothing(
    undisturbed: tuple[str, object], seed: int, share: float
) -> None:
    strategy, expected = undisturbed
    faults = NetworkFaults(dropped=share, doubled=share, delay=(0.0, 0.05), seed=seed)
    *found, network = outcome(faults, strategy)
    assert tuple(found) == expected
    assert network.lost
    assert network.repeated


def test_delays_longer_than_the_retransmission_interval(undisturbed: tuple[str, object]) -> None:
    strategy, expected = undisturbed
    *found, network = outcome(NetworkFaults(delay=(0.0, 3.0), seed=1), strategy)
    assert tuple(found) == expected
    assert sum(node.counters.resent for node in network.nodes.values())


def traffic(seed: int) -> list[tuple[str, Frame]]:
    faults = NetworkFaults(dropped=0.1, doubled=0.1, delay=(0.0, 0.2), seed=seed)
    network, coordinator, _ = world(faults)
    seen: list[tuple[str, Frame]] = []
    network.listen = lambda sender, frame: seen.append((sender, frame))
    assert network.run(lambda: coordinator.finished)
    return seen


def test_the_same_seed_gives_the_same_run_byte_for_byte() -> None:
    assert traffic(4) == traffic(4)
    assert traffic(4) != traffic(5)


def test_a_missing_host_is_named() -> None:
    network, coordinator, _ = world(NO_FAULTS, deadline=9.0)
    del network.nodes["host-1"]
    assert network.run(lambda: coordinator.finished)
    assert coordinator.reason == (
        "no progress for 9 s while enrolling households: h1, h4, h7, h10 did not enrol"
    )


def test_a_host_that_falls_silent_is_named() -> None:
    network, coordinator, _ = world(NO_FAULTS, deadline=9.0)

    def silence() -> None:
        if coordinator.latest is not None and coordinator.latest.iteration == 3:
            network.nodes.pop("host-2", None)

    assert network.run(lambda: coordinator.finished, watch=silence)
    assert coordinator.phase is RunPhase.FAILED
    assert "no progress for 9 s while planning: no answer from h2, h8" in coordinator.reason


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 3))
def test_any_bytes_are_counted_and_dropped(data: bytes, at: int) -> None:
    network, *_ = world(NO_FAULTS)
    node = list(network.nodes.values())[at]
    assert node.receive("stranger", data, 0.0) == []
    assert node.counters.dropped == 1


def test_undecodable_bytes_during_a_run_change_nothing(undisturbed: tuple[str, object]) -> None:
    strategy, expected = undisturbed
    network, coordinator, hosts = world(NO_FAULTS, strategy)
    chance, fed = Random(3), Counter[str]()

    def nonsense(sender: str, frame: Frame) -> None:
        node = network.nodes[frame.to]
        cut = frame.data[: chance.randrange(len(frame.data))]
        for data in (cut, chance.randbytes(30), encode_frame("other", [])):
            node.accept(sender, data, network.now)
            fed[node.name] += 1

    network.listen = nonsense
    assert network.run(lambda: coordinator.finished)
    assert results(coordinator, hosts) == expected
    assert {name: node.counters.dropped for name, node in network.nodes.items()} == fed


def test_forged_messages_of_a_host_are_ignored(undisturbed: tuple[str, object]) -> None:
    """Have a host repeat all messages in the names of others, with other numbers."""
    strategy, expected = undisturbed
    network, coordinator, hosts = world(NO_FAULTS, strategy)

    def repeat(sender: str, frame: Frame) -> None:
        assert frame.to != "evil"
        if coordinator.phase is RunPhase.ENROLLING:
            return  # the first to enrol is trusted; the server's permissions prevent forgery
        items = [
            item._replace(message=replace(item.message, response_kwh=np.full(SLOTS, 99.0)))
            if isinstance(item.message, Up | Down)
            else item
            for item in decode_frame(frame.data, "r")
        ]
        network.nodes[frame.to].accept("evil", encode_frame("r", items), network.now)

    network.listen = repeat
    assert network.run(lambda: coordinator.finished)
    assert results(coordinator, hosts) == expected
    assert min(host.counters.dropped for host in hosts) > 10
