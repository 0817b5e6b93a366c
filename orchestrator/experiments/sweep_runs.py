"""The runs of an experiment, in parallel, each with its own seed. A finished run is saved at once
and never repeated.

`sweep_grid` decides which runs there are, and `sweep_table` makes tables of their rows.
"""

import errno
import json
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import blake2b
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from agents.own_functions import NO_OWN_FUNCTIONS, OwnFunctions
from orchestrator.coordination.placement import Run
from orchestrator.distributed.fresh_process import FreshProcess, LostProcessError, Report
from orchestrator.results.audit import require_conserved
from orchestrator.results.measures import comfort_percentiles, demand_measures
from orchestrator.results.result_files import RUN, write
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.own_functions import refuse_unsendable
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate
from protocol.errors import InputError, RunError

T = TypeVar("T")
Row = dict[str, Any]
Where = Literal["simulation", "bus"]
LOG = "cells.jsonl"
"""File with one line per finished cell, in the order in which they finished."""
GOES_ON = "the same command continues with the runs that are left"
_ELSEWHERE = {
    *("nats", "keys", "insecure", "out", "run", "external"),
    *("deadline", "round_limit", "limit"),
}
"""Settings that do not change the results."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One run: its settings, including the seed, and the number of its replication."""

    settings: RunSettings
    replication: int
    own: OwnFunctions = NO_OWN_FUNCTIONS
    """People's own functions in this run."""

    @property
    def options(self) -> dict[str, Any]:
        """The settings that affect the results, as JSON values; functions by their names."""
        return self.settings.model_dump(mode="json", exclude=_ELSEWHERE) | self.own.names()

    @property
    def key(self) -> str:
        """A digest that identifies the run, whatever path its data set is given by."""
        data = self.settings.dataset
        place = {} if data is None else {"dataset": str(data.resolve())}
        text = json.dumps([self.options | place, self.replication], sort_keys=True)
        return blake2b(text.encode(), digest_size=12).hexdigest()


def seed_of(seed: int, replication: int) -> int:
    """Return the seed of a replication, which is the same on every machine and independent of other
    replications."""
    digest = blake2b(f"{seed}:{replication}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little")


def run_cells(
    cells: Sequence[Cell],
    folder: Path,
    *,
    workers: int,
    where: Where = "simulation",
    finished: Callable[[int], None] = lambda count: None,
) -> list[Row]:
    """Return the rows of all cells, in their order.

    Each run is logged in `folder` as soon as it is over, and runs in the log are not repeated; so
    an interruption loses no finished run. `finished` is called with the number of cells done.
    Raises InputError if the folder cannot be used.
    """
    log = folder / LOG
    try:
        folder.mkdir(parents=True, exist_ok=True)
        rows = dict(_logged(log))
        _end_line(log)
    except OSError as error:
        raise InputError(f"cannot be used: {error.strerror}", file=folder) from error
    with ExitStack() as stack:
        with _room_for(log):
            file = stack.enter_context(log.open("ab", buffering=0))

        def keep(key: str, row: Row) -> None:
            rows[key] = row
            with _room_for(log):
                line = json.dumps([key, row]).encode() + b"\n"
                if file.write(line) < len(line):  # what is written is cut off, and will be ended
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())

        work = partial(_run, where=where)
        # Of a function only the name is known: it may have changed since.
        done = set(rows) - {cell.key for cell in cells if cell.own.given()}
        _run_missing(cells, done, work, keep=keep, workers=workers, finished=finished)
    return [rows[cell.key] for cell in cells]


def run_kept(
    cells: Sequence[Cell],
    folder: Path,
    *,
    workers: int,
    finished: Callable[[int], None] = lambda count: None,
) -> list[Path]:
    """Return the folders below `folder` with the complete results of all cells, in their order.

    Runs whose results exist are not repeated. `finished` is called with the number of cells done.
    """
    places = {cell.key: folder / cell.key for cell in cells}
    there = {
        cell.key for cell in cells if (places[cell.key] / RUN).exists() and not cell.own.given()
    }
    work = partial(_write_run, folder=folder)
    _run_missing(cells, there, work, workers=workers, finished=finished)
    return [places[cell.key] for cell in cells]


def row_of(cell: Cell, results: RunResults) -> Row:
    """Return the row of a run: its options and all its measures."""
    row: Row = {"replication": cell.replication, **cell.options, "households": results.households}
    row |= {"slots": results.slots, "data_sha256": results.data_sha256}
    row |= {f"version_{name}": version for name, version in results.versions.items()}
    for state, measured in results.states().items():
        row |= {f"{state}_{name}": value for name, value in asdict(measured).items()}
    row |= _further_measures(results)
    if results.exchange is not None:
        row |= {f"exchange_{name}": value for name, value in asdict(results.exchange).items()}
    row |= {f"seconds_{name}": value for name, value in asdict(results.seconds).items()}
    return row


