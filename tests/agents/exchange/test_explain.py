"""`coflex explain`: an explanation from a household's own journal, compared with the results."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from typer.testing import CliRunner

from agents.exchange.journal.entries import Entry, MemoryJournal
from agents.exchange.journal.explanation import WORDS, ExchangeExplanation, explain, sentences
from agents.plans import SlotTimes
from orchestrator.cli import app
from orchestrator.coordination.placement import Run
from orchestrator.reporting.household_explanation import find_explanation
from orchestrator.results.result_files import write
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate
from protocol.errors import InputError
from protocol.terms import ExchangeTerms
from tests.support.exchange_world import World
from tests.support.population import population
from tests.support.sample_results import sample_results

MANDATES = """
[h1]
never = [0, 1, 2, 3, 4, 5, 6, 7]
[h2]
energy_drift = 0.01
[h3]
exchange = false
[h4]
rule = "mutual"
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunResults, Path]:
    """Do a run under the rule cooperative with mandates; return its results and their folder."""
    folder = tmp_path_factory.mktemp("explain")
    (folder / "mandates.toml").write_text(MANDATES)
    chosen = RunSettings.model_validate(
        {
            **{"demo": True, "households": 16, "slots": 32, "iterations": 6, "seed": 3},
            **{"exchange": "cooperative", "content": "slot", "mandates": folder / "mandates.toml"},
            "save_schedules": True,
        }
    )
    results = simulate(Run("explained", read_scenario(chosen, "simulation")), kept=folder / "kept")
    write(results, folder / "out", folder / "kept")
    return results, folder / "out"


def test_the_explanation_agrees_with_the_results(ran: tuple[RunResults, Path]) -> None:
    results, out = ran
    for row in results.rows:
        account = find_explanation(out, row.household)
        assert account.over
        assert account.discomfort_planned == row.discomfort_planned
        assert account.discomfort_exchanged == pytest.approx(row.discomfort_exchanged, abs=1e-12)
        assert account.energy_drift == pytest.approx(row.energy_drift)
        asked = [
            record
            for record in account.negotiations
            if record.asked and not (record.own and record.reason)
        ]
        assert len(asked) == row.requests
        assert sum(not record.reason for record in asked) == row.accepted
        assert sum(bool(record.reason) for record in asked) == row.refused
        saved = np.loadtxt(out / "schedules" / f"{row.household}.csv", delimiter=",", skiprows=1)
        different = np.flatnonzero(saved[:, 2] != saved[:, 3])
        assert [change.slot for change in account.changes] == different.tolist()
        for change in account.changes:
            values = (change.preferred, change.planned, change.exchanged)
            assert values == tuple(saved[change.slot, 1:])
        # The total gain is the sum of the gains of all exchanges.
        fell = account.discomfort_planned**2 - account.discomfort_exchanged**2
        gains = sum(record.gain for record in account.exchanges)
        assert fell * results.slots == pytest.approx(gains, abs=1e-9)
    assert results.exchange is not None
    assert results.exchange.rounds == find_explanation(out, "h0").rounds


def test_a_mandate_is_explained_with_its_effects(ran: tuple[RunResults, Path]) -> None:
    _, out = ran
    never, drift, none, rule = (find_explanation(out, f"h{number}") for number in range(1, 5))
    assert never.mandate == {"never": list(range(8))}
    assert all(record.slot >= 8 for record in never.exchanges)
    assert any(record.own and record.reason == "drift" for record in drift.negotiations)
    assert abs(drift.energy_drift) <= 0.01
    assert WORDS["drift"] in " ".join(sentences(drift))
    assert none.mandate == {"exchange": False}
    assert none.exchanges == []
    assert rule.rule == "mutual"
    assert all(record.gain >= 0 for record in rule.exchanges)


