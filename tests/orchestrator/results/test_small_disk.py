"""A disk that fills: one line that names the folder and says where the results are."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

COFLEX = (sys.executable, "-m", "coflex")
RUN = ("--demo", "--slots", "96", "--iterations", "2", "--save-schedules")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of a megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder))
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system")
    yield folder
    subprocess.run(("umount", str(folder)), check=True)


def failure(*command: str, temporary: Path) -> str:
    """What a command that must fail says, in one line."""
    environment = os.environ | {"TMPDIR": str(temporary)}
    done = subprocess.run(
        (*COFLEX, *command),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.slow
def test_a_full_folder_for_results(small: Path, tmp_path: Path) -> None:
    out = small / "out"
    size = ("--households", "300", "--exchange", "off")
    said = failure("simulate", *RUN, *size, "--out", str(out), temporary=tmp_path)
    assert said.startswith(f"error: {out}: cannot be written (No space left on device; ")
    kept = said.partition("The results are complete in ")[2].partition(":")[0]
    assert (Path(kept) / "run.json").exists()


@pytest.mark.slow
@pytest.mark.nats
def test_a_full_folder_for_journals(small: Path, tmp_path: Path) -> None:
    size = ("--households", "60", "--isolation", "task", "--hosts", "2")
    said = failure("run", *RUN, *size, "--out", str(tmp_path / "out"), temporary=small)
    assert said.startswith("error: host-")
    assert f": {small}" in said
    assert "full" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_full_folder_for_a_sweep(small: Path, tmp_path: Path) -> None:
    (small / "others").write_bytes(bytes(1000 * 1024))
    grid = ("--demo", "true", "--households", "5,6,7", "--slots", "24", "--iterations", "2")
    where = ("--replications", "8", "--workers", "1", "--out", str(small / "sweep"))
    said = failure("sweep", *grid, *where, temporary=tmp_path)
    assert said.startswith(f"error: {small / 'sweep' / 'cells.jsonl'}: cannot be written (No space")
    assert said.endswith("make room, and the same command goes on with what is left")
