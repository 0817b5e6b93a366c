"""Logs, metrics, status, abort and signals of real parts on a real server."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.monitoring.operator_console import abort, look
from orchestrator.monitoring.part_status import METRICS
from orchestrator.monitoring.prometheus import RUN_STAGE
from protocol.errors import ForbiddenError
from protocol.subjects import direct
from protocol.transport.bus import Connection
from protocol.transport.nats_bus import NatsBus
from tests.support.keyring import keyring
from tests.support.paths import ROOT
from tests.support.standing_bus import COFLEX, HOSTS, Bus, standing
from tests.support.waiting import alive, children_of, command_of, wait_until

pytestmark = pytest.mark.nats
ENDLESS = ("--iterations", "1000000", "--run", "endless")
NONSENSE = b"\x94\x01 kWh 3.14159"


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    with EmbeddedServer() as server, standing(server, tmp_path) as made:
        yield made


def results(bus: Bus) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((bus.folder / "out" / "run.json").read_text())
    return found


def test_logs_and_metrics_show_the_course_of_a_run(bus: Bus) -> None:
    orchestrate = bus.orchestrate("--iterations", "20", "--run", "watched")
    assert orchestrate.wait(120) == 0
    for name in HOSTS:
        bus.await_line(name, "released", run="watched")
    bus.await_line("matchmaker-1", "released", run="watched")

    # Logs: the course of the run, in its order.
    messages = [
        line["message"] for line in bus.lines_of("orchestrator") if line.get("run") == "watched"
    ]
    order = ["placing households", "planning", "exchanging", "releasing", "done"]
    assert [message for message in messages if message in order] == order
    lines, totals = bus.lines_of("orchestrator"), results(bus)
    iterations = [line["iteration"] for line in lines if line["message"] == "iteration over"]
    assert iterations == sorted(set(iterations))
    assert set(iterations) <= set(range(20))
    assert len(iterations) > 2
    rounds = [line for line in lines if line["message"] == "round over"]
    assert rounds[-1]["round"] == totals["exchange"]["rounds"]
    assert rounds[-1]["exchanges"] == totals["exchange"]["accepted"] > 0
    for name in HOSTS:
        phases = [line["message"] for line in bus.lines_of(name) if line.get("run") == "watched"]
        wanted = ["run announced", "takes part", "placed", "planning", "exchanging", "reporting"]
        assert phases == [*wanted, "released"]

    # Nothing private in them: a plan's values are no whole numbers, nothing else here is not one.
    page = (ROOT / "docs" / "operations.md").read_text()
    for name in (*HOSTS, "matchmaker-1", "orchestrator"):
        for line in bus.lines_of(name):
            assert line["part"] == name
            assert f"`{line['message']}`" in page
            for field in set(line) - {"time", "level", "message", "part", "run"}:
                assert f"`{field}`" in page, field
                assert isinstance(line[field], (int, str)), line

    # Metrics: the same counts as the results.
    shown = {name: bus.metrics(name) for name in (*HOSTS, "matchmaker-1")}
    for count in ("lookups", "matches", "proposals", "accepted", "refused"):
        total = sum(shown[host][f"coflex_exchange_{count}_total"] for host in HOSTS)
        assert total == totals["exchange"][count], count
    maker = shown["matchmaker-1"]
    assert maker["coflex_matchmaker_lookups_total"] == totals["exchange"]["lookups"]
    assert maker["coflex_matchmaker_done_total"] <= totals["exchange"]["accepted"]
    assert all(values["coflex_runs_total"] == 1 for values in shown.values())
    # What the results do not have, the farewells: three tallies, and each household leaves. What
    # they have besides is the orchestrator's: places, starts, releases, and a commission.
    sent = sum(values["coflex_bus_sent_messages_total"] for values in shown.values())
    again = sum(values["coflex_bus_resent_messages_total"] for values in shown.values())
    expected = totals["bus"]["messages"] + (3 + 12) - (12 + 12 + 12 + 3 + 1)
    assert abs(sent - expected) <= again + totals["bus"]["resent"]
    assert sum(values["process_cpu_seconds_total"] for values in shown.values()) > 0


def test_metrics_are_served_while_a_run_lasts_and_all_are_documented(bus: Bus) -> None:
    orchestrate = bus.orchestrate(*ENDLESS)
    bus.await_planning()
    shown = {name: bus.metrics(name) for name in (*HOSTS, "matchmaker-1", "orchestrator")}
    page = (ROOT / "docs" / "operations.md").read_text()
    for name, values in shown.items():
        assert values["coflex_run_info endless"] == 1
        assert values[f"coflex_part_info {name}"] == 1
        assert values["coflex_bus_connected"] == 1
        assert name == "matchmaker-1" or values["coflex_bus_received_frames_total"] > 0
        for metric in values:
            if not metric.startswith("process_"):
                assert f"`{metric.split()[0]}`" in page, metric
    metrics = shown["orchestrator"]
    assert metrics["coflex_run_enrolled_households"] == metrics["coflex_run_households"] == 12
    assert metrics["coflex_run_iteration"] >= 20
    assert metrics[f"{RUN_STAGE} planning"] == 1
    assert sum(value for name, value in metrics.items() if name.startswith(RUN_STAGE)) == 1
    assert sum(shown[host]["coflex_households"] for host in HOSTS) == 12
    later = bus.metrics("host-1")
    assert later["coflex_bus_sent_bytes_total"] > shown["host-1"]["coflex_bus_sent_bytes_total"]
    orchestrate.terminate()
    assert orchestrate.wait(10) == 130
    assert set(METRICS) >= {
        name.split()[0].removesuffix("_total")
        for values in shown.values()
        for name in values
        if name.startswith("coflex") and "info" not in name and not name.startswith(RUN_STAGE)
    }


def test_status_names_a_host_that_hangs_and_abort_ends_the_run(bus: Bus) -> None:
    orchestrate = bus.orchestrate(*ENDLESS)
    bus.await_planning()
    seen = bus.status()
    assert [run["run"] for run in seen["runs"]] == ["endless"]
    run = seen["runs"][0]
    assert (run["stage"], run["households"], run["enrolled"]) == ("planning", 12, 12)
    assert run["iteration"] >= 5
    assert run["missing"] == []
    assert [(host["name"], host["run"]) for host in seen["hosts"]] == [
        (name, "endless") for name in HOSTS
    ]
    assert [maker["name"] for maker in seen["matchmakers"]] == ["matchmaker-1"]

    hung = bus.processes["host-2"]
    hung.send_signal(signal.SIGSTOP)
    try:
        assert bus.status()["runs"][0]["missing"] == ["host-2"]
        text = bus.command("status").stdout
        assert "MISSING host host-2, " in text
        assert "host host-1: run endless planning" in text
    finally:
        hung.send_signal(signal.SIGCONT)
    assert bus.status()["runs"][0]["missing"] == []

    unknown = bus.command("abort", "nobodys")
    assert unknown.returncode == 1
    assert "no run nobodys on this bus (there: endless)" in unknown.stderr
    assert orchestrate.poll() is None
    ended = bus.command("abort", "endless", "--reason", "wrong data")
    assert (ended.returncode, ended.stdout) == (0, "run endless aborted\n")
    assert orchestrate.wait(10) == 1
    last = bus.lines_of("orchestrator")[-1]
    assert (last["level"], last["message"]) == (
        "ERROR",
        "aborted by the operator: wrong data",
    )
    for name in HOSTS:
        bus.await_line(name, "aborted", reason="aborted by the operator: wrong data")
    for name in HOSTS:
        bus.await_last(name, "stands by")
    after = bus.status()
    assert after["runs"] == []
    assert [host["run"] for host in after["hosts"]] == [None, None]
    # They take part in the next run.
    assert bus.orchestrate("--iterations", "3", "--run", "next").wait(120) == 0
    assert results(bus)["run"] == "next"


def test_a_run_whose_orchestrator_hangs_is_seen_and_cannot_be_aborted(bus: Bus) -> None:
    orchestrate = bus.orchestrate(*ENDLESS)
    bus.await_planning()
    orchestrate.send_signal(signal.SIGSTOP)
    try:
        seen = bus.status()
        assert (seen["runs"], seen["without_orchestrator"]) == ([], ["endless"])
        refused = bus.command("abort", "endless")
        assert refused.returncode == 1
        assert "the orchestrator of run endless does not answer" in refused.stderr
    finally:
        orchestrate.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_every_part_ends_on_a_signal_within_ten_seconds(bus: Bus, number: signal.Signals) -> None:
    orchestrate = bus.orchestrate(*ENDLESS)
    bus.await_planning()
    struck = bus.processes["host-1"]
    struck.send_signal(number)
    assert struck.wait(10) == 0
    assert orchestrate.poll() is None  # the run waits for the host to come back
    orchestrate.send_signal(number)
    assert orchestrate.wait(10) == 130
    assert bus.lines_of("orchestrator")[-1]["message"] == "interrupted"
    for name in ("host-2", "matchmaker-1"):
        bus.await_last(name, "stands by")
        bus.processes[name].send_signal(number)
        assert bus.processes[name].wait(10) == 0


def test_a_whole_run_ends_on_a_signal_and_its_forked_hosts_answer(bus: Bus) -> None:
    demo = ("--demo", "--households", "6", "--slots", "36", *ENDLESS, "--metrics", "0")
    whole = bus.start("orchestrator", "run", *demo, "--out", str(bus.folder / "whole"))
    bus.await_planning()
    assert bus.metrics("orchestrator")["coflex_run_households"] == 6
    assert bus.status()["runs"][0]["missing"] == []
    # The parts that it starts log in the same format, to the same stream.
    parts = {"h0", "h5", "matchmaker-1"}
    wait_until(
        lambda: parts <= {line["part"] for line in bus.lines_of("orchestrator")}, "a line of each"
    )
    children = children_of(whole.pid)
    assert len(children) >= 7
    whole.terminate()
    assert whole.wait(10) == 130
    wait_until(lambda: not any(alive(pid) for pid in children), "its processes")


def test_a_forked_host_that_fails_says_so_in_its_line(tmp_path: Path) -> None:
    demo = ("--demo", "--households", "3", "--slots", "36", "--log-format", "json")
    whole = subprocess.Popen(
        [*COFLEX, "run", *demo, *ENDLESS, "--out", str(tmp_path), "--log-level", "info"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert whole.stderr is not None
    lines = []
    try:
        for text in whole.stderr:
            lines.append(json.loads(text))
            if lines[-1]["message"] == "planning" and lines[-1]["part"] == "orchestrator":
                hosts = [pid for pid in children_of(whole.pid) if _is_host(pid, whole.pid)]
                os.kill(hosts[0], signal.SIGKILL)
            if lines[-1]["message"] == "part ended":
                break
        ended = lines[-1]
        assert "SIGKILL" in ended["reason"]
        assert ended["again"] is True
    finally:
        whole.terminate()
        whole.communicate()


def _is_host(pid: int, parent: int) -> bool:
    """Return True for a forked host, which has the same command line as its parent."""
    return command_of(pid) == command_of(parent)


def test_undecodable_bytes_are_logged_as_a_count_only(bus: Bus) -> None:
    orchestrate = bus.orchestrate(*ENDLESS)
    bus.await_planning()

    async def disturb() -> None:
        connected = await NatsBus.connect(Connection(bus.url, "stranger"))
        for _ in range(9):
            await connected.publish(direct("endless", "host-1", "stranger"), NONSENSE)
        await connected.flush()
        await connected.close()

    asyncio.run(disturb())
    bus.await_line(
        "host-1", "messages refused or lost", last="bytes that are not a message of this run"
    )
    assert bus.metrics("host-1")["coflex_bus_dropped_messages_total"] == 9
    refused = "  refused: 9 from stranger (bytes that are not a message of this run)"
    assert refused in bus.command("status").stdout.splitlines()
    lines = [
        line for line in bus.lines_of("host-1") if line["message"] == "messages refused or lost"
    ]
    assert 1 <= len(lines) <= 4
    text = (bus.folder / "host-1.log").read_text()
    assert "kWh" not in text
    assert "3.14159" not in text
    orchestrate.terminate()
    assert orchestrate.wait(10) == 130


def test_a_used_address_is_reported(bus: Bus) -> None:
    port = bus.await_line("host-1", "serves metrics")["port"]
    refused = bus.part("host", "host-9", "--metrics", str(port), "--log-format", "text")
    assert refused.returncode == 2
    assert f"field --metrics: 127.0.0.1:{port} is not available" in refused.stderr
    as_json = bus.part("host", "host-9", "--metrics", "port", "--log-format", "json")
    assert as_json.returncode == 2
    assert "'port' is neither PORT nor HOST:PORT" in as_json.stderr


def test_with_keys_the_operator_asks_and_aborts_and_nobody_else(tmp_path: Path) -> None:
    ring = keyring(tmp_path / "keys", HOSTS)
    with (
        EmbeddedServer(file=ring.folder / "nats.conf") as server,
        standing(server, tmp_path, ring.folder) as bus,
    ):
        orchestrate = bus.orchestrate(*ENDLESS)
        bus.await_planning()
        assert bus.status()["runs"][0]["missing"] == []
        somebody = Connection(server.url, "host-1", ring.folder)
        with pytest.raises(ForbiddenError):
            asyncio.run(look(somebody, 30.0))
        with pytest.raises(ForbiddenError):
            asyncio.run(abort(somebody, "endless", reason="no", seconds=30.0))
        assert orchestrate.poll() is None
        assert bus.command("abort", "endless").returncode == 0
        assert orchestrate.wait(10) == 1