def printed(*words: str) -> str:
    result = CliRunner().invoke(app, ["explain", *words], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_prints_text_single_slots_and_json(
    ran: tuple[RunResults, Path],
) -> None:
    results, out = ran
    row = max(results.rows, key=lambda row: row.comfort_gain or 0.0)
    account = find_explanation(out, row.household)
    text = printed(str(out), "--household", row.household)
    assert f"{row.household} acted under the rule cooperative" in text
    assert "its people have narrowed nothing" in " ".join(text.split())
    assert "The discomfort fell by" in text
    slot = next(record.slot for record in account.negotiations if record.reason and record.own)
    text = printed(str(out), "--household", row.household, "--slot", str(slot))
    assert f"{row.household} refused: " in text
    assert "acted under" not in text
    parsed = json.loads(printed(str(out), "--household", row.household, "--json"))
    assert len(parsed["negotiations"]) == len(account.negotiations)
    assert parsed["discomfort_exchanged"] == account.discomfort_exchanged


@pytest.mark.parametrize("columns", ["40", "60", "80", "120"])
def test_no_heading_of_the_table_is_cut(ran: tuple[RunResults, Path], columns: str) -> None:
    results, out = ran
    row = max(results.rows, key=lambda row: row.comfort_gain or 0.0)
    words = ["explain", str(out), "--household", row.household]
    text = CliRunner().invoke(app, words, env={"COLUMNS": columns}).output
    heads = next(line for line in text.splitlines() if line.startswith("slot ")).split()
    assert {"slot", "held", "offered"} <= set(heads)
    numbers = {"held", "preferred", "offered", "gain"}
    assert set(heads) <= {"slot", "round", "partner", "requester", *numbers}


def test_missing_journals_and_households_are_reported(
    ran: tuple[RunResults, Path], tmp_path: Path
) -> None:
    _, out = ran
    with pytest.raises(InputError, match=r"no journal of 'h99': there are h0, h1"):
        find_explanation(out, "h99")
    with pytest.raises(InputError, match="has no journals"):
        find_explanation(tmp_path, "h0")


def test_the_folder_of_a_host_is_read_or_asked_for(
    ran: tuple[RunResults, Path], tmp_path: Path
) -> None:
    results, out = ran
    assert find_explanation(out / "journals", "h0") == find_explanation(out, "h0")
    write(results, tmp_path)
    with pytest.raises(InputError, match=r"each keeps those of its own .* name the folder"):
        find_explanation(tmp_path, "h0")
    with pytest.raises(InputError, match=r"no household 'agent_2': did you mean 'h2'"):
        find_explanation(tmp_path, "agent_2")
    with pytest.raises(InputError, match=r"h2 lived on host-7, .* coflex explain kept --household"):
        find_explanation(tmp_path, "h2", lambda *_: "host-7")
    write(sample_results(), tmp_path / "planned")
    with pytest.raises(InputError, match="only runs with a stage 2"):
        find_explanation(tmp_path / "planned", "h0")


def test_lines_have_at_most_80_columns_and_slots_are_times(
    ran: tuple[RunResults, Path], tmp_path: Path
) -> None:
    results, out = ran
    timed = replace(results, slot_times=SlotTimes("00:00", 45))
    write(timed, tmp_path, out)
    row = max(results.rows, key=lambda row: row.comfort_gain or 0.0)
    text = printed(str(tmp_path), "--household", row.household)
    assert max(map(len, text.splitlines())) <= 80
    first = find_explanation(out, row.household).exchanges[0]
    line = next(line for line in text.splitlines() if re.match(r"\d\d:\d\d ", line))
    assert line.split() == [
        f"{first.slot * 45 // 60:02}:{first.slot * 45 % 60:02}",
        *(str(first.round), first.partner),
        row.household if first.asked else first.partner,
        *(f"{kwh:.4g}" for kwh in (first.given, first.preferred, first.taken)),
        f"{first.gain_share:.2%}",
    ]
    text = printed(str(tmp_path), "--household", row.household, "--slot", str(first.slot))
    assert max(map(len, text.splitlines())) <= 80
    assert f"prefers {first.preferred:.4g}" in " ".join(text.split())
    # The shares of all exchanges sum to the decrease of the squared deviation.
    explanation = find_explanation(out, row.household)
    left = (explanation.discomfort_exchanged / explanation.discomfort_planned) ** 2
    gained = sum(record.gain_share for record in explanation.exchanges)
    assert 1 - gained == pytest.approx(left)


def test_a_restart_is_explained() -> None:
    schedules, preferred = population(3, 6, 4)
    world = World(schedules, preferred, ExchangeTerms())
    assert world.run(lambda: world.traders[0].round == 2, until=100)
    world.crash("host0", Random(1))
    assert world.run(world.over, until=900)
    for journal in world.journals.values():
        for entries in journal.entries().values():
            account = explain(entries)
            host = next(p.host for p in world.places if p.name == account.household)
            assert account.restarts == (host == "host0")
            assert ("Its host ended 1 time meanwhile" in " ".join(sentences(account))) is (
                host == "host0"
            )


def test_an_unfinished_journal_is_reported() -> None:
    schedules, preferred = population(5, 4, 3)
    journal: list[MemoryJournal] = []

    def made() -> MemoryJournal:
        journal.append(MemoryJournal())
        return journal[-1]

    world = World(schedules, preferred, ExchangeTerms(), hosts=1, journal=made)
    assert world.run(lambda: world.traders[0].round == 1, until=100)
    entries: Sequence[Entry] = journal[0].entries()["h0000"]
    account: ExchangeExplanation = explain(entries)
    assert not account.over
    assert sentences(account)[-1] == "The journal ends before the stage was over."
