"""The bus over NATS; only this file and nats_service.py import nats.

Core NATS delivers at most once. Messages lost in an outage are lost here too; machines repeat what
stays unanswered. The client reconnects however long that takes, and the run decides whether it
takes too long. Errors that no waiting can mend (missing permissions, a user that the server
rejects) end the run.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.transport import TcpTransport
from nats.errors import ConnectionClosedError, OutboundBufferLimitError, SlowConsumerError
from nats.errors import Error as NatsError

from protocol.errors import ForbiddenError, InputError, RunError
from protocol.subjects import replies
from protocol.transport.bus import Connection, Fail, Receive
from protocol.transport.identity import read_identity

_LOG = logging.getLogger("coflex.bus")
# The client prints a traceback when its reader fails, for one while the connection closes. Pings
# then go unanswered, so the client reconnects, and `trouble` says why.
logging.getLogger("nats.aio.client").disabled = True
CONNECT_SECONDS = 30
"""Seconds for one attempt; many processes that connect at once need time."""
NEXT_SECONDS = 5
"""Seconds for one attempt where other servers can be tried."""
RECONNECT_SECONDS: Any = 0.2  # the client takes floats, whatever its annotation says
PING_SECONDS = 2
"""Seconds between pings; a hung server is noticed after about two of them."""
FLUSH_SECONDS = 10
FAREWELL_SECONDS, CLOSE_SECONDS = 2, 5
WAITING_MESSAGES = 512 * 1024
"""Number of messages that may wait to be handled before a subscription is complete; more are
dropped and counted."""
WAITING_BYTES = 128 * 1024 * 1024
"""Size of these messages together, bytes."""
MAX_PAYLOAD = 8 * 1024 * 1024
"""Size of the largest message that a server should accept, bytes: a message of very many slots may
exceed the server's default of 1 MiB."""

_REFUSED_FOR_GOOD = ("authorization violation", "authentication revoked", "authentication expired")
"""Errors with which a server rejects a user that it does not know, or no longer knows."""
_MAYBE_KEYS = "; if it needs keys, give --keys"
_MAYBE_NO_TLS = "; with keys it must have TLS, with handshake_first"
_EMPTY_WARNING = "returning true from eof_received() has no effect when using ssl"
"""A warning of the standard library whenever a server closes a stream that began without TLS."""


class _Transport(TcpTransport):
    """A transport that does not wait long for a server that has stopped answering.

    The standard library waits half a minute for the server's part of the TLS shutdown, and without
    limit for it to take the remaining data.
    """

    def __bool__(self) -> bool:
        return True  # otherwise the client would take one of its own

    def takes(self, lines: Sequence[bytes]) -> bool:
        """Write these lines at once, unless the server has not taken the last ones yet. Returns
        False if they are not written."""
        writer = self._io_writer
        if writer is None or writer.is_closing() or writer.transport.get_write_buffer_size():
            return False
        writer.writelines(lines)
        return True

    async def wait_closed(self) -> None:
        # A task, because the waiting caller may be cancelled while others wait for the same close.
        farewell = asyncio.ensure_future(super().wait_closed())
        farewell.add_done_callback(lambda done: done.cancelled() or done.exception())
        _, late = await asyncio.wait({farewell}, timeout=FAREWELL_SECONDS)
        if late and self._io_writer is not None:
            self._io_writer.transport.abort()
            await asyncio.wait({farewell})
        farewell.result()


