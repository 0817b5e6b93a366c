"""The reference data: without it, tests are skipped by hand, and a run in CI is refused."""

from pathlib import Path

import pytest

import tests.conftest


@pytest.mark.parametrize(("value", "refused"), [("true", True), ("1", True), ("", False)])
def test_ci_refuses_to_run_without_the_reference_data(
    value: str, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", value)
    monkeypatch.setattr(tests.conftest, "SHARED", tmp_path)
    tests.conftest.pytest_configure()
    monkeypatch.setattr(tests.conftest, "SHARED", tmp_path / "nothing")
    if refused:
        with pytest.raises(pytest.UsageError, match="unset CI"):
            tests.conftest.pytest_configure()
    else:
        tests.conftest.pytest_configure()
