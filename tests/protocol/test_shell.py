"""The shell: when it sends, what it sends, and what ends it."""

import asyncio
from collections.abc import Callable

import pytest

from protocol.codec import Item, decode_frame, encode_frame
from protocol.messages import Address, Enrol, Go, Message
from protocol.runtime.machine import Envelope
from protocol.runtime.shell import Shell
from protocol.transport.bus import Fail, Receive
from tests.support.pingpong import DEFECT, Answerer, answering, asking

ASKER = "coflex.r.to.a.from.q"
"""Where host q writes to host a."""


class MemoryBus:
    """A bus in this process, which delivers like NATS: from the event loop, one message after
    another."""

    def __init__(self) -> None:
        self.lost = 0
        self.log: list[str] = []
        self.sent: list[tuple[str, bytes]] = []
        self.peers: list[MemoryBus] = []
        self.deliver: Receive = lambda subject, data: None
        self.fail: Fail = lambda error: None
        self.subscribed, self.published = asyncio.Event(), asyncio.Event()
        self._prefix = ""

    async def subscribe(self, subject: str, receive: Receive, fail: Fail) -> None:
        self.log.append("subscribe")
        self.deliver, self.fail = receive, fail
        self._prefix = subject.removesuffix("*")
        self.subscribed.set()

    async def publish(self, subject: str, data: bytes) -> None:
        self.log.append("publish")
        self.sent.append((subject, data))
        self.published.set()
        for peer in self.peers:
            if subject.startswith(peer._prefix):
                asyncio.get_running_loop().call_soon(peer.deliver, subject, data)

    async def flush(self) -> None:
        self.log.append("flush")

    async def close(self) -> None:
        self.log.append("close")


def frame(*messages: Message, run: str = "r") -> bytes:
    return encode_frame(run, [Item("answerer", "asker", message) for message in messages])


def never(_: object = None) -> bool:
    return False


async def running(
    bus: MemoryBus, done: Callable[[Answerer], bool]
) -> tuple[Shell, Answerer, "asyncio.Task[None]"]:
    """Start a shell with an answerer on host a, and wait until it is subscribed."""
    node, answerer = answering("a")
    shell = Shell(node, bus)
    task = asyncio.create_task(shell.run(lambda: done(answerer)))
    await bus.subscribed.wait()
    return shell, answerer, task


async def test_two_shells_talk_until_done() -> None:
    here, there = MemoryBus(), MemoryBus()
    here.peers, there.peers = [there], [here]
    asking_node, asker = asking("q", "a", 500)
    answering_node, answerer = answering("a")
    other = asyncio.create_task(
        Shell(answering_node, there).run(lambda: len(answerer.received) >= 500)
    )
    await there.subscribed.wait()
    async with asyncio.timeout(60):
        await Shell(asking_node, here).run(lambda: asker.done)
        await other
    assert asker.heard == list(range(1, 501))
    assert answerer.received == list(range(1, 501))
    for bus in (here, there):
        assert bus.log[0] == "subscribe"  # before any message that may be answered
        assert bus.log[-1] == "flush"  # the last messages have arrived before the shell ends


async def test_frames_that_come_together_are_answered_together() -> None:
    bus = MemoryBus()
    _, answerer, task = await running(bus, lambda answerer: len(answerer.received) == 30)
    for number in range(1, 31):
        bus.deliver(ASKER, frame(Enrol(number)))
    async with asyncio.timeout(60):
        await task
    assert answerer.received == list(range(1, 31))
    assert [subject for subject, _ in bus.sent] == ["coflex.r.to.q.from.a"]
    answers = decode_frame(bus.sent[0][1], "r")
    assert [item.message for item in answers] == [Enrol(number) for number in range(1, 31)]


async def test_an_unanswered_question_is_repeated_by_the_timer() -> None:
    bus = MemoryBus()
    node, _ = asking("q", "nobody", 1)
    async with asyncio.timeout(60):
        await Shell(node, bus).run(lambda: node.counters.resent >= 3)
    assert len(bus.sent) == 4
    assert len({data for _, data in bus.sent}) == 1


