"""The bus on a real nats-server: order, limits, outages, kills and refusals."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from functools import partial

import pytest

from orchestrator.distributed.embedded_server import EmbeddedServer
from protocol.errors import InputError, RunError
from protocol.runtime.shell import Shell
from protocol.transport.bus import Connection
from protocol.transport.nats_bus import MAX_PAYLOAD, NatsBus
from tests.support.nats import Ear, pretending
from tests.support.pingpong import Answerer, Asker, answering, asking
from tests.support.waiting import until

pytestmark = pytest.mark.nats

USERS = """
authorization: {
  users: [
    {user: h1, password: secret1, permissions: {
      publish: ["coflex.*.to.*.from.h1"], subscribe: ["coflex.*.to.h1.>", "_INBOX_h1.>"]}}
  ]
}
"""

CLUSTER = """
cluster: { name: street, listen: "127.0.0.1:-1", no_advertise: true, routes: [%s] }
"""


async def talk(
    url: str, last: int, look: Callable[[int], None] = lambda question: None
) -> tuple[Asker, Answerer]:
    """Let two shells with their own connections exchange `last` questions and answers."""
    here = await NatsBus.connect(Connection(url, "q"))
    there = await NatsBus.connect(Connection(url, "a"))
    asking_node, asker = asking("q", "a", last)
    answering_node, answerer = answering("a")

    other = asyncio.create_task(Shell(answering_node, there).run(lambda: False))
    try:
        async with asyncio.timeout(100):
            await Shell(asking_node, here).run(lambda: asker.done, lambda: look(asker.question))
    finally:
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)
        await here.close()
        await there.close()
    return asker, answerer


async def test_messages_come_in_order_and_only_those_subscribed_to(server: EmbeddedServer) -> None:
    bus = await NatsBus.connect(Connection(server.url, "h1"))
    ear = Ear(enough=5000)
    await bus.subscribe("coflex.r.to.h1.from.*", ear.receive, ear.fail)
    for number in range(5000):
        await bus.publish("coflex.r.to.h1.from.h2", number.to_bytes(4))
        await bus.publish("coflex.other.to.h1.from.h2", b"of another run")
    async with asyncio.timeout(60):
        await ear.complete.wait()
        await bus.flush()
    assert ear.heard == [("coflex.r.to.h1.from.h2", n.to_bytes(4)) for n in range(5000)]
    assert (bus.lost, bus.trouble, ear.failures) == (0, "", [])
    await bus.close()
    assert ear.failures == []  # to leave is no failure


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("nats://127.0.0.1:9", "no NATS server answers at nats://127.0.0.1:9 "),
        ("", "is not the URL of a NATS server"),
        ("nats://", "nats:// is not the URL of a NATS server"),
        ("nats://127.0.0.1:99999", "is not the URL of a NATS server"),
        ("nats://127.0.0.1:port", "is not the URL of a NATS server"),
    ],
)
async def test_a_url_without_a_server_is_an_error_of_input(url: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        await NatsBus.connect(Connection(url, "h1"), patience=0.3)


async def test_patience_ends_though_an_attempt_fails_in_the_same_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Python 3.11 then loses the cancellation, and the client would try forever."""
    loop, patience = asyncio.get_running_loop(), 0.3

    async def fail_late(*_: object, **__: object) -> None:
        late = asyncio.Event()
        loop.call_later(patience, late.set)
        await late.wait()
        raise OSError("late")

    monkeypatch.setattr(asyncio, "open_connection", fail_late)
    moment = threading.Event()
    loop.call_later(patience - 0.02, moment.wait, 0.1)  # so that both are due when it is over
    async with asyncio.timeout(60):
        with pytest.raises(InputError, match="no NATS server answers"):
            await NatsBus.connect(Connection("nats://127.0.0.1:9", "h1"), patience)


async def test_an_address_of_another_service_is_reported() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    other = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = other.sockets[0].getsockname()[1]
    async with other:
        with pytest.raises(InputError, match=r"does not take us .*check that it is a NATS server"):
            await NatsBus.connect(Connection(f"nats://127.0.0.1:{port}", "h1"), patience=0.5)


