"""The exchanges of a run as rows, from the reports of their households (`--trace`)."""

from collections.abc import Mapping
from math import nan

from orchestrator.results.run_results import ExchangeRow
from protocol.messages import Result
from protocol.messages.exchange import LeaseId


def traced_exchanges(results: Mapping[str, Result]) -> tuple[ExchangeRow, ...]:
    """Return every exchange, joined from the reports of requester and responder."""
    gains: dict[tuple[str, LeaseId, int], float] = {}
    """By requester too: the leases of two matchmakers may have the same id."""
    requests: list[tuple[int, LeaseId, int, str, str, float, float, float]] = []
    for household, result in results.items():
        if result.exchanged is None or result.exchanged.trace is None:
            continue
        trace = result.exchanged.trace
        for round, slot, partner, lease, requester, given, taken, gain in zip(
            *(trace.rounds, trace.slots, trace.partners, trace.leases, trace.asked),
            *(trace.given_kwh.tolist(), trace.taken_kwh.tolist(), trace.gains_kwh2.tolist()),
            strict=True,
        ):
            if requester:
                requests.append((round, lease, slot, household, partner, given, taken, gain))
            else:
                gains[partner, lease, slot] = gain
    return tuple(
        ExchangeRow(
            round=round,
            slot=slot,
            requester=household,
            responder=partner,
            given=given,
            taken=taken,
            requester_gain=gain,
            responder_gain=gains.get((household, lease, slot), nan),
        )
        for round, lease, slot, household, partner, given, taken, gain in sorted(requests)
    )
