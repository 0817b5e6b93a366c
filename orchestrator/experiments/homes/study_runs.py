"""The runs of the study of homes, all simulated, and the schedules with which they end.

This module decides the options of runs and how populations without some devices are made.
"""

import csv
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from agents.devices.home import Home
from orchestrator.coordination.placement import Run
from orchestrator.results.device_schedules import SCHEDULES_FOLDER, with_saved_devices
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import settings_from
from orchestrator.simulation.simulator import simulate
from protocol.errors import InputError
from protocol.vectors import Array

ITERATIONS, ROUNDS = 50, 3


@dataclass(frozen=True, slots=True)
class StudyRun:
    """A run, with the schedules of its homes by state."""

    results: RunResults
    homes: Mapping[str, Home]
    schedules: Mapping[str, Mapping[str, Array]]
    """Energy at the meter by state and home, float64[d] kWh."""
    seconds: float


def study_run(dataset: Path, **options: object) -> StudyRun:
    """Simulate the homes of a file with these options. Raises InputError if they are none."""
    settings = settings_from({"dataset": dataset, "save_schedules": True, **options})
    scenario = read_scenario(settings, "simulation")
    homes: dict[str, Home] = {}
    for name in scenario.members:
        own = scenario.population.households[name].home
        if own is None:
            raise InputError("the study is about homes with devices", file=dataset)
        homes[name] = own.home
    began = time.perf_counter()
    with TemporaryDirectory(prefix="coflex-") as folder:
        results = simulate(Run("study", scenario), kept=Path(folder))
        seconds = time.perf_counter() - began
        results = with_saved_devices(results, Path(folder))
        tables = {name: _columns(Path(folder, SCHEDULES_FOLDER, f"{name}.csv")) for name in homes}
    states = ("preferred", "planned", "exchanged")
    schedules = {
        state: {name: table[state] for name, table in tables.items() if state in table}
        for state in states
    }
    return StudyRun(results=results, homes=homes, schedules=schedules, seconds=seconds)


def start_of(dataset: Path) -> dict[str, object]:
    """Return the options of stage 1: none if the file has a selection already."""
    try:
        homes = json.loads(dataset.read_text(encoding="utf-8")).get("homes", [])
    except (OSError, ValueError, AttributeError):
        homes = []
    chosen = any("selected" in home for home in homes if isinstance(home, dict))
    return {"iterations": 0 if chosen else ITERATIONS}


def without(dataset: Path, kinds: tuple[str, ...], folder: Path) -> Path | None:
    """Write the homes of a compact file without stores of these kinds, and without plans; return
    the file, or None if `dataset` is no compact file."""
    try:
        content = json.loads(dataset.read_text(encoding="utf-8"))
        homes = content["homes"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    for home in homes:
        kept = [own for own in home.get("devices", []) if own.get("what") not in kinds]
        home["devices"] = kept
        home.pop("plans", None)
        home.pop("selected", None)
    path = folder / "-".join(("without", *kinds, "homes.json"))
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def _columns(file: Path) -> dict[str, Array]:
    with file.open(newline="", encoding="utf-8") as text:
        heads, *rows = csv.reader(text)
    return {
        head: np.array([float(row[at]) for row in rows])
        for at, head in enumerate(heads)
        if head in ("preferred", "planned", "exchanged")
    }
