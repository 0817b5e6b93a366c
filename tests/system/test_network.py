"""A run on a real network: server and hosts have their own addresses, and a link is cut and
restored in the middle of a run."""

import os
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.placement import Run
from orchestrator.coordination.run_phase import RunPhase
from orchestrator.distributed.embedded_server import find_server
from orchestrator.distributed.launcher import orchestrate
from orchestrator.scenario.scenario import Scenario, read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.security.keyring import Keyring
from tests.support.settings import in_simulation
from tests.support.waiting import wait_until

COFLEX = (sys.executable, "-c", "from orchestrator.cli import main; main()")
HOSTS = ("host-1", "host-2", "host-3")
LEASE_SECONDS = 600.0
ESTABLISHED = ":107E 01"
"""In /proc/net/tcp: a connection to port 4222."""


class Network:
    """Machines as network namespaces on one switch, to which this process is connected as well."""

    def __init__(self) -> None:
        self._name, self._machines = f"cfx{secrets.token_hex(3)}", 0
        self._subnet = f"10.{77 + secrets.randbelow(100)}.{secrets.randbelow(256)}"
        self._switch = f"{self._name}-switch"
        self._spaces = list[str]()

    def open(self) -> None:
        """Connect this process to the switch; raises CalledProcessError without permission."""
        self._make(self._switch)
        self._ip("-n", self._switch, "link", "add", "switch", "type", "bridge")
        self._ip("-n", self._switch, "link", "set", "switch", "up")
        self._plug(None)

    def close(self) -> None:
        """Remove all namespaces and links."""
        for space in self._spaces:  # with their ends of all links
            subprocess.run(["ip", "netns", "delete", space], check=False)

    def machine(self, name: str) -> str:
        """Add a machine; return its address."""
        space = f"{self._name}-{name}"
        self._make(space)
        self._ip("-n", space, "link", "set", "lo", "up")
        return self._plug(space)

    def on(self, name: str) -> list[str]:
        """Return the start of a command that runs on a machine."""
        return ["ip", "netns", "exec", f"{self._name}-{name}"]

    def cut(self, address: str) -> None:
        """Drop everything to and from a machine, without notifying anybody."""
        self._ip("-n", self._switch, "link", "set", self._port(address), "down")

    def mend(self, address: str) -> None:
        self._ip("-n", self._switch, "link", "set", self._port(address), "up")

    def _plug(self, space: str | None) -> str:
        self._machines += 1
        address = f"{self._subnet}.{self._machines}"
        port, end = self._port(address), f"{self._name}-{self._machines}"
        self._ip("-n", self._switch, "link", "add", port, "type", "veth", "peer", "name", end)
        self._ip("-n", self._switch, "link", "set", port, "master", "switch", "up")
        self._ip("-n", self._switch, "link", "set", end, "netns", space or str(os.getpid()))
        where = () if space is None else ("-n", space)
        self._ip(*where, "address", "add", f"{address}/24", "dev", end)
        self._ip(*where, "link", "set", end, "up")
        return address

    def _port(self, address: str) -> str:
        return f"port-{address.rpartition('.')[2]}"

    def _make(self, space: str) -> None:
        self._ip("netns", "add", space)
        self._spaces.append(space)

    def _ip(self, *arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


@pytest.fixture
def network() -> Iterator[Network]:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and the command ip (package iproute2)")
    network = Network()
    try:
        try:
            network.open()
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
        yield network
    finally:
        network.close()


def is_connected(process: subprocess.Popen[bytes]) -> bool:
    """Return True if a process on a machine is connected to the server."""
    return ESTABLISHED in Path(f"/proc/{process.pid}/net/tcp").read_text()


def patient(scenario: Scenario) -> Scenario:
    """Return a scenario in which leases do not expire."""
    terms = scenario.common_terms
    assert terms.exchange is not None
    exchange = replace(terms.exchange, lease_seconds=LEASE_SECONDS)
    return replace(scenario, common_terms=replace(terms, exchange=exchange))


@pytest.mark.nats
@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "options"),
    [
        (RunPhase.PLANNING, {}),
        (RunPhase.EXCHANGING, {}),
        (RunPhase.EXCHANGING, {"content": "slot", "exchange_order": "sequential"}),
    ],
    ids=["planning", "bundles", "slots"],
)
def test_a_link_that_is_cut_and_restored_changes_nothing(
    network: Network, tmp_path: Path, stage: RunPhase, options: dict[str, object]
) -> None:
    """The host is away for some 15 s. Leases last longer here, or the matchmaker would pair the
    other households meanwhile, and the bundles would be others."""
    ring, bus = Keyring(tmp_path / "keys", datetime.now(UTC)), network.machine("bus")
    ring.make(HOSTS, 1, [bus])
    url = f"tls://{bus}:4222"
    commands = {"bus": [str(find_server()), "-c", "nats.conf"]}
    for name in HOSTS:
        commands[name] = [*COFLEX, "host", name, "--keep", str(tmp_path / "kept")]
    commands["maker"] = [*COFLEX, "matchmaker"]
    where = ("--nats", url, "--keys", str(ring.folder))
    chosen = RunSettings.model_validate(
        {
            **{"demo": True, "households": 18, "slots": 36, "iterations": 12},
            **{"isolation": "task", "hosts": 3},
            **{"nats": url, "keys": ring.folder, **options},
        }
    )
    cut = threading.Event()
    started: dict[str, subprocess.Popen[bytes]] = {}

    def mend_when_noticed(address: str) -> None:
        wait_until(lambda: not is_connected(started["host-2"]), "the host to notice")
        network.mend(address)

    with ExitStack() as stack:
        addresses = {name: bus if name == "bus" else network.machine(name) for name in commands}
        for name, command in commands.items():
            own = [*network.on(name), *command, *(() if name == "bus" else where)]
            output = subprocess.DEVNULL if name == "bus" else None
            started[name] = subprocess.Popen(own, cwd=ring.folder, stderr=output)
            stack.callback(started[name].wait)
            stack.callback(started[name].kill)
        mender = threading.Thread(target=mend_when_noticed, args=[addresses["host-2"]])

        def strike(coordinator: RunCoordinator) -> None:
            if stage in coordinator.marks and not cut.is_set():
                network.cut(addresses["host-2"])
                cut.set()
                mender.start()

        results = orchestrate(Run("r", patient(read_scenario(chosen, "standby"))), strike)
        assert cut.is_set()
        mender.join()
    reference = in_simulation(chosen)
    assert results.rows == reference.rows
    assert results.planning_history == reference.planning_history
