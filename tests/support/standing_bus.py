"""Parts of real processes that stand by on a real server, each with its log and its metrics."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

from prometheus_client.parser import text_string_to_metric_families

from orchestrator.cli.application import run_command
from orchestrator.distributed.embedded_server import EmbeddedServer
from tests.support.waiting import wait_until

COFLEX = (sys.executable, "-c", "from orchestrator.cli import main; main()")
HOSTS = ("host-1", "host-2")


class Bus:
    """A server, two hosts and a matchmaker that stand by, each with a log and metrics."""

    def __init__(self, server: EmbeddedServer, folder: Path, keys: Path | None = None) -> None:
        self.folder = folder
        self.url = server.url
        self._where = ["--nats", server.url, *(["--keys", str(keys)] if keys else [])]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        for name in HOSTS:
            self.start(name, "host", name, "--keep", str(folder / "kept"), "--metrics", "0")
        self.start("matchmaker-1", "matchmaker", "--metrics", "0")

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        logs = ("--log-format", "json", "--log-level", "debug")
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*COFLEX, *command, *self._where, *logs],
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        return self.processes[name]

    def orchestrate(self, *options: str) -> subprocess.Popen[bytes]:
        demo = ("--demo", "--households", "12", "--slots", "36", "--hosts", "2", "--metrics", "0")
        out = ("--out", str(self.folder / "out"))
        return self.start("orchestrator", "orchestrate", *demo, *out, *options)

    def lines_of(self, name: str) -> list[dict[str, Any]]:
        """Return the lines of a part's log so far."""
        text = (self.folder / f"{name}.log").read_text()
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def await_line(self, name: str, message: str, **fields: object) -> dict[str, Any]:
        """Wait for the first line like this, and return it."""
        wanted = {"message": message, **fields}.items()
        found: list[dict[str, Any]] = []

        def there() -> bool:
            found[:] = [line for line in self.lines_of(name) if wanted <= line.items()]
            return bool(found)

        wait_until(there, f"{message} of {name}")
        return found[0]

    def await_planning(self) -> None:
        """Wait until the run of the orchestrator is in the middle of stage 1."""

        def amid() -> bool:
            return any(line.get("iteration", 0) >= 20 for line in self.lines_of("orchestrator"))

        wait_until(amid, "stage 1")

    def await_last(self, name: str, message: str) -> None:
        """Wait until the last line of a part's log is like this."""
        wait_until(
            lambda: bool(self.lines_of(name)[-1]["message"] == message), f"{message} of {name}"
        )

    def metrics(self, name: str) -> dict[str, float]:
        """Return the current values at its endpoint, without labels except for stages and names."""
        port = self.await_line(name, "serves metrics")["port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as page:
            text = page.read().decode()
        found = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                label = "/".join(sample.labels.get(key, "") for key in ("stage", "name", "run"))
                found[f"{sample.name} {label.strip('/')}".strip()] = sample.value
        return found

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the operator in this process, as `coflex` does in its own."""
        out, errors, line = StringIO(), StringIO(), ["coflex", *words, *self._where]
        with patch.object(sys, "argv", line), redirect_stdout(out), redirect_stderr(errors):
            status = run_command()
        return subprocess.CompletedProcess(line, status, out.getvalue(), errors.getvalue())

    def part(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command of a part, in a process of its own, until it ends."""
        return subprocess.run(
            [*COFLEX, *words, *self._where], capture_output=True, text=True, timeout=120
        )

    def status(self) -> dict[str, Any]:
        answer = self.command("status", "--json")
        assert answer.returncode == 0, answer.stderr
        found: dict[str, Any] = json.loads(answer.stdout)
        return found


@contextmanager
def standing(server: EmbeddedServer, folder: Path, keys: Path | None = None) -> Iterator[Bus]:
    made = Bus(server, folder, keys)
    try:
        for name in (*HOSTS, "matchmaker-1"):
            made.await_line(name, "stands by")
        yield made
    finally:
        for process in made.processes.values():
            process.kill()
            process.wait()