class _Client(Client):
    """A client that hands a message over when it is read, and writes it when it is published. The
    way of the package, a queue and a task for each of the two, costs a third of a message's time.
    It is taken while a connection is lost, and while the server does not take what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.receives: dict[int, Receive] = {}
        """Who receives the messages of a subscription, by its number."""

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes
    ) -> None:
        receive = self.receives.get(sid)
        if receive is None:
            await super()._process_msg(sid, subject, reply, data, headers)
            return
        self.stats["in_msgs"] += 1
        self.stats["in_bytes"] += len(data)
        receive(subject.decode(), data)

    async def _flush_pending(self, force_flush: bool = False) -> Any:
        transport = self._transport
        if force_flush or not self.is_connected or not isinstance(transport, _Transport):
            return await super()._flush_pending(force_flush)
        if transport.takes(self._pending):
            self._pending, self._pending_data_size = [], 0
            return None
        return await super()._flush_pending()


class NatsBus:
    """One connection to a NATS server, made with `connect`; a context manager that closes it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client = _Client()
        self._client._transport = _Transport()
        self._leaving = self._was_taken = False
        self._failure: RunError | None = None
        self._fail: Fail | None = None
        self._complaint: Exception | None = None
        self._refusal: NatsError | None = None
        self.lost = 0
        """Messages that could not be sent during an outage, or that arrived too fast."""

    @property
    def trouble(self) -> str:
        """The reason why there is no connection at the moment; empty if there is one."""
        if self._client.is_connected:
            return ""
        reason = f": {_said(self._complaint)}" if self._complaint is not None else ""
        return f"no connection to the NATS server{reason}"

    @property
    def received(self) -> tuple[int, int]:
        """Messages and bytes received so far, handled or not."""
        return self._client.stats["in_msgs"], self._client.stats["in_bytes"]

    @property
    def reconnects(self) -> int:
        """Number of times a lost connection was restored."""
        return int(self._client.stats["reconnects"])

    @property
    def server_version(self) -> tuple[int, int, int]:
        """Version of the connected server, as it reports itself."""
        version = self._client.connected_server_version
        return (version.major, version.minor, version.patch)

    @property
    def max_payload(self) -> int:
        """Size of the largest message that the server accepts, bytes."""
        return int(self._client.max_payload)

    @classmethod
    async def connect(cls, connection: Connection, patience: float = 5.0) -> "NatsBus":
        """Connect to the bus. Raises InputError if no server accepts us at the URL within
        `patience` seconds, RunError if it is an embedded server, whose URL nobody gave.

        Messages never contain the password of the URL.
        """
        bus = cls(connection)
        urls = connection.urls
        where = " or ".join(map(_without_secrets, urls))
        attempt = asyncio.ensure_future(
            bus._client.connect(
                urls,
                dont_randomize=True,
                name=connection.name,
                error_cb=bus._complain,
                closed_cb=bus._on_closed,
                disconnected_cb=bus._on_lost,
                reconnected_cb=bus._on_back,
                connect_timeout=CONNECT_SECONDS if len(urls) == 1 else NEXT_SECONDS,
                max_reconnect_attempts=-1,
                reconnect_time_wait=RECONNECT_SECONDS,
                ping_interval=PING_SECONDS,
                inbox_prefix=replies(connection.name).encode(),
                **_secured(connection),
            )
        )
        try:
            await asyncio.wait({attempt}, timeout=patience)
        finally:
            # An attempt that fails at the moment it is cancelled goes on as if it had not been
            # (wait_for of Python 3.11), so cancel until it has ended.
            while not attempt.done():
                attempt.cancel()
                await asyncio.wait({attempt}, timeout=RECONNECT_SECONDS)
        try:
            attempt.result()
        except (NatsError, ValueError) as error:  # before anything was opened
            raise InputError(
                f"{where} is not the URL of a NATS server ({_said(error)}): write "
                "nats://host:port, or omit it for an embedded server",
                field="--nats",
            ) from None
        except asyncio.CancelledError:
            reason = bus._refusal or bus._complaint or TimeoutError("no answer")
            await bus.close()
            if connection.embedded:
                raise RunError(
                    f"the embedded NATS server at {where} does not answer ({_said(reason)}): is "
                    "this machine overloaded, or out of memory or open files (ulimit -n)?"
                ) from None
            text = _unreachable(where, reason, secured=connection.keys is not None)
            raise InputError(text, field="--nats") from None
        bus._was_taken = True
        return bus

    async def __aenter__(self) -> "NatsBus":
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def subscribe(self, subject: str, receive: Receive, fail: Fail) -> None:
        """Subscribe to a subject; its messages are handled one after another."""
        self._fail = fail

        async def handle(message: Msg) -> None:
            receive(message.subject, message.data)

        try:
            subscription = await self._client.subscribe(
                subject,
                cb=handle,
                pending_msgs_limit=WAITING_MESSAGES,
                pending_bytes_limit=WAITING_BYTES,
            )
            self._client.receives[subscription._id] = receive
        except ConnectionClosedError:
            raise self._closed() from None
        await self.flush()
        if self._failure is not None:
            raise self._failure

    async def answer(self, subject: str, say: Callable[[], bytes]) -> None:
        """Answer every request on a subject with what `say` returns then. Call `subscribe` first:
        its `fail` is called if the server forbids this."""

        async def handle(message: Msg) -> None:
            if message.reply:
                await self.publish(message.reply, say())

        try:
            await self._client.subscribe(subject, cb=handle)
        except ConnectionClosedError:
            raise self._closed() from None

    async def publish(self, subject: str, data: bytes) -> None:
        """Publish one message. Raises RunError if it is larger than the server accepts."""
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
        except ConnectionClosedError:
            raise self._closed() from None

    async def flush(self) -> None:
        """Wait until the server has received everything published, or for some seconds."""
        try:
            # The client's ping may overtake data that is not written yet. The answer to a first
            # ping shows that all is written; only the answer to a second one shows that the server
            # has it.
            for _ in range(2):
                await self._client.flush(timeout=FLUSH_SECONDS)
        except (TimeoutError, NatsError, OSError) as error:
            self._complaint = error

    async def close(self) -> None:
        """Leave the server, even if it does not answer."""
        self._leaving = True
        try:
            # A peer that does not take part in the TLS shutdown would keep us waiting for ever.
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._client.close()
        except OSError as error:  # there was data left to send, and nobody took it
            self._complaint = error

    async def _complain(self, error: Exception) -> None:
        self._complaint = error
        if isinstance(error, NatsError):  # the server's own words, which a reset may follow
            self._refusal = error
        if isinstance(error, SlowConsumerError):
            self.lost += 1
        elif "permissions violation" in str(error).lower():
            self._give_up(
                ForbiddenError(
                    f"the NATS server does not allow {self._connection.name} what it needs "
                    f"({_said(error)}): give it the permissions"
                )
            )
        elif self._was_taken and any(word in str(error).lower() for word in _REFUSED_FOR_GOOD):
            self._give_up(
                RunError(
                    f"the NATS server does not take {self._connection.name} any more "
                    f"({_said(error)}): give it the keys or the user that the server has now"
                )
            )

    async def _on_lost(self) -> None:
        if not self._leaving:
            reason = _said(self._complaint) if self._complaint is not None else ""
            _LOG.warning("connection lost", extra={"part": self._connection.name, "reason": reason})

    async def _on_back(self) -> None:
        about = {"part": self._connection.name, "reconnects": self.reconnects}
        _LOG.warning("connected again", extra=about)

    async def _on_closed(self) -> None:
        if not self._leaving:
            self._give_up(self._closed())

    def _closed(self) -> RunError:
        reason = self._client.last_error
        return RunError(
            f"the NATS server ended the connection of {self._connection.name} for good"
            + (f": {_said(reason)}" if reason is not None else "")
        )

    def _give_up(self, failure: RunError) -> None:
        self._failure = self._failure or failure
        if self._fail is not None:
            self._fail(self._failure)


