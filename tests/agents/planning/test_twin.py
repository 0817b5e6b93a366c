"""The machines and their slow twin, compared on random small populations."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.planning.costs import COMPATIBLE, Arithmetic, pairwise
from agents.planning.java_random import JavaRandom
from agents.plans import Plans
from orchestrator.coordination.nodes import Numerics, host_node, households_of, orchestrator_node
from orchestrator.simulation.network import Network
from protocol.terms import HardConstraint, Limit, Reorganisation, Terms
from tests.support.effort import examples
from tests.support.twin import Setup, run

GOALS = ("rss", "rmse", "xcorr", "sqr", "residual", "dot")


@st.composite
def setups(draw: st.DrawFn, constrained: bool = False) -> Setup:
    households = draw(st.integers(1, 12))
    slots = draw(st.integers(1, 6))
    # Small whole numbers make ties frequent and exact; the others make rounding matter.
    number: Any = draw(
        st.sampled_from([st.integers(0, 3).map(float), st.floats(-4, 4).map(lambda v: round(v, 3))])
    )
    plans, local, weights = [], [], []
    for _ in range(households):
        count = draw(st.integers(1, 4))
        vector = st.lists(number, min_size=slots, max_size=slots)
        plans.append(draw(st.lists(vector, min_size=count, max_size=count)))
        costs = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=count, max_size=count)
        local.append(draw(costs))
        weights.append(draw(st.sampled_from([(0.0, 0.0), (0.0, 0.5), (0.25, 0.25), (0.5, 0.0)])))
    cost = draw(st.sampled_from(["var", "std", *GOALS]))
    setup = Setup(
        plans,
        local,
        weights,
        arity=draw(st.integers(1, 4)),
        cost=cost,
        scaling=draw(st.sampled_from(["std", "unit-length", "min-max"])),
        goal=[float(v) for v in range(slots)] if cost in GOALS else [],
        strategy=draw(st.sampled_from(["never", "periodically", "convergence", "cost-reduction"])),
        period=draw(st.integers(1, 3)),
        offset=draw(st.integers(0, 2)),
        memorise=draw(st.booleans()),
        threshold=draw(st.sampled_from([0.05, 0.5])),
        ties=[draw(st.integers(-5, 5)) for _ in range(households)],
    )
    if not constrained:
        return setup
    kind = draw(st.sampled_from(["plans", "costs"]))
    width = slots if kind == "plans" else 4
    bound = st.lists(st.integers(0, 6).map(float), min_size=width, max_size=width)
    modes = st.lists(st.integers(0, 3).map(float), min_size=width, max_size=width)
    pairs = 1 if kind == "costs" else draw(st.integers(1, 2))
    rows = [row for _ in range(pairs) for row in (draw(bound), draw(modes))]
    return replace(setup, constraint=kind, rows=rows)


def machines(
    setup: Setup, arithmetic: Arithmetic = COMPATIBLE
) -> tuple[list[list[int]], list[float], list[float]]:
    """Return the results of the same run by the household machines."""
    last = len(setup.plans) - 1
    members = [f"h{vertex}" for vertex in reversed(range(last + 1))]
    constraint = None
    if setup.constraint:
        limits = tuple(
            Limit(np.array(bound), tuple(int(m) for m in modes))
            for bound, modes in zip(setup.rows[::2], setup.rows[1::2], strict=True)
        )
        kind: Any = setup.constraint
        constraint = HardConstraint(kind, limits)
    options: Any = {"cost": setup.cost, "scaling": setup.scaling}
    strategy: Any = setup.strategy

    def terms(name: str) -> Terms:
        alpha, beta = setup.weights[int(name[1:])]
        return Terms(
            iterations=setup.iterations,
            arity=setup.arity,
            target=np.array(setup.goal) if setup.goal else None,
            discomfort="score",
            alpha=alpha,
            beta=beta,
            reorganisation=Reorganisation(
                strategy=strategy,
                period=setup.period,
                offset=setup.offset,
                memorise=setup.memorise,
                threshold=setup.threshold,
            ),
            constraint=constraint,
            **options,
        )

    plans = {
        name: Plans(np.array(setup.plans[int(name[1:])]), np.array(setup.local[int(name[1:])]))
        for name in members
    }
    rules = Numerics(arithmetic, lambda _, name: JavaRandom(setup.ties[int(name[1:])]))
    host = host_node("twin", "host", plans, numerics=rules)
    node, coordinator = orchestrator_node("twin", members, terms)
    assert Network([host, node]).run(lambda: coordinator.finished)
    assert not coordinator.reason
    by_vertex = {h.address.name: h.selections for h in households_of(host)}
    selections = [
        [by_vertex[f"h{vertex}"][t] for vertex in range(last + 1)] for t in range(setup.iterations)
    ]
    rows = coordinator.planning_history.iterations
    return (
        selections,
        [row.inefficiency for row in rows],
        coordinator.planning_history.response_kwh.tolist(),
    )


def check(setup: Setup) -> None:
    try:
        expected = run(setup)
    except (ValueError, ZeroDivisionError, OverflowError):
        return  # EPOS fails here too: a variance below zero by rounding
    assert machines(setup) == expected


@settings(max_examples=examples(250), deadline=None)
@given(setups())
def test_machines_and_twin_agree(setup: Setup) -> None:
    check(setup)


@settings(max_examples=examples(150), deadline=None)
@given(setups(constrained=True))
def test_machines_and_twin_agree_under_hard_constraints(setup: Setup) -> None:
    check(setup)


@pytest.mark.parametrize("strategy", ["never", "convergence"])
@pytest.mark.parametrize("whole", [True, False])
def test_a_larger_population(strategy: str, whole: bool) -> None:
    """Whole numbers have ties; with other numbers and many slots, the order of summation
    decides."""
    rng = np.random.default_rng(7)
    shape = (4, 6) if whole else (4, 30)
    plans = [rng.integers(0, 5, shape).astype(float) for _ in range(40)]
    if not whole:
        plans = [rng.permuted(np.tile(rng.random(30), (4, 1)), axis=1) for _ in range(40)]
    setup = Setup(
        [values.tolist() for values in plans],
        [rng.random(4).tolist() for _ in range(40)],
        [(0.1, 0.2) if whole else (0.0, 0.0)] * 40,
        iterations=12,
        strategy=strategy,
        memorise=True,
        offset=2,
        ties=list(range(40)),
    )
    expected = run(setup)
    assert machines(setup) == expected
    if not whole:
        assert machines(setup, replace(COMPATIBLE, total=pairwise)) != expected
