"""coflex: households agree on when to use electricity, without a central planner.

This package is the public interface: other programs should import these names and no others. It
contains no logic of its own.

    import coflex

    scenario = coflex.Scenario(demo=True, households=50, beta=0.3)
    outcome = coflex.simulate(scenario)
    outcome.results.planned.mean_comfort
    coflex.simulate(scenario, exchange="cooperative").households
"""

from importlib.metadata import version

from orchestrator.api import Outcome, Scenario, load_results, run, save_population, simulate
from protocol.errors import InputError, RunError

__version__ = version("coflex")

__all__ = [
    "InputError",
    "Outcome",
    "RunError",
    "Scenario",
    "__version__",
    "load_results",
    "run",
    "save_population",
    "simulate",
]
