"""coflex: households agree on when to use electricity, without a central planner.

This package is the public interface: other programs should import these names and no others. It
contains no logic of its own.

    import coflex

    scenario = coflex.Scenario(demo=True, households=50, beta=0.3)
    outcome = coflex.simulate(scenario)
    outcome.results.planned.mean_comfort
    coflex.simulate(scenario, exchange="cooperative").households
"""

import sys

if sys.orig_argv[1:3] == ["-m", "coflex"]:  # the command line, which answers Ctrl-C from here on
    from orchestrator.cli import answer_ctrl_c_at_once

    answer_ctrl_c_at_once()

from importlib.metadata import version

from agents.devices.own_devices import register_device
from agents.own_functions import ProposedExchange
from orchestrator.api import (
    Outcome,
    Scenario,
    load_results,
    run,
    save_population,
    simulate,
    sweep,
)
from orchestrator.coordination.run_progress import RunProgress
from protocol.errors import InputError, RunError

__version__ = version("coflex")

__all__ = [
    "InputError",
    "Outcome",
    "ProposedExchange",
    "RunError",
    "RunProgress",
    "Scenario",
    "__version__",
    "load_results",
    "register_device",
    "run",
    "save_population",
    "simulate",
    "sweep",
]
