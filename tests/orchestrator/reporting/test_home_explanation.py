"""`coflex explain` for homes that exchange amounts, compared with the results of a run."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from agents.exchange.journal.home_explanation import (
    DeviceDay,
    HomeExplanation,
    HomeStep,
    PartnerShare,
)
from agents.exchange.journal.home_facts import DeviceFacts
from agents.exchange.journal.home_sentences import device_sentence, home_sentences, step_sentence
from orchestrator.cli import app
from orchestrator.coordination.placement import Run
from orchestrator.reporting.household_explanation import find_home_explanation
from orchestrator.results.result_files import write
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunResults, Path]:
    """Return the results of a run of 24 homes, and their folder."""
    folder = tmp_path_factory.mktemp("homes")
    chosen = RunSettings.model_validate(
        {"homes": 24, "seed": 4, "iterations": 10, "trace": True, "save_schedules": True}
    )
    results = simulate(Run("explained", read_scenario(chosen, "simulation")), kept=folder / "kept")
    write(results, folder / "out", folder / "kept")
    return results, folder / "out"


def explained(out: Path, household: str) -> HomeExplanation:
    return find_home_explanation(out, household)


def test_the_explanation_agrees_with_the_results(ran: tuple[RunResults, Path]) -> None:
    results, out = ran
    kinds = set()
    for row in results.rows:
        found = explained(out, row.household)
        assert found.over
        assert found.discomfort_planned == pytest.approx(row.device_discomfort_planned)
        assert found.discomfort_exchanged == pytest.approx(row.device_discomfort_exchanged)
        asked = [step for step in found.steps if step.kind == "asked" and step.partners]
        assert len(asked) == row.accepted
        assert found.failed == row.refused
        late = [
            abs(day.start_exchanged - day.facts.preferred_start) * 15.0
            for day in found.devices
            if day.facts.preferred_start is not None and day.start_exchanged is not None
        ]
        if late:
            assert np.mean(late) == pytest.approx(row.minutes_late_exchanged)
        kinds |= {step.kind for step in found.steps}
    assert kinds == {"inside", "asked", "served"}


def test_steps_lead_from_the_planned_to_the_final_schedules(ran: tuple[RunResults, Path]) -> None:
    results, out = ran
    for row in results.rows:
        found = explained(out, row.household)
        starts = {day.facts.name: day.start_planned for day in found.devices}
        discomfort = found.discomfort_planned
        for step in found.steps:
            assert step.discomfort_before == discomfort
            discomfort = step.discomfort_after
            for change in step.changes:
                assert change.start_before == starts[change.name]
                starts[change.name] = change.start_after
        assert discomfort == found.discomfort_exchanged
        assert starts == {day.facts.name: day.start_exchanged for day in found.devices}


def test_what_one_home_takes_over_another_was_given(ran: tuple[RunResults, Path]) -> None:
    results, out = ran
    given, taken = [], []
    for row in results.rows:
        for step in explained(out, row.household).steps:
            for share in step.partners:
                pair = (row.household, share.partner)
                if step.kind == "asked":
                    taken.append((*pair, share.taken_over_kwh))
                else:
                    given.append((*reversed(pair), share.taken_over_kwh))
    assert len(taken) > 10
    assert sorted(taken) == sorted(given)


def clock(slot: int) -> str:
    return f"{slot // 4:02}:{slot % 4 * 15:02}"


WASHER = DeviceDay(
    facts=DeviceFacts(
        name="dishwasher",
        what="cycle",
        unit="min",
        tolerance=120.0,
        preferred_start=75,
        lead=0,
        preferred_setback=0.0,
    ),
    start_planned=81,
    start_exchanged=75,
    setback_planned=90.0,
    setback_exchanged=0.0,
    kwh_planned=(0.0,),
    kwh_exchanged=(0.0,),
)
BOILER = replace(
    WASHER,
    facts=DeviceFacts(
        name="boiler",
        what="boiler",
        unit="degrees",
        tolerance=5.0,
        preferred_start=None,
        lead=0,
        preferred_setback=0.5,
    ),
    start_planned=None,
    start_exchanged=None,
    setback_planned=2.5,
    setback_exchanged=1.25,
    kwh_planned=(0.0, 0.5),
    kwh_exchanged=(0.5, 0.0),
)


def test_devices_are_told_in_times_minutes_degrees_and_hours() -> None:
    assert device_sentence(WASHER, clock) == (
        "The dishwasher starts at 18:45, as preferred, instead of 20:15."
    )
    later = replace(WASHER, start_exchanged=81, start_planned=75)
    assert device_sentence(later, clock) == (
        "The dishwasher starts at 20:15, not 18:45, instead of 18:45."
    )
    assert device_sentence(replace(WASHER, start_exchanged=81), clock) == (
        "The dishwasher starts at 20:15 as planned, not 18:45."
    )
    assert device_sentence(BOILER, clock) == (
        "The boiler takes 0.50 kWh at other times; it is 1.2 degrees short instead of 2.5 (0.5 at "
        "its people's ease)."
    )
    battery = replace(BOILER, facts=replace(BOILER.facts, unit=None), kwh_exchanged=(0.0, 0.5))
    assert device_sentence(battery, clock) == ""


def test_a_step_says_who_took_over_and_why_it_was_agreed(ran: tuple[RunResults, Path]) -> None:
    results, out = ran
    found = [explained(out, row.household) for row in results.rows]
    gathered = next(
        (each, step)
        for each in found
        for step in each.steps
        if len(step.partners) > 1 and step.changes[0].start_after is not None
    )
    told = step_sentence(gathered[1], gathered[0].household, clock)
    assert "starts at " in told
    assert "neighbours took over" in told
    assert "nobody lost. Its discomfort fell from" in told
    step = HomeStep(
        round=1,
        kind="served",
        partners=(PartnerShare("h2", 0.5),),
        changes=(),
        discomfort_before=None,
        discomfort_after=None,
        slots=(),
    )
    assert "h1 made room for h2: 0.50 kWh. It has no wish" in step_sentence(step, "h1", clock)


def test_a_home_that_exchanged_nothing_says_so(ran: tuple[RunResults, Path]) -> None:
    results, out = ran
    idle = replace(
        explained(out, results.rows[0].household),
        steps=(), failed=0, refused=0, released=0, over=False, restarts=1, devices=(),
        mandate={"device_discomfort": 0.5},
    )  # fmt: skip
    assert home_sentences(idle, clock)[1:] == [
        "It exchanged nothing with others.",
        "Its people's mandate: device_discomfort = 0.5.",
        "Its host ended 1 time meanwhile; it went on from its journal.",
        "The journal ends before the stage was over.",
    ]


def test_the_command_explains_a_home(ran: tuple[RunResults, Path]) -> None:
    results, out = ran
    row = max(results.rows, key=lambda row: row.accepted or 0)
    words = ["explain", str(out), "--household", row.household]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 0
    assert f"The discomfort of {row.household} falls from" in said.output
    assert "nobody lost" in said.output
    whole = json.loads(CliRunner().invoke(app, [*words, "--json"]).output)
    assert whole["discomfort_exchanged"] == pytest.approx(row.device_discomfort_exchanged)
    slot = whole["steps"][0]["slots"][0]
    part = json.loads(CliRunner().invoke(app, [*words, "--json", "--slot", str(slot)]).output)
    assert 0 < len(part["steps"]) <= len(whole["steps"])
    assert all(slot in step["slots"] for step in part["steps"])
    shown = CliRunner().invoke(app, [*words, "--slot", str(slot)])
    assert shown.output.count("Round ") == len(part["steps"])
