"""Compared configurations: runs and sweeps, read from their folders and grouped by configuration.

`comparison` decides how configurations differ and with which confidence.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from orchestrator.experiments.sweep_table import TABLE_PARQUET
from orchestrator.results.measures import PERCENTILES, STATES
from orchestrator.results.result_files import RUN, read
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError
from protocol.terms import CostName
from protocol.vectors import Array

END = "end"
"""The state in which a run ends: exchanged, or planned without a stage 2."""
_NO_OPTIONS = {
    *("seed", "out", "run", "nats", "keys", "insecure", "external", "trace"),
    *("deadline", "round_limit", "limit"),
    *("save_schedules", "isolation", "hosts", "source", "score_from", "config", "dataset"),
}
"""Options that do not change the results, or only by chance. Data sets are distinguished by their
digest."""
DERIVED = ("exchange_order", "locks", "energy_drift", "min_gain", "content")
"""Options of stage 2 whose defaults depend on other options."""


@dataclass(frozen=True, slots=True)
class Comfort:
    """The distribution of the households' comfort in the end, from one run or several."""

    share: Array
    """Share of the households with at most this comfort, %."""
    comfort: Array
    """Comfort, ascending."""


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """One run, with the values that are compared."""

    folder: Path
    seed: int
    measures: Mapping[tuple[str, str], float]
    """Values by state and measure."""
    comfort: Array
    """Comfort in the end, ascending: of each household, or the PERCENTILES from a sweep."""


@dataclass(frozen=True, slots=True)
class ComparedConfiguration:
    """The runs of one configuration, which differ by seed only."""

    name: str
    """The options in which it differs from the others."""
    runs: tuple[MeasuredRun, ...]
    whole: bool
    """True if the comfort of each household is known, False if only percentiles are."""
    cost: CostName
    """The cost function that is its inefficiency."""
    reference: str | None = None
    """The name of the configuration with which this one is compared, if any."""

    def values(self, state: str, measure: str) -> dict[int, float]:
        """Return the values of a measure by seed, for the runs that have it."""
        found = {run.seed: run.measures.get((state, measure)) for run in self.runs}
        return {seed: value for seed, value in found.items() if value is not None}

    def comfort(self) -> Comfort:
        """Return the comfort of all households in all runs, or the mean percentiles."""
        if self.whole:
            rising = np.sort(np.concatenate([run.comfort for run in self.runs]))
            return Comfort(100 * (np.arange(len(rising)) + 0.5) / len(rising), rising)
        mean: Array = np.mean([run.comfort for run in self.runs], axis=0)
        return Comfort(np.array(PERCENTILES, float), mean)


def read_configurations(folders: Sequence[Path]) -> list[ComparedConfiguration]:
    """Read the runs or sweeps in these folders, grouped by configuration.

    The reference of each configuration is one of the first folder. Raises InputError if there are
    fewer than two folders, a folder is given twice, runs and sweeps are mixed, or two runs have the
    same configuration and seed.
    """
    if len({folder.resolve() for folder in folders}) < max(2, len(folders)):
        raise InputError("give two or more different folders of results or sweeps")
    sweeps = [_is_sweep(folder) for folder in folders]
    if any(sweeps) and not all(sweeps):
        reason = "this is the folder of a run, others are of sweeps: give folders of one kind"
        raise InputError(reason, file=folders[sweeps.index(False)])
    groups: dict[str, list[MeasuredRun]] = {}
    for folder in folders:
        for chosen, run in _rows_of(folder) if all(sweeps) else [_run_of(folder)]:
            groups.setdefault(json.dumps(chosen, sort_keys=True), []).append(run)
    options = [json.loads(key) for key in groups]
    varied = _named(options)
    names = [
        ", ".join(f"{name} {_text(own.get(name))}" for name in varied) or "all runs"
        for own in options
    ]
    runs = list(groups.values())
    first = [number for number, own in enumerate(runs) if own[0].folder == folders[0]]
    # The reference is the configuration of the first folder that agrees in the options that vary
    # there.
    kept = _varied([options[number] for number in first])
    by_options = {_chosen(options[number], kept): names[number] for number in first}
    found = []
    for number, own in enumerate(runs):
        _check_seeds(own)
        like = _chosen(options[number], kept)
        found.append(
            ComparedConfiguration(
                name=names[number],
                runs=tuple(own),
                whole=not all(sweeps),
                cost=options[number]["cost"],
                reference=None if number in first else by_options.get(like),
            )
        )
    return found


