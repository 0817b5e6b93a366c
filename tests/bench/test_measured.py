"""Ratios of benchmarks: kept by name, the last one shown beside the new."""

import importlib
from pathlib import Path

import pytest

from tests.bench.__main__ import BENCHMARKS
from tests.bench.measured import Measured, comparison, keep_ratios, last_ratios


def test_the_last_ratio_is_shown_beside_the_new(tmp_path: Path) -> None:
    file = tmp_path / "kept" / "ratios.jsonl"
    assert last_ratios("planning", file) is None
    assert comparison(Measured("", {"run/bare": 2.0}), None) == "run/bare 2.00, no earlier run"
    keep_ratios("planning", Measured("", {"run/bare": 2.0}), file)
    keep_ratios("planning", Measured("", {"run/bare": 2.5}), file)
    keep_ratios("exchange", Measured("", {"run/bare": 9.0}), file)
    last = last_ratios("planning", file)
    assert last is not None
    told = comparison(Measured("", {"run/bare": 3.0, "new": 1.0}), last)
    assert told == f"run/bare 3.00 (last 2.50), new 1.00, last run {last[0]}"


def test_a_study_has_no_ratios_to_keep(tmp_path: Path) -> None:
    file = tmp_path / "ratios.jsonl"
    keep_ratios("sizes", Measured("a table"), file)
    assert not file.exists()
    assert comparison(Measured("a table"), None) == ""


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_can_be_run(name: str) -> None:
    assert callable(importlib.import_module(f"tests.bench.{name}").bench)