async def test_the_clock_is_an_argument() -> None:
    """The asker's deadline depends on the given clock, not on that of the event loop."""
    bus = MemoryBus()
    node, _ = asking("q", "nobody", 1)
    now = 1e9

    def clock() -> float:
        nonlocal now
        now += 3600
        return now

    async with asyncio.timeout(60):
        await Shell(node, bus, clock).run(lambda: node.counters.resent >= 100)
    assert len(bus.sent) == 101


async def test_undecodable_bytes_are_counted_and_change_nothing() -> None:
    bus = MemoryBus()
    shell, answerer, task = await running(bus, lambda answerer: answerer.received == [7])
    bus.deliver(ASKER, b"nonsense")
    bus.deliver(ASKER, frame(Enrol(7), run="another"))
    bus.deliver(ASKER, frame(Go()))  # what nobody may say to an answerer
    bus.deliver(ASKER + "!", frame(Enrol(8)))  # from what is no host's name
    bus.deliver(ASKER, frame(Enrol(7)))
    async with asyncio.timeout(60):
        await task
    assert answerer.received == [7]
    assert shell.node.counters.dropped == 4


@pytest.mark.parametrize(
    "together", [(Enrol(DEFECT),), (Enrol(1), Enrol(DEFECT)), (Enrol(DEFECT), Enrol(1))]
)
async def test_a_defect_of_a_machine_ends_the_shell(together: tuple[Message, ...]) -> None:
    """It does so even if another message of the same frame would have ended the shell."""
    bus = MemoryBus()
    _, _, task = await running(bus, lambda answerer: bool(answerer.received))
    for message in together:
        bus.deliver(ASKER, frame(message))
    async with asyncio.timeout(60):
        with pytest.raises(AssertionError, match="a defect"):
            await task


async def test_a_defect_while_the_last_messages_are_sent_is_not_lost() -> None:
    class Interrupting(MemoryBus):
        async def publish(self, subject: str, data: bytes) -> None:
            await super().publish(subject, data)
            self.deliver(ASKER, frame(Enrol(DEFECT)))

    bus = Interrupting()
    _, _, task = await running(bus, lambda answerer: answerer.received == [1])
    bus.deliver(ASKER, frame(Enrol(1)))
    async with asyncio.timeout(60):
        with pytest.raises(AssertionError, match="a defect"):
            await task


async def test_a_defect_at_a_deadline_ends_the_shell() -> None:
    class Broken(Answerer):
        ticks = 0

        def tick(self, now: float) -> list[Envelope]:
            self.ticks += 1
            return [] if self.ticks == 1 else [][1]

        def next_deadline(self) -> float | None:
            return 0.0

    node, _ = answering("a")
    node.machines["broken"] = Broken(Address("a", "broken"))
    async with asyncio.timeout(60):
        with pytest.raises(IndexError):
            await Shell(node, MemoryBus()).run(never)


async def test_a_bus_that_cannot_go_on_ends_the_shell() -> None:
    bus = MemoryBus()
    _, _, task = await running(bus, never)
    bus.fail(ConnectionError("gone for good"))
    bus.fail(ConnectionError("and gone again"))
    async with asyncio.timeout(60):
        with pytest.raises(ConnectionError, match="gone for good"):
            await task


async def test_messages_lost_by_the_bus_are_counted_once() -> None:
    bus = MemoryBus()
    shell, _, task = await running(bus, lambda answerer: len(answerer.received) == 2)
    bus.lost = 4
    bus.deliver(ASKER, frame(Enrol(1)))
    await bus.published.wait()
    bus.lost = 5
    bus.deliver(ASKER, frame(Enrol(2)))
    async with asyncio.timeout(60):
        await task
    assert shell.node.counters.dropped == 5


async def test_posted_messages_are_sent_at_once() -> None:
    bus = MemoryBus()
    shell, answerer, task = await running(bus, lambda _: bool(bus.sent))
    shell.post([Envelope(answerer.address, Address("q", "asker"), Go())])
    async with asyncio.timeout(60):
        await task
    assert [subject for subject, _ in bus.sent] == ["coflex.r.to.q.from.a"]


async def test_the_watcher_is_called_after_every_step() -> None:
    bus = MemoryBus()
    node, _ = asking("q", "nobody", 1)
    seen: list[int] = []
    async with asyncio.timeout(60):
        await Shell(node, bus).run(
            lambda: len(seen) == 3, lambda: seen.append(node.counters.resent)
        )
    assert seen == [1, 2, 3]