def _run_missing(
    cells: Sequence[Cell],
    done: set[str],
    work: Callable[[Cell], T],
    *,
    keep: Callable[[str, T], None] = lambda key, made: None,
    workers: int,
    finished: Callable[[int], None],
) -> None:
    """Do `work` once for each cell whose key is not in `done`, and pass the result to `keep`.

    `finished` is called with the number of cells done, including those done before.
    """
    # Several cells may be the same run.
    left = {cell.key: cell for cell in cells if cell.key not in done}
    finished(sum(cell.key not in left for cell in cells))
    # Close the generator, so that no worker is left if `keep` or `finished` is interrupted.
    with closing(in_parallel(work, list(left.values()), workers)) as all_made:
        for key, made in all_made:
            keep(key, made)
            del left[key]
            finished(sum(cell.key not in left for cell in cells))


def in_parallel(
    work: Callable[[Cell], T], cells: Sequence[Cell], workers: int
) -> Generator[tuple[str, T], None, None]:
    """Do `work` for each cell; yield its key and result, in the order in which cells finish.

    Raises RunError, which names the run, if its worker is lost (killed, or out of memory).
    """
    if workers == 1 or len(cells) == 1:
        for cell in cells:
            yield cell.key, work(cell)
        return
    for cell in cells:
        refuse_unsendable(cell.own, "take one worker")
    # Workers are fresh processes. A forked one would inherit the caller's threads, and one that
    # imports the caller's main module would execute a script without a guard again.
    with ExitStack() as stack:
        waiting = list(reversed(cells))
        running: dict[Connection, tuple[FreshProcess, Cell]] = {}
        for _ in range(min(workers, len(cells))):
            worker, cell = stack.enter_context(FreshProcess()), waiting.pop()
            worker.begin(partial(_without_report, work, cell))
            running[worker.connection] = worker, cell
        while running:
            for connection in wait(list(running)):
                assert isinstance(connection, Connection)
                worker, cell = running.pop(connection)
                try:
                    made = worker.result()
                except LostProcessError as error:
                    raise RunError(
                        f"lost the run {_name(cell, cells)}: {error}; {GOES_ON}"
                    ) from None
                if waiting:
                    following = waiting.pop()
                    worker.begin(partial(_without_report, work, following))
                    running[connection] = worker, following
                yield cell.key, made


def _without_report(work: Callable[[Cell], T], cell: Cell, report: Report) -> T:
    """Do the work in a worker, without reports."""
    return work(cell)


def _name(cell: Cell, cells: Sequence[Cell]) -> str:
    """Return a name for a run: the options in which it differs from the others."""
    options = cell.options
    others = [other.options for other in cells]
    differing = [
        f"{name} {'none' if value is None else value}"
        for name, value in options.items()
        if any(other[name] != value for other in others) and name != "seed"
    ]
    return ", ".join([*differing, f"replication {cell.replication + 1}"])


def _further_measures(results: RunResults) -> Row:
    """Return measures that results do not contain: for each state, measures of its demand and
    percentiles of the households' comfort."""
    found: Row = {}
    for state in ("preferred", "planned", "exchanged"):
        demand = getattr(results.demand, state)
        if demand is not None:
            found |= _prefixed(state, demand_measures(demand))
    planned = np.array([1 - row.discomfort_planned for row in results.rows])
    found |= _prefixed("planned", comfort_percentiles(planned))
    after = [row.discomfort_exchanged for row in results.rows]
    if all(value is not None for value in after):
        found |= _prefixed("exchanged", comfort_percentiles(1 - np.array(after, float)))
    return found


def _prefixed(state: str, measures: dict[str, float]) -> Row:
    return {f"{state}_{name}": value for name, value in measures.items()}


def _run(cell: Cell, where: Where) -> Row:
    if where == "bus":
        from orchestrator.distributed.launcher import launch

        results = launch(Run("cell", read_scenario(cell.settings, own=cell.own)))
    else:
        results = simulate(Run("cell", read_scenario(cell.settings, "simulation", cell.own)))
    require_conserved(results.audit)
    return row_of(cell, results)


def _write_run(cell: Cell, folder: Path) -> None:
    run = Run(cell.key, read_scenario(cell.settings, "simulation", cell.own))
    results = simulate(run)
    require_conserved(results.audit)
    write(results, folder / cell.key)


@contextmanager
def _room_for(log: Path) -> Iterator[None]:
    """Turn a disk that fails or is full into a RunError that names the log and says how to go
    on."""
    try:
        yield
    except OSError as error:
        reason = f"{log}: cannot be written ({error.strerror}): the runs before are kept in it"
        raise RunError(f"{reason}; make room, and {GOES_ON}") from error


def _logged(log: Path) -> Iterable[tuple[str, Row]]:
    """Yield the entries of the log; incomplete lines are ignored."""
    if not log.exists():
        return
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            key, row = json.loads(line)
        except ValueError:
            continue
        yield key, row


def _end_line(log: Path) -> None:
    """End the last line of the log if it is incomplete, so that the next entry starts a new one."""
    if log.exists() and log.stat().st_size and not log.read_bytes().endswith(b"\n"):
        with log.open("a", encoding="utf-8") as file:
            file.write("\n")
