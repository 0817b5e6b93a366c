"""Runs on the bus whose parts are killed in stage 2, and what their journals say afterwards."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np

from agents.devices.home import Schedules
from agents.exchange.amounts.held_home import ROUNDING, HeldHome
from agents.exchange.journal.amount_records import read_amounts
from agents.exchange.journal.records import read_beginning, read_deal
from agents.exchange.journal.sqlite import SqliteJournal
from agents.exchange.stage import remembered
from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.results.result_files import JOURNALS_FOLDER
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from protocol.messages.exchange import WHOLE
from protocol.vectors import Array
from tests.support.run_parts import parts_of


class Strikes:
    """Parts of a run in this process that are killed one after another, at different moments of
    stage 2: `strike` is the watch of the run."""

    def __init__(self, server: EmbeddedServer, parts: Sequence[str], chance: Random) -> None:
        """`parts` are "host", "matchmaker" and "server", in order."""
        self.pending = list(parts)
        """The parts that have not been killed yet."""
        self._server, self._chance = server, chance
        self._last: object = None

    def strike(self, coordinator: RunCoordinator) -> None:
        """Kill the next part if there is news since the last one."""
        moment = self.moment(coordinator)
        if moment is None or not self.pending or moment == self._last:
            return
        self._last = moment
        part = self.pending.pop(0)
        if part == "server":
            self._server.kill()
            self._server.start()
        else:
            os.kill(self._chance.choice(parts_of(os.getpid())[part]), signal.SIGKILL)

    def moment(self, coordinator: RunCoordinator) -> object:
        """Return what differs between moments of stage 2; None outside of it."""
        exchanging = coordinator.phase is RunPhase.EXCHANGING
        return (coordinator.round, len(coordinator.results)) if exchanging else None


class LoopStrikes(Strikes):
    """The same in a run with exchanges between iterations: once in each phase and iteration that
    is reported after the first exchange has begun."""

    def moment(self, coordinator: RunCoordinator) -> object:
        """Return what differs between moments; None before the first exchange."""
        if RunPhase.EXCHANGING not in coordinator.marks:
            return None
        return coordinator.phase, coordinator.latest


def held_by_journals(kept: Path) -> tuple[Array, Array]:
    """Return what all households hold before and after stage 2, as their journals say; float64[n,
    d] twice, kWh, in no order."""
    before, after = [], []
    for file in (kept / JOURNALS_FOLDER).glob("*.sqlite"):
        for entries in SqliteJournal(file).entries().values():
            before.append(read_beginning(remembered(entries)[1].data).schedule)
            held = before[-1].copy()
            for entry in remembered(entries):
                if entry.kind not in ("done", "accepted"):
                    continue
                if entry.slot == WHOLE:
                    slots, taken = read_deal(entry.data)
                    held[list(slots)] = taken
                else:
                    assert held[entry.slot] == entry.given
                    held[entry.slot] = entry.taken
            after.append(held)
    return np.array(before), np.array(after)


def homes_by_journals(kept: Path) -> dict[str, tuple[Schedules, Schedules]]:
    """Return the schedules of each home's devices before and after stage 2, by household, as the
    journals of an exchange of amounts say."""
    found: dict[str, tuple[Schedules, Schedules]] = {}
    for file in (kept / JOURNALS_FOLDER).glob("*.sqlite"):
        for name, entries in SqliteJournal(file).entries().items():
            before: dict[str, Array] = {}
            after: dict[str, Array] = {}
            for entry in remembered(entries):
                if entry.kind == "devices":
                    before = dict(read_amounts(entry.data).changed)
                    after = dict(before)
                elif entry.kind in ("inside", "done", "accepted"):
                    after.update(read_amounts(entry.data).changed)
            found[name] = before, after
    return found


def homes_kept_their_promises(chosen: RunSettings, kept: Path) -> None:
    """Check by the journals that the devices of each home can follow what it holds, that no home is
    worse off, and that each home and each slot has the energy that it had."""
    households = read_scenario(chosen).population.households
    found = homes_by_journals(kept)
    assert set(found) == set(households)
    before, after = [], []
    for name, (first, last) in found.items():
        own = households[name].home
        assert own is not None
        held = HeldHome(own.home, first)
        assert own.home.fault(last) is None
        assert held.squares_of(last) <= held.squares + ROUNDING
        before.append(held.total)
        after.append(own.home.total(last))
    assert (np.sum(before, axis=0) == np.sum(after, axis=0)).all()
    assert (np.sum(before, axis=1) == np.sum(after, axis=1)).all()
