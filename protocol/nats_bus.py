"""The bus over NATS: the only file that imports nats.

Core NATS delivers at most once. What is lost in an outage is lost here too: the machines say again
what stays unanswered. The client reconnects for as long as it takes; whether that is too long is
for the run to decide.
"""

import asyncio
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import OutboundBufferLimitError, SlowConsumerError

from protocol.bus import Connection, Receive
from protocol.errors import InputError, RunError

CONNECT_SECONDS = 30
"""For one attempt; many processes that connect at once need their time."""
RECONNECT_SECONDS: Any = 0.2  # the client waits in floats, whatever its annotation says
PING_SECONDS = 2
"""A hung server is noticed after about two of these."""
FLUSH_SECONDS = 10


class NatsBus:
    """One connection to a NATS server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client = Client()
        self.lost = 0
        """Messages that could not be handed over during an outage, or that came too fast."""
        self.complaint = ""
        """What the server or the client last complained of."""

    @classmethod
    async def connect(cls, connection: Connection, patience: float = 5.0) -> "NatsBus":
        """A connected bus; InputError if no server answers at the URL within `patience` seconds."""
        bus = cls(connection)

        async def complain(error: Exception) -> None:
            bus.complaint = str(error) or type(error).__name__
            if isinstance(error, SlowConsumerError):
                bus.lost += 1

        attempt = bus._client.connect(
            connection.url,
            name=connection.name,
            error_cb=complain,
            connect_timeout=CONNECT_SECONDS,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_SECONDS,
            ping_interval=PING_SECONDS,
            inbox_prefix=f"_INBOX_{connection.name}".encode(),
        )
        try:
            await asyncio.wait_for(attempt, patience)
        except (TimeoutError, NatsError, OSError, ValueError) as error:
            await bus._client.close()
            reason = bus.complaint or str(error) or type(error).__name__
            raise InputError(
                f"no NATS server answers at {connection.url} ({reason}): start one there, or leave "
                "the URL away for an embedded one",
                field="--nats",
            ) from None
        return bus

    async def subscribe(self, subject: str, receive: Receive) -> None:
        """One subscription; its messages are handled one after another."""

        async def handle(message: Msg) -> None:
            receive(message.subject, message.data)

        await self._client.subscribe(subject, cb=handle)
        await self.flush()

    async def publish(self, subject: str, data: bytes) -> None:
        """Hand over one message; RunError if it is larger than the server takes."""
        limit = self._client.max_payload
        if len(data) > limit:
            raise RunError(
                f"a message of {len(data)} bytes is larger than the {limit} that the NATS server "
                "takes: raise max_payload in its configuration"
            )
        try:
            await self._client.publish(subject, data)
        except OutboundBufferLimitError:
            self.lost += 1

    async def flush(self) -> None:
        """Wait until the server has all that was published, or for some seconds."""
        try:
            await self._client.flush(timeout=FLUSH_SECONDS)
        except (TimeoutError, NatsError, OSError) as error:
            self.complaint = str(error) or type(error).__name__

    async def close(self) -> None:
        """Leave the server."""
        await self._client.close()
