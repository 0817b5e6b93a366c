"""A link: a process between the parts of a run and their server, whose connections can be cut.

`python -m tests.chaos.link PORT_OF_SERVER` prints the port at which it listens. On SIGUSR1 it ends
about half of its connections without a word to anybody.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from random import Random

from orchestrator.distributed.child_processes import end, ending_with_parent

HOST = "127.0.0.1"


class Link:
    """The link as a child process; a context manager."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    @property
    def pid(self) -> int:
        """Process id of the link."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> "Link":
        self._process = subprocess.Popen(
            (sys.executable, "-m", "tests.chaos.link", str(self._server_port)),
            stdout=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=ending_with_parent(),
        )
        assert self._process.stdout is not None
        self.url = f"nats://{HOST}:{int(self._process.stdout.readline())}"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        end([self._process])
        self._process.stdout.close()

    def cut(self) -> bool:
        """End some connections."""
        os.kill(self.pid, signal.SIGUSR1)
        return True


async def forward(server_port: int) -> None:
    """Forward connections to the server until the process ends."""
    writers: dict[asyncio.StreamWriter, asyncio.StreamWriter] = {}
    chance = Random(server_port)

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            from_server, to_server = await asyncio.open_connection(HOST, server_port)
        except OSError:  # it restarts
            writer.close()
            return
        writers[writer] = to_server
        await asyncio.gather(copy(reader, to_server), copy(from_server, writer))
        writers.pop(writer, None)

    def cut() -> None:
        for client in [client for client in writers if chance.random() < 0.5]:
            client.transport.abort()
            writers.pop(client).transport.abort()

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, cut)
    server = await asyncio.start_server(connect, HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(forward(int(sys.argv[1])))
