"""A disk that fills: one line that names the folder and says where the results are."""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from orchestrator.distributed.embedded_server import EmbeddedServer
from tests.support.paths import ROOT
from tests.support.waiting import wait_until

COFLEX = (sys.executable, "-m", "coflex")
RUN = ("--demo", "--slots", "96", "--iterations", "2", "--save-schedules")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return a folder that `on_small_disk` puts on a disk of a megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    if not _unshare():
        pytest.skip("needs user namespaces in which file systems can be mounted, or root")
    return folder


@cache
def _unshare() -> tuple[str, ...]:
    """Return the command that starts another in a name space where it can mount: one of its own
    user, or, where these are forbidden, one that needs root. Empty if neither is possible."""
    for command in (("unshare", "-rm"), ("unshare", "-m")):
        trial = [*command, "mount", "-t", "tmpfs", "tmpfs", "/tmp"]
        if not subprocess.run(trial, check=False, capture_output=True).returncode:
            return command
    return ()


def on_small_disk(folder: Path, *command: str, used_kib: int = 0) -> list[str]:
    """Return a command that runs this one where `folder` is a disk of a megabyte of its own.

    The disk exists in a name space of this command only.
    """
    mount = 'mount -t tmpfs -o size=1m tmpfs "$0" && head -c "$1" /dev/zero >"$0/others"'
    script = f'{mount} && shift && exec "$@"'
    return [*_unshare(), "sh", "-c", script, str(folder), str(used_kib * 1024), *command]


def failure(small: Path, *command: str, temporary: Path, used_kib: int = 0) -> str:
    """Return the one line of a command that must fail on a small disk."""
    done = subprocess.run(
        on_small_disk(small, *COFLEX, *command, used_kib=used_kib),
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.slow
def test_a_full_folder_for_results(small: Path, tmp_path: Path) -> None:
    out = small / "out"
    size = ("--households", "300", "--exchange", "off")
    said = failure(small, "simulate", *RUN, *size, "--out", str(out), temporary=tmp_path)
    assert said.startswith(f"error: {out}: cannot be written (No space left on device; ")
    assert f" MB are needed, and the disk at {small} has 1.0 MB free)" in said
    kept = said.partition("The complete results are in ")[2].partition(":")[0]
    assert (Path(kept) / "run.json").exists()


@pytest.mark.slow
@pytest.mark.nats
def test_a_full_folder_for_journals(small: Path, tmp_path: Path) -> None:
    size = ("--households", "60", "--isolation", "task", "--hosts", "2")
    said = failure(small, "run", *RUN, *size, "--out", str(tmp_path / "out"), temporary=small)
    assert said.startswith("error: host-")
    assert f": {small}" in said
    assert "full" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.nats
@pytest.mark.parametrize("used_kib", [0, 1024])
def test_a_full_folder_of_a_host_that_stands_by(
    small: Path, tmp_path: Path, server: EmbeddedServer, used_kib: int
) -> None:
    """The host says it in one line and stands by; the run ends with the same reason."""
    with (tmp_path / "log").open("wb") as log:
        where = ("--nats", server.url)
        host = (*COFLEX, "host", "host-1", "--keep", str(small), *where)
        parts = [
            subprocess.Popen(on_small_disk(small, *host, used_kib=used_kib), cwd=ROOT, stderr=log),
            subprocess.Popen((*COFLEX, "matchmaker", *where), cwd=ROOT),
        ]
        try:
            size = ("--households", "60", "--hosts", "1", "--out", str(tmp_path / "out"))
            run = (*COFLEX, "orchestrate", *RUN[:-1], *size, *where)
            done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=120)
            wait_until(lambda: "ERROR" in (tmp_path / "log").read_text(), "the host's line")
        finally:
            for part in parts:
                part.kill()
                part.wait()
    assert done.returncode == 1
    *_, reason = done.stderr.splitlines()
    assert re.match(rf"error: host-1: {small}/\S+: .*(is full|No space left on device)", reason)
    logged = (tmp_path / "log").read_text()
    assert logged.count(reason.removeprefix("error: host-1: ")) == 1
    assert "Traceback" not in logged


@pytest.mark.slow
def test_a_full_folder_for_a_sweep(small: Path, tmp_path: Path) -> None:
    grid = ("--demo", "true", "--households", "5,6,7", "--slots", "24", "--iterations", "2")
    where = ("--replications", "8", "--workers", "1", "--out", str(small / "sweep"))
    said = failure(small, "sweep", *grid, *where, temporary=tmp_path, used_kib=1000)
    assert said.startswith(f"error: {small / 'sweep' / 'cells.jsonl'}: cannot be written (No space")
    assert said.endswith("make room, and the same command continues with the runs that are left")
