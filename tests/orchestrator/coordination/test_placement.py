"""The host of a household, as it was in the run and as it is read from the results."""

import pytest

from orchestrator.coordination.placement import Run, host_of
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings


@pytest.mark.parametrize("isolation", ["process", "task", "subtree"])
@pytest.mark.parametrize("external", [None, "h3", "h3,h11@home"])
def test_the_results_tell_the_host_of_a_household(isolation: str, external: str | None) -> None:
    options = {"isolation": isolation, "hosts": None if isolation == "process" else 4}
    scenario = read_scenario(
        RunSettings.model_validate(
            {"demo": True, "households": 13, "slots": 24, "external": external, **options}
        ),
        "standby",
    )
    run = Run("run-1", scenario)
    config = {**options, "hosts": len(run.hosts), "children": 2, "external": external}
    found = {name: host_of(name, scenario.members, config) for name in scenario.members}
    lived = {name: host for host, share in run.hosts.items() for name in share}
    assert found == dict.fromkeys(scenario.members) | lived


def test_results_of_another_version_do_not_tell() -> None:
    assert host_of("h0", ["h0"], {}) is None
    assert host_of("h0", ["h0"], {"isolation": "task", "hosts": None, "children": 2}) is None
