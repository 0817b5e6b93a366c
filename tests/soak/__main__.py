"""Runs back to back, and one standing set of parts through many: `python -m tests.soak [MINUTES
[RUNS]]`.

Prints what has grown, and exits with status 1 if anything has.
"""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from orchestrator.coordination.placement import Run
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.distributed.launcher import launch, orchestrate
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from tests.soak.growth import Sample, grown
from tests.support.standing_bus import standing

MINUTES, RUNS = 30.0, 500
KINDS: Sequence[dict[str, object]] = (
    {"demo": True, "households": 12, "slots": 24, "content": "bundle"},
    {"demo": True, "households": 12, "slots": 24, "content": "slot"},
    {"homes": 6},
    {"demo": True, "households": 12, "slots": 24, "exchange": "ttc"},
)
"""The kinds of run, which take turns; one sample is taken when each has had its turn."""


def settings(number: int, **options: object) -> RunSettings:
    """Return the settings of a run."""
    kind = KINDS[number % len(KINDS)]
    usual = {"iterations": 4, "isolation": "task", "hosts": 2, "seed": number}
    return RunSettings.model_validate({**usual, **kind, **options})


def use_of(processes: dict[str, int]) -> dict[str, int]:
    """Return the memory, descriptors and threads of processes, by their names."""
    found = {}
    for name, pid in processes.items():
        process = psutil.Process(pid)
        found[f"{name} memory"] = process.memory_info().rss
        found[f"{name} descriptors"] = process.num_fds()
        found[f"{name} threads"] = process.num_threads()
    return found


def back_to_back(minutes: float) -> list[Sample]:
    """Do whole runs for so many minutes; return samples of this process and what they leave."""
    samples: list[Sample] = []
    until = time.monotonic() + 60 * minutes
    for number in count():
        launch(Run(f"soak-{number}", read_scenario(settings(number))))
        if (number + 1) % len(KINDS) == 0:
            left = list(Path(tempfile.gettempdir()).glob("coflex-*"))
            samples.append(
                {
                    **use_of({"orchestrator": os.getpid()}),
                    "processes": len(psutil.Process().children(recursive=True)),
                    "temporary files": len(left),
                }
            )
            if time.monotonic() > until:
                return samples
    raise AssertionError


def standing_by(runs: int) -> list[Sample]:
    """Do so many runs with the same standing parts; return samples of these."""
    samples: list[Sample] = []
    with (
        TemporaryDirectory(prefix="soak-") as folder,
        EmbeddedServer() as server,
        standing(server, Path(folder)) as bus,
    ):
        parts = {name: process.pid for name, process in bus.processes.items()}
        parts |= {"server": server.pid, "orchestrator": os.getpid()}
        for number in range(runs):
            chosen = settings(number, nats=server.url)
            orchestrate(Run(f"soak-{number}", read_scenario(chosen, "standby")))
            if (number + 1) % len(KINDS) == 0:
                samples.append(use_of(parts))
    return samples


def told(name: str, samples: Sequence[Sample]) -> bool:
    """Print what has grown in these samples; return True if anything has."""
    found = grown(samples)
    last = ", ".join(f"{what} {value:,}" for what, value in samples[-1].items())
    print(
        f"{name}: {len(samples)} samples; {'; '.join(found) or 'nothing has grown'}; last: {last}"
    )
    sys.stdout.flush()
    return bool(found)


def main() -> int:
    """Do the runs; return the exit status."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else RUNS
    by_standing = told(f"{runs} runs of standing parts", standing_by(runs))
    by_whole = told(f"{minutes:g} minutes of runs back to back", back_to_back(minutes))
    return int(by_standing or by_whole)


if __name__ == "__main__":
    sys.exit(main())
