"""The meaning of an omitted option is decided once, for every way to run."""

from pathlib import Path

import pytest

from orchestrator.coordination.placement import Run
from orchestrator.distributed.announcements import announcement
from orchestrator.scenario.scenario import PROCESSES_MAX, Execution, read_scenario
from orchestrator.scenario.settings import RunSettings, settings_from
from orchestrator.simulation.simulator import simulate
from protocol.errors import InputError
from protocol.terms import PAPER_TOLERANCE

FEW = {"demo": True, "households": 6, "slots": 32}


@pytest.mark.parametrize(
    ("execution", "options", "isolation", "hosts"),
    [
        ("bus", {}, "process", None),
        ("bus", {"households": PROCESSES_MAX + 1, "hosts": 3}, "subtree", 3),
        ("bus", {"isolation": "task", "hosts": 50}, "task", 6),
        ("simulation", {}, "subtree", 1),
        ("simulation", {"hosts": 2}, "subtree", 2),
        ("simulation", {"isolation": "process"}, "process", None),
        ("standby", {"hosts": 2}, "subtree", 2),
    ],
)
def test_isolation_and_hosts(
    execution: Execution, options: dict[str, object], isolation: str, hosts: int | None
) -> None:
    scenario = read_scenario(RunSettings.model_validate({**FEW, **options}), execution)
    assert scenario.isolation == isolation
    shares = Run("r", scenario).hosts
    assert len(shares) == (len(scenario.members) if hosts is None else hosts)
    assert sorted(name for share in shares.values() for name in share) == sorted(scenario.members)


def test_hosts_that_stand_by_must_be_counted() -> None:
    with pytest.raises(InputError, match="say how many hosts stand by"):
        read_scenario(RunSettings.model_validate(FEW), "standby")


@pytest.mark.parametrize(
    ("options", "rounds", "tolerance"),
    [
        ({}, 50, None),
        ({"exchange": "paper"}, 10, PAPER_TOLERANCE),
        ({"exchange": "paper", "tolerance": 0.5, "rounds": 3}, 3, 0.5),
    ],
)
def test_rounds_and_tolerance(
    options: dict[str, object], rounds: int, tolerance: float | None
) -> None:
    scenario = read_scenario(RunSettings.model_validate({**FEW, **options}))
    assert scenario.exchange is not None
    assert scenario.rounds == scenario.exchange.rounds == rounds
    assert scenario.exchange.tolerance_kwh == tolerance
    assert [address.name for address in scenario.matchmakers] == ["matchmaker-1"]


@pytest.mark.parametrize(
    ("options", "mandate", "order", "locks"),
    [
        ({}, "", "waves", "slot"),
        ({"exchange": "paper"}, "", "waves", "slot"),
        ({}, "discomfort = 1.0", "waves", "slot"),
        ({"exchange": "cooperative"}, "", "concurrent", "slot"),
        ({"exchange": "paper"}, "discomfort = 1.0", "concurrent", "slot"),
        ({}, 'rule = "cooperative"', "concurrent", "slot"),
        ({}, "energy_drift = 1.0", "concurrent", "slot"),
        ({"matchmakers": 2}, "", "concurrent", "slot"),
        ({"external": "h2"}, "", "concurrent", "slot"),
        ({"exchange_order": "concurrent"}, "", "concurrent", "slot"),
        ({"exchange_order": "waves", "external": "h2"}, "", "waves", "slot"),
        ({"exchange_order": "waves"}, "energy_drift = 1.0", "waves", "household"),
        ({"exchange_order": "waves", "exchange": "cooperative"}, "", "waves", "household"),
        ({"exchange_order": "sequential", "exchange": "cooperative"}, "", "sequential", "slot"),
    ],
    ids=str,
)
def test_waves_are_the_order_where_they_cost_little(
    options: dict[str, object], mandate: str, order: str, locks: str, tmp_path: Path
) -> None:
    file = tmp_path / "mandates.toml"
    file.write_text(f"[h1]\n{mandate}\n")
    chosen = RunSettings.model_validate({**FEW, "content": "slot", **options, "mandates": file})
    scenario = read_scenario(chosen)
    assert scenario.exchange is not None
    assert (scenario.exchange.order, scenario.exchange.locks) == (order, locks)
    assert scenario.exchange.seed == chosen.seed
    assert scenario.resolved_settings().exchange_order == order


def test_waves_need_one_matchmaker() -> None:
    chosen = RunSettings.model_validate(
        {**FEW, "content": "slot", "exchange_order": "waves", "matchmakers": 2}
    )
    with pytest.raises(InputError, match="--exchange-order: waves need one matchmaker"):
        read_scenario(chosen)


def test_without_an_exchange_there_is_no_matchmaker() -> None:
    scenario = read_scenario(RunSettings.model_validate({**FEW, "exchange": "off"}))
    assert scenario.exchange is None
    assert scenario.matchmakers == ()


def test_an_announced_run_means_the_same_on_every_host() -> None:
    """Read an announcement on a machine with another number of processors; it gives the same
    households."""
    scenario = read_scenario(RunSettings.model_validate({**FEW, "isolation": "task"}))
    announced = announcement(Run("r", scenario))
    there = read_scenario(RunSettings.model_validate_json(announced.settings))
    assert there.isolation == "task"
    assert Run("r", there).hosts == Run("r", scenario).hosts
    assert there.settings.hosts == scenario.host_count


def test_weights_of_single_households_change_only_their_terms(tmp_path: Path) -> None:
    file = tmp_path / "weights.csv"
    file.write_text("household,alpha,beta\nh2,0.25,0.5\n")
    names = ["h0", "h2"]
    scenario = read_scenario(RunSettings.model_validate({**FEW, "behaviours": file, "beta": 0.1}))
    weights = [(scenario.terms(name).alpha, scenario.terms(name).beta) for name in names]
    assert weights == [(0.0, 0.1), (0.25, 0.5)]


def test_a_simulation_has_no_external_households() -> None:
    settings = RunSettings.model_validate({**FEW, "external": "h1"})
    assert read_scenario(settings).externals == ("h1",)
    assert read_scenario(settings, "simulation").externals == ()
    with pytest.raises(ValueError, match="read the scenario for simulation"):
        simulate(Run("r", read_scenario(settings)))


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    with pytest.raises(InputError, match=r"run\.toml: no such file"):
        settings_from({}, file)
    file.write_text("beta = ")
    with pytest.raises(InputError, match=r"run\.toml: not a TOML file"):
        settings_from({}, file)
    file.write_text("demo = true\nbetta = 1\n")
    with pytest.raises(InputError, match=r"run\.toml, field betta: .*did you mean 'beta'"):
        settings_from({}, file)
