"""Content amounts in the options of a run: the default for homes, and what does not go with it."""

from pathlib import Path
from typing import Any

import pytest

from orchestrator.scenario.scenario import Scenario, read_scenario
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError


def scenario(shared: Path | None, **options: Any) -> Scenario:
    if shared is not None:
        options["dataset"] = shared / "data" / "homes" / "homes-200.json"
    settings = RunSettings(households=6, iterations=0 if shared else 1, **options)
    return read_scenario(settings, execution="simulation")


def test_homes_exchange_amounts_one_after_another(shared: Path) -> None:
    terms = scenario(shared).common_terms.exchange
    assert terms is not None
    assert terms.content == "amounts"
    assert terms.order == "sequential"


def test_homes_announce_as_they_disclose(shared: Path) -> None:
    terms = scenario(shared, disclose="direction").common_terms.exchange
    assert terms is not None
    assert terms.disclosure == "direction"


def test_a_host_that_starts_again_can_read_the_resolved_settings(shared: Path) -> None:
    resolved = scenario(shared).resolved_settings()
    again = read_scenario(RunSettings.model_validate_json(resolved.model_dump_json()))
    assert again.exchange == scenario(shared).exchange


def test_homes_may_exchange_bundles(shared: Path) -> None:
    terms = scenario(shared, content="bundle").common_terms.exchange
    assert terms is not None
    assert terms.content == "bundle"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"min_gain": 0.5}, "--min-gain"),
        ({"energy_drift": 0.5}, "--energy-drift"),
        ({"matchmakers": 2}, "--matchmakers"),
        ({"disclose": "value"}, "--disclose"),
        ({"content": "amounts", "exchange": "paper"}, "--content"),
    ],
)
def test_an_option_without_effect_on_amounts_is_refused(
    shared: Path, options: dict[str, Any], field: str
) -> None:
    with pytest.raises(InputError) as caught:
        scenario(shared, **options)
    assert caught.value.field == field


def test_households_without_devices_exchange_no_amounts() -> None:
    with pytest.raises(InputError, match="for homes with devices"):
        scenario(None, content="amounts")


@pytest.mark.parametrize(
    ("mandate", "field"),
    [
        ("tolerance = 0.5", "tolerance"),
        ("discomfort = 0.5", "discomfort"),
        ("disclosure = 'value'", "disclosure"),
        ("rule = 'ttc'", "rule"),
    ],
)
def test_a_mandate_about_values_at_slots_is_refused(
    shared: Path, tmp_path: Path, mandate: str, field: str
) -> None:
    file = tmp_path / "mandates.toml"
    name = next(iter(scenario(shared).members))
    file.write_text(f"[{name}]\n{mandate}\n")
    with pytest.raises(InputError) as caught:
        scenario(shared, mandates=file)
    assert str(caught.value.field).endswith(field)
