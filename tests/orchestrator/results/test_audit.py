"""The audit of a run: each way in which reports can contradict one another, and runs that hold."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.exchange.holding import Holding
from orchestrator.api import save_population
from orchestrator.results.audit import audit_words, listed
from orchestrator.results.audit_checks import audit_of
from orchestrator.results.audit_evidence import Evidence
from protocol.messages import Result
from protocol.terms import ExchangeTerms, HardConstraint, Limit
from tests.support.audited_runs import (
    PLANNED,
    PREFERRED,
    ROWS,
    TERMS,
    Row,
    by_hand,
    simulated,
    trace_of,
)

CONTENTS: dict[str, dict[str, object]] = {
    "slot": {"content": "slot"},
    "cooperative": {"content": "slot", "exchange": "cooperative"},
    "concurrent": {"content": "slot", "exchange_order": "concurrent", "matchmakers": 2},
    "ttc": {"exchange": "ttc"},
    "bundle": {"content": "bundle"},
    "alone": {"content": "bundle", "matchmakers": 0},
    "loops": {"content": "bundle", "exchange_every": 2},
    "equal": {"exchange": "equal"},
    "amounts": {"homes": 8},
    "none": {"exchange": "off"},
}
OFF_GRID = 1 / 3
FEEDERS = {"h1": 1, "h2": 1, "h3": 2}
DEMO: dict[str, object] = {
    "demo": True,
    "households": 12,
    "slots": 12,
    "iterations": 4,
    "seed": 2,
}


def text(evidence: Evidence) -> str:
    """Return the one discrepancy of a run that must have exactly one."""
    found = audit_of(evidence)
    assert not found.conserved
    assert found.found == len(found.discrepancies) == 1, audit_words(found)
    return found.discrepancies[0].text


# -- runs that hold -----------------------------------------------------------------------------


@pytest.mark.parametrize("content", CONTENTS)
def test_a_real_run_is_conserved(content: str) -> None:
    options = {**DEMO, **CONTENTS[content]}
    if "homes" in options:
        options = {"iterations": 3, "seed": 2, **CONTENTS[content]}
    traced: dict[str, object] = {} if content in ("equal", "none") else {"trace": True}
    results, evidence = simulated(**{**options, **traced})
    audit = audit_of(evidence)
    assert audit == results.audit
    assert audit.conserved, audit_words(audit)
    assert results.status == "done"
    assert audit.rounding_kwh == 0.0  # generated values are on the dyadic grid
    assert ("exchanges" in audit.checks) == (content not in ("ttc", "equal", "none"))
    assert "plans" in audit.checks


@pytest.mark.parametrize("content", ["slot", "ttc", "bundle", "loops", "equal"])
def test_values_off_the_grid_are_conserved_but_for_rounding(content: str, tmp_path: Path) -> None:
    chance = np.random.default_rng(4)
    values = chance.uniform(0.0, 3.0, (40, 5, 24)) * OFF_GRID
    file = save_population(tmp_path / "off.npz", values)
    traced: dict[str, object] = {} if content == "equal" else {"trace": True}
    options = {"dataset": file, "score": "preference", "iterations": 4}
    results, evidence = simulated(**{**options, **traced, **CONTENTS[content]})
    audit = audit_of(evidence)
    assert audit.conserved, audit_words(audit)
    assert 0.0 < audit.rounding_kwh < 1e-11
    assert results.exchange is not None
    assert results.exchange.accepted or content == "equal"


def test_the_run_made_by_hand_is_conserved() -> None:
    audit = audit_of(by_hand())
    assert audit.conserved, audit_words(audit)
    assert audit.checks == ("plans", "sums", "own energy", "counts", "exchanges")
    assert audit_words(audit).startswith("conserved (plans, sums")


def test_plans_of_others_are_unknown_and_said_to_be() -> None:
    audit = audit_of(by_hand(unknown=("h3",)))
    assert audit.conserved, audit_words(audit)
    assert audit.unknown == ("h3",)
    assert audit.rounding_kwh > 0.0
    assert "plans unknown of h3" in audit_words(audit)


# -- runs that do not ---------------------------------------------------------------------------


def test_a_lost_value_is_named_with_its_slot() -> None:
    plain = replace(TERMS, exchange=ExchangeTerms())
    evidence = by_hand(after=[6.0, 5.5], terms=plain, changes={"h3": {"energy_drift_kwh": 0.5}})
    audit = audit_of(evidence)
    sums = audit.discrepancies[0]
    assert (sums.check, sums.slots, sums.kwh) == ("sums", (1,), 0.5)
    assert "slot 1 add up to 5.5 kWh after the exchange, 0.5 kWh less than before" in sums.text
    more = audit_of(by_hand(after=[7.0, 9.0], terms=plain))
    assert more.discrepancies[0].slots == (0, 1)
    assert "3 kWh more" in more.discrepancies[0].text
    assert "other slots: 0" in more.discrepancies[0].text


def test_what_one_feeder_gave_to_another_is_named_with_its_feeder() -> None:
    """h2 and h3 exchange at slot 1, but they are at different feeders."""
    none = HardConstraint("plans", (Limit(np.zeros(6), (0,) * 6),))
    amounts = ExchangeTerms(content="amounts")
    terms = replace(TERMS, exchange=amounts, feeders=2, constraint=none)
    own = {name: replace(terms, feeder=number) for name, number in FEEDERS.items()}
    evidence = by_hand(terms=TERMS, changes={name: {"energy_drift_kwh": 0.0} for name in FEEDERS})
    before, after = (
        replace(evidence, terms=terms, feeders=own, exchange=None).summed(
            {name: np.array(schedule) for name, schedule in schedules.items()}
        )
        for schedules in (PLANNED, PREFERRED)
    )
    assert evidence.exchange is not None
    fed = replace(
        evidence,
        terms=terms,
        feeders=own,
        feeder_names=("north", "south"),
        histories=[replace(evidence.histories[0], response_kwh=before)],
        exchange=replace(evidence.exchange, response_kwh=after),
    )
    said = text(fed)
    assert "slot 1 and feeder north add up to 3 kWh after the exchange, 1 kWh less" in said
    same = replace(evidence.exchange, response_kwh=before)
    assert audit_of(replace(fed, exchange=same)).conserved


def test_rounding_is_allowed_only_as_far_as_it_can_go() -> None:
    evidence = by_hand(unknown=("h3",), terms=replace(TERMS, exchange=ExchangeTerms()))
    rounding = evidence.rounding_kwh
    assert 0.0 < rounding < 1e-13
    for times, holds in ((0.9, True), (1.1, False)):
        moved = by_hand(
            after=[6.0 + times * rounding, 6.0],
            unknown=("h3",),
            terms=replace(TERMS, exchange=ExchangeTerms()),
        )
        assert audit_of(moved).conserved is holds
    assert not audit_of(by_hand(after=[6.0 + 1e-14, 6.0])).conserved  # exact on the grid


def test_drifts_must_add_up_to_nothing() -> None:
    plain = replace(TERMS, exchange=ExchangeTerms())
    drifts = {"h2": {"energy_drift_kwh": 0.25}}
    assert "add up to 0.25 kWh" in text(by_hand(terms=plain, changes=drifts))


def test_own_energy_is_kept_within_the_terms() -> None:
    terms = replace(TERMS, exchange=ExchangeTerms(content="bundle", energy_drift_kwh=1.0))
    assert audit_of(by_hand(terms=terms)).conserved
    terms = replace(TERMS, exchange=ExchangeTerms(content="bundle", energy_drift_kwh=0.5))
    found = audit_of(by_hand(terms=terms))
    assert {each.households for each in found.discrepancies} == {("h1",), ("h3",)}
    assert "own energy of h1 has changed by -1 kWh" in found.discrepancies[0].text


def test_households_and_root_count_the_same_exchanges() -> None:
    assert "report 2 exchanges as requesters, the root 3" in text(by_hand(counted=3))


def test_a_false_discomfort_of_stage_one_is_named() -> None:
    said = text(by_hand(changes={"h2": {"discomfort_planned_kwh": 0.5}}))
    assert said.startswith("h2 reports a discomfort of 0.5 kWh after stage 1")


def test_stage_one_must_add_up_the_plans() -> None:
    evidence = by_hand(terms=replace(TERMS, exchange=ExchangeTerms()))
    first = replace(evidence.histories[0], response_kwh=np.array([6.0, 6.5]))
    audit = audit_of(replace(evidence, histories=[first]))
    assert audit.discrepancies[0].check == "plans"
    assert "6.5 kWh at slot 1 after stage 1, 0.5 kWh more" in audit.discrepancies[0].text


WRONG_ROWS: dict[str, tuple[dict[str, list[Row]], dict[str, dict[str, Any]], str]] = {
    "one side says nothing": (
        {"h2": ROWS["h2"][1:]},
        {},
        "h1 and h2 differ about lease 1.7 at slot 0: h2 reports no such exchange",
    ),
    "the requester says nothing": (
        {"h2": ROWS["h2"][:1]},
        {},
        "h2 and h3 differ about lease 1.8 at slot 1: h2 reports no such exchange",
    ),
    "another value": (
        {"h3": [(1, "h2", 8, False, 2.5, 3.0)]},
        {},
        "h2 and h3 differ about lease 1.8 at slot 1: h3 gave 2.5 kWh, h2 took 2.0 kWh",
    ),
    "another value taken": (
        {"h3": [(1, "h2", 8, False, 2.0, 3.5)]},
        {},
        "h2 gave 3.0 kWh, h3 took 3.5 kWh",
    ),
    "another lease": ({"h1": [(0, "h2", 9, True, 2.0, 1.0)]}, {}, "lease 1.9 at slot 0"),
    "told twice": ({"h3": 2 * ROWS["h3"]}, {}, "h3 reports it twice"),
    "another number": ({}, {"h1": {"accepted": 2}}, "h1 counts 2 exchanges as requester and lists"),
    "a value that it never had": (
        {
            "h1": [(0, "h2", 7, True, 2.25, 1.0)],
            "h2": [(0, "h1", 7, False, 1.0, 2.25), (1, "h3", 8, True, 3.0, 2.0)],
        },
        {},
        "h1 gave 2.25 kWh at slot 0, which it did not hold",
    ),
    "another discomfort": (
        {},
        {"h3": {"discomfort_kwh": 0.5}},
        "h3 reports a discomfort of 0.5 kWh after the exchange",
    ),
    "another drift": (
        {},
        {"h1": {"energy_drift_kwh": 0.0}},
        "h1 reports that its own energy has changed by 0 kWh",
    ),
    "no trace": ({}, {"h3": {"trace": None}}, "h3 reports no exchanges"),
}


@pytest.mark.parametrize("case", WRONG_ROWS)
def test_what_is_wrong_with_an_exchange_is_named_with_its_households(case: str) -> None:
    rows, changes, said = WRONG_ROWS[case]
    found = audit_of(by_hand({**ROWS, **rows}, changes=changes))
    assert not found.conserved
    assert any(said in each.text for each in found.discrepancies), audit_words(found)
    named = {name for each in found.discrepancies for name in each.households}
    assert named


def test_a_value_given_twice_names_its_giver() -> None:
    """h1 gives its 2.0 to h2 and to h3, and the sum rises."""
    rows = {
        "h1": [*ROWS["h1"], (0, "h3", 9, False, 2.0, 3.0)],
        "h2": ROWS["h2"],
        "h3": [(0, "h1", 9, True, 3.0, 2.0), *ROWS["h3"]],
    }
    audit = audit_of(by_hand(rows, counted=3))
    texts = [each for each in audit.discrepancies if "did not hold" in each.text]
    assert [each.households for each in texts] == [("h1",)]
    assert texts[0].slots == (0,)


# -- a real run with one lie --------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> Evidence:
    return simulated(**{**DEMO, "content": "bundle", "trace": True})[1]


def changed(evidence: Evidence, name: str, **changes: Any) -> Evidence:
    """Return the run with other fields of one household's result."""
    result = evidence.results[name]
    own = {key: value for key, value in changes.items() if hasattr(result, key)}
    if further := {key: value for key, value in changes.items() if key not in own}:
        assert result.exchanged is not None
        own["exchanged"] = replace(result.exchanged, **further)
    results: dict[str, Result] = {**evidence.results, name: replace(result, **own)}
    return replace(evidence, results=results)


