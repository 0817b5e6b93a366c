"""coflex from Python: runs and simulations, and their results as typed objects and pandas frames.

The package `coflex` is the public name of all this:

    import coflex

    outcome = coflex.simulate(demo=True, households=50, beta=0.3)
    outcome.results.planned.mean_comfort
    outcome.households.sort_values("comfort_gain")

Options are those of `coflex run`, with underscores; some may also be functions of your own. A wrong
option raises InputError with the same words as on the command line; a run that fails raises
RunError. Frames need the extra `report`.
"""

import asyncio
import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Unpack, cast

from pydantic import PrivateAttr

from agents.own_functions import NO_OWN_FUNCTIONS, OwnFunctions, PlanGenerator
from agents.population import npz_archive
from agents.population.arrays import population_of
from orchestrator.coordination.placement import Run
from orchestrator.coordination.run_progress import ProgressTeller, RunProgress, Tell
from orchestrator.results.audit import require_conserved
from orchestrator.results.result_files import read, write
from orchestrator.results.run_results import ExchangeRow, HouseholdRow, Round, RunResults
from orchestrator.scenario.option_effects import Mode, refuse_without_effect
from orchestrator.scenario.own_functions import OPTIONS, divided, refuse_unsendable
from orchestrator.scenario.run_options import RunOptions
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings, settings_from
from protocol.errors import InputError
from protocol.messages import Iteration

if TYPE_CHECKING:
    import pandas as pd

RUN = "run"
"""The name of a run that was given no other."""


