"""Host processes: starting, watching and ending them, with real forks and kills."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.distributed import child_processes as processes
from orchestrator.distributed.child_processes import Ended, HostProcesses
from protocol.errors import InputError, RunError
from tests.support.paths import ROOT
from tests.support.waiting import alive, children_of, wait_until


@pytest.fixture
def hosts() -> Iterator[HostProcesses]:
    with HostProcesses() as started:
        yield started
    assert started.pids == {}


def until_all_ended(hosts: HostProcesses) -> dict[str, Ended]:
    ended: dict[str, Ended] = {}

    def reap() -> bool:
        ended.update({one.name: one for one in hosts.reap()})
        return not hosts.pids

    wait_until(reap, "all hosts to end")
    return ended


def wait_for_ever(name: str) -> None:
    while True:
        signal.pause()


class Talk:
    """Two pipes: to a host and from it."""

    def __init__(self) -> None:
        self.hears, self.tell = os.pipe()
        self.listen, self.says = os.pipe()

    def close(self) -> None:
        for end in (self.hears, self.tell, self.listen, self.says):
            os.close(end)


@pytest.fixture
def talk() -> Iterator[Talk]:
    opened = Talk()
    yield opened
    opened.close()


def test_each_host_runs_in_its_own_process(hosts: HostProcesses, talk: Talk) -> None:
    names = [f"h{number}" for number in range(20)]
    hosts.start(names, lambda name: void(os.write(talk.says, f"{name} {os.getpid()}\n".encode())))
    pids = hosts.pids
    ended = until_all_ended(hosts)
    output = dict(line.split() for line in os.read(talk.listen, 10_000).decode().splitlines())
    assert output == {name: str(pid) for name, pid in pids.items()}
    assert len(set(pids.values())) == 20
    assert ended == {name: Ended(name, 0) for name in names}


def void(_: object) -> None:
    """Do nothing with a value that was computed for its side effect."""


def fail_with(error: BaseException) -> Callable[[str], None]:
    def main(name: str) -> None:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "output"),
    [
        (RunError("no\nway"), "no way"),
        (InputError("no way", field="--nats"), "field --nats: no way"),
        (RunError("ä" * 5000), "ä" * 1020),
    ],
)
def test_a_failing_host_reports_the_reason(
    hosts: HostProcesses, capfd: pytest.CaptureFixture[str], error: Exception, output: str
) -> None:
    hosts.start(["h1", "h2"], fail_with(error))
    ended = until_all_ended(hosts)
    assert [ended[name].status for name in ("h1", "h2")] == [1, 1]
    assert [str(ended[name])[: len(output) + 4] for name in ("h1", "h2")] == [
        f"h1: {output}",
        f"h2: {output}",
    ]
    assert set(hosts.failed) == set(ended.values())
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("a defect"), SystemExit("a defect"), KeyboardInterrupt("a defect")]
)
def test_a_defect_shows_its_traceback_and_never_runs_the_parents_code(
    hosts: HostProcesses, capfd: pytest.CaptureFixture[str], error: BaseException
) -> None:
    pid = os.getpid()
    try:
        hosts.start(["h1"], fail_with(error))
    finally:
        if os.getpid() != pid:  # a child in the parent's code
            os._exit(0)
    assert until_all_ended(hosts)["h1"] == Ended("h1", 1)
    output = capfd.readouterr().err
    assert output.startswith("coflex: host h1:\nTraceback")
    assert type(error).__name__ in output
    assert "a defect" in output


def test_a_failure_without_standard_error_is_still_a_failure(hosts: HostProcesses) -> None:
    """Standard error is closed, or a pipe that nobody reads; the exit status shows the failure."""
    kept = os.dup(2)
    reading, writing = os.pipe()
    os.close(reading)
    os.dup2(writing, 2)
    try:
        hosts.start(["h1"], fail_with(ZeroDivisionError()))
    finally:
        os.dup2(kept, 2)
        for end in (kept, writing):
            os.close(end)
    assert until_all_ended(hosts)["h1"] == Ended("h1", 1)


def test_a_killed_host_is_named_with_its_signal(hosts: HostProcesses) -> None:
    hosts.start(["h1", "h2", "h3"], wait_for_ever)
    os.kill(hosts.pids["h2"], signal.SIGKILL)
    ended: list[Ended] = []

    def reap() -> bool:
        ended.extend(hosts.reap())
        return bool(ended)

    wait_until(reap, "h2 to end")
    assert [str(one) for one in ended] == ["h2 was ended by SIGKILL"]
    assert set(hosts.pids) == {"h1", "h3"}


async def test_the_loop_is_woken_by_a_child_that_ends(hosts: HostProcesses) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    hosts.start(["h1", "h2"], wait_for_ever)
    loop.add_signal_handler(signal.SIGCHLD, ended.set)
    try:
        os.kill(hosts.pids["h1"], signal.SIGKILL)
        async with asyncio.timeout(60):
            await ended.wait()
    finally:
        loop.remove_signal_handler(signal.SIGCHLD)
    assert hosts.reap() == [Ended("h1", -signal.SIGKILL)]


def test_an_interrupt_leaves_the_hosts_to_the_parent(hosts: HostProcesses, talk: Talk) -> None:
    def echo(name: str) -> None:
        while output := os.read(talk.hears, 1):
            os.write(talk.says, output)

    hosts.start(["h1"], echo)
    for word in (b"a", b"b", b"c"):
        os.kill(hosts.pids["h1"], signal.SIGINT)
        os.write(talk.tell, word)
        assert select.select([talk.listen], [], [], 60)[0], "no answer"
        assert os.read(talk.listen, 1) == word


def test_stop_ends_all_processes_whatever_they_do(
    monkeypatch: pytest.MonkeyPatch, talk: Talk
) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.3)

    def main(name: str) -> None:
        if name == "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.write(talk.says, b".")
        while name == "busy":
            pass
        wait_for_ever(name)

    with HostProcesses() as hosts:
        hosts.start(["idle", "busy", "deaf", "stopped"], main)
        pids = hosts.pids
        ready = b""
        while len(ready) < 4:
            ready += os.read(talk.listen, 4)
        os.kill(pids["stopped"], signal.SIGSTOP)
    assert not any(map(alive, pids.values()))
    assert not set(pids.values()) & set(children_of(os.getpid()))


def test_hosts_that_end_by_themselves_are_waited_for(hosts: HostProcesses, talk: Talk) -> None:
    hosts.start(["h1"], lambda name: void(os.read(talk.hears, 1)))
    pid = hosts.pids["h1"]
    hosts.join(0.0)
    assert alive(pid)
    os.write(talk.tell, b".")
    hosts.join(60.0)
    assert hosts.pids == {}


def test_a_process_with_a_second_thread_cannot_fork_hosts(hosts: HostProcesses) -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        with pytest.raises(RuntimeError, match="before any thread"):
            hosts.start(["h1"], wait_for_ever)
    finally:
        done.set()
        thread.join()


ORPHANS = """
import asyncio, os, signal, sys
from orchestrator.distributed.child_processes import HostProcesses