def _secured(connection: Connection) -> dict[str, Any]:
    """Return the client's options for a connection with keys."""
    if connection.keys is None:
        return {}
    identity = read_identity(connection.keys, connection.name)
    logging.getLogger("asyncio").addFilter(_is_worth_logging)
    # TLS comes before the first word of NATS. Otherwise somebody in between could claim that the
    # server wants none, and the client would continue unencrypted.
    return {
        "tls": identity.tls,
        "tls_handshake_first": True,
        "nkeys_seed_str": identity.seed,
    }


def _is_worth_logging(record: logging.LogRecord) -> bool:
    return record.msg != _EMPTY_WARNING


def _said(error: Exception) -> str:
    return str(error).removeprefix("nats: ") or type(error).__name__


def _unreachable(where: str, reason: Exception, *, secured: bool) -> str:
    if isinstance(reason, ssl.SSLError):
        return (
            f"no TLS with the server at {where} ({_said(reason)}): check that it has TLS on, and a "
            "certificate for this name from the CA of these keys"
        )
    if isinstance(reason, NatsError):
        user = "that it knows the keys of this part" if secured else "the user in the URL"
        return (
            f"the server at {where} does not take us ({_said(reason)}): check that it is a NATS "
            f"server, and {user}{'' if secured else _MAYBE_KEYS}"
        )
    return (
        f"no NATS server answers at {where} ({_said(reason)}): start one there, or leave the URL "
        f"away for an embedded one{_MAYBE_NO_TLS if secured else _MAYBE_KEYS}"
    )


def _without_secrets(url: str) -> str:
    """Return the URL without user and password, for messages and logs."""
    scheme, separator, rest = url.rpartition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"
