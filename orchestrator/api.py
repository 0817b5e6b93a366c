"""coflex from Python: run, simulate, and what came out as typed objects and pandas frames.

    from orchestrator.api import load_results, simulate

    outcome = simulate(demo=True, households=50, beta=0.3)
    outcome.results.planned.mean_comfort
    outcome.households.sort_values("comfort_gain")

Options are those of `coflex run`, with underscores; wrong ones raise InputError with the same
words, a run that fails RunError. Frames need the extra `report`.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.coordination.placement import Run
from orchestrator.results.result_files import read, write
from orchestrator.results.run_results import ExchangeRow, HouseholdRow, Round, RunResults
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings, settings_from
from protocol.messages import Iteration

if TYPE_CHECKING:
    import pandas as pd

RUN = "run"
"""Name of a run to which no other was given."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of a run."""

    results: RunResults
    """Everything, typed: measures of each state, the exchange, bus traffic, seconds, rows."""

    @property
    def measures(self) -> "pd.DataFrame":
        """A row a state (preferred, planned, exchanged, bound), a column for each measure."""
        pd = _pandas()
        states = {name: asdict(measures) for name, measures in self.results.states().items()}
        return pd.DataFrame.from_dict(states, orient="index").rename_axis("state")

    @property
    def households(self) -> "pd.DataFrame":
        """A row a household, by position in the tree: the columns of households.csv."""
        return _frame(HouseholdRow, self.results.rows).set_index("household")

    @property
    def iterations(self) -> "pd.DataFrame":
        """A row an iteration of stage 1: the columns of iterations.csv."""
        pd = _pandas()
        course = self.results.course
        return pd.DataFrame(course, columns=list(Iteration._fields)).set_index("iteration")

    @property
    def demand(self) -> "pd.DataFrame":
        """A row a slot, kWh: preferred, planned, exchanged and the target, where there are such."""
        return _pandas().DataFrame(self.results.demand.columns()).rename_axis("slot")

    @property
    def rounds(self) -> "pd.DataFrame":
        """A row a round of stage 2: the columns of rounds.csv."""
        return _frame(Round, self.results.rounds).set_index("round")

    @property
    def exchanges(self) -> "pd.DataFrame":
        """A row an exchange; only of a run with `trace`, else ValueError."""
        if self.results.exchanges is None:
            raise ValueError("this run was not traced: run it with trace=True")
        return _frame(ExchangeRow, self.results.exchanges)

    def save(self, folder: str | Path) -> None:
        """Write the files of a run; InputError where the folder cannot be written."""
        write(self.results, Path(folder))


def simulate(**options: Any) -> Outcome:
    """A run in this process, without a bus: the same results."""
    from orchestrator.simulation.simulator import simulate as simulated

    settings = _settings(options)
    scenario = read_scenario(settings, "simulation")
    return Outcome(simulated(Run(settings.run or RUN, scenario)))


def run(**options: Any) -> Outcome:
    """A run on a bus, with hosts as processes of their own. To be called in the main thread of a
    script that does nothing else on import (hosts are forked)."""
    from orchestrator.distributed.launcher import launch

    settings = _settings(options)
    return Outcome(launch(Run(settings.run or RUN, read_scenario(settings))))


def load_results(folder: str | Path) -> Outcome:
    """What a run left in a folder; InputError if there is none, or it is damaged."""
    return Outcome(read(Path(folder)))


def _settings(options: dict[str, Any]) -> RunSettings:
    return settings_from(options)


def _frame(kind: Any, rows: Any) -> "pd.DataFrame":
    """Typed rows; a column that is empty everywhere is left out."""
    names = list(kind.__dataclass_fields__)
    frame = _pandas().DataFrame([asdict(row) for row in rows], columns=names)
    return frame.dropna(axis="columns", how="all") if len(frame) else frame


def _pandas() -> Any:
    import pandas

    return pandas
