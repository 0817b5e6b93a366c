"""Servers for tests: a real one and one that pretends to be one; and a listener on a bus."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from orchestrator.distributed.embedded_server import EmbeddedServer


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    """Start a real nats-server without keys."""
    with EmbeddedServer() as started:
        yield started


class Ear:
    """A listener on a bus: the messages of its subscriptions, and the error that ended them."""

    def __init__(self, enough: int = 1) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.failures: list[Exception] = []
        self.complete, self.failed = asyncio.Event(), asyncio.Event()
        self._enough = enough

    def receive(self, subject: str, data: bytes) -> None:
        self.heard.append((subject, data))
        if len(self.heard) >= self._enough:
            self.complete.set()

    def fail(self, error: Exception) -> None:
        self.failures.append(error)
        self.failed.set()


@asynccontextmanager
async def pretending(
    answer: Callable[[bytes], bytes], version: str = "2.11.0", max_payload: int = 1000
) -> AsyncIterator[str]:
    """Serve answers to each line, like a NATS server or not quite; return the URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        information = {"server_id": "s", "version": version, "max_payload": max_payload}
        writer.write(f"INFO {json.dumps(information)}\r\n".encode())
        while line := await reader.readline():
            writer.write(answer(line))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
