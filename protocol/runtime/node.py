"""A node: one endpoint on the bus, with frames in, frames out, and any number of machines inside.
Pure.

A host with a thousand households, the orchestrator and the matchmaker are all nodes. The shell and
the simulated network drive them in the same way.
"""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.codec import FRAME_MAX, Item, decode_frame, encode_frame
from protocol.errors import DecodeError, PeerError
from protocol.messages import Address
from protocol.runtime.gate import admit
from protocol.runtime.machine import Envelope, Machine
from protocol.runtime.refusals import FRAME_REFUSALS_MAX, UNREADABLE, Refusals

Contain = Callable[[Machine, Exception, Envelope | None], list[Envelope]]
"""Called with a machine that has raised something else than a refusal, the error, and the message
that it was handling, or None if it was due; returns what is to be sent."""


class Frame(NamedTuple):
    """A frame: bytes for a host."""

    to: str
    data: bytes


@dataclass(slots=True)
class Counters:
    """Counters of the traffic of a node."""

    messages: int = 0
    """Messages sent."""
    frames: int = 0
    """Frames sent; one frame is one message of the bus."""
    bytes: int = 0
    """Size of the frames sent, bytes."""
    resent: int = 0
    """Messages sent because a deadline passed."""
    dropped: int = 0
    """Frames or messages received and refused."""


@dataclass(slots=True)
class Node:
    """A node, which routes between the bus and its machines.

    Invariant: every machine with a finite deadline has an entry in `_due`.
    """

    name: str
    run: str
    machines: dict[str, Machine] = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)
    refusals: Refusals = field(default_factory=Refusals)
    last_refusal: Exception | None = None
    commit: Callable[[], None] | None = None
    """Called before anything is sent, to commit the journal of the machines."""
    foresee: Callable[[str, list[Item]], None] | None = None
    """Called with the host and the messages of a frame before they are handled, to compute for all
    of them at once what is slow one by one. It looks at the sender itself."""
    contain: Contain | None = None
    """Keeps the defect of one machine from ending the process of all; None in tests, where a defect
    is to be loud."""
    _outbox: dict[str, list[Item]] = field(default_factory=dict)
    _due: list[tuple[float, str]] = field(default_factory=list)
    _armed: dict[str, float] = field(default_factory=dict)

    def start(self, now: float) -> list[Frame]:
        """Tick every machine for the first time."""
        for name, machine in self.machines.items():
            self.post(machine.tick(now))
            self._arm(name, machine)
        return self.flush()

    def receive(self, sender: str, data: bytes, now: float) -> list[Frame]:
        """Handle a frame from the host `sender`, and return the frames to send in answer."""
        self.accept(sender, data, now)
        return self.flush()

    def accept(self, sender: str, data: bytes, now: float) -> bool:
        """Handle a frame from the host `sender`. Returns False if it was dropped unread.

        Answers wait for `flush`, so that the answers to several frames share theirs. Refusals are
        counted.
        """
        if self.refusals.mutes(sender, now):
            self.counters.dropped += 1
            return False
        try:
            items = decode_frame(data, self.run)
        except DecodeError as error:
            self.refuse(error, sender)
            return True
        if self.foresee is not None:
            self.foresee(sender, items)
        refused_before = self.counters.dropped
        for place, item in enumerate(items):
            if self.counters.dropped - refused_before >= FRAME_REFUSALS_MAX:
                if self.refusals.is_noise(sender):
                    self._drop(sender, len(items) - place)
                    return True
                refused_before = self.counters.dropped
            machine = self.machines.get(item.to)
            if machine is None:
                self.refuse(PeerError(f"no {item.to} here"), sender, item)
                continue
            envelope = Envelope(
                Address(sender, item.sender), Address(self.name, item.to), item.message
            )
            try:
                admit(machine.roles_of(envelope.sender), envelope)
                said = machine.handle(envelope, now)
                self.refusals.accept(sender)
            except PeerError as error:
                self.refuse(error, sender, item)
                said = []
            except Exception as error:
                said = self._contained(machine, error, envelope)
            self.post(said)
            self._arm(item.to, machine)
            for speaker, _, _ in said:
                # Machines that decide together speak for one another, and then wait for answers.
                if speaker.name != item.to:
                    self._arm(speaker.name, self.machines[speaker.name])
        return True

    def tick(self, now: float) -> list[Frame]:
        """Tick the machines that are due, and return the frames to send."""
        while self._due and self._due[0][0] <= now:
            armed, name = heapq.heappop(self._due)
            if self._armed.get(name) == armed:
                del self._armed[name]
            machine = self.machines.get(name)
            if machine is None:
                continue
            deadline = machine.next_deadline()
            if deadline is not None and deadline <= now:
                try:
                    again = machine.tick(now)
                except Exception as error:
                    again = self._contained(machine, error, None)
                self.counters.resent += len(again)
                self.post(again)
            self._arm(name, machine)
        return self.flush()

    def _contained(
        self, machine: Machine, error: Exception, envelope: Envelope | None
    ) -> list[Envelope]:
        if self.contain is None:
            raise error
        self.refuse(error, self.name if envelope is None else envelope.sender.host)
        return self.contain(machine, error, envelope)

    def flush(self) -> list[Frame]:
        """Return the frames that are ready to be sent."""
        if self._outbox and self.commit is not None:
            self.commit()
        frames = [
            Frame(host, data) for host, items in self._outbox.items() for data in self._pack(items)
        ]
        self._outbox = {}
        self.counters.frames += len(frames)
        self.counters.bytes += sum(len(frame.data) for frame in frames)
        return frames

    def next_deadline(self) -> float | None:
        """Return when to call `tick` if nothing arrives; it may be earlier than any machine
        needs."""
        return self._due[0][0] if self._due else None

    def _arm(self, name: str, machine: Machine) -> None:
        # If a deadline moves later, the old entry is corrected when it comes up: one entry per
        # machine is enough, and nothing is searched.
        deadline = machine.next_deadline()
        if deadline is not None and deadline < self._armed.get(name, float("inf")):
            self._armed[name] = deadline
            heapq.heappush(self._due, (deadline, name))

    def post(self, envelopes: Iterable[Envelope]) -> None:
        """Send these messages with the next flush."""
        for envelope in envelopes:
            item = Item(envelope.to.name, envelope.sender.name, envelope.message)
            self._outbox.setdefault(envelope.to.host, []).append(item)

    def _pack(self, items: list[Item]) -> list[bytes]:
        """Pack the items as frames, split in halves until each is small enough or holds one
        message."""
        data = encode_frame(self.run, items)
        if len(data) <= FRAME_MAX or len(items) == 1:
            self.counters.messages += len(items)
            return [data]
        half = len(items) // 2
        return self._pack(items[:half]) + self._pack(items[half:])

    def _drop(self, sender: str, rest: int) -> None:
        """Drop the rest of a frame unread."""
        self.counters.dropped += rest
        self.refusals.note(sender, self.refusals.by_host[sender].what, rest)

    def refuse(self, error: Exception, sender: str = "", item: Item | None = None) -> None:
        """Count a refused frame, or one message of it, with the reason and its sender's host."""
        self.counters.dropped += 1
        self.last_refusal = error
        if not sender:
            return
        shown = UNREADABLE if isinstance(error, DecodeError) else str(error)
        kind = "" if item is None else type(item.message).__name__
        self.refusals.note(sender, shown if shown.startswith(kind) else f"{kind}: {shown}")
