"""A Docker Engine for tests: a running one, or our own that ends with the tests; in it are the two
images on which docker-compose.yml builds."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.waiting import wait_until

HERE = Path(__file__).parent
PUBLIC = ("python:3.11-slim", "nats:2-alpine")
STAND_INS = ("coflex-test/python", "coflex-test/nats")
NEEDED = ("dockerd", "docker", "iptables", "debootstrap", "unshare", "setpriv")
LONG = 600.0
"""Seconds for steps that may take long: making base images, building."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine."""

    python: str
    nats: str
    """Names of the base images."""
    environment: dict[str, str]
    """Where its socket is."""

    def docker(self, *command: str, patience: float = 120.0) -> str:
        """Return the output of `docker COMMAND`, which must succeed."""
        return output_of(("docker", *command), {**os.environ, **self.environment}, patience)

    def kill(self, container: str) -> None:
        """End the first process of a container like a crash, unknown to the engine, which does not
        restart a container that it killed itself."""
        pid = self.docker("inspect", "--format", "{{.State.Pid}}", container)
        # From a container that sees all processes of the engine, which may run on another machine.
        among_all = ("run", "--rm", "--pid", "host", "--user", "0", "--entrypoint", "sh")
        self.docker(*among_all, self.python, "-c", f"kill -KILL {pid}")


@contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """Provide an engine with base images; skip the test with the reason if none can run."""
    if shutil.which("docker") and _answers({}):
        yield _with_images({}, folder)
        return
    _check_machine()
    environment = {"DOCKER_HOST": f"unix://{folder}/docker.sock"}
    log = folder / "log"
    with log.open("ab") as out:
        process = subprocess.Popen((HERE / "engine.sh", str(folder)), stdout=out, stderr=out)
    try:
        wait_until(lambda: process.poll() is not None or _answers(environment), f"dockerd: {log}")
        if process.poll() is not None:
            last = log.read_text().splitlines()[-3:]
            pytest.skip(f"no Docker Engine can be started here: {' '.join(last)}")
        yield _with_images(environment, folder)
    finally:
        # Its processes, networks and mounts are in namespaces that end with it.
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def output_of(command: tuple[str, ...], environment: dict[str, str], patience: float) -> str:
    """Return the output of a command; fail with all of its output unless its status is 0."""
    done = subprocess.run(
        command, env=environment, timeout=patience, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


def _check_machine() -> None:
    missing = [tool for tool in NEEDED if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"no Docker Engine runs here, and to start one {', '.join(missing)} is missing")
    if os.geteuid() != 0:
        pytest.skip("no Docker Engine runs here, and only root can start one")


def _answers(environment: dict[str, str]) -> bool:
    done = subprocess.run(
        ("docker", "info"),
        env={**os.environ, **environment},
        timeout=60,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def _with_images(environment: dict[str, str], folder: Path) -> Engine:
    """Provide the public images if the engine can reach them, else substitutes made here.

    Our own engine has no network.
    """
    if not environment and all(map(_there, PUBLIC)):
        return Engine(*PUBLIC, environment)
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        pytest.skip(f"no {' and '.join(PUBLIC)} from a registry; root with debootstrap makes them")
    archives = os.environ.get("COFLEX_BASE_IMAGES", str(folder / "images"))
    output_of((str(HERE / "base-images.sh"), archives), {**os.environ, **environment}, LONG)
    return Engine(*STAND_INS, environment)


def _there(image: str) -> bool:
    for command in (("docker", "image", "inspect", image), ("docker", "pull", "--quiet", image)):
        if subprocess.run(command, timeout=LONG, capture_output=True, check=False).returncode == 0:
            return True
    return False


def tool(name: str) -> str:
    """Find a program of the group `compose-test`, in the environment of the tests."""
    found = shutil.which(
        name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    if found is None:
        pytest.skip(f"{name} is not installed: `make compose-test` installs it")
    return found
