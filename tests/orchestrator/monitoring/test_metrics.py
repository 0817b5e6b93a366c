"""The table of metrics: names, kinds and meanings, and where each number is read."""

from orchestrator.coordination.nodes import orchestrator_node
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.monitoring.part_status import (
    METRICS,
    RUN_METRICS,
    RUNS,
    PartStatus,
    StatusSample,
)
from orchestrator.monitoring.prometheus import RUN_STAGE, StatusCollector
from protocol.terms import Terms


def test_names_are_distinct_and_start_with_coflex() -> None:
    assert len(METRICS) == 1 + 9 + 9 + 11 + 6
    assert all(name.startswith("coflex_") for name in METRICS)
    assert all(
        metric.help.endswith(".") or "-1: none" in metric.help for metric in METRICS.values()
    )


def test_counters_continue_from_run_to_run_and_gauges_do_not() -> None:
    status = PartStatus("orchestrator", "orchestrator")
    sample = StatusSample(counts={"coflex_run_exchanges": 3}, gauges={"coflex_run_round": 2})
    for run in ("one", "two"):
        with status.in_run(run, lambda: sample):
            pass
    assert status.sample().counts == {RUNS.name: 2, "coflex_run_exchanges": 6}
    assert status.sample().gauges == {}


def test_a_run_before_any_enrolment() -> None:
    _, coordinator = orchestrator_node("r", ["h0", "h1"], lambda _: Terms())
    values = {metric.name: metric.read(coordinator) for metric in RUN_METRICS}
    assert values == {
        "coflex_run_exchanges": 0,
        "coflex_run_households": 2,
        "coflex_run_enrolled_households": 0,
        "coflex_run_iteration": -1,
        "coflex_run_round": -1,
        "coflex_run_attempt": 1,
    }


def test_the_phase_of_a_run_is_one_of_all() -> None:
    status = PartStatus("orchestrator", "orchestrator")
    with status.in_run("r", lambda: StatusSample(run_phase=RunPhase.PLANNING)):
        (family,) = (f for f in StatusCollector(status).collect() if f.name == RUN_STAGE)
    shown = {sample.labels["stage"]: sample.value for sample in family.samples}
    assert shown == {phase.name.lower(): float(phase is RunPhase.PLANNING) for phase in RunPhase}