def test_one_changed_number_of_a_real_run_is_found(real: Evidence) -> None:
    assert audit_of(real).conserved
    asked = next(
        name
        for name, result in real.results.items()
        if result.exchanged is not None and result.exchanged.accepted > 0
    )
    own = real.results[asked]
    assert own.exchanged is not None
    trace = own.exchanged.trace
    assert trace is not None
    other = (own.selected_plan + 1) % len(real.plans[asked].values)
    given = trace.given_kwh.copy()
    given[0] += 0.5
    lies: list[dict[str, Any]] = [
        {"selected_plan": other},
        {"discomfort_planned_kwh": own.discomfort_planned_kwh + 1e-9},
        {"discomfort_kwh": own.exchanged.discomfort_kwh + 1e-9},
        {"energy_drift_kwh": own.exchanged.energy_drift_kwh + 1e-9},
        {"accepted": own.exchanged.accepted - 1},
        {"trace": replace(trace, given_kwh=given)},
        {"trace": trace_of([])},
    ]
    for lie in lies:
        found = audit_of(changed(real, asked, **lie))
        assert not found.conserved, lie
        assert any(asked in each.households for each in found.discrepancies), lie


def test_a_household_that_spends_a_value_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """As responder it gives its value away and keeps it. Its own report shows that; without a
    report of each exchange the slot is known, and the energy."""
    options = {**DEMO, "content": "slot", "min_gain": 0.0, "rounds": 2}
    _, honest = simulated(**options)
    liar = next(iter(honest.members))
    preferred = honest.plans[liar].preferred.tolist()
    take = Holding.take

    def keep(own: Holding, slot: int, value: float) -> None:
        if own.preferred != preferred:
            take(own, slot, value)

    monkeypatch.setattr(Holding, "take", keep)
    untold = audit_of(simulated(**options)[1])
    assert [each.check for each in untold.discrepancies][:1] == ["sums"]
    results, told = simulated(**{**options, "trace": True})
    audit = audit_of(told)
    named = {each.households for each in audit.discrepancies if each.check == "exchanges"}
    assert (liar,) in named
    assert named <= {(liar,), ()}
    assert results.status == "failed"
    assert results.exchange is not None
    assert results.exchange.conserved is False


def test_names_are_listed_up_to_a_number() -> None:
    assert listed(range(3)) == "0, 1, 2"
    assert listed(range(10)) == "0, 1, 2, 3, 4, 5, 6, 7 and 2 more"
