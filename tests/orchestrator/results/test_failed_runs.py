"""What becomes of a run that its audit has found wrong: results, comparison, summary and page."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.cli import run as run_command
from orchestrator.experiments.compared_configurations import read_configurations
from orchestrator.reporting.highlights import lead_sentences
from orchestrator.reporting.wording import headline
from orchestrator.results.audit import Audit, Discrepancy, require_conserved
from orchestrator.results.audit_checks import audit_of
from orchestrator.results.result_files import read, write
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError, RunError
from tests.support.audited_runs import by_hand
from tests.support.sample_results import sample_results


def broken() -> RunResults:
    """Return results in which 0.5 kWh were lost at slot 3."""
    lost = Discrepancy(
        check="sums", text="the schedules at slot 3 add up to less", slots=(3,), kwh=0.5
    )
    audit = Audit(
        conserved=False, checks=("sums",), rounding_kwh=0.0, found=5, discrepancies=(lost,)
    )
    return replace(sample_results(exchange=True), status="failed", audit=audit)


def test_the_command_writes_the_results_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = RunSettings.model_validate({"demo": True, "out": tmp_path / "out"})
    (tmp_path / "out" / "unfinished").mkdir(parents=True)
    with pytest.raises(RunError, match=f"not use these results in {tmp_path / 'out'}"):
        run_command._finish(broken(), settings)
    shown = capsys.readouterr().out
    assert "FAILED" in shown
    assert "not conserved: the schedules at slot 3" in " ".join(shown.split())
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["status"] == "failed"
    assert record["audit"]["discrepancies"][0]["slots"] == [3]
    assert read(tmp_path / "out").audit == broken().audit
    assert not (tmp_path / "out" / "unfinished").exists()  # it has ended, though it has failed


def test_a_failed_run_is_compared_with_nothing(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(broken() if name == "two" else sample_results(), tmp_path / name)
    with pytest.raises(InputError, match="is a run that has failed"):
        read_configurations([tmp_path / "one", tmp_path / "two"])


def test_the_page_of_a_failed_run_begins_with_that() -> None:
    first, *_ = lead_sentences(broken())
    assert first.startswith("This run has failed")
    assert headline(broken()).startswith("FAILED")
    assert not any("failed" in each for each in lead_sentences(sample_results(exchange=True)))


def test_other_runs_pass() -> None:
    require_conserved(None)
    require_conserved(audit_of(by_hand()))
