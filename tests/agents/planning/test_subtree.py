"""Whole subtrees in arrays give the same as single households, to the last bit: every selection,
the history, and every message between hosts. And the tree is divided as intended."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.planning.costs import COMPATIBLE
from agents.planning.java_random import JavaRandom, JavaRandoms
from agents.planning.tie_breaking import choose, choose_each
from agents.planning.tree import parent_of
from agents.plans import Plans
from orchestrator.coordination.nodes import (
    ORDINARY,
    Numerics,
    host_node,
    households_of,
    orchestrator_node,
)
from orchestrator.coordination.placement import layout, partition
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.simulation.network import NO_FAULTS, Network, NetworkFaults
from protocol.codec import decode_frame, encode_message
from protocol.messages import Down, Up
from protocol.runtime.node import Frame
from protocol.subjects import ORCHESTRATOR
from protocol.terms import COSTS_WITH_TARGET, CostName, HardConstraint, Limit, Reorganisation, Terms
from tests.support.effort import examples

Said = tuple[str, str, str, int]


@dataclass
class World:
    """The inputs of a run."""

    plans: dict[str, Plans]
    terms: dict[str, Terms]
    hosts: list[list[str]]
    rules: Numerics = ORDINARY


@dataclass
class Outcome:
    """Everything that a run reports, and its counters."""

    selections: dict[str, list[int]]
    results: dict[str, bytes]
    history: bytes
    traffic: list[tuple[str, Frame]]
    """Every frame, by its sender."""
    between: dict[Said, bytes]
    """Tree messages between hosts, by sender, receiver, kind and iteration."""
    inside: int
    """Tree messages that a host sent to itself."""
    network: Network


def world(
    seed: int,
    *,
    households: int = 23,
    slots: int = 5,
    most_plans: int = 4,
    hosts: int = 3,
    scattered: bool = False,
    mixed: bool = False,
    **terms: Any,
) -> World:
    """Return households with few different values in their plans, so that there are many ties, some
    of them broken by rounding; or with real values."""
    rng = np.random.default_rng(seed)
    names = [f"h{n}" for n in range(households)]
    plans = {}
    for name in names:
        shape = (int(rng.integers(1, most_plans + 1)), slots)
        values = rng.integers(0, 3, shape).astype(float) * (1.0, 0.1)[seed % 2]
        if seed % 3 == 0:
            values = rng.gamma(2.0, 0.1, shape)
        plans[name] = Plans(values, rng.integers(0, 3, shape[0]) / 2)
    if terms.get("cost", "var") in COSTS_WITH_TARGET:
        terms["target"] = rng.random(slots) + np.arange(slots)
    every = Terms(**{"iterations": 6, "seed": seed, **terms})
    of_each = dict.fromkeys(names, every)
    if mixed:
        of_each = {
            name: replace(every, alpha=float(a), beta=float(b))
            for name, (a, b) in zip(names, rng.integers(0, 3, (households, 2)) / 4, strict=True)
        }
    shares = [list(map(int, s)) for s in partition(households, every.arity, hosts)]
    if scattered:
        at = rng.integers(0, hosts, households)
        shares = [list(np.flatnonzero(at == host)) for host in range(hosts) if (at == host).any()]
    return World(plans, of_each, [[names[p] for p in share] for share in shares])


def run(
    setup: World, isolation: Any, faults: NetworkFaults = NO_FAULTS, together: Any = None
) -> Outcome:
    """Do a run; the hosts in `together` have the isolation subtree, and the others have task."""
    hosts = [
        host_node(
            "r",
            f"host-{k}",
            {name: setup.plans[name] for name in share},
            numerics=setup.rules,
            isolation=isolation if together is None or k in together else "task",
        )
        for k, share in enumerate(setup.hosts)
    ]
    node, run_coordinator = orchestrator_node(
        "r", list(setup.plans), setup.terms.__getitem__, deadline=10_000.0
    )
    network = Network([*hosts, node], faults)
    between: dict[Said, bytes] = {}
    inside = Counter[str]()
    traffic: list[tuple[str, Frame]] = []

    def listen(sender: str, frame: Frame) -> None:
        traffic.append((sender, frame))
        if ORCHESTRATOR in (sender, frame.to):
            return
        for item in decode_frame(frame.data, "r"):
            assert isinstance(item.message, Up | Down)
            if sender == frame.to:
                inside[sender] += 1
                continue
            data = encode_message(item.message)
            kind = type(item.message).__name__
            said = (item.sender, item.to, kind, item.message.iteration)
            assert between.setdefault(said, data) == data, "said again, but not the same"

    network.listen = listen
    assert network.run(lambda: run_coordinator.finished)
    assert run_coordinator.phase is RunPhase.DONE, run_coordinator.reason
    return Outcome(
        {h.address.name: h.selections for host in hosts for h in households_of(host)},
        {name: encode_message(result) for name, result in run_coordinator.results.items()},
        repr(
            (
                run_coordinator.planning_history.iterations,
                run_coordinator.planning_history.response_kwh.tolist(),
            )
        ).encode(),
        traffic,
        between,
        inside.total(),
        network,
    )


def assert_equal(one: Outcome, other: Outcome) -> None:
    assert one.selections == other.selections
    assert one.history == other.history
    assert one.results == other.results
    assert one.between == other.between


@settings(max_examples=examples(150), deadline=None)
@given(
    seed=st.integers(0, 10_000),
    households=st.integers(1, 40),
    slots=st.integers(1, 20),
    most_plans=st.integers(1, 5),
    hosts=st.integers(1, 5),
    scattered=st.booleans(),
    mixed=st.booleans(),
    arity=st.integers(1, 4),
    cost=st.sampled_from(get_args(CostName)),
    weights=st.sampled_from([(0.0, 0.0), (0.0, 0.5), (0.5, 0.0), (0.25, 0.25), (0.0, 1.0)]),
    discomfort=st.sampled_from(["rmse", "score", "preference", "index"]),
)
def test_equal_to_households_one_by_one(
    weights: tuple[float, float], hosts: int, households: int, **given: Any
) -> None:
    alpha, beta = weights
    setup = world(
        alpha=alpha, beta=beta, households=households, hosts=min(hosts, households), **given
    )
    together = run(setup, "subtree")
    assert_equal(together, run(setup, "task"))
    assert together.inside == 0


@pytest.mark.parametrize("slots", [7, 8, 9, 127, 128, 129, 144, 300])
@pytest.mark.parametrize("cost", ["var", "rss", "rmse"])
def test_a_row_does_not_depend_on_its_batch(slots: int, cost: str) -> None:
    setup = world(2, households=60, slots=slots, most_plans=12, cost=cost, beta=0.3, iterations=8)
    assert_equal(run(setup, "subtree"), run(setup, "task"))


@pytest.mark.parametrize("seed", range(4))
def test_choices_that_only_rounding_decides(seed: int) -> None:
    """Plans that are shifted copies have the same cost up to the order of summation."""
    rng = np.random.default_rng(seed)
    setup = world(seed, households=40, slots=9)
    for name in setup.plans:
        one = rng.random(9)
        shifted = np.stack([np.roll(one, by) for by in range(5)])
        setup.plans[name] = Plans(shifted, np.zeros(5))
    level = replace(setup.terms["h0"], cost="dot", target=np.ones(9))
    setup.terms = dict.fromkeys(setup.plans, level)
    assert_equal(run(setup, "subtree"), run(setup, "task"))


@pytest.mark.parametrize("mixed", [False, True])
def test_small_blocks_change_nothing(mixed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = world(6, households=70, beta=0.2, mixed=mixed)
    whole = run(setup, "subtree")
    monkeypatch.setattr("agents.planning.batch_selection.BLOCK", 5 * 12)
    assert_equal(run(setup, "subtree"), whole)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("scattered", [False, True])
def test_network_faults_change_nothing(seed: int, scattered: bool) -> None:
    setup = world(seed, scattered=scattered, beta=0.25, patience_seconds=1000.0)
    faults = NetworkFaults(dropped=0.2, doubled=0.2, delay=(0.0, 0.3), seed=seed)
    faulty = run(setup, "subtree", faults)
    assert_equal(faulty, run(setup, "task"))
    assert faulty.network.lost
    assert faulty.network.repeated
    assert faulty.network.now < 500, "nobody waited for its patience to end"


@pytest.mark.parametrize("seed", range(8))
def test_a_single_household_sends_the_same_at_the_same_time(seed: int) -> None:
    setup = world(seed, households=9, hosts=9, beta=0.25, patience_seconds=0.7)
    faults = NetworkFaults(dropped=0.2, doubled=0.1, delay=(0.0, 0.4), seed=seed)
    single, reference = run(setup, "subtree", faults), run(setup, "task", faults)
    assert single.traffic == reference.traffic
    assert single.network.now == reference.network.now


@pytest.mark.parametrize("together", [{0}, {1, 2}])
def test_hosts_of_both_isolations_work_together(together: set[int]) -> None:
    setup = world(3, scattered=True)
    assert_equal(run(setup, "subtree", together=together), run(setup, "task"))


def test_arithmetic_of_epos() -> None:
    setup = world(4, beta=0.3, alpha=0.2)
    setup.rules = Numerics(COMPATIBLE, lambda seed, name: JavaRandom(len(name) + seed))
    assert_equal(run(setup, "subtree"), run(setup, "task"))


@pytest.mark.parametrize(
    "terms",
    [
        {"reorganisation": Reorganisation("periodically", period=2, seed=5)},
        {"constraint": HardConstraint("plans", (Limit(np.full(5, 9.0), (1,) * 5),))},
    ],
    ids=["reorganisation", "constraint"],
)
def test_households_decide_one_by_one_if_arrays_cannot(terms: dict[str, Any]) -> None:
    setup = world(5, **terms)
    together = run(setup, "subtree")
    assert_equal(together, run(setup, "task"))
    assert together.inside > 0


@pytest.mark.parametrize(("households", "isolation"), [(1, "task"), (1, "subtree"), (5, "subtree")])
def test_many_iterations_without_messages_from_others(households: int, isolation: str) -> None:
    setup = world(1, households=households, hosts=1, iterations=500)
    assert {len(rows) for rows in run(setup, isolation).selections.values()} == {500}


def test_a_silent_household_is_named() -> None:
    setup = world(1, households=15, hosts=3, patience_seconds=1.0)
    hosts = [
        host_node("r", f"host-{k}", {n: setup.plans[n] for n in share}, isolation="subtree")
        for k, share in enumerate(setup.hosts)
    ]
    node, run_coordinator = orchestrator_node(
        "r", list(setup.plans), setup.terms.__getitem__, deadline=9.0
    )
    network = Network([*hosts, node])

    def silence() -> None:
        if run_coordinator.latest is not None and run_coordinator.latest.iteration == 3:
            network.nodes.pop("host-0", None)

    assert network.run(lambda: run_coordinator.finished, watch=silence)
    assert run_coordinator.phase is RunPhase.FAILED
    missing = run_coordinator.reason.split("no answer from ")[1].split(", ")
    assert missing
    assert set(missing) <= set(setup.hosts[0])


@given(
    seed=st.integers(0, 2**48 - 1),
    costs=st.lists(
        st.lists(
            st.sampled_from([0.0, 1.0, 2.0, float("nan"), float("inf")]), min_size=6, max_size=6
        ).map(lambda row: [*row, 3.0]),
        min_size=1,
        max_size=8,
    ),
)
def test_choosing_in_a_batch_equals_choosing_one_by_one(
    seed: int, costs: list[list[float]]
) -> None:
    generators = [JavaRandom(seed + row) for row in range(len(costs) + 1)]
    chances, rows = JavaRandoms(generators), np.arange(1, len(costs) + 1)
    for _ in range(3):
        expected = [choose(row, chance) for row, chance in zip(costs, generators[1:], strict=True)]
        assert choose_each(np.array(costs), chances, rows).tolist() == expected
    following = [generator.next_double() for generator in generators]
    assert chances.next_double(np.arange(len(generators))).tolist() == following


def test_an_empty_batch() -> None:
    with pytest.raises(ArithmeticError, match="no candidate"):
        choose_each(np.array([[np.nan, np.nan]]), JavaRandoms([JavaRandom(1)]), np.array([0]))


@given(n=st.integers(1, 400), arity=st.integers(1, 5), hosts=st.integers(1, 30))
def test_the_tree_is_divided_evenly_and_whole(n: int, arity: int, hosts: int) -> None:
    shares = partition(n, arity, hosts)
    assert len(shares) == min(n, hosts)
    assert sorted(position for share in shares for position in share) == list(range(n))
    fair = n / len(shares)
    assert all(0 < len(share) <= fair + 2 * int(0.05 * fair) + 1 for share in shares)
    assert all(share == sorted(share) for share in shares)


@pytest.mark.parametrize(("n", "hosts", "most"), [(1000, 2, 1), (1000, 16, 50), (5000, 4, 10)])
def test_few_messages_pass_between_hosts(n: int, hosts: int, most: int) -> None:
    host_of = {p: host for host, share in enumerate(partition(n, 2, hosts)) for p in share}
    above = {position: parent_of(position, 2) for position in range(1, n)}
    cut = [p for p, parent in above.items() if parent is not None and host_of[p] != host_of[parent]]
    assert len(cut) <= most


def test_layout_gives_hosts_whole_subtrees() -> None:
    members = [f"h{n}" for n in range(7)]
    assert layout(members, isolation="subtree", hosts=2, arity=2) == {
        "host-1": ("h1", "h3", "h4"),
        "host-2": ("h0", "h2", "h5", "h6"),
    }
