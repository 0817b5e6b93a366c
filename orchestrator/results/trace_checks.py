"""The comparisons of an audit that need every exchange (`--trace`): both sides of each, and what
each household held.

A value, or an amount, that one side has given is what the other has taken, under the same lease and
at the same slot. A household can only give a value that it was planned to hold or has taken before.
The order of exchanges is not compared: two sides may report it differently.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from agents.plans import Plans, rmse
from orchestrator.results.audit import Discrepancy, listed
from orchestrator.results.audit_evidence import Evidence
from protocol.messages import Result
from protocol.messages.exchange import WHOLE, LeaseId
from protocol.messages.results import Trace
from protocol.vectors import Array


class _Side(NamedTuple):
    """What one household reports of an exchange at one slot."""

    round: int
    slot: int
    partner: str
    lease: LeaseId
    asked: bool
    given_kwh: float
    taken_kwh: float


class _Key(NamedTuple):
    """The identity of an exchange at one slot."""

    requester: str
    responder: str
    lease: LeaseId
    slot: int


def exchange_faults(evidence: Evidence) -> Iterator[Discrepancy]:
    """Compare the exchanges that households report with one another, and with their plans."""
    sides: dict[str, list[_Side]] = {}
    for name, result in evidence.results.items():
        trace = None if result.exchanged is None else result.exchanged.trace
        if trace is None:
            yield Discrepancy(
                check="exchanges", text=f"{name} reports no exchanges", households=(name,)
            )
        else:
            sides[name] = _sides(trace)
    yield from _side_faults(sides)
    content = "" if evidence.terms.exchange is None else evidence.terms.exchange.content
    for name, own in sides.items():
        # Leases of single slots have the same id if they are from different matchmakers.
        leases = {
            (side.partner, side.lease, side.slot if content == "slot" else WHOLE)
            for side in own
            if side.asked
        }
        said = evidence.results[name].exchanged
        if content != "amounts" and said is not None and len(leases) != said.accepted:
            yield Discrepancy(
                check="exchanges",
                text=f"{name} counts {said.accepted} exchanges as requester and lists "
                f"{len(leases)}",
                households=(name,),
            )
    yield from _held_faults(evidence, sides, amounts=content == "amounts")


def _sides(trace: Trace) -> list[_Side]:
    columns = (trace.rounds, trace.slots, trace.partners, trace.leases, trace.asked)
    amounts = trace.given_kwh.tolist(), trace.taken_kwh.tolist()
    return [_Side(*row) for row in zip(*columns, *amounts, strict=True)]


# -- both sides ---------------------------------------------------------------------------------


def _side_faults(sides: Mapping[str, list[_Side]]) -> Iterator[Discrepancy]:
    """Yield, for each pair of households, what only one of them reports or both differently."""
    requests: dict[_Key, _Side] = {}
    answers: dict[_Key, _Side] = {}
    wrong: dict[tuple[str, str], list[tuple[_Key, str]]] = defaultdict(list)
    for name, own in sides.items():
        for side in own:
            pair = (name, side.partner) if side.asked else (side.partner, name)
            key, known = _Key(*pair, side.lease, side.slot), requests if side.asked else answers
            if key in known:
                wrong[pair].append((key, f"{name} reports it twice"))
            known[key] = side
    for key in dict.fromkeys([*requests, *answers]):
        asked, answered = requests.get(key), answers.get(key)
        if (text := _difference(key, asked, answered)) is not None:
            wrong[key.requester, key.responder].append((key, text))
    for pair, found in wrong.items():
        (first, text), slots = found[0], sorted({key.slot for key, _ in found})
        epoch, number = first.lease
        more = f"; and {len(found) - 1} more between them" if len(found) > 1 else ""
        yield Discrepancy(
            check="exchanges",
            text=f"{' and '.join(pair)} differ about lease {epoch}.{number} at slot {first.slot}: "
            f"{text}{more}",
            slots=tuple(slots),
            households=pair,
        )


def _difference(key: _Key, asked: _Side | None, answered: _Side | None) -> str | None:
    """Return how the reports of the two sides differ; None if they agree."""
    if asked is None:
        return f"{key.requester} reports no such exchange"
    if answered is None:
        return f"{key.responder} reports no such exchange"
    if asked.given_kwh != answered.taken_kwh:
        return f"{key.requester} gave {asked.given_kwh!r} kWh, {key.responder} took " + (
            f"{answered.taken_kwh!r} kWh"
        )
    if asked.taken_kwh != answered.given_kwh:
        return f"{key.responder} gave {answered.given_kwh!r} kWh, {key.requester} took " + (
            f"{asked.taken_kwh!r} kWh"
        )
    return None


# -- what each household held -------------------------------------------------------------------


@dataclass(slots=True)
class _Held:
    """What one household held after each exchange, as far as its own report goes."""

    ends: list[Array]
    """Schedule after each exchange, float64[d], kWh."""
    unheld: list[tuple[int, float]]
    """Slots and values that it gave without having held them, kWh."""


def _held_faults(
    evidence: Evidence, sides: Mapping[str, list[_Side]], *, amounts: bool
) -> Iterator[Discrepancy]:
    """Compare what each household gave with what it held, and the end with what it reports."""
    assert evidence.exchange is not None
    gathers = evidence.exchange.gathers
    held = {
        name: _held(evidence.plans[name], evidence.results[name], own, gathers, amounts=amounts)
        for name, own in sides.items()
        if name in evidence.plans
    }
    for name, own_end in held.items():
        yield from _own_faults(evidence, name, own_end)
    if len(held) < len(evidence.members):
        return
    for number, (_, said) in enumerate(evidence.sums):
        summed = evidence.summed({name: own.ends[number] for name, own in held.items()})
        off = np.abs(said - summed)
        slots = evidence.slots_of(np.flatnonzero(off > evidence.rounding_kwh).tolist())
        if slots:
            yield Discrepancy(
                check="exchanges",
                text="the sums after the exchange are not those of what households held, by their "
                f"own reports: slots {listed(slots)}",
                slots=slots,
                kwh=float(off.max()),
            )


def _held(
    plans: Plans, result: Result, sides: list[_Side], gathers: tuple[int, ...], *, amounts: bool
) -> _Held:
    """Follow a household from the plan that it selected through all exchanges that it reports."""
    held = _Held([], [])
    selections = [result.selected_plan, *(again.selected_plan for again in result.replanned)]
    for number, (selected, first) in enumerate(zip(selections, gathers, strict=True)):
        known = len(plans.values)
        # Beyond its own plans are the schedules after the exchanges so far.
        start = plans.values[selected] if selected < known else held.ends[selected - known]
        last = gathers[number + 1] if number + 1 < len(gathers) else math.inf
        rows = [side for side in sides if first <= side.round < last]
        held.ends.append(_moved(start, rows) if amounts else _swapped(start, rows, held.unheld))
    return held


def _moved(start: Array, sides: list[_Side]) -> Array:
    """Return a schedule after amounts have been given and taken."""
    end = start.copy()
    for side in sides:
        end[side.slot] += side.taken_kwh - side.given_kwh
    return end


def _swapped(start: Array, sides: list[_Side], unheld: list[tuple[int, float]]) -> Array:
    """Return a schedule after values have been swapped; note values that were not held."""
    end = start.copy()
    by_slot: dict[int, list[_Side]] = defaultdict(list)
    for side in sides:
        by_slot[side.slot].append(side)
    for slot, rows in by_slot.items():
        had = Counter([float(start[slot]), *(side.taken_kwh for side in rows)])
        gave = Counter(side.given_kwh for side in rows)
        lacking = gave - had
        unheld += [(slot, value) for value in lacking.elements()]
        end[slot] = math.fsum((had - gave).elements()) - math.fsum(lacking.elements())
    return end


def _own_faults(evidence: Evidence, name: str, held: _Held) -> Iterator[Discrepancy]:
    """Compare what one household reports of itself."""
    if held.unheld:
        slot, value = held.unheld[0]
        more = f"; and {len(held.unheld) - 1} more values" if len(held.unheld) > 1 else ""
        yield Discrepancy(
            check="exchanges",
            text=f"{name} gave {value!r} kWh at slot {slot}, which it did not hold{more}",
            slots=tuple(sorted({slot for slot, _ in held.unheld})),
            households=(name,),
            kwh=abs(value),
        )
        return
    said, end = evidence.results[name].exchanged, held.ends[-1]
    assert said is not None
    discomfort = float(rmse(end[None], evidence.plans[name].preferred[None])[0])
    if abs(said.discomfort_kwh - discomfort) > evidence.discomfort_rounding_kwh:
        yield Discrepancy(
            check="exchanges",
            text=f"{name} reports a discomfort of {said.discomfort_kwh:.6g} kWh after the exchange,"
            f" and by its exchanges it is {discomfort:.6g} kWh",
            households=(name,),
        )
    plan = evidence.plans[name].values[evidence.results[name].selected_plan]
    drift = float(end.sum() - plan.sum())
    if abs(said.energy_drift_kwh - drift) > 2 * evidence.own_rounding_kwh:
        yield Discrepancy(
            check="exchanges",
            text=f"{name} reports that its own energy has changed by {said.energy_drift_kwh:.6g} "
            f"kWh, and by its exchanges it has changed by {drift:.6g} kWh",
            households=(name,),
            kwh=abs(said.energy_drift_kwh - drift),
        )
