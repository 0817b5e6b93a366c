"""`coflex conformance`: a right household passes, and the faults of a wrong one are found."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.plans import Plans
from agents.population.epos_folder import read_agent, write
from agents.population.synthetic import generate
from orchestrator.cli import app
from orchestrator.coordination.nodes import host_node, households_of
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.validation.conformance.checks import Check, CheckList
from orchestrator.validation.conformance.run import NAME, conform
from protocol.errors import InputError, RunError
from protocol.runtime.shell import Shell
from protocol.subjects import ORCHESTRATOR, inbox
from protocol.transport.bus import Connection
from protocol.transport.nats_bus import NatsBus
from tests.support.broken_party import WRONG
from tests.support.nats import Ear
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "protocol.md").read_text()
STAGE = "Stage 2: lookups, proposals, rounds"
PATIENCE, IMPATIENT = 30.0, 10.0
"""Seconds; what is wrong may leave a household silent, and is waited for in vain."""
FOUND = {
    "hears_down_twice": "ignores a doubled Down",
    "takes_a_loss": "refuses a loss",
    "decides_again": "answers a repeated proposal alike",
    "says_it_once": "repeats Up until Down comes",
    "believes_names": "takes the sender's host from the subject: nobody else is the orchestrator",
    "keeps_what_it_gave": "offers what it has got, or withdraws",
}
"""Where each of the wrong households must fail."""
assert set(FOUND) == {wrong.__name__ for wrong in WRONG}
EVERY = [*FOUND, "third party", "without plans", "our own", "one plan"]


async def enrolling(url: str, run: str) -> None:
    """Wait until a household of this run has started and enrols for the first time."""
    async with await NatsBus.connect(Connection(url, NAME)) as bus:
        ear = Ear()
        await bus.subscribe(inbox(run, ORCHESTRATOR), ear.receive, ear.fail)
        async with asyncio.timeout(120):
            await ear.complete.wait()


async def third_party(url: str, name: str, plans: Path, known: bool) -> CheckList:
    """Test the third-party household as a separate process."""
    run = name.replace(" ", "-")
    module = ["tests.support.broken_party", name] if name in FOUND else ["tests.system.third_party"]
    where = ["--household", "h7", "--run", run, "--nats", url, "--plans", str(plans)]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", *module, *where)
    try:
        await enrolling(url, run)
        patience = IMPATIENT if name in FOUND else PATIENCE
        checks = await conform(
            Connection(url, NAME), run, "h7", read_agent(plans) if known else None, patience
        )
        if name not in FOUND:
            assert await asyncio.wait_for(process.wait(), 60) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return checks


async def our_own(url: str, plans: Plans) -> CheckList:
    """Run one of our own households on the bus, in this process."""
    node = host_node("our-own", "host-1", {"h7": plans})
    bus = await NatsBus.connect(Connection(url, node.name))
    household = households_of(node)[0]
    try:
        driving = Shell(node, bus).run(lambda: household.finished)
        testing = conform(Connection(url, NAME), "our-own", "h7", plans, PATIENCE)
        return (await asyncio.gather(testing, driving))[0]
    finally:
        await bus.close()


async def all_of_them(url: str, folder: Path) -> dict[str, CheckList]:
    plans, single = folder / "agent_7.plans", folder / "agent_8.plans"
    single.write_text(plans.read_text().splitlines()[0] + "\n")
    tested = {name: third_party(url, name, plans, name != "without plans") for name in EVERY}
    tested["one plan"].close()
    tested["our own"].close()
    tested["one plan"] = third_party(url, "one plan", single, True)
    tested["our own"] = our_own(url, read_agent(plans))
    return dict(zip(tested, await asyncio.gather(*tested.values()), strict=True))


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CheckList]:
    """Return the checks of each household; all are tested at the same time."""
    folder = tmp_path_factory.mktemp("plans") / "population"
    write(generate(households=9, slots=30, seed=3), folder)
    with EmbeddedServer() as server:
        return asyncio.run(all_of_them(server.url, folder))


def failed(checks: CheckList) -> list[Check]:
    return [found for found in checks.found if found.passed is False]


def not_tried(checks: CheckList) -> set[str]:
    return {found.name for found in checks.found if found.passed is None}


@pytest.mark.nats
@pytest.mark.parametrize("name", ["third party", "without plans", "our own", "one plan"])
def test_a_right_household_passes(name: str, tested: dict[str, CheckList]) -> None:
    checks = tested[name]
    assert failed(checks) == []
    assert checks.passed
    assert checks.found[-1].name == "leaves when it is released"
    assert (
        not_tried(checks)
        == {
            "third party": set(),
            "our own": set(),
            "without plans": {"chooses the plan that is to be chosen"},
            "one plan": {"exchanges values"},
        }[name]
    )


@pytest.mark.nats
@pytest.mark.parametrize("name", FOUND)
def test_every_fault_is_found(name: str, tested: dict[str, CheckList]) -> None:
    checks = failed(tested[name])
    assert not tested[name].passed
    assert checks[0].name == FOUND[name]
    for found in checks:
        assert found.expected
        assert found.came
        assert found.lines[0] == f"FAILED  {found.name}"


@pytest.mark.nats
def test_each_check_names_its_section(tested: dict[str, CheckList]) -> None:
    for checks in tested.values():
        for found in checks.found:
            heading, _, part = found.section.partition(", ")
            if heading == "Stage 2: lookups":
                heading, part = STAGE, found.section.removeprefix(STAGE).removeprefix(", ")
            assert f"# {heading}\n" in PAGE, found
            assert not part or f"**{part}.**" in PAGE or f"**{part}**" in PAGE, found


@pytest.mark.nats
def test_the_command_prints_the_checks(tmp_path: Path) -> None:
    write(generate(households=9, slots=30, seed=3), tmp_path / "plans")
    plans = str(tmp_path / "plans" / "agent_7.plans")
    with EmbeddedServer() as server:
        where = ["--household", "h7", "--run", "told", "--nats", server.url, "--plans", plans]
        for module, status in (
            (["tests.system.third_party"], 0),
            (["tests.support.broken_party", "takes_a_loss"], 1),
        ):
            process = subprocess.Popen([sys.executable, "-m", *module, *where])
            try:
                result = CliRunner().invoke(app, ["conformance", *where])
            finally:
                process.kill()
                process.wait()
            if status:
                assert isinstance(result.exception, RunError)
                assert "h7 failed" in str(result.exception)
                assert "FAILED  refuses a loss\n        expected: Outcome to" in result.output
                assert "docs/protocol.md, Stage 2" in result.output
            else:
                assert result.exit_code == 0
                assert "h7 passed" in result.output


@pytest.mark.nats
def test_a_household_that_does_not_come() -> None:
    with EmbeddedServer() as server:
        where = ["--household", "h7", "--nats", server.url, "--patience", "1"]
        result = CliRunner().invoke(app, ["conformance", *where])
    assert isinstance(result.exception, RunError)
    assert "FAILED  enrols" in result.output
    assert "came:     nothing" in result.output


def test_a_missing_server_is_reported() -> None:
    where = ["--household", "h7", "--nats", "nats://127.0.0.1:9"]
    result = CliRunner().invoke(app, ["conformance", *where])
    assert isinstance(result.exception, InputError)
