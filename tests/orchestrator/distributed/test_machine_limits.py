"""Limits of a machine are named in errors, without options that nobody gave."""

import errno
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.distributed.machine_limits import SERVER_FILES, lacks_named
from protocol.errors import RunError

SMALL = ["run", "--demo", "--slots", "36", "--iterations", "3", "--exchange", "off"]


def run_with(files: int, *options: str, out: Path) -> "subprocess.CompletedProcess[str]":
    """Run a command with at most this many open files per process."""
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files})); "
        "from orchestrator.cli import main; main()"
    )
    command = [sys.executable, "-c", code, *SMALL, *options, "--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.nats
def test_too_few_open_files_are_reported_with_the_number_needed(tmp_path: Path) -> None:
    done = run_with(40, "--households", "60", out=tmp_path / "out")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: this shell allows 40 open files, and 62 processes")
    assert "ulimit -n 128" in line
    assert "--nats" not in line
    assert not (tmp_path / "out").exists()


@pytest.mark.nats
@pytest.mark.slow
def test_the_reported_number_of_files_is_enough(tmp_path: Path) -> None:
    done = run_with(SERVER_FILES + 22, "--households", "20", out=tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    done = run_with(
        32, "--households", "20", "--isolation", "task", "--hosts", "2", out=tmp_path / "two"
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_soft_limit_is_raised_as_far_as_allowed() -> None:
    code = (
        "import resource as r; _, hard = r.getrlimit(r.RLIMIT_NOFILE); "
        "r.setrlimit(r.RLIMIT_NOFILE, (40, hard)); "
        "from orchestrator.distributed.machine_limits import check_open_files; "
        "check_open_files(60); print(r.getrlimit(r.RLIMIT_NOFILE)[0])"
    )
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        assert hard >= 60 + SERVER_FILES, "this test needs a machine with some files"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 60 + SERVER_FILES


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (errno.EMFILE, "the limit of [0-9]+ open files is reached: raise it"),
        (errno.EAGAIN, "no more processes can be started.*--hosts 2"),
        (errno.ENOSPC, "/tmp/x cannot be written .No space left on device.: .*TMPDIR"),
    ],
)
def test_errors_of_the_system_become_one_line(number: int, cause: str) -> None:
    with pytest.raises(RunError, match=cause), lacks_named():
        raise OSError(number, "said by the system", "/tmp/x")


def test_other_errors_are_not_changed() -> None:
    with pytest.raises(FileNotFoundError), lacks_named():
        raise FileNotFoundError(errno.ENOENT, "no such file")
