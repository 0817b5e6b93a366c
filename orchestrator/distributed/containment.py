"""Containment: what becomes of a defect in one machine of a process with many.

A defect ends the household in which it shows, with its reason, never the other households of the
host; so does a function from Python that raises. A matchmaker or an orchestrator drops the message
instead: everything waits for them. Tests and simulations contain nothing, so that defects are loud.
"""

import traceback
from collections.abc import Callable
from pathlib import Path

from agents.household import Household
from orchestrator.monitoring.logs import PartLog
from protocol.errors import InputError, RunError
from protocol.runtime.machine import Envelope, Machine
from protocol.runtime.node import Contain


def containing(log: PartLog, clock: Callable[[], float]) -> Contain:
    """Return what a node does with a machine that has raised something else than a refusal."""

    def contain(machine: Machine, error: Exception, envelope: Envelope | None) -> list[Envelope]:
        what = (
            str(error) if isinstance(error, InputError | RunError) else _described(error, envelope)
        )
        log.error(what)
        if isinstance(machine, Household):
            return machine.break_down(what, clock())
        if envelope is None:
            raise error  # it would be due again at once, for ever
        return []

    return contain


def _described(error: Exception, envelope: Envelope | None) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(where.filename).name}:{where.lineno}"
    cause = "at its time"
    if envelope is not None:
        cause = f"on {type(envelope.message).__name__} from {envelope.sender.name}"
    return f"a defect of coflex {cause}: {type(error).__name__} at {place}: {error}"
