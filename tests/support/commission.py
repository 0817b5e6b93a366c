"""An orchestrator that does nothing but commission the matchmakers of a run on the bus."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence

from protocol.codec import Item, decode_frame, encode_frame
from protocol.messages import Application, Commission, Residents
from protocol.subjects import ORCHESTRATOR, direct, inbox, sender_of
from protocol.transport.nats_bus import NatsBus


def roster(shares: Mapping[str, Sequence[str]]) -> tuple[Residents, ...]:
    """Return the roster of households by host."""
    return tuple(Residents(host, tuple(names)) for host, names in shares.items())


@contextlib.asynccontextmanager
async def commissioning(
    bus: NatsBus, run: str, residents: tuple[Residents, ...]
) -> AsyncIterator[None]:
    """Answer every application in this run while the context lasts; leases are not sealed."""
    answers: set[asyncio.Task[None]] = set()
    over = asyncio.get_running_loop().create_future()

    def receive(subject: str, data: bytes) -> None:
        name = sender_of(subject)
        for item in decode_frame(data, run):
            if isinstance(item.message, Application):
                given = Commission(life=item.message.life, epoch=1, residents=residents)
                frame = encode_frame(run, [Item(name, ORCHESTRATOR, given)])
                task = asyncio.ensure_future(bus.publish(direct(run, name, ORCHESTRATOR), frame))
                answers.add(task)
                task.add_done_callback(answers.discard)

    await bus.subscribe(inbox(run, ORCHESTRATOR), receive, over.set_exception)
    yield
    if over.done():
        over.result()
