"""Settings of small runs, and functions that do these runs."""

from pathlib import Path

from orchestrator.coordination.placement import Run
from orchestrator.distributed.launcher import ignore, launch, orchestrate
from orchestrator.distributed.orchestrator_process import Watch
from orchestrator.results.run_results import RunResults
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.network import NO_FAULTS, NetworkFaults
from orchestrator.simulation.simulator import simulate


def settings_of(*groups: dict[str, object], **options: object) -> RunSettings:
    """Return the settings from groups of options; later groups take precedence."""
    merged: dict[str, object] = {}
    for group in groups:
        merged |= group
    return RunSettings.model_validate({**merged, **options})


def in_simulation(
    settings: RunSettings, *, kept: Path | None = None, faults: NetworkFaults = NO_FAULTS
) -> RunResults:
    """Return the results of a simulated run."""
    scenario = read_scenario(settings, "simulation")
    return simulate(Run("simulation", scenario), kept=kept, faults=faults)


def on_bus(
    settings: RunSettings, watch: Watch = ignore, *, run: str = "run", kept: Path | None = None
) -> RunResults:
    """Return the results of a run on a bus with its own host processes."""
    return launch(Run(run, read_scenario(settings)), watch, kept=kept)


def with_standing_parts(
    settings: RunSettings, watch: Watch = ignore, *, run: str = "run"
) -> RunResults:
    """Return the results of a run with hosts and matchmakers that stand by."""
    return orchestrate(Run(run, read_scenario(settings, "standby")), watch)
