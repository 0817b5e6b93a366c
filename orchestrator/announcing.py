"""How hosts and matchmakers learn of a run: the orchestrator announces it until it is over.

What a part does about it is decided in standing.py.
"""

import asyncio
from collections.abc import Callable, Sequence

from orchestrator.assembly import host_count
from orchestrator.inputs import Inputs
from orchestrator.settings import RunSettings
from protocol.bus import Bus
from protocol.codec import Item, decode_frame, encode_frame, run_of
from protocol.errors import DecodeError
from protocol.messages import Address, Announce
from protocol.subjects import ANNOUNCEMENTS, EVERYBODY, ORCHESTRATOR

AGAIN = 0.5
"""Seconds after which a run is announced again."""
_NOT_TOLD = {"nats", "out", "deadline", "run"}
"""Settings that concern the orchestrator alone."""


def announcement(inputs: Inputs, settings: RunSettings, makers: Sequence[Address]) -> Announce:
    """What is announced of a run: its options, resolved so that they mean the same elsewhere."""
    members = inputs.members
    resolved = settings.model_copy(
        update={
            "isolation": settings.resolved_isolation(len(members)),
            "hosts": host_count(members, settings),
        }
    )
    options = resolved.model_dump_json(exclude=_NOT_TOLD, exclude_none=True)
    terms = inputs.terms(members[0]).exchange
    return Announce(options, inputs.population.slots, terms, tuple(makers))


async def announce(bus: Bus, run: str, announced: Announce) -> None:
    """Tell everybody until cancelled."""
    data = encode_frame(run, [Item(EVERYBODY, ORCHESTRATOR, announced)])
    while True:
        await bus.publish(ANNOUNCEMENTS, data)
        await asyncio.sleep(AGAIN)


async def await_run(bus: Bus, wanted: Callable[[str], bool]) -> tuple[str, Announce]:
    """The next run that is announced and wanted; an error of the bus if that cannot be heard."""
    heard: asyncio.Future[tuple[str, Announce]] = asyncio.get_running_loop().create_future()

    def receive(subject: str, data: bytes) -> None:
        try:
            run = run_of(data)
            messages = [item.message for item in decode_frame(data, run)]
        except DecodeError:
            return
        for message in messages:
            if isinstance(message, Announce) and wanted(run) and not heard.done():
                heard.set_result((run, message))

    def fail(error: Exception) -> None:
        if not heard.done():
            heard.set_exception(error)

    await bus.subscribe(ANNOUNCEMENTS, receive, fail)
    return await heard
