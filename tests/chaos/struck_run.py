"""A struck run: does the run of a schedule in a process of its own, which may neither hang nor
leave anything behind."""

import logging
import multiprocessing
import os
import traceback
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from orchestrator.coordination.placement import Run
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.distributed.launcher import launch
from orchestrator.monitoring.logs import LogSettings
from orchestrator.monitoring.prometheus import Operations
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from protocol.errors import RunError
from tests.chaos.link import Link
from tests.chaos.schedule import Schedule
from tests.chaos.strikes import Strikes
from tests.chaos.verdict import broken_promises, explained
from tests.support.waiting import children_of

HANGS_SECONDS = 180.0
"""Seconds after which a run is taken to hang; its own deadline is shorter."""
DEADLINE_SECONDS = 60.0
QUIET = Operations(LogSettings(level="error"))


def faults_of(schedule: Schedule) -> tuple[list[str], list[str]]:
    """Do the run of this schedule in a process of its own; return what went wrong, and the kinds of
    strikes that met a part."""
    fork = multiprocessing.get_context("fork")
    receiving, sending = fork.Pipe(duplex=False)
    process = fork.Process(target=_do, args=(schedule, sending))
    process.start()
    sending.close()
    try:
        if not receiving.poll(HANGS_SECONDS):
            return ["hangs"], []
        found: tuple[list[str], list[str]] = receiving.recv()
    except EOFError:
        return ["its process has ended"], []
    finally:
        process.kill()
        process.join()
    return found


def _do(schedule: Schedule, answer: Pipe) -> None:
    logging.disable(logging.WARNING)  # the strikes are not news here
    try:
        found = _struck(schedule)
    except BaseException:
        found = [traceback.format_exc()], []
    answer.send(found)


def _struck(schedule: Schedule) -> tuple[list[str], list[str]]:
    with TemporaryDirectory(prefix="chaos-") as folder, EmbeddedServer() as server:
        port = urlsplit(server.url).port
        assert port is not None
        kept = Path(folder)
        with Link(port) as link:
            options = {**schedule.options, "nats": link.url, "deadline": DEADLINE_SECONDS}
            settings = RunSettings.model_validate(options)
            run = Run(f"chaos-{schedule.seed}", read_scenario(settings))
            strikes = Strikes(schedule, server=server, link=link, kept=kept)
            try:
                results = launch(run, strikes.watch, kept=kept, operations=QUIET)
            except RunError as error:
                reason = str(error)
                wrong = [] if explained(reason, strikes.struck) else [f"ended: {reason}"]
            else:
                wrong = broken_promises(schedule, settings, results, kept)
            left = set(children_of(os.getpid())) - {server.pid, link.pid}
            if left:
                wrong.append(f"processes are left: {sorted(left)}")
    return wrong, strikes.struck