class Scenario(RunSettings):
    """The options of a run: typed, checked when built, immutable, with defaults for the rest.

    Several runs can start from one scenario; `scenario.changed(beta=0.5)` is another one.
    """

    _own: OwnFunctions = PrivateAttr(default=NO_OWN_FUNCTIONS)

    def __init__(self, **options: Unpack[RunOptions]) -> None:
        """Raise InputError if an option is unknown or wrong."""
        own, others = divided(options)
        super().__init__(**settings_from(others).model_dump())
        self._own = own

    @property
    def own(self) -> OwnFunctions:
        """The options that are functions."""
        return self._own

    def changed(self, **options: Unpack[RunOptions]) -> "Scenario":
        """Return a scenario with these options, and the others as they are here."""
        return Scenario(**_options_of(self) | options)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a run."""

    results: RunResults
    """Everything, typed: the measures of each state, the exchange, bus traffic, seconds, rows."""

    @property
    def measures(self) -> "pd.DataFrame":
        """One row per state (preferred, planned, exchanged, and bound: the bound of values), one
        column per measure."""
        pd = _pandas()
        states = {name: asdict(measures) for name, measures in self.results.states().items()}
        return pd.DataFrame.from_dict(states, orient="index").rename_axis("state")

    @property
    def households(self) -> "pd.DataFrame":
        """One row per household, by position in the tree, with the columns of households.csv."""
        return _frame(HouseholdRow, self.results.rows).set_index("household")

    @property
    def iterations(self) -> "pd.DataFrame":
        """One row per iteration of stage 1, with the columns of iterations.csv."""
        pd = _pandas()
        history = self.results.planning_history
        return pd.DataFrame(history, columns=list(Iteration._fields)).set_index("iteration")

    @property
    def demand(self) -> "pd.DataFrame":
        """One row per slot, in kWh: preferred, planned, exchanged and target, as far as present."""
        return _pandas().DataFrame(self.results.demand.columns()).rename_axis("slot")

    @property
    def rounds(self) -> "pd.DataFrame":
        """One row per round of stage 2, with the columns of rounds.csv."""
        return _frame(Round, self.results.rounds).set_index("round")

    @property
    def exchanges(self) -> "pd.DataFrame":
        """One row per exchange. Raises ValueError unless the run had the option `trace`."""
        if self.results.exchanges is None:
            raise ValueError("this run was not traced: run it with trace=True")
        return _frame(ExchangeRow, self.results.exchanges)

    def __repr__(self) -> str:
        """Return what came out in a few lines."""
        results = self.results
        size = f"{results.households} households, {results.slots} slots"
        states = [
            f"  {name:<9}  mean comfort {measures.mean_comfort:.4g}, "
            f"inefficiency {measures.inefficiency:.4g}"
            for name, measures in results.states().items()
        ]
        lines = [f"Outcome of a run with {size}", *states]
        if results.exchange is not None:
            lines.append(f"  {results.exchange.accepted} exchanges")
        return "\n".join(lines)

    def save(self, folder: str | Path) -> None:
        """Write the files of a run. Raises InputError if the folder cannot be written."""
        write(self.results, Path(folder))


def simulate(
    scenario: Scenario | None = None,
    /,
    *,
    progress: Tell | None = None,
    **options: Unpack[RunOptions],
) -> Outcome:
    """Run in this process, without a bus, with the same results as on one.

    The options are added to those of `scenario`, and win. `progress` is called with a RunProgress
    after each iteration and each round; what it raises ends the run.
    """
    from orchestrator.simulation.simulator import simulate as run_simulated

    scenario = _scenario(scenario, options)
    _refuse_idle(scenario, "simulate", options)
    resolved = read_scenario(scenario, "simulation", scenario.own)
    one_run = Run(scenario.run or RUN, resolved)
    if progress is None:
        return _outcome(run_simulated(one_run))
    teller = ProgressTeller(resolved, progress)
    return _outcome(run_simulated(one_run, teller.watch, iterated=teller.iterated))


def run(
    scenario: Scenario | None = None,
    /,
    *,
    progress: Tell | None = None,
    **options: Unpack[RunOptions],
) -> Outcome:
    """Run on a bus, with hosts as processes of their own.

    The options are added to those of `scenario`, and win. `progress` is called as by `simulate`.
    Hosts are forked: in a notebook, inside a running event loop, or beside other threads, this
    happens in a fresh interpreter, and functions of your own must then be in modules that can be
    imported there.
    """
    from orchestrator.distributed.fresh_process import run_fresh

    scenario = _scenario(scenario, options)
    _refuse_idle(scenario, "run", options)
    tell = _tell_nobody if progress is None else progress
    if _can_fork():
        return _outcome(_launch(scenario, tell))
    refuse_unsendable(scenario.own, "use coflex.simulate")
    results: RunResults = run_fresh(partial(_launch, scenario), tell)
    return _outcome(results)


def sweep(
    scenario: Scenario | None = None,
    /,
    *,
    over: Mapping[str, Sequence[Any]],
    replications: int = 1,
    folder: str | Path | None = None,
    workers: int = 1,
    progress: Tell | None = None,
    **options: Unpack[RunOptions],
) -> "pd.DataFrame":
    """Simulate every combination of the values in `over`, `replications` times each with seeds of
    their own, and return one row per run, with its options and all that was measured.

    Values may be functions where an option may be one. With `workers` above 1 so many runs go on at
    a time, each in a fresh interpreter. A finished run is kept in `folder`, if one is named, and is
    not run again, unless it has functions of your own: those may have changed. `progress` is called
    with a RunProgress after each run.
    """
    from orchestrator.experiments.sweep_grid import Grid
    from orchestrator.experiments.sweep_runs import run_cells
    from orchestrator.experiments.sweep_table import frame_of

    fixed = _options_of(_scenario(scenario, options)) if scenario is not None else options
    lists = {name: list(values) for name, values in over.items()}
    grid = Grid({name: [value] for name, value in fixed.items()} | lists, replications)
    cells = grid.cells()

    def finished(count: int) -> None:
        if progress is not None:
            progress(RunProgress("sweep", count, len(cells)))

    with ExitStack() as stack:
        place = stack.enter_context(TemporaryDirectory()) if folder is None else folder
        rows = run_cells(cells, Path(place), workers=workers, finished=finished)
    return frame_of(rows)


def load_results(folder: str | Path) -> Outcome:
    """Read the results of a run from its folder.

    Raises InputError if there are none, or if they are damaged.
    """
    return Outcome(read(Path(folder)))


def _outcome(results: RunResults) -> Outcome:
    """Return the outcome of a run that has just ended. Raises RunError if energy was not
    conserved."""
    require_conserved(results.audit)
    return Outcome(results)


def save_population(
    file: str | Path,
    data: Any,
    *,
    ids: Sequence[str] | None = None,
    preferred: Sequence[int] | Mapping[str, int] | int = 0,
    alternatives: PlanGenerator | None = None,
) -> Path:
    """Write the households of an array, a mapping or a DataFrame to an .npz file, kWh per slot, and
    return its path: `coflex.simulate(dataset=coflex.save_population("homes.npz", frame))`.

    An array has the shape (households, plans, slots), or (households, slots) with one plan each;
    `ids` name its households, else they are h0, h1, ... A mapping has an array (plans, slots) by
    household id. A DataFrame has one row per plan and one column per slot; its index, or the first
    level of it, is the household id. `preferred` is the number of the preferred plan, for all or by
    household. `alternatives` makes plans (k, slots) from a household's preferred plan, which take
    the place of its other plans: a pure function, called twice to see that it is one.

    Raises InputError if something does not fit, or if the file exists.
    """
    path = Path(file)
    if path.suffix != ".npz":
        raise InputError("a population is kept in an .npz file: name it so", file=path)
    if path.exists():
        raise InputError("exists already: choose another name, or remove it", file=path)
    population = population_of(data, ids=ids, preferred=preferred, alternatives=alternatives)
    try:
        npz_archive.write(population, path)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=path) from error
    return path


def _launch(scenario: Scenario, tell: Tell) -> RunResults:
    """Run on a bus, from a process without threads or a running loop."""
    from orchestrator.distributed.launcher import launch

    resolved = read_scenario(scenario, own=scenario.own)
    return launch(Run(scenario.run or RUN, resolved), ProgressTeller(resolved, tell).watch)


def _tell_nobody(progress: RunProgress) -> None:
    """Take the progress of a run that nobody watches."""


def _can_fork() -> bool:
    """Return whether hosts may be forked from here, and an event loop be started."""
    if threading.active_count() > 1:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False


def _scenario(scenario: Scenario | None, options: RunOptions) -> Scenario:
    return Scenario(**options) if scenario is None else scenario.changed(**options)


def _refuse_idle(scenario: Scenario, mode: Mode, options: RunOptions) -> None:
    """Refuse options of a call that have no effect there; those of a scenario may be meant for
    other calls."""
    for name in ("out", "save_schedules"):
        if options.get(name):
            reason = "has no effect: the outcome is returned; its method `save` writes files"
            raise InputError(reason, field="--" + name.replace("_", "-"))
    refuse_without_effect(scenario, mode, given=frozenset(options))


def _options_of(scenario: Scenario) -> RunOptions:
    """Return all options, given or not, as keyword arguments."""
    return cast(RunOptions, scenario.model_dump() | scenario.own.given())


_FUNCTIONS = [
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
    for name in OPTIONS
    if name not in RunSettings.model_fields
]
"""The options that are always functions."""


def _list_options(function: Callable[..., Any]) -> None:
    """Give a function a signature with a keyword for each option, for help() and completion at run
    time; type checkers read RunOptions."""
    own = inspect.signature(function)
    *named, _ = own.parameters.values()
    options = [*inspect.signature(RunSettings).parameters.values(), *_FUNCTIONS]
    vars(function)["__signature__"] = own.replace(parameters=[*named, *options])


_list_options(simulate)
_list_options(run)
_list_options(sweep)


def _frame(kind: Any, rows: Any) -> "pd.DataFrame":
    """Return typed rows as a frame, without the columns that are empty everywhere."""
    names = list(kind.__dataclass_fields__)
    frame = _pandas().DataFrame([asdict(row) for row in rows], columns=names)
    return frame.dropna(axis="columns", how="all") if len(frame) else frame


def _pandas() -> Any:
    import pandas

    return pandas
