"""A small run of stage 1 on a network that may lose, repeat and delay frames."""

import numpy as np

from agents.plans import Plans
from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.nodes import host_node, households_of, orchestrator_node
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.simulation.network import Network, NetworkFaults
from protocol.runtime.node import Node
from protocol.terms import Reorganisation, Terms

HOUSEHOLDS, SLOTS, HOSTS = 11, 4, 3


def world(
    faults: NetworkFaults, strategy: str = "never", deadline: float = 1000.0
) -> tuple[Network, RunCoordinator, list[Node]]:
    """Return the network with these faults, the coordinator and the hosts of a run."""
    rng = np.random.default_rng(2)
    plans = {
        f"h{n}": Plans(rng.integers(0, 4, (4, SLOTS)).astype(float), rng.random(4))
        for n in range(HOUSEHOLDS)
    }
    chosen = Reorganisation("periodically", period=3) if strategy != "never" else Reorganisation()
    terms = Terms(
        iterations=8, alpha=0.1, beta=0.3, reorganisation=chosen, patience_seconds=deadline / 3
    )
    hosts = [
        host_node("r", f"host-{k}", {name: plans[name] for name in list(plans)[k::HOSTS]})
        for k in range(HOSTS)
    ]
    node, coordinator = orchestrator_node("r", list(plans), lambda name: terms, deadline=deadline)
    return Network([*hosts, node], faults), coordinator, hosts


def results(
    coordinator: RunCoordinator, hosts: list[Node]
) -> tuple[dict[str, list[int]], object, object]:
    """Return the selections and the history of a successful run."""
    assert coordinator.phase is RunPhase.DONE, coordinator.reason
    selections = {h.address.name: h.selections for host in hosts for h in households_of(host)}
    return (
        selections,
        coordinator.planning_history.iterations,
        coordinator.planning_history.response_kwh.tolist(),
    )


def outcome(
    faults: NetworkFaults, strategy: str
) -> tuple[dict[str, list[int]], object, object, Network]:
    """Do a whole run; return its selections, its history and the network."""
    network, coordinator, hosts = world(faults, strategy)
    assert network.run(lambda: coordinator.finished)
    return *results(coordinator, hosts), network
