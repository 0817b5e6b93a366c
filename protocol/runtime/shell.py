"""The shell: drives a node on a bus, with frames in, frames out, and one timer. It has all the
asyncio, and decides nothing.

Frames that arrive together are handled before anything is sent, so that the answers share frames.
An exception of a machine other than a refusal is a defect and ends the process loudly.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from protocol.errors import DecodeError
from protocol.runtime.machine import Envelope
from protocol.runtime.node import Frame, Node
from protocol.subjects import direct, inbox, sender_of
from protocol.transport.bus import Bus


class Shell:
    """A shell: a node, its bus and a clock."""

    def __init__(self, node: Node, bus: Bus, clock: Callable[[], float] | None = None) -> None:
        """The clock is that of the running loop, if no other is given."""
        self.node = node
        self.clock = asyncio.get_running_loop().time if clock is None else clock
        self.seconds = 0.0
        """Time spent on incoming frames, seconds."""
        self._bus = bus
        self._woken = asyncio.Event()
        self._error: Exception | None = None
        self._lost = 0

    async def run(
        self,
        done: Callable[[], bool],
        watch: Callable[[], None] = lambda: None,
        heard: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Drive the node until `done()`; by then the server has received its last messages.

        `watch` is called after every step, for display. `heard` is called once, as soon as messages
        reach the node and before it sends anything.
        """
        loop, node = asyncio.get_running_loop(), self.node
        await self._bus.subscribe(inbox(node.run, node.name), self._receive, self.fail)
        if heard is not None:
            await heard()
        await self._send(node.start(self.clock()))
        while not done():
            deadline = node.next_deadline()
            timer = None
            if deadline is not None:
                timer = loop.call_later(max(0.0, deadline - self.clock()), self._woken.set)
            await self._woken.wait()
            self._woken.clear()
            if timer is not None:
                timer.cancel()
            if self._error is not None:
                raise self._error
            self._count_lost()
            # Messages that are due are sent together with the answers to incoming ones.
            await self._send(node.tick(self.clock()))
            watch()
        await self._bus.flush()
        if self._error is not None:  # arrived with the last message, or during the flush
            raise self._error

    def post(self, envelopes: Iterable[Envelope]) -> None:
        """Send messages that a machine produced outside its turn, such as an abort; ends with a
        step of `run`."""
        self.node.post(envelopes)
        self._woken.set()

    def fail(self, error: Exception) -> None:
        """End `run` with this error; only the first error counts."""
        self._error = self._error or error
        self._woken.set()

    def _receive(self, subject: str, data: bytes) -> None:
        began = self.clock()
        try:
            if not self.node.accept(sender_of(subject), data, began):
                return  # nothing has changed: a flood does not wake anybody
        except DecodeError as error:  # a subject of no part: nonsense from a peer, as in a frame
            self.node.refuse(error)
        except Exception as error:
            self.fail(error)
        self.seconds += self.clock() - began
        self._woken.set()

    def _count_lost(self) -> None:
        lost = self._bus.lost
        self.node.counters.dropped += lost - self._lost
        self._lost = lost

    async def _send(self, frames: list[Frame]) -> None:
        for frame in frames:
            await self._bus.publish(direct(self.node.run, frame.to, self.node.name), frame.data)
