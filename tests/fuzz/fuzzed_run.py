"""Runs in simulation with a liar in their midst: no machine may raise anything but a refusal."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from protocol.codec import Item, decode_frame, encode_frame
from protocol.errors import DecodeError
from protocol.messages import Address
from protocol.runtime.node import Frame, Node
from protocol.subjects import HOST
from tests.fuzz.hostile_messages import KINDS, Liar
from tests.support.crashing_run import CrashingRun

RUNS: tuple[dict[str, bool], ...] = ({}, {"looped": True}, {"equal_shift": True}, {"homes": True})
"""Kinds of runs: slots or cycles; bundles between iterations; equal shift; amounts."""
SHARES = (0.02, 0.2, 0.6)
"""Shares of frames that a hostile one follows."""
BURSTS = (1, 4, 16)
"""Numbers of hostile messages, made of one honest message, that come together."""
FRAMES_MAX = 3_000
"""Number of frames after which a run that liars keep alive is given up."""


class FuzzError(AssertionError):
    """A machine raised something else than a refusal."""


@dataclass(slots=True)
class Fuzzed:
    """Counts of what was tried."""

    runs: int = 0
    executions: int = 0
    """Hostile messages handed to a machine, or to the codec."""
    refused: int = 0
    """Number of these that were refused."""


class FuzzedRun(CrashingRun):
    """A small run in which some frames are followed by hostile ones to the same node, from their
    sender or from another part of the run."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, **RUNS[seed % len(RUNS)])
        self.fuzzed = Fuzzed(runs=1)
        self._liar_chance = Random(seed + 7)
        self._share = self._liar_chance.choice(SHARES)
        self._frames = 0
        addresses = [
            Address(node.name, name) for node in self.nodes.values() for name in node.machines
        ]
        self._addresses = addresses
        self._liar = Liar(self._liar_chance, addresses, self.slots)
        self.listen = self._lie

    def run_fuzzed(self) -> Fuzzed:
        """Run to the end, or as far as liars let it; return the counts. Raises FuzzError."""
        self.run(lambda: self.course.finished or self._frames > FRAMES_MAX, until=3000)
        return self.fuzzed

    def _lie(self, sender: str, frame: Frame) -> None:
        self._frames += 1
        chance, node = self._liar_chance, self.nodes.get(frame.to)
        if node is None or chance.random() >= self._share:
            return
        try:
            items = decode_frame(frame.data, "r")
        except DecodeError:
            return  # what comes of numbers that were too large
        for item in items:
            for _ in range(chance.choice(BURSTS)):
                self._deliver(sender, node, item)

    def _deliver(self, sender: str, node: Node, model: Item) -> None:
        chance = self._liar_chance
        if chance.random() < 0.8:
            message = self._liar.changed(model.message)
        else:
            message = self._liar.made_up(chance.choice(KINDS))
        to, by = model.to, Address(sender, model.sender)
        if chance.random() < 0.1:
            by = chance.choice(self._addresses)
        if chance.random() < 0.1:
            to = chance.choice([*node.machines, HOST, "nobody"])
        data = encode_frame("r", [Item(to, by.name, message)])
        if chance.random() < 0.1:
            place = chance.randrange(len(data))
            data = data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
        self.fuzzed.executions += 1
        before = node.counters.dropped
        try:
            node.accept(by.host, data, self.now)
        except Exception as error:
            kind = f"{type(message).__name__} from {by} to {to} on {node.name}"
            raise FuzzError(f"seed {self.seed}: {message!r}, {kind}") from error
        self.fuzzed.refused += node.counters.dropped > before


def fuzzed(seeds: Iterator[int], executions: int) -> Fuzzed:
    """Fuzz runs until so many hostile messages have been tried. Raises FuzzError."""
    total = Fuzzed()
    while total.executions < executions:
        one = FuzzedRun(next(seeds)).run_fuzzed()
        total.runs += one.runs
        total.executions += one.executions
        total.refused += one.refused
    return total
