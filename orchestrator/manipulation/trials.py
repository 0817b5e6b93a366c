"""Trials: every lie of a sample of households, under every case, in parallel.

Each trial runs stage 2 once more from what stage 1 selected, with one household that lies. What the
trials say together is decided in summary.py.
"""

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait

import numpy as np

from orchestrator.coordination.placement import Run
from orchestrator.distributed.fresh_process import FreshProcess, Report
from orchestrator.experiments.sweep_runs import seed_of
from orchestrator.manipulation.lies import Case, lies_under
from orchestrator.manipulation.stage_two import Start, outcome
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate

NO_STAGE_TWO = {"exchange": "off"}


@dataclass(frozen=True, slots=True)
class Trial:
    """One lie of one household, compared with honesty."""

    case: Case
    replication: int
    household: str
    lie: str
    """The lie in words."""
    gain_kwh: float
    """Discomfort that the liar saves by it, kWh."""
    cost_to_others_kwh: float
    """Discomfort that it costs all others together, kWh."""
    honest_discomfort_kwh: float
    """The liar's discomfort had it been honest, kWh."""


@dataclass(frozen=True, slots=True)
class Tried:
    """All lies of one household under one case."""

    trials: tuple[Trial, ...]
    case: Case
    replication: int
    comfort: float
    """Mean comfort if everybody is honest."""


@dataclass(frozen=True, slots=True)
class _Task:
    start: Start
    case: Case
    replication: int
    liar: int
    random_lies: int


def start_of(settings: RunSettings, cases: Sequence[Case]) -> Start:
    """Return the population of a run after stage 1, and the terms of stage 2 in these cases.

    Raises InputError if the settings are inconsistent.
    """
    scenario = read_scenario(settings.model_copy(update=NO_STAGE_TWO), "simulation")
    rows = simulate(Run("manipulation", scenario)).rows
    plans = [scenario.population.households[row.household] for row in rows]
    terms = {}
    for case in cases:
        if case.content == "amounts":
            continue
        options = {"exchange": case.rule, "content": case.content}
        asked = read_scenario(settings.model_copy(update=options), "simulation").exchange
        assert asked is not None
        terms[case] = asked
    return Start(
        households=tuple(row.household for row in rows),
        schedules=np.stack(
            [own.values[row.selected_plan] for own, row in zip(plans, rows, strict=True)]
        ),
        preferred=np.stack([own.preferred for own in plans]),
        terms=terms,
        seed=settings.seed,
    )


def run_trials(
    settings: RunSettings,
    cases: Sequence[Case],
    *,
    sample: int,
    replications: int,
    random_lies: int,
    workers: int | None = None,
    finished: Callable[[int, int], None] = lambda done, of: None,
) -> list[Tried]:
    """Return what all lies of `sample` households bring, for each case and replication.

    Replications differ by seed. The result does not depend on the number of `workers`. `finished`
    is called with the number of households done, and of all.
    """
    tasks = []
    for replication in range(replications):
        seed = seed_of(settings.seed, replication)
        start = start_of(settings.model_copy(update={"seed": seed}), cases)
        chosen = np.random.default_rng(seed).permutation(len(start.households))[:sample]
        tasks += [
            _Task(start, case, replication=replication, liar=liar, random_lies=random_lies)
            for case in cases
            for liar in sorted(chosen.tolist())
        ]
    made: dict[int, Tried] = {}
    finished(0, len(tasks))
    with closing(_in_parallel(tasks, workers or os.cpu_count() or 1)) as results:
        for number, tried in results:
            made[number] = tried
            finished(len(made), len(tasks))
    return [made[number] for number in range(len(tasks))]


def _in_parallel(tasks: Sequence[_Task], workers: int) -> Generator[tuple[int, Tried], None, None]:
    """Yield the number and the result of each task, as they finish."""
    if workers == 1:
        yield from enumerate(map(_try_lies, tasks))
        return
    waiting = list(enumerate(tasks))[::-1]
    running: dict[Connection, tuple[FreshProcess, int]] = {}
    with ExitStack() as stack:
        for _ in range(min(workers, len(tasks))):
            worker, (number, task) = stack.enter_context(FreshProcess()), waiting.pop()
            worker.begin(partial(_work, task))
            running[worker.connection] = worker, number
        while running:
            for connection in wait(list(running)):
                assert isinstance(connection, Connection)
                worker, number = running.pop(connection)
                tried: Tried = worker.result()
                if waiting:
                    following, task = waiting.pop()
                    worker.begin(partial(_work, task))
                    running[connection] = worker, following
                yield number, tried


def _work(task: _Task, report: Report) -> Tried:
    """Do a task in a worker, without reports."""
    return _try_lies(task)


def _try_lies(task: _Task) -> Tried:
    """Return what all lies of one household bring."""
    start, case, liar = task.start, task.case, task.liar
    honest = start.discomforts(outcome(start, case))
    trials = []
    for lie in lies_under(case, task.random_lies):
        lying = start.discomforts(outcome(start, case, liar, lie))
        others = float((lying - honest).sum() - (lying[liar] - honest[liar]))
        trials.append(
            Trial(
                case=case,
                replication=task.replication,
                household=start.households[liar],
                lie=lie.name,
                gain_kwh=float(honest[liar] - lying[liar]),
                cost_to_others_kwh=others,
                honest_discomfort_kwh=float(honest[liar]),
            )
        )
    comfort = 1 - float(honest.mean())
    return Tried(tuple(trials), case, replication=task.replication, comfort=comfort)
