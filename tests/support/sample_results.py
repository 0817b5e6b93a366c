"""Results of runs that never took place, for tests of code that uses results."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agents.planning.tree import level_of
from orchestrator.results.measures import measures
from orchestrator.results.run_results import (
    BusTraffic,
    Demand,
    Exchange,
    HouseholdRow,
    Round,
    RunResults,
    Seconds,
)
from protocol.messages import Iteration
from protocol.vectors import Array


def sample_results(
    households: int = 31,
    slots: int = 24,
    iterations: int = 12,
    *,
    seed: int = 1,
    target: bool = False,
    exchange: bool = False,
    preferred: bool = True,
) -> RunResults:
    """Return households with a common evening peak: planning spreads it, and an exchange halves
    discomfort."""
    chance = np.random.default_rng(seed)
    evening = 1 + np.exp(-(((np.arange(slots) / slots - 0.8) / 0.1) ** 2))
    wanted = evening * chance.uniform(0.5, 1.5, (households, 1))
    planned = np.array([row[chance.permutation(slots)] for row in wanted])
    discomforts = np.sqrt(((planned - wanted) ** 2).mean(1))
    return assemble(
        wanted,
        planned,
        selected=[int(j) for j in chance.integers(0, 10, households)],
        inefficiencies=[2.0 ** -min(t, 9) * 30 for t in range(iterations)],
        seed=seed,
        target=np.full(slots, wanted.sum() / slots) if target else None,
        halved=discomforts / 2 if exchange else None,
        preferred=preferred,
    )


def assemble(
    wanted: Array,
    planned: Array,
    selected: Sequence[int],
    inefficiencies: Sequence[float],
    *,
    seed: int = 0,
    target: Array | None = None,
    halved: Array | None = None,
    preferred: bool = True,
) -> RunResults:
    """Return results from preferred plans and schedules, float64[n, d] each, and the costs of the
    iterations.

    `halved` are the discomforts after an exchange, float64[n].
    """
    discomforts = np.sqrt(((planned - wanted) ** 2).mean(1))
    mean, spread = float(discomforts.mean()), float(discomforts.std())
    before, after = wanted.sum(0), planned.sum(0)
    rows = [
        HouseholdRow(
            household=f"h{position}",
            position=position,
            level=level_of(position, 2),
            beta=0.1,
            selected_plan=plan,
            discomfort_planned=float(discomforts[position]),
        )
        for position, plan in enumerate(selected)
    ]
    if halved is not None:
        rows = [
            replace(
                row,
                discomfort_exchanged=float(left),
                comfort_gain=row.discomfort_planned - float(left),
                energy_drift=0.25,
                requests=7,
                accepted=3,
                refused=4,
                discomfort_bound_of_values=0.9 * float(left),
            )
            for row, left in zip(rows, halved, strict=True)
        ]
    exchanged = halved is not None
    rounds = () if halved is None else rounds_between(discomforts, halved)
    return RunResults(
        run="k3v9",
        households=len(wanted),
        slots=wanted.shape[1],
        iterations=len(inefficiencies),
        config={
            "dataset": "data/energy",
            "demo": False,
            "score": "preference",
            "score_from": "--score",
            "children": 2,
            "alpha": 0.0,
            "beta": 0.1,
            "cost": "var",
            "discomfort": "rmse",
            "isolation": "process",
            "hosts": len(wanted),
            "nats": None,
        },
        data_sha256="9f" * 32,
        seed=seed,
        versions={"coflex": "0.1.0", "python": "3.11.9"},
        preferred=measures(before, np.zeros(len(wanted)), before.var()) if preferred else None,
        planned=measures(after, discomforts, after.var()),
        exchanged=None if halved is None else measures(after, halved, after.var()),
        bound=None if halved is None else measures(after, 0.9 * halved, after.var()),
        exchange=exchange_of(rounds) if rounds else None,
        rounds=rounds,
        bus=BusTraffic(messages=20_100, frames=5_000, bytes=31_000_000, resent=3, dropped=0),
        seconds=Seconds(start=1.25, planning=3.5, total=5.0, exchange=1.5 if exchanged else None),
        rows=tuple(rows),
        planning_history=tuple(
            Iteration(
                iteration=t,
                inefficiency=cost,
                unfairness=spread,
                mean_discomfort=mean * (1 + 1 / (1 + t)),
                cost=cost,
            )
            for t, cost in enumerate(inefficiencies)
        ),
        demand=Demand(
            planned=after,
            preferred=before if preferred else None,
            exchanged=after if exchanged else None,
            target=target,
        ),
    )


def rounds_between(before: Array, after: Array) -> tuple[Round, ...]:
    """Return five rounds from one state to the other; each but the last has half as many exchanges
    as the one before."""
    found = []
    for number in range(6):
        left = after + (before - after) * (0.0 if number == 5 else 0.5**number)
        done = 0 if number in (0, 5) else 2 ** (6 - number)
        found.append(
            Round(
                round=number,
                lookups=10 * done + 7 * (number == 5),
                matches=5 * done,
                proposals=4 * done,
                accepted=3 * done,
                refused=done,
                mean_discomfort=float(left.mean()),
                pooled_discomfort=float(np.sqrt(np.mean(left * left))),
                messages=30 * done + 60,
                answers=10 * done + 30,
                frames=7 * done + 20,
                bytes=4_000 * done + 9_000,
            )
        )
    return tuple(found)


def exchange_of(rounds: Sequence[Round]) -> Exchange:
    """Return the summary of a stage 2 with these rounds."""
    lookups, matches, proposals, accepted, refused, messages, frames, size = (
        sum(getattr(row, name) for row in rounds)
        for name in (
            *("lookups", "matches", "proposals", "accepted", "refused"),
            *("messages", "frames", "bytes"),
        )
    )
    return Exchange(
        rounds=len(rounds) - 1,
        lookups=lookups,
        matches=matches,
        proposals=proposals,
        accepted=accepted,
        refused=refused,
        expired=matches - accepted - refused,
        households_worse=0,
        share_of_bound=0.97,
        inefficiency_change=1e-13,
        max_energy_drift=0.4,
        messages=messages,
        frames=frames,
        bytes=size,
        lookup_success=matches / lookups,
        proposal_success=accepted / proposals,
        messages_per_exchange=messages / accepted,
        frames_per_exchange=frames / accepted,
        bytes_per_exchange=size / accepted,
    )
