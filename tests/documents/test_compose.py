"""docker-compose.yml in a real engine; only `make compose-test` runs this.

Containers are killed from the outside, like in a crash. No test measures time: the engine kills a
container that does not end within the grace period, and its status shows that.
"""

import csv
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.coordination.placement import Run
from orchestrator.results.result_files import DEMAND, HOUSEHOLDS, ITERATIONS, write
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.security.keyring import Keyring
from orchestrator.simulation.simulator import simulate
from tests.documents.docker import stack as stacks
from tests.documents.docker.engine import Engine, engine, tool
from tests.documents.docker.stack import HOSTS, IMAGE, TOP, Stack, rows, stack
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800)]
STANDING = ("keys", "nats", "matchmaker", "host")
COMPARED = (HOUSEHOLDS, ITERATIONS, DEMAND)
MEGABYTE = 1_000_000
AT_MOST_ABOVE_BASE = 200
Options = dict[str, str | int]
SHORT: Options = {"slots": 32, "iterations": 8, "beta": "0.1"}


@pytest.fixture(scope="module")
def docker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    if not request.config.getoption("--docker"):
        pytest.skip("takes minutes and a Docker Engine: `make compose-test` runs it")
    with engine(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture(scope="module")
def built(docker: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack(docker, tmp_path_factory.mktemp("stack")) as made:
        yield made


@pytest.fixture
def services(built: Stack) -> Iterator[Stack]:
    """Start everything except a run, and wait until all services are healthy."""
    built.compose("up", "--detach", "--wait", *STANDING)
    yield built
    built.compose("down", "--timeout", "2")


def orchestrate(on: Stack, name: str, options: Options) -> subprocess.Popen[str]:
    """Start a run."""
    wanted: Options = {"households": stacks.HOUSEHOLDS, "hosts": HOSTS, "run": name, **options}
    words = [word for key, value in wanted.items() for word in (f"--{key}", str(value))]
    command = ("orchestrate", "--demo", *words, "--out", f"/results/{name}")
    return on.start("run", "--rm", "-T", "--no-deps", "orchestrator", *command)


def ended(run: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end of a run; return its status and its output."""
    output, complaints = run.communicate(timeout=240)
    return run.returncode, output + complaints


def reference(folder: Path, options: Options) -> dict[str, str]:
    """Return the results of the same run in simulation."""
    wanted = {key.replace("-", "_"): value for key, value in options.items()}
    chosen = RunSettings.model_validate(
        {"demo": True, "households": stacks.HOUSEHOLDS, "hosts": HOSTS, **wanted}
    )
    write(simulate(Run("reference", read_scenario(chosen, "simulation"))), folder / "reference")
    return rows(folder / "reference", COMPARED)


def column(table: str, name: str) -> list[str]:
    """Return one column of a CSV file."""
    return [row[name] for row in csv.DictReader(table.splitlines())]


def busy(on: Stack, run: subprocess.Popen[str], messages: int) -> None:
    """Wait until the server has received more messages by this number; the run must still be going
    on."""
    before = on.messages()
    wait_until(
        lambda: run.poll() is not None or on.messages() > before + messages, "the run to be busy"
    )
    assert run.poll() is None, ended(run)


def started_again(on: Stack, container: str) -> None:
    """Wait until a container has been restarted."""
    wait_until(lambda: _restarts(on, container) == (1, True), "a killed container to start again")


def _restarts(on: Stack, container: str) -> tuple[int, bool]:
    found = on.inspected(container)
    return found["RestartCount"], found["State"]["Running"]


# -- what the files say ---------------------------------------------------------------------------


def test_the_files_are_valid() -> None:
    file, image = str(TOP / "docker-compose.yml"), str(TOP / "deploy" / "Dockerfile")
    checks = (
        ("docker-compose", "--file", file, "config", "--quiet"),
        ("check-jsonschema", "--builtin-schema", "vendor.compose-spec", file),
        ("hadolint", image),
        (
            "yamllint",
            "--strict",
            "--config-file",
            str(TOP / "tests/documents/docker/yamllint.yml"),
            file,
        ),
    )
    for name, *words in checks:
        done = subprocess.run(
            (tool(name), *words), timeout=60, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"


def test_the_image_is_small_and_has_no_tools_to_build_with(built: Stack) -> None:
    sizes = [
        int(built.engine.docker("image", "inspect", "--format", "{{.Size}}", image))
        for image in (IMAGE, built.engine.python)
    ]
    above = (sizes[0] - sizes[1]) / MEGABYTE
    print(f"image {above:.0f} MB above its base")
    assert 0 < above <= AT_MOST_ABOVE_BASE
    sought = "ls /opt/coflex/bin/pip; command -v gcc cc ld make; true"
    found = built.engine.docker("run", "--rm", "--entrypoint", "sh", IMAGE, "-c", sought)
    assert found == ""


# -- runs -----------------------------------------------------------------------------------------


def test_up_ends_with_the_status_of_its_run_and_the_simulated_results(
    built: Stack, tmp_path: Path
) -> None:
    options = " ".join(f"--{key} {value}" for key, value in SHORT.items())
    up = ("up", "--exit-code-from", "orchestrator")
    built.compose(*up, COFLEX_OPTIONS=options)
    built.compose("cp", "orchestrator:/results", str(tmp_path / "up"))
    assert rows(tmp_path / "up", COMPARED) == reference(tmp_path, SHORT)
    built.compose("down", "--timeout", "2")
    status, output = ended(built.start(*up, COFLEX_OPTIONS="--beta 7"))
    built.compose("down", "--timeout", "2")
    assert (status, "beta" in output) == (2, True), output


def test_containers_have_few_rights(services: Stack) -> None:
    for service in STANDING:
        for container in services.containers(service):
            found = services.inspected(container)
            host, user = found["HostConfig"], found["Config"]["User"]
            assert user not in ("", "0", "root"), service
            assert host["ReadonlyRootfs"], service
            assert host["CapDrop"] == ["ALL"], service
            assert any("no-new-privileges" in option for option in host["SecurityOpt"]), service
            assert host["Memory"] > 0, service
            assert host["PidsLimit"] > 0, service
            assert not host["PortBindings"], service
    networks = services.engine.docker(
        "network", "ls", "--quiet", "--filter", f"name={stacks.PROJECT}"
    )
    inside = services.engine.docker("network", "inspect", "--format", "{{.Internal}}", networks)
    assert inside == "true"


def test_a_host_killed_in_stage_1_and_the_server_killed_later_change_nothing(
    services: Stack, tmp_path: Path
) -> None:
    options: Options = {**SHORT, "iterations": 600}
    run = orchestrate(services, "struck", options)
    (nats,), (host, *_) = services.containers("nats"), services.containers("host")
    busy(services, run, 100)
    services.engine.kill(host)
    started_again(services, host)
    busy(services, run, 300)
    services.engine.kill(nats)
    started_again(services, nats)
    assert run.poll() is None, "the run ended before everybody was back"
    status, output = ended(run)
    assert status == 0, output
    found = services.results("struck", tmp_path / "struck")
    assert rows(found, COMPARED) == reference(tmp_path, options)


def test_a_host_and_the_matchmaker_killed_in_stage_2_make_nobody_lose(
    services: Stack, tmp_path: Path
) -> None:
    # Which swaps are found after a crash depends on when it came; what they keep does not.
    # One slot after the other takes long enough to be interrupted.
    slowly: Options = {"content": "slot", "exchange-order": "sequential"}
    options: Options = {**SHORT, **slowly, "slots": 96, "iterations": 2}
    run = orchestrate(services, "shaken", options)
    (matchmaker,), (host, *_) = services.containers("matchmaker"), services.containers("host")
    busy(services, run, 3000)
    for container in (host, matchmaker):
        services.engine.kill(container)
        started_again(services, container)
    assert run.poll() is None, "the run ended before everybody was back"
    status, output = ended(run)
    assert status == 0, output
    found = rows(services.results("shaken", tmp_path / "shaken"), COMPARED)
    simulated = reference(tmp_path, options)
    assert found[ITERATIONS] == simulated[ITERATIONS]
    assert column(found[HOUSEHOLDS], "selected_plan") == column(
        simulated[HOUSEHOLDS], "selected_plan"
    )
    assert min(map(float, column(found[HOUSEHOLDS], "comfort_gain"))) >= 0
    assert sum(map(int, column(found[HOUSEHOLDS], "accepted"))) > 0
    planned, exchanged = (column(found[DEMAND], name) for name in ("planned", "exchanged"))
    assert list(map(float, exchanged)) == pytest.approx(list(map(float, planned)), abs=1e-9)


# -- ending ---------------------------------------------------------------------------------------


def test_on_stop_all_parts_end_in_time_and_the_run_is_aborted(services: Stack) -> None:
    run = orchestrate(services, "stopped", {**SHORT, "iterations": 5000})
    busy(services, run, 300)
    listed = ("ps", "--quiet", "--filter", "label=com.docker.compose.oneoff=True")
    orchestrator = services.engine.docker(*listed)
    parts = [container for service in STANDING[1:] for container in services.containers(service)]
    services.engine.docker("stop", "--time", "10", orchestrator)
    status, output = ended(run)
    assert status == 130, output
    services.compose("stop")
    for container in parts:
        state = services.inspected(container)["State"]
        assert state["ExitCode"] == 0, state


# -- who may take part ----------------------------------------------------------------------------


def test_a_host_whose_keys_are_rotated_comes_back_with_the_new_ones(services: Stack) -> None:
    services.compose("run", "--rm", "-T", "keys", "--rotate", "host-2")
    services.compose("kill", "--signal", "HUP", "nats")
    hosts = services.containers("host")
    wait_until(
        lambda: sum(services.inspected(host)["RestartCount"] for host in hosts) > 0,
        "the server to cut off the host with old keys",
    )
    status, output = ended(orchestrate(services, "rotated", SHORT))
    assert status == 0, output


def test_hosts_without_their_keys_are_refused(services: Stack, tmp_path: Path) -> None:
    other = Keyring(tmp_path / "other", datetime.now(UTC))
    other.make(["host-1"], 0, ["nats"])
    for file in (other.folder, *other.folder.rglob("*")):
        file.chmod(0o755 if file.is_dir() else 0o644)  # for another user to read, in a container
    none = ("-e", "COFLEX_KEYS=")
    clear = (*none, "-e", "COFLEX_INSECURE=1", "-e", "COFLEX_NATS=nats://nats:4222")
    others = ("-v", f"{other.folder}:/other:ro", "-e", "COFLEX_KEYS=/other")
    tried = {
        "give --keys DIR": (*none, "host", "host", "host-1"),
        "no keys of matchmaker-1 here": ("host", "matchmaker"),
        "if it needs keys, give": (*clear, "host", "host", "host-1"),
        "no TLS with the server": (*others, "host", "host", "host-1"),
    }
    # At the same time: for a minute they try to be taken.
    service = ("run", "--rm", "-T", "--no-deps")
    runs = {why: services.start(*service, *words) for why, words in tried.items()}
    for why, run in runs.items():
        status, output = ended(run)
        assert status == 2, (why, output)
        assert why in " ".join(output.split())