def _varied(options: Sequence[Mapping[str, object]]) -> list[str]:
    """Return the names of the options in which these configurations differ."""
    names = dict.fromkeys(name for each in options for name in each)
    return [name for name in names if len({json.dumps(each.get(name)) for each in options}) > 1]


def _named(options: Sequence[Mapping[str, object]]) -> list[str]:
    """Return the options that name the configurations. Those that a run chooses by its other
    options are among them only if the others do not distinguish all."""
    names = _varied(options)
    for derived in DERIVED:
        others = [name for name in names if name != derived]
        if len({_chosen(each, others) for each in options}) == len(options):
            names = others
    return names


def _chosen(options: Mapping[str, object], names: Sequence[str]) -> str:
    return json.dumps([options.get(name) for name in names])


def _check_seeds(runs: Sequence[MeasuredRun]) -> None:
    seen: dict[int, Path] = {}
    for run in runs:
        if run.seed in seen:
            places = dict.fromkeys((str(seen[run.seed]), str(run.folder)))
            raise InputError(
                f"two runs of one configuration have the seed {run.seed}: give only one of them",
                file=" and ".join(places),
            )
        seen[run.seed] = run.folder


def _is_sweep(folder: Path) -> bool:
    return (folder / TABLE_PARQUET).exists() and not (folder / RUN).exists()


def _run_of(folder: Path) -> tuple[dict[str, object], MeasuredRun]:
    results = read(folder)
    if results.status == "failed":
        raise InputError("is a run that has failed (coflex show says why)", file=folder)
    measures = {
        (state, name): value
        for state, found in results.states().items()
        for name, value in asdict(found).items()
        if value is not None
    }
    options = _options(results.config, results.data_sha256)
    run = MeasuredRun(
        folder=folder,
        seed=results.seed,
        measures=_with_end(measures),
        comfort=_comfort(results),
    )
    return options, run


def _rows_of(folder: Path) -> Iterable[tuple[dict[str, object], MeasuredRun]]:
    import pandas as pd

    for row in pd.read_parquet(folder / TABLE_PARQUET).to_dict("records"):
        known: dict[str, Any] = {
            str(name): None if isinstance(value, float) and math.isnan(value) else value
            for name, value in row.items()
        }
        measures = {
            (state, name.removeprefix(f"{state}_")): float(value)
            for state in STATES
            for name, value in known.items()
            if name.startswith(f"{state}_") and value is not None
        }
        ended = _with_end(measures)
        comfort = np.array([ended[END, f"comfort_p{number}"] for number in PERCENTILES])
        config = {name: known[name] for name in (*RunSettings.model_fields, "on") if name in known}
        options = _options(config, known["data_sha256"])
        yield (
            options,
            MeasuredRun(folder=folder, seed=int(known["seed"]), measures=ended, comfort=comfort),
        )


def _with_end(measures: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """Return the measures with those of the run's last state added as END."""
    last = "exchanged" if any(state == "exchanged" for state, _ in measures) else "planned"
    return measures | {(END, name): v for (state, name), v in measures.items() if state == last}


def _comfort(results: RunResults) -> Array:
    """Return the comfort of each household in the end, ascending."""
    ends = [
        row.discomfort_planned if row.discomfort_exchanged is None else row.discomfort_exchanged
        for row in results.rows
    ]
    return np.sort(1 - np.array(ends, float))


def _options(config: Mapping[str, Any], digest: str) -> dict[str, object]:
    """Return the options by which configurations are distinguished."""
    options: dict[str, object] = {
        # Tables hold whole numbers as floats if a row of the column is empty.
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in config.items()
        if name not in _NO_OPTIONS
    }
    # Other seeds generate other households, which is chance and not another configuration.
    generated = config.get("demo") or config.get("homes")
    return options if generated else options | {"data": digest[:12]}


def _text(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
