"""The comparisons of an audit: plans, sums, own energy, and counts.

Decides which two reports must agree, and within what. Exchanges are compared one by one in
trace_checks.py, if households have reported them.
"""

import math
from collections.abc import Iterator

import numpy as np

from agents.plans import rmse
from orchestrator.results.audit import LISTED_MAX, Audit, CheckName, Discrepancy, listed
from orchestrator.results.audit_evidence import UNIT_ROUNDOFF, Evidence
from orchestrator.results.trace_checks import exchange_faults
from protocol.vectors import Array


def audit_of(evidence: Evidence) -> Audit:
    """Compare everything that the parts of a run have reported."""
    checks: list[CheckName] = ["plans"] if evidence.plans else []
    found = [*_plan_faults(evidence)]
    if evidence.exchange is not None:
        checks += ["sums", "own energy", "counts"]
        found += [*_sum_faults(evidence), *_energy_faults(evidence), *_count_faults(evidence)]
        terms = evidence.terms.exchange
        pairs = terms is not None and not terms.equal_shift and terms.rule != "ttc"
        if terms is not None and terms.trace and pairs:
            checks.append("exchanges")
            found += exchange_faults(evidence)
    return Audit(
        conserved=not found,
        checks=tuple(checks),
        rounding_kwh=evidence.rounding_kwh,
        unknown=evidence.unknown,
        found=len(found),
        discrepancies=tuple(found[:LISTED_MAX]),
    )


def conserved(before: Array, after: Array, rounding_kwh: float) -> bool:
    """Return True if two sums by slot, float64[d], differ by rounding only."""
    return bool((np.abs(after - before) <= rounding_kwh).all())


def all_conserved(evidence: Evidence) -> bool:
    """Return True if no exchange of the run has changed the sum of all schedules at a slot."""
    return not any(_sum_faults(evidence))


def _plan_faults(evidence: Evidence) -> Iterator[Discrepancy]:
    """Compare stage 1 with the plans: the discomfort of each household, and the sum of all."""
    selected: dict[str, Array] = {}
    for name, own in evidence.plans.items():
        result = evidence.results[name]
        plan = own.values[result.selected_plan]
        selected[name] = plan
        discomfort = float(rmse(plan[None], own.preferred[None])[0])
        off = result.discomfort_planned_kwh - discomfort
        if abs(off) > evidence.discomfort_rounding_kwh:
            yield Discrepancy(
                check="plans",
                text=f"{name} reports a discomfort of {result.discomfort_planned_kwh:.6g} kWh after"
                f" stage 1, and its plan {result.selected_plan} has {discomfort:.6g} kWh",
                households=(name,),
            )
    if evidence.unknown:
        return
    said = evidence.histories[0].response_kwh
    yield from _differences(evidence, "plans", expected=evidence.summed(selected), said=said)


def _sum_faults(evidence: Evidence) -> Iterator[Discrepancy]:
    """Compare the sums by slot before and after each exchange."""
    sums = evidence.sums
    for number, (before, after) in enumerate(sums, 1):
        of_loop = f" in loop {number}" if len(sums) > 1 else ""
        yield from _differences(evidence, "sums", expected=before, said=after, of_loop=of_loop)


def _differences(
    evidence: Evidence, check: CheckName, *, expected: Array, said: Array, of_loop: str = ""
) -> Iterator[Discrepancy]:
    off = said - expected
    indices = np.flatnonzero(np.abs(off) > evidence.rounding_kwh).tolist()
    if not indices:
        return
    worst = int(np.abs(off).argmax())
    size, sign = abs(float(off[worst])), "more" if off[worst] > 0 else "less"
    place, slots = evidence.place(worst), evidence.slots_of(indices)
    others = [slot for slot in slots if slot != worst % evidence.slots]
    also = f"; other slots: {listed(others)}" if others else ""
    if check == "plans":
        text = f"the root reports {said[worst]:.6g} kWh at {place} after stage 1, "
        text += f"{size:.3g} kWh {sign} than the selected plans add up to"
    else:
        text = f"the schedules at {place} add up to {said[worst]:.6g} kWh after the exchange"
        text += f"{of_loop}, {size:.3g} kWh {sign} than before, so a value was lost or doubled"
    yield Discrepancy(check=check, text=text + also, slots=slots, kwh=size)


def _energy_faults(evidence: Evidence) -> Iterator[Discrepancy]:
    """Compare the energy drifts with the caps of the terms and with the sums of all."""
    drifts = {
        name: result.exchanged.energy_drift_kwh
        for name, result in evidence.results.items()
        if result.exchanged is not None
    }
    cap = _drift_cap(evidence)
    over = [name for name, drift in drifts.items() if cap is not None and abs(drift) > cap]
    for name in over:
        yield Discrepancy(
            check="own energy",
            text=f"the own energy of {name} has changed by {drifts[name]:.6g} kWh, beyond what the "
            "terms allow",
            households=(name,),
        )
    expected = 0.0
    if len(evidence.histories) > 1:  # planning again has changed it, too
        assert evidence.exchange is not None
        change = evidence.exchange.response_kwh - evidence.histories[0].response_kwh
        expected = math.fsum(change[: evidence.slots])
    off = math.fsum(drifts.values()) - expected
    households = len(evidence.members)
    rounding = households * evidence.own_rounding_kwh + 2 * evidence.slots * evidence.rounding_kwh
    if abs(off) > rounding:
        yield Discrepancy(
            check="own energy",
            text=f"the energy drifts of all households add up to {off:.6g} kWh "
            f"{'' if expected == 0.0 else 'more than the sums say '}instead of 0",
            kwh=abs(off),
        )


def _drift_cap(evidence: Evidence) -> float | None:
    """Return the most that a household's own energy may have changed, kWh; None for no limit."""
    terms, exchange = evidence.terms.exchange, evidence.exchange
    if terms is None or exchange is None or terms.equal_shift or len(evidence.histories) > 1:
        return None
    cap = 0.0 if terms.content == "amounts" else terms.energy_drift_kwh
    if cap is None:
        return None
    # Each exchange changes at most all slots, and the household adds up these changes.
    changes = _accepted_by_root(evidence) * evidence.slots
    added = 0.0 if evidence.exact else changes * UNIT_ROUNDOFF * evidence.slots
    return cap + evidence.own_rounding_kwh + added * evidence.largest_kwh


def _count_faults(evidence: Evidence) -> Iterator[Discrepancy]:
    """Compare the number of exchanges that requesters report with what the root has counted."""
    counted = _accepted_by_root(evidence)
    said = sum(
        result.exchanged.accepted
        for result in evidence.results.values()
        if result.exchanged is not None
    )
    if said != counted:
        yield Discrepancy(
            check="counts",
            text=f"households report {said:,} exchanges as requesters, the root {counted:,}",
        )


def _accepted_by_root(evidence: Evidence) -> int:
    assert evidence.exchange is not None
    return sum(count.accepted for count in evidence.exchange.rounds)