def say(text):
    os.write(1, text.encode())

async def watch():
    hosts.end_with_parent()
    say(".")
    await asyncio.Event().wait()

def main(name):
    if name.startswith("watching"):
        asyncio.run(watch())
    say(".")
    while name == "busy":
        pass
    os.kill(os.getpid(), signal.SIGSTOP)

hosts = HostProcesses()
hosts.start(sys.argv[1:], main)
say(" " + " ".join(str(pid) for pid in hosts.pids.values()) + "\\n")
sys.stdin.read()
"""


@pytest.mark.parametrize("kernel", [True, False])
def test_no_host_outlives_a_killed_parent(kernel: bool) -> None:
    """With the kernel's help, all hosts end; without it, those end that return to their event
    loop."""
    if kernel and sys.platform != "linux":
        pytest.skip("only Linux ends the children of a killed parent")
    script = ORPHANS
    names = ["watching-1", "busy", "stopped"]
    if not kernel:
        script = "import sys\nsys.platform = 'plan9'\n" + script
        names = ["watching-1", "watching-2", "watching-3"]
    with subprocess.Popen(
        [sys.executable, "-c", script, *names],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as parent:
        assert parent.stdout is not None
        output = b""
        while output.count(b".") < 3 or b"\n" not in output:
            heard = os.read(parent.stdout.fileno(), 1000)
            assert heard, "the parent ended"
            output += heard
        pids = [int(word) for word in output.replace(b".", b"").split()]
        assert len(pids) == 3
        parent.kill()
    wait_until(lambda: not any(map(alive, pids)), "the hosts to end")


MEMORY = """
import asyncio, os, re, sys
from pathlib import Path
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.distributed.child_processes import HostProcesses
from protocol.transport.bus import Connection
from protocol.transport.nats_bus import NatsBus

async def connect(name):
    hosts.end_with_parent()
    bus = await NatsBus.connect(Connection(server.url, name), 60)
    await bus.subscribe("t", lambda subject, data: None, lambda error: None)
    os.write(told, b".")
    await asyncio.Event().wait()

with EmbeddedServer() as server, HostProcesses() as hosts:
    hears, told = os.pipe()
    hosts.start([f"h{n}" for n in range(int(sys.argv[1]))], lambda name: asyncio.run(connect(name)))
    ready = 0
    while ready < len(hosts.pids):
        ready += len(os.read(hears, 1000))
    for pid in hosts.pids.values():
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        print(sum(int(kb) for kb in re.findall(r"Private_\\w+: +(\\d+) kB", rollup)))
"""


@pytest.mark.nats
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="no smaps_rollup here")
def test_a_connected_host_shares_most_of_its_memory() -> None:
    asked = [sys.executable, "-c", MEMORY, "10"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True, timeout=100)
    private = [int(line) for line in done.stdout.split()]
    assert len(private) == 10
    assert max(private) <= 6 * 1024, private
