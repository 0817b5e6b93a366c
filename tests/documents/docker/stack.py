"""The services of docker-compose.yml in an engine, built from a copy of the checkout."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.documents.docker.engine import LONG, Engine, output_of, tool
from tests.support.paths import ROOT

TOP = ROOT
PROJECT = "coflex-test"
IMAGE = "coflex-test/coflex"
_LEFT_OUT = shutil.ignore_patterns(".*", "wheels", "__pycache__", "*.egg-info")
_LEFT_OUT_AT_THE_TOP = {"results", "site"}
FROM_SOURCE = "nkeys"
"""The one package without a wheel on the index."""
HOSTS = 3
HOUSEHOLDS = 60


@dataclass(frozen=True, slots=True)
class Stack:
    """The services of docker-compose.yml, running or not."""

    engine: Engine
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment variables for compose."""
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith(("COFLEX_", "COMPOSE_"))},
            **self.engine.environment,
            "COFLEX_BASE": self.engine.python,
            "NATS_IMAGE": self.engine.nats,
            "COFLEX_IMAGE": IMAGE,
            "COFLEX_HOSTS": str(HOSTS),
            "COFLEX_HOUSEHOLDS": str(HOUSEHOLDS),
            "COMPOSE_PROJECT_NAME": PROJECT,
        }

    def compose(self, *command: str, patience: float = 120.0, **variables: str) -> str:
        """Return the output of `docker compose COMMAND`, which must succeed."""
        line = (tool("docker-compose"), "--project-directory", str(self.folder), *command)
        return output_of(line, {**self.environment, **variables}, patience)

    def start(self, *command: str, **variables: str) -> subprocess.Popen[str]:
        """Start `docker compose COMMAND` while the test continues."""
        line = (tool("docker-compose"), "--project-directory", str(self.folder), *command)
        environment = {**self.environment, **variables}
        pipe = subprocess.PIPE
        return subprocess.Popen(line, env=environment, stdout=pipe, stderr=pipe, text=True)

    def containers(self, service: str) -> list[str]:
        """Return the ids of a service's containers, running or not."""
        return self.compose("ps", "--all", "--quiet", service).split()

    def inspected(self, container: str) -> dict[str, Any]:
        """Return everything that the engine knows about a container."""
        found: list[dict[str, Any]] = json.loads(self.engine.docker("inspect", container))
        return found[0]

    def messages(self) -> int:
        """Return the number of messages that the server has received since it started; -1 if it
        does not answer."""
        ask = ("docker", "exec", self.containers("nats")[0], "wget", "-q", "-O", "-")
        done = subprocess.run(
            (*ask, "http://127.0.0.1:8222/varz"),
            env=self.environment,
            timeout=60,
            capture_output=True,
            text=True,
            check=False,
        )
        return int(json.loads(done.stdout)["in_msgs"]) if done.returncode == 0 else -1

    def results(self, run: str, to: Path) -> Path:
        """Return the results of a run, copied from their volume."""
        holder = self.engine.docker("create", "--volume", f"{PROJECT}_results:/results", IMAGE)
        try:
            self.engine.docker("cp", f"{holder}:/results/{run}", str(to))
        finally:
            self.engine.docker("rm", "--force", holder)
        return to

    def down(self) -> None:
        """Remove all containers, networks and volumes."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "2")


def left_out(folder: str, names: list[str]) -> set[str]:
    """Return what is left out when the checkout is copied; .dockerignore is copied by itself."""
    at_the_top = _LEFT_OUT_AT_THE_TOP if Path(folder) == TOP else set()
    return _LEFT_OUT(folder, names) | at_the_top


@contextmanager
def stack(engine: Engine, folder: Path) -> Iterator[Stack]:
    """Build the image from a copy of the checkout; take everything down in the end."""
    made = Stack(engine, folder / "checkout")
    shutil.copytree(TOP, made.folder, ignore=left_out)
    shutil.copy(TOP / ".dockerignore", made.folder)
    python = engine.docker(
        *("run", "--rm", "--entrypoint", "python3", engine.python, "-c"),
        "import sys; print('%d.%d' % sys.version_info[:2])",
    )
    _download(made.folder, python)
    try:
        made.compose("build", patience=LONG)
        yield made
    finally:
        made.down()


def _download(folder: Path, python: str) -> None:
    """Download the packages of the image for its Python into deploy/wheels, where the build finds
    them in an engine without a network."""
    locks, wheels = folder / "deploy" / "requirements", folder / "deploy" / "wheels"
    only = ("--only-binary", ":all:", "--no-binary", FROM_SOURCE, "--python-version", python)
    for lock in ("build.lock", "run.lock"):
        _pip(
            "download",
            "--no-deps",
            "--no-build-isolation",
            "--require-hashes",
            *only,
            "--requirement",
            str(locks / lock),
            "--dest",
            str(wheels),
        )


def _pip(*command: str) -> None:
    output_of((sys.executable, "-m", "pip", "--quiet", *command), dict(os.environ), LONG)


def rows(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """Return the complete contents of result files."""
    return {name: (folder / name).read_text() for name in names}
