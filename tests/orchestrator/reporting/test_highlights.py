"""The result at a glance, and the part of the page about one household."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orchestrator.reporting.glossary import GLOSSARY
from orchestrator.reporting.highlights import highlights, lead_sentences, negative_comfort
from orchestrator.reporting.household_view import (
    NOT_SAVED,
    TOO_MANY,
    VALUES_MAX,
    household_view,
    read_schedules,
)
from orchestrator.reporting.html_page import page
from orchestrator.reporting.wording import exchange_facts, worse_off
from orchestrator.results.measures import discomfort_removed
from orchestrator.results.run_results import RunResults
from protocol.errors import InputError
from tests.support.sample_results import assemble, sample_results


def lead(results: RunResults) -> str:
    return " ".join(lead_sentences(results))


def after(results: RunResults, **changed: float) -> RunResults:
    assert results.exchanged is not None
    return replace(results, exchanged=replace(results.exchanged, **changed))


def test_the_share_of_discomfort_that_was_removed_does_not_depend_on_the_size_of_homes() -> None:
    for size in (1.0, 1000.0):
        wanted = size * np.arange(12.0).reshape(3, 4)
        planned = wanted[:, ::-1].copy()
        discomforts = np.sqrt(((planned - wanted) ** 2).mean(1))
        results = assemble(
            wanted, planned, selected=[0] * 3, inefficiencies=[1.0], halved=discomforts / 4
        )
        assert results.exchanged is not None
        assert discomfort_removed(results.planned, results.exchanged) == pytest.approx(0.75)
        card = next(card for card in highlights(results) if card.title == "Discomfort removed")
        assert card.value == "75%"
    assert discomfort_removed(results.planned, results.planned) == 0
    none = replace(results.planned, mean_discomfort=0.0)
    assert discomfort_removed(none, none) is None


def test_a_comfort_below_0_is_explained() -> None:
    results = sample_results(exchange=True)
    assert negative_comfort(results) == ""
    low = replace(results, planned=replace(results.planned, mean_comfort=-0.1))
    assert negative_comfort(low) in lead(low)
    assert "1 minus a discomfort in kWh" in lead(low)


@pytest.mark.parametrize(
    ("unfairness", "gini", "sentence"),
    [
        (0.5, 0.5, "Discomfort became more equal: its standard deviation fell from "),
        (0.5, 1.0001, "in kWh: the standard deviation .* is as unequal as before: Gini stayed at "),
        (0.5, 1.5, "in kWh: the standard deviation .* is less equal than before: Gini rose from "),
        (1.5, 0.5, "Relative to its mean, discomfort became more equal: Gini .* deviation rose "),
        (1.0, 1.0, "did not become more equal: its standard deviation stayed at .* Gini stayed at"),
        (2.0, 1.5, "did not become more equal: its standard deviation rose from .* Gini rose from"),
    ],
)
def test_a_sentence_says_what_becomes_more_equal(
    unfairness: float, gini: float, sentence: str
) -> None:
    results = sample_results(exchange=True)
    before = results.planned
    changed = after(results, unfairness=before.unfairness * unfairness, gini=before.gini * gini)
    assert re.search(sentence, lead(changed))


def test_an_own_rule_is_named_in_the_lead_and_the_summary() -> None:
    results = sample_results(exchange=True)
    own = replace(results, config={**results.config, "accepts": "mine:rule", "exchange": "paper"})
    assert "agree to an exchange was decided by mine:rule, a function." in lead(own)
    assert dict(exchange_facts(own))["agreed by"] == "mine:rule, a function"
    assert "agreed by" not in dict(exchange_facts(results))
    assert own.exchange is not None
    lost = replace(own, exchange=replace(own.exchange, households_worse=3))
    assert "rule mine:rule" in [card.detail for card in highlights(lost)]
    assert "literal rule" not in worse_off(lost)


def test_households_that_lost_are_a_highlight() -> None:
    results = sample_results(exchange=True)
    assert results.exchange is not None
    lost = replace(results, exchange=replace(results.exchange, households_worse=3))
    for run, value, tone in ((results, "0 of 31", "good"), (lost, "3 of 31", "bad")):
        card = next(card for card in highlights(run) if card.word == "worse off")
        assert (card.value, card.tone) == (value, tone)


def test_words_of_the_figures_are_explained() -> None:
    for results in (sample_results(), sample_results(exchange=True)):
        for card in highlights(results):
            assert card.word in GLOSSARY


def test_a_run_without_stage_2_or_preferences_has_figures_too() -> None:
    cards = [card.title for card in highlights(sample_results(preferred=False))]
    assert cards == ["Peak demand", "Mean comfort", "Gave up comfort"]
    assert "exchange" not in lead(sample_results())


def test_the_chosen_household_has_its_discomfort_and_its_place(tmp_path: Path) -> None:
    results = sample_results(5, 4, 3, exchange=True)
    (tmp_path / "schedules").mkdir()
    lines = ["slot,preferred,planned,exchanged", *(f"{slot},1,2,1.5" for slot in range(4))]
    (tmp_path / "schedules" / "h2.csv").write_text("\n".join(lines) + "\n")
    view = household_view(results, read_schedules(results, tmp_path))
    households = view["households"]
    assert isinstance(households, list)
    final = [row.discomfort_exchanged for row in results.rows]
    assert view["first"] == final.index(max(value for value in final if value is not None))
    assert sorted(own["rankFinal"] for own in households) == [1, 2, 3, 4, 5]
    assert households[2]["schedule"] == {
        "preferred": [1.0] * 4,
        "planned": [2.0] * 4,
        "exchanged": [1.5] * 4,
    }
    assert households[1]["schedule"] == {}
    assert view["missing"] == NOT_SAVED


def test_a_broken_schedule_is_named(tmp_path: Path) -> None:
    results = sample_results(2, 4, 3)
    (tmp_path / "schedules").mkdir()
    file = tmp_path / "schedules" / "h1.csv"
    for content, reason in (
        ("slot,planned\n0,1\n", "expected 4 slots"),
        ("slot,planned\n0,x\n", "x"),
    ):
        file.write_text(content)
        with pytest.raises(InputError, match=reason) as caught:
            read_schedules(results, tmp_path)
        assert caught.value.file == str(file) or caught.value.file == file


def test_more_schedules_than_a_page_can_carry_stay_in_their_files(tmp_path: Path) -> None:
    results = replace(sample_results(2, 4, 3), slots=VALUES_MAX)
    assert read_schedules(results, tmp_path) == {}
    assert household_view(results, {})["missing"] == TOO_MANY


def test_names_of_households_cannot_end_the_script(tmp_path: Path) -> None:
    odd = replace(
        sample_results(2, 4, 3), names={"h0": "</script><b>Zo\u00eb"}, command="coflex run '<b>'"
    )
    text = page(odd, [])
    data = re.search(r'id="household-data">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    assert json.loads(data[1])["households"][0]["name"] == "</script><b>Zo\u00eb"
    assert "coflex run &#39;&lt;b&gt;&#39;" in text


def test_the_footer_has_time_and_command_of_the_run() -> None:
    kept = replace(
        sample_results(2, 4, 3), ended="2026-01-02T03:04:05+01:00", command="coflex simulate"
    )
    foot = page(kept, []).split("<footer>")[1]
    for part in ("Run ended 2 January 2026, 03:04", "coflex 0.1.0", "<code>coflex simulate</code>"):
        assert part in foot