async def test_a_refused_user_is_named_without_the_password() -> None:
    with EmbeddedServer(configuration=USERS) as server:
        url = server.url.replace("//", "//h1:wrong-word@")
        with pytest.raises(InputError, match=r"does not take us .*(?i:authorization)") as refusal:
            await NatsBus.connect(Connection(url, "h1"), patience=1.0)
    assert "wrong-word" not in str(refusal.value)
    with pytest.raises(InputError) as unreachable:
        await NatsBus.connect(Connection("nats://h1:wrong-word@127.0.0.1:9", "h1"), patience=0.3)
    assert "wrong-word" not in str(unreachable.value)


async def test_too_large_a_message_is_refused_before_it_is_sent(server: EmbeddedServer) -> None:
    bus = await NatsBus.connect(Connection(server.url, "h1"))
    ear = Ear()
    await bus.subscribe("t", ear.receive, ear.fail)
    with pytest.raises(RunError, match=rf"{MAX_PAYLOAD + 1} bytes .* {MAX_PAYLOAD} .*max_payload"):
        await bus.publish("t", bytes(MAX_PAYLOAD + 1))
    await bus.publish("t", bytes(MAX_PAYLOAD))
    async with asyncio.timeout(60):
        await ear.complete.wait()  # the connection has not suffered
    assert [len(data) for _, data in ear.heard] == [MAX_PAYLOAD]
    await bus.close()


async def test_permissions_that_are_missing_end_the_run_with_a_reason() -> None:
    with EmbeddedServer(configuration=USERS) as server:
        url = server.url.replace("//", "//h1:secret1@")
        bus = await NatsBus.connect(Connection(url, "h1"))
        ear = Ear()
        await bus.subscribe("coflex.r.to.h1.from.*", ear.receive, ear.fail)
        await bus.publish("coflex.r.to.h1.from.h1", b"mine")
        await bus.flush()
        assert ear.failures == []
        await bus.publish("coflex.r.to.h1.from.h2", b"forged")
        async with asyncio.timeout(60):
            await ear.failed.wait()
        assert [data for _, data in ear.heard] == [b"mine"]
        assert isinstance(ear.failures[0], RunError)
        assert "does not allow h1 what it needs" in str(ear.failures[0])
        await bus.close()

        deaf = await NatsBus.connect(Connection(url, "h1"))
        with pytest.raises(RunError, match="does not allow h1 what it needs"):
            await deaf.subscribe("coflex.r.to.h2.from.*", ear.receive, ear.fail)
        await deaf.close()


async def test_a_flush_waits_for_everything_sent_before() -> None:
    """Otherwise the server might not yet know a subscription, or the last message before
    leaving."""
    commands: list[bytes] = []

    def answer(line: bytes) -> bytes:
        commands.append(line.split()[0] if line.strip() else b"")
        return b"PONG\r\n" if line.startswith(b"PING") else b""

    async with pretending(answer) as url:
        bus = await NatsBus.connect(Connection(url, "h1"))
        ear = Ear()
        await bus.subscribe("t", ear.receive, ear.fail)
        assert commands.index(b"SUB") < len(commands) - 1 - commands[::-1].index(b"PING")
        for _ in range(3):
            await bus.publish("t", b"")
            await bus.flush()
            assert commands[-1] == b"PING"
        assert commands.count(b"PUB") == 3
        await bus.close()


async def test_a_server_that_disconnects_us_ends_the_run_with_its_reason() -> None:
    def answer(line: bytes) -> bytes:
        if line.startswith(b"PUB"):
            return b"-ERR 'User Authentication Expired'\r\n"
        return b"PONG\r\n" if line.startswith(b"PING") else b""

    async with pretending(answer) as url:
        bus = await NatsBus.connect(Connection(url, "h1"))
        ear = Ear()
        await bus.subscribe("t", ear.receive, ear.fail)
        await bus.publish("t", b"")
        async with asyncio.timeout(60):
            await ear.failed.wait()
        complaint = r"ended the connection of h1 for good: .*(?i:authentication expired)"
        with pytest.raises(RunError, match=complaint):
            raise ear.failures[0]
        with pytest.raises(RunError, match=complaint):
            await bus.publish("t", b"")
        with pytest.raises(RunError, match=complaint):
            await bus.subscribe("t", ear.receive, ear.fail)
        await bus.close()


