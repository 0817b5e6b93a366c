"""Results survive being written and read, replace those of an earlier run, and are never mixed."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import orchestrator.results.atomic_folder
from orchestrator.results.result_files import read, write
from orchestrator.results.run_results import Demand, RunResults
from protocol.errors import InputError
from tests.support.sample_results import sample_results

FILES = {"run.json", "iterations.csv", "households.csv", "demand.csv"}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


NO_DEMAND = Demand(planned=np.zeros(0))


def without_demand(results: RunResults) -> RunResults:
    """Return the results without the arrays, for comparison by value."""
    return replace(results, demand=NO_DEMAND)


@pytest.mark.parametrize("exchange", [False, True])
@pytest.mark.parametrize("target", [False, True])
@pytest.mark.parametrize("preferred", [False, True])
def test_results_are_read_as_they_were_written(
    tmp_path: Path, exchange: bool, target: bool, preferred: bool
) -> None:
    results = sample_results(exchange=exchange, target=target, preferred=preferred)
    write(results, tmp_path / "out")
    found = read(tmp_path / "out")
    assert names(tmp_path / "out") == FILES | ({"rounds.csv"} if exchange else set())
    assert without_demand(found) == without_demand(results)
    columns = found.demand.columns()
    assert columns.keys() == results.demand.columns().keys()
    for name, values in results.demand.columns().items():
        np.testing.assert_array_equal(columns[name], values)


def test_columns_are_those_of_the_stages_that_took_place(tmp_path: Path) -> None:
    write(sample_results(target=True), tmp_path)
    heads = {name: (tmp_path / name).read_text().splitlines()[0] for name in FILES}
    assert heads["iterations.csv"] == "iteration,inefficiency,unfairness,mean_discomfort,cost"
    assert heads["households.csv"] == (
        "household,position,level,beta,selected_plan,discomfort_planned"
    )
    assert heads["demand.csv"] == "slot,preferred,planned,target"
    assert not json.loads((tmp_path / "run.json").read_text()).keys() & {
        "exchanged",
        "bound",
        "exchange",
    }
    write(sample_results(exchange=True), tmp_path)
    heads = {name: (tmp_path / name).read_text().splitlines()[0] for name in FILES}
    assert heads["households.csv"] == (
        "household,position,level,beta,selected_plan,discomfort_planned,discomfort_exchanged,"
        "comfort_gain,energy_drift,requests,accepted,refused,discomfort_bound_of_values"
    )
    assert heads["demand.csv"] == "slot,preferred,planned,exchanged"
    assert (tmp_path / "rounds.csv").read_text().splitlines()[0] == (
        "round,lookups,matches,proposals,accepted,refused,mean_discomfort,pooled_discomfort,"
        "messages,answers,frames,bytes"
    )


def test_an_undefined_number_is_null(tmp_path: Path) -> None:
    results = sample_results()
    planned = replace(results.planned, peak_to_average=math.nan, inefficiency=math.inf)
    write(replace(results, planned=planned), tmp_path)

    def no_constant(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    content = json.loads((tmp_path / "run.json").read_text(), parse_constant=no_constant)
    assert content["planned"]["peak_to_average"] is None
    assert content["config"]["nats"] is None
    assert math.isnan(read(tmp_path).planned.peak_to_average)


def test_an_earlier_run_is_replaced_and_files_of_others_stay(tmp_path: Path) -> None:
    write(sample_results(seed=1), tmp_path)
    (tmp_path / "report").mkdir()
    for stale in (
        "rounds.csv",
        "exchanges.csv",
        "report/index.html",
        "report/plans.png",
        "report/plans.csv",
    ):
        (tmp_path / stale).write_text("of the earlier run")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".writing-abandoned").mkdir()
    results = sample_results(seed=2, households=5)
    write(results, tmp_path)
    assert names(tmp_path) == FILES | {"notes.txt", "report"}
    assert names(tmp_path / "report") == set()
    assert read(tmp_path).rows == results.rows


@pytest.mark.parametrize("fails_at", range(4))
def test_a_full_disk_leaves_the_earlier_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    write(sample_results(seed=1), tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in FILES}
    really, count = orchestrator.results.atomic_folder._write, iter(range(99))

    def full(path: Path, content: bytes) -> None:
        really(path, content)
        if next(count) == fails_at:
            raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(orchestrator.results.atomic_folder, "_write", full)
    with pytest.raises(InputError, match=r"cannot be written \(No space left"):
        write(sample_results(seed=2), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_interrupted_replacement_leaves_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(sample_results(seed=1), tmp_path)
    really = Path.replace

    def stopped(self: Path, target: Path) -> Path:
        if target.name == "demand.csv":
            raise KeyboardInterrupt
        return really(self, target)

    monkeypatch.setattr(Path, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        write(sample_results(seed=2), tmp_path)
    with pytest.raises(InputError, match="no complete results"):
        read(tmp_path)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="out: cannot be written"):
        write(sample_results(), tmp_path / "out")


def cut(text: str) -> str:
    return "\n".join(text.splitlines()[:-1]) + "\n"


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        ("run.json", lambda t: t[:-9], r"run\.json: not JSON"),
        ("run.json", lambda t: "[]", r"run\.json: must be"),
        ("run.json", lambda t: t.replace('"peak"', '"top"', 1), r"field preferred\.peak: .*equir"),
        ("run.json", lambda t: t.replace('"seed": 1', '"seed": "x"'), r"field seed: .*integer"),
        ("iterations.csv", cut, r"iterations\.csv: expected one line for each of 12"),
        ("households.csv", cut, r"households\.csv: expected one line for each of 31"),
        ("demand.csv", cut, r"demand\.csv: expected one line for each of 24"),
        (
            "demand.csv",
            lambda t: re.sub(r"\n3,[^,]+", "\n3,", t),
            r"demand\.csv, line 5, field preferred: a cell",
        ),
        (
            "demand.csv",
            lambda t: t.replace("\n3,", "\n3,9,9,9,"),
            r"demand\.csv, line 5: has more cells",
        ),
        (
            "households.csv",
            lambda t: t.replace("h2,2,2", "h2,2,second"),
            r"households\.csv, line 4, field level: .*integer",
        ),
        (
            "households.csv",
            lambda t: t.replace(",beta,", ",better,"),
            r"households\.csv, line 2, field beta: .*equired",
        ),
        ("iterations.csv", lambda t: t.replace("\n2,", "\n2,x"), r"line 4, field inefficiency"),
    ],
)
def test_broken_files_are_named(
    tmp_path: Path, name: str, change: Callable[[str], str], complaint: str
) -> None:
    write(sample_results(), tmp_path)
    path = tmp_path / name
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError, match=complaint):
        read(tmp_path)


@pytest.mark.parametrize("name", sorted(FILES))
def test_missing_files_are_named(tmp_path: Path, name: str) -> None:
    write(sample_results(), tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(InputError, match=f"{name}: no such file"):
        read(tmp_path)


def test_all_rounds_must_be_present(tmp_path: Path) -> None:
    write(sample_results(exchange=True), tmp_path)
    path = tmp_path / "rounds.csv"
    path.write_text(cut(path.read_text()))
    with pytest.raises(InputError, match=r"rounds\.csv: expected one line for each of 6"):
        read(tmp_path)
    path.unlink()
    with pytest.raises(InputError, match=r"rounds\.csv: no such file"):
        read(tmp_path)


def test_ratios_without_exchanges_are_left_out(tmp_path: Path) -> None:
    results = sample_results(exchange=True)
    assert results.exchange is not None
    none = replace(results.exchange, accepted=0, proposal_success=None, messages_per_exchange=None)
    write(replace(results, exchange=none), tmp_path)
    summary = json.loads((tmp_path / "run.json").read_text())["exchange"]
    assert "proposal_success" not in summary
    assert summary["lookup_success"] == results.exchange.lookup_success
    assert read(tmp_path).exchange == none


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    write(sample_results(), tmp_path)
    (tmp_path / "demand.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"demand\.csv: cannot be read"):
        read(tmp_path)
