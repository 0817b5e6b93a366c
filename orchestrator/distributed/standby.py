"""Hosts and matchmakers that stand by: they wait for a run, take part in it, and wait for the next.

A part that is killed and started again receives the announcement of the current run and continues
it. SIGTERM and Ctrl-C end a part at once and cleanly, because the journal has everything that must
not be lost.
"""

import fcntl
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from orchestrator.coordination.nodes import ORCHESTRATOR_ADDRESS
from orchestrator.coordination.placement import Run
from orchestrator.coordination.unfinished_run import claim_run
from orchestrator.distributed.announcements import UnattendedError, Wanted, await_run
from orchestrator.distributed.host_process import run_host
from orchestrator.distributed.matchmaker_process import run_matchmaker
from orchestrator.monitoring.logs import PartLog
from orchestrator.monitoring.part_status import PartStatus
from orchestrator.monitoring.presence import answer_inquiries
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import settings_from
from protocol.codec import Item, encode_frame
from protocol.errors import InputError, RunError
from protocol.messages import Address, Announce, Failure
from protocol.runtime import event_loop
from protocol.subjects import HOST, direct
from protocol.transport.bus import Connection, Fail
from protocol.transport.nats_bus import NatsBus

PATIENCE = 60.0
"""Seconds for which a part tries to reach the bus."""
TakePart = Callable[[str, Announce], None]
"""A function that takes part in the run of this id until it is over."""


def stand_by(
    connection: Connection, run: str | None, take_part: TakePart, status: PartStatus
) -> None:
    """Take part in every announced run, one after another; if `run` is given, only in that one.

    If this part cannot take part in a run, the run ends with the reason, and the part continues to
    stand by.
    """
    over: set[tuple[str, int]] = set()
    log = PartLog(connection.name)

    def wanted(name: str, announced: Announce) -> bool:
        return name == run if run is not None else (name, announced.instance) not in over

    with _ending_on_signals():
        while True:
            log.info("stands by")
            name, announced = event_loop.run(_next(connection, wanted, status))
            log.info("run announced", run=name)
            try:
                take_part(name, announced)
            except UnattendedError as silence:
                log.warning("run given up", run=name, reason=str(silence))
                continue  # a run that is announced again is taken up again
            except (InputError, RunError) as error:
                event_loop.run(_report_failure(connection, name, str(error)))
                if run is not None:
                    raise
                log.error("takes no part", run=name, reason=str(error))
            if run is not None:
                return
            over.add((name, announced.instance))


def as_host(
    connection: Connection, kept: Path, status: PartStatus, *, standing_by: bool
) -> TakePart:
    """Return the function with which the host that `connection` names takes part in runs.

    It skips runs that do not have this host. A host that is `standing_by` keeps the files of each
    run in a separate folder inside `kept`, and gives up a run that is no longer announced.
    """

    def take_part(name: str, announced: Announce) -> None:
        scenario = read_scenario(settings_from(json.loads(announced.settings)))
        run = Run(name, scenario, announced.instance)
        if connection.name in run.hosts:
            folder = kept / name if standing_by else kept
            claim_run(folder, run, connection.name)
            run_host(run, connection, kept=folder, standing_by=standing_by, status=status)

    return take_part


def as_matchmaker(connection: Connection, status: PartStatus, *, standing_by: bool) -> TakePart:
    """Return the function with which the matchmaker that `connection` names takes part in runs; it
    skips runs that do not need this matchmaker."""

    def take_part(name: str, announced: Announce) -> None:
        needed = any(address.host == connection.name for address in announced.matchmakers)
        if needed and announced.exchange is not None:
            run_matchmaker(
                name,
                connection,
                status,
                slots=announced.slots,
                terms=announced.exchange,
                standing_by=standing_by,
            )

    return take_part


@contextmanager
def claimed_name(folder: Path) -> Iterator[str]:
    """Claim a host name, for processes that are all started alike (scaled containers).

    Each takes the first free name of host-1, host-2, ... by locking a file in the shared folder.
    The kernel frees the name when the process ends, however it ends. Raises InputError if the
    folder cannot be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        name, lock = _first_free(folder)
    except OSError as error:
        raise InputError(f"cannot claim a host there: {error.strerror}", file=folder) from error
    try:
        yield name
    finally:
        os.close(lock)


def _first_free(folder: Path) -> tuple[str, int]:
    """Return the first free name, and the file descriptor that holds its lock."""
    for number in count(1):
        name = f"host-{number}"
        lock = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return name, lock
    raise AssertionError("there is always another number")


async def _next(connection: Connection, wanted: Wanted, status: PartStatus) -> tuple[str, Announce]:
    """Wait for the next wanted run, and answer inquiries in the meantime."""
    async with await NatsBus.connect(connection, PATIENCE) as bus:

        async def answer(fail: Fail) -> None:
            await answer_inquiries(bus, Address(connection.name, HOST), status.presence, fail=fail)

        return await await_run(bus, wanted, answer)


async def _report_failure(connection: Connection, run: str, reason: str) -> None:
    """Tell the orchestrator that this part cannot take part."""
    orchestrator = ORCHESTRATOR_ADDRESS
    async with await NatsBus.connect(connection, PATIENCE) as bus:
        frame = encode_frame(run, [Item(orchestrator.name, HOST, Failure(reason))])
        await bus.publish(direct(run, orchestrator.host, connection.name), frame)
        await bus.flush()


@contextmanager
def _ending_on_signals() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C; both end a part that stands by with status 0."""

    def end(number: int, frame: object) -> None:
        # A running event loop ends cleanly on SIGINT only.
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            raise KeyboardInterrupt
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)
