"""Hosts and matchmakers that stand by: wait for a run, take part in it, wait for the next.

Killed and started again, they hear of the run that is on and go on with it. SIGTERM and Ctrl-C end
them at once and cleanly: what they must not lose is in the journal.
"""

import asyncio
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.coordination.nodes import COURSE, layout
from orchestrator.distributed.announcements import UnattendedError, await_run
from orchestrator.distributed.host_process import run_host
from orchestrator.distributed.matchmaker_process import run_matchmaker
from orchestrator.monitoring.logs import PartLog
from orchestrator.monitoring.part_status import PartStatus
from orchestrator.monitoring.presence import answer_inquiries
from orchestrator.scenario.scenario import read_inputs
from orchestrator.scenario.settings import settings_from
from protocol.codec import Item, encode_frame
from protocol.errors import InputError, RunError
from protocol.messages import Address, Announce, Failure
from protocol.subjects import HOST, direct
from protocol.transport.bus import Connection, Fail
from protocol.transport.nats_bus import NatsBus

PATIENCE = 60.0
"""Seconds for which the bus is tried."""
Part = Callable[[str, Announce], None]
"""Takes part in a run."""


def stand_by(connection: Connection, run: str | None, part: Part, duty: PartStatus) -> None:
    """Take part in every run that is announced, one after another; only in `run` if it is named.

    A run in which a part cannot take part ends, with the reason; the part stands by further."""
    over: set[str] = set()
    log = PartLog(connection.name)

    def wanted(announced: str) -> bool:
        return announced == run if run is not None else announced not in over

    with _ending_on_signals():
        while True:
            log.info("stands by")
            name, announced = asyncio.run(_next(connection, wanted, duty))
            log.info("run announced", run=name)
            try:
                part(name, announced)
            except UnattendedError as silence:
                log.warning("run given up", run=name, reason=str(silence))
                continue  # and take part again, should it be announced again
            except (InputError, RunError) as error:
                asyncio.run(_complain(connection, name, str(error)))
                if run is not None:
                    raise
                log.error("takes no part", run=name, reason=str(error))
            if run is not None:
                return
            over.add(name)


def host_part(connection: Connection, kept: Path, standing: bool, duty: PartStatus) -> Part:
    """Be the host of that name; in a run that has no host of that name, nothing. `standing`: what
    is kept goes to a folder for each run, and a run that falls silent is given up."""

    def take(run: str, announced: Announce) -> None:
        settings = settings_from(json.loads(announced.settings))
        inputs = read_inputs(settings)
        households = layout(inputs.members, settings).get(connection.name)
        if households is not None:
            run_host(
                run,
                households,
                inputs,
                settings,
                kept=kept / run if standing else kept,
                connection=connection,
                standing=standing,
                duty=duty,
            )

    return take


def matchmaker_part(connection: Connection, standing: bool, duty: PartStatus) -> Part:
    """Be the matchmaker of that name; in a run that does not need it, nothing."""

    def take(run: str, announced: Announce) -> None:
        needed = any(maker.host == connection.name for maker in announced.matchmakers)
        if needed and announced.exchange is not None:
            run_matchmaker(run, announced.slots, announced.exchange, connection, standing, duty)

    return take


async def _next(
    connection: Connection, wanted: Callable[[str], bool], duty: PartStatus
) -> tuple[str, Announce]:
    bus = await NatsBus.connect(connection, PATIENCE)

    async def present(fail: Fail) -> None:
        await answer_inquiries(bus, Address(connection.name, HOST), duty.presence, fail)

    try:
        return await await_run(bus, wanted, present)
    finally:
        await bus.close()


async def _complain(connection: Connection, run: str, reason: str) -> None:
    """Tell the orchestrator that this part cannot take part."""
    bus = await NatsBus.connect(connection, PATIENCE)
    try:
        frame = encode_frame(run, [Item(COURSE.name, HOST, Failure(reason))])
        await bus.publish(direct(run, COURSE.host, connection.name), frame)
        await bus.flush()
    finally:
        await bus.close()


@contextmanager
def _ending_on_signals() -> Iterator[None]:
    """SIGTERM as Ctrl-C; both end what stands by with status 0."""

    def end(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)