async def test_an_outage_loses_messages_but_not_the_run(server: EmbeddedServer) -> None:
    bus = await NatsBus.connect(Connection(server.url, "h1"))
    ear = Ear()
    await bus.subscribe("t", ear.receive, ear.fail)
    server.kill()
    chunk = bytes(256 * 1024)
    # 2 MiB are kept for later, then no more.
    await until(lambda: bus.lost > 0, "a loss", meanwhile=lambda: bus.publish("t", chunk))
    assert "no connection to the NATS server" in bus.trouble
    server.start()
    async with asyncio.timeout(60):
        await ear.complete.wait()  # what was kept has arrived, so the subscription is there again
        await bus.flush()
    assert (bus.trouble, ear.failures) == ("", [])
    await bus.close()


@pytest.mark.parametrize("noticed", [False, True])
async def test_closing_works_without_a_server(server: EmbeddedServer, noticed: bool) -> None:
    bus = await NatsBus.connect(Connection(server.url, "h1"))
    ear = Ear()
    await bus.subscribe("t", ear.receive, ear.fail)
    server.kill()
    if noticed:
        await until(lambda: "Connect call failed" in bus.trouble, "a reconnection that fails")
    async with asyncio.timeout(60):
        await bus.publish("t", bytes(100_000))
        await bus.close()
    assert ear.failures == []


async def test_two_shells_talk(server: EmbeddedServer) -> None:
    asker, answerer = await talk(server.url, 300)
    assert asker.heard == list(range(1, 301))
    assert sorted(set(answerer.received)) == list(range(1, 301))


@pytest.mark.parametrize("kills", [1, 3])
async def test_a_server_killed_in_the_middle_of_traffic_costs_nothing(
    server: EmbeddedServer, kills: int
) -> None:
    pending = [100 * (number + 1) for number in range(kills)]

    def strike(question: int) -> None:
        if pending and question >= pending[0]:
            pending.pop(0)
            server.kill()
            server.start()

    asker, _ = await talk(server.url, 100 * kills + 100, strike)
    assert not pending
    assert asker.heard == list(range(1, 100 * kills + 101))


async def test_the_next_server_of_a_cluster_takes_over(server: EmbeddedServer) -> None:
    """The named servers are tried in turn, starting with the first, which is missing here, and one
    is then killed."""
    gone = "nats://127.0.0.1:9"
    with EmbeddedServer(configuration=CLUSTER % "") as first:
        route = first.listens["cluster"][0]
        with EmbeddedServer(configuration=CLUSTER % f'"{route}"') as second:
            killed: list[int] = []

            def strike(question: int) -> None:
                if question >= 100 and not killed:
                    first.kill()
                    killed.append(question)

            asker, _ = await talk(f"{gone}, {first.url}, {second.url}", 200, strike)
            assert killed
            assert asker.heard == list(range(1, 201))


@pytest.mark.slow
async def test_a_server_that_hangs_is_noticed(server: EmbeddedServer) -> None:
    """Only unanswered pings show it."""
    bus = await NatsBus.connect(Connection(server.url, "h1"))
    ear = Ear()
    await bus.subscribe("t", ear.receive, ear.fail)
    os.kill(server.pid, signal.SIGSTOP)
    say = partial(bus.publish, "t", b"")
    await until(lambda: bus.trouble != "", "trouble", meanwhile=say)
    server.kill()
    server.start()
    await until(lambda: not bus.trouble and ear.heard != [], "a message", meanwhile=say)
    assert ear.failures == []
    await bus.close()
