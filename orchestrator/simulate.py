"""A run in one process: the same nodes as on the bus, on a simulated network in virtual time."""

import time
from collections.abc import Callable

from orchestrator.assembly import (
    host_node,
    layout,
    matchmaker_addresses,
    matchmaker_node,
    orchestrator_node,
)
from orchestrator.collect import collect
from orchestrator.course import RunCourse
from orchestrator.inputs import Inputs
from orchestrator.live import own_tally
from orchestrator.results import RunResults, Seconds
from orchestrator.settings import RunSettings
from orchestrator.simulation import CALM, Network, Weather
from protocol.errors import RunError


def simulate(
    run_id: str,
    inputs: Inputs,
    settings: RunSettings,
    watch: Callable[[RunCourse], None] = lambda course: None,
    weather: Weather = CALM,
) -> RunResults:
    """Run in simulation; the same selections and course as on the bus.

    Isolation `auto` is `subtree` in one host here: there are no processes to be isolated in.
    """
    began = time.perf_counter()
    if settings.isolation == "auto":
        alone = {"isolation": "subtree", "hosts": settings.hosts or 1}
        settings = settings.model_copy(update=alone)
    makers = matchmaker_addresses(settings)
    terms = inputs.terms(inputs.members[0]).exchange
    services = [
        matchmaker_node(run_id, maker.name, inputs.population.slots, terms, epoch=1)
        for maker in makers
        if terms is not None
    ]
    hosts = [
        host_node(
            run_id,
            name,
            {member: inputs.population.households[member] for member in members},
            isolation=settings.resolved_isolation(len(inputs.members)),
            mandates=inputs.mandates,
        )
        for name, members in layout(inputs.members, settings).items()
    ]
    node, course = orchestrator_node(
        run_id, inputs.members, inputs.terms, settings.deadline, matchmakers=makers
    )
    network = Network([*hosts, *services, node], weather)
    started = time.perf_counter()
    network.run(lambda: course.finished, watch=lambda: watch(course))
    if course.reason:
        raise RunError(course.reason)
    ended = time.perf_counter()
    seconds = Seconds(start=started - began, planning=ended - started, total=ended - began)
    return collect(run_id, inputs, settings, course, own_tally(node), seconds, "simulation")
