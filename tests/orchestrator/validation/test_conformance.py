"""`coflex conformance`: a right household passes, and the faults of a wrong one are found."""

import asyncio
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Literal

import pytest
from typer.testing import CliRunner

from agents.population.epos_folder import read_agent, write
from agents.population.synthetic import generate
from orchestrator.cli import app
from orchestrator.coordination.nodes import host_node, households_of
from orchestrator.distributed.embedded_server import EmbeddedServer
from orchestrator.validation.conformance.checks import Check, CheckList
from orchestrator.validation.conformance.roles import AMOUNTS, BUNDLE, EQUAL, SLOT
from orchestrator.validation.conformance.run import NAME, conform
from protocol.errors import InputError, RunError
from protocol.runtime.shell import Shell
from protocol.terms import ExchangeTerms
from protocol.transport.bus import Connection
from protocol.transport.nats_bus import NatsBus
from tests.support.broken_party import WRONG, broken
from tests.support.paths import ROOT
from tests.support.tank_homes import as_plans, write_tank_home
from tests.system.third_party import __main__ as third
from tests.system.third_party.__main__ import read_plans
from tests.system.third_party.household import Household
from tests.system.third_party.tank_home import TankHome

StageTwo = Literal["slot", "bundle", "amounts", "equal"]
PAGE = (ROOT / "docs" / "protocol.md").read_text()
STAGE = "Stage 2: lookups, proposals, rounds"
PATIENCE, IMPATIENT = 30.0, 10.0
"""Seconds; what is wrong may leave a household silent, and is waited for in vain."""
BEYOND_A_LEASE = 20.0
"""The same for amounts, where a household may rightly be silent for the time of a lease."""
AT_ONCE = 16
"""Households that are tested at the same time."""
SHOULD_FAIL: dict[StageTwo, dict[str, str]] = {
    "slot": {
        "hears_down_twice": "ignores a doubled Down",
        "takes_a_loss": "refuses a loss",
        "decides_again": "answers a repeated proposal alike",
        "says_it_once": "repeats Up until Down comes",
        "believes_names": "takes the sender's host from the subject: nobody else is the "
        "orchestrator",
        "keeps_what_it_gave": "offers what it has got, or withdraws",
    },
    "bundle": {
        "looks_up_early": "looks up in no round before round 1",
        "hides_a_slot": "offers all slots that it trades",
        "names_no_households": "looks up once in each round from 1 on",
        "names_no_room": "proposes its values at all slots that it offers",
        "asks_once": "repeats a proposal until Counter or Outcome comes",
        "tires_of_asking": "asks on although its lease has expired",
        "counters_while_asking": "refuses proposals while its own is open: busy",
        "believes_any_counter": "answers no counter of a stranger, of another lease, or that makes "
        "no sense",
        "takes_any_acceptance": "goes on with its talk after an answer that is none",
        "confirms_a_loss": "releases a bundle that it would lose by",
        "confirms_a_drift": "releases a bundle that moves its energy too far",
        "confirms_once": "repeats a confirmation until Settled comes",
        "changes_its_mind": "decides about a counter once",
        "hears_any_settled": "ends a talk only by Settled of its partner",
        "releases_everything": "confirms a counter that it gains by",
        "closes_all_as_done": "closes a lease as refused",
        "closes_all_as_refused": "closes a lease as for now",
        "forgets_void_leases": "closes a lease as void",
        "answers_nonsense": "answers no proposal that makes no sense",
        "settles_anything": "answers no confirmation of what it has not countered",
        "counters_a_loss": "refuses a bundle that it would lose by",
        "counters_a_drift": "refuses a bundle that moves its energy too far",
        "counters_for_two": "refuses a bundle that the requester may lose by",
        "refuses_everything": "counters with the bundle that suits both",
        "answers_once": "answers a repeated proposal with the same counter",
        "countered_and_free": "is reserved after a counter: others are refused, busy",
        "proposes_while_reserved": "proposes nothing while it is reserved",
        "settles_once": "settles a release, and a repeated one",
        "stays_reserved": "is free again after a release",
        "settles_a_confirmation_once": "settles a confirmation, and a repeated one",
        "takes_it_back": "offers what it holds",
        "exchanges_nothing": "offers what it holds",
    },
    "amounts": {
        "announces_late": "announces in round 0 what it could take more and less",
        "announces_exactly": "announces powers of the square root of 2, from 2^-8 kWh on, or 0",
        "announces_once": "announces anew before its wishes if it has changed",
        "ignores_a_new_matchmaker": "tells a matchmaker that does not know it what it announces",
        "looks_up_once": "repeats a lookup until AmountMatch comes",
        "believes_any_match": "takes only AmountMatch with its number, of its matchmaker",
        "asks_for_more": "proposes a change within what it wants, with sum 0",
        "proposes_once": "repeats a proposal until AmountAnswer comes",
        "asks_for_a_share": "proposes to the next partner all that is still missing",
        "names_nobody": "looks for the rest elsewhere, without the partners that it has asked",
        "reserves_while_asking": "answers busy while its own wish is open",
        "believes_any_answer": "believes no answer of a stranger, of another sequence, or that "
        "makes no sense",
        "takes_nonsense_for_a_refusal": "goes on with its talk after an answer that is none",
        "reports_no_pieces": "reports a lease as refused, with the pieces of the day",
        "waits_for_ever": "goes on without a partner that is silent for lease_seconds",
        "says_that_it_has_committed": "answers a part that it has not committed: commit false",
        "forgets_its_decisions": "tells a partner that asks again what it has committed",
        "tells_too_early": "answers no partner that asks while the wish is open",
        "drops_a_part": "agrees with its partner on a part",
        "asks_again_for_all": "proposes less only within the part of its partner",
        "commits_nothing": "commits when it gets all that it proposed",
        "releases_all_wholes": "commits when its partners together make enough room",
        "keeps_partners_waiting": "decides when nobody is left",
        "tells_its_decision_once": "repeats a confirmation until AmountDone comes",
        "reports_all_as_void": "reports a lease as done",
        "hears_any_done": "ends a talk only by AmountDone of its partner",
        "answers_a_nonsense_change": "answers no proposal that makes no sense",
        "reserves_everything": "reserves no more than its devices can follow",
        "answers_with_more": "answers with the part that suits it: sum 0, nowhere more than was "
        "proposed",
        "keeps_its_reservation": "replaces its reservation if less is proposed",
        "answers_a_change_once": "answers a repeated proposal with the same part",
        "answers_any_sequence": "ignores a proposal with a lower sequence",
        "answers_when_done": "answers no proposal under a lease that is done",
        "is_never_reserved": "is reserved for its part: others are answered busy",
        "never_asks": "asks again when it has been reserved for lease_seconds",
        "confirms_anything": "confirms no commit of what it has not reserved",
        "settles_a_release_once": "settles a release, and a repeated one",
        "settles_a_commit_once": "settles a commit, and a repeated one",
        "stays_reserved_when_released": "is free again after a release",
        "undoes_a_commit": "holds in the end what it was given for what it gave, and nothing twice",
        "keeps_what_it_held": "holds in the end what it was given for what it gave, and nothing "
        "twice",
    },
    "equal": {
        "sums_up_early": "waits for the sums of its children; hears none of a stranger or of "
        "nonsense",
        "answers_early": "answers no sum before it knows the shares",
        "leaves_itself_out": "adds up the sums of its children and its own",
        "sums_up_once": "repeats its sum until Shares comes",
        "takes_part_twice": "takes part at a slot or not",
        "names_less": "names the energy that it has beyond its preferred plan",
        "believes_any_shares": "hears no Shares of a stranger, of another attempt or length",
        "gives_the_rest_last": "divides the shares equally, the rest in the order of the tree",
        "shares_once": "answers a repeated sum with the same shares",
        "takes_again": "answers a repeated sum with the same shares",
        "keeps_its_excess": "holds its share in the end, taken once",
        "clips_nothing": "reports its results",
    },
}
"""Where each of the wrong households must fail first."""
FAULTS = [(stage, name) for stage, found in SHOULD_FAIL.items() for name in found]
assert {name for found in SHOULD_FAIL.values() for name in found} == set(WRONG)
TERMS: dict[StageTwo, ExchangeTerms] = {
    "slot": SLOT,
    "bundle": BUNDLE,
    "amounts": AMOUNTS,
    "equal": EQUAL,
}
RIGHT: dict[tuple[StageTwo, str], set[str]] = {
    **{(stage, name): set() for stage in TERMS for name in ("third party", "our own")},
    ("slot", "without plans"): {"chooses the plan that is to be chosen"},
    ("bundle", "without plans"): {"chooses the plan that is to be chosen"},
    ("amounts", "without plans"): {"chooses the plan that is to be chosen"},
    ("equal", "without plans"): {
        "chooses the plan that is to be chosen",
        "names the energy that it has beyond its preferred plan",
    },
    ("slot", "one plan"): {"exchanges values"},
    ("bundle", "one plan"): {"exchanges bundles"},
}
"""What cannot be tried with each of the right households."""
Checks = dict[tuple[StageTwo, str], CheckList]


async def third_party(url: str, stage: StageTwo, name: str, folder: Path) -> CheckList:
    """Test the third-party household, with the fault of this name if there is one."""
    run = f"{stage}-{name}".replace(" ", "-")
    wrong = name in SHOULD_FAIL[stage]
    file = folder / ("agent_8.plans" if name == "one plan" else "agent_7.plans")
    plans, preferred = read_plans(file)
    known, home = read_agent(file), None
    if stage == "amounts":
        home = TankHome.read(folder / "home.json")
        plans, preferred, known = home.plans, 0, as_plans(home)
    patience = BEYOND_A_LEASE if stage == "amounts" else IMPATIENT
    patience = patience if wrong else PATIENCE
    household = (broken(name) if wrong else Household)("h7", plans, preferred, 1, home)
    taking_part = asyncio.create_task(
        third.Connection(household, run=run, host="h7", kept=None).take_part(url)
    )
    checks = await conform(
        Connection(url, NAME),
        run=run,
        household="h7",
        plans=None if name == "without plans" else known,
        patience=patience,
        exchange=TERMS[stage],
    )
    await asyncio.wait_for(taking_part, 60)
    return checks


async def our_own(url: str, stage: StageTwo, folder: Path) -> CheckList:
    """Run one of our own households on the bus, in this process."""
    plans, run = read_agent(folder / "agent_7.plans"), f"our-own-{stage}"
    if stage == "amounts":
        plans = as_plans(TankHome.read(folder / "home.json"))
    node = host_node(run, "host-1", {"h7": plans})
    bus = await NatsBus.connect(Connection(url, node.name))
    household = households_of(node)[0]
    try:
        driving = Shell(node, bus).run(lambda: household.finished)
        testing = conform(
            Connection(url, NAME),
            run=run,
            household="h7",
            plans=plans,
            patience=PATIENCE,
            exchange=TERMS[stage],
        )
        return (await asyncio.gather(testing, driving))[0]
    finally:
        await bus.close()


async def all_of(names: Collection[tuple[StageTwo, str]], url: str, folder: Path) -> Checks:
    """Test these households, a few at a time."""
    single = (folder / "agent_7.plans").read_text().splitlines()[0]
    (folder / "agent_8.plans").write_text(single + "\n")
    write_tank_home(folder / "home.json")
    slots = asyncio.Semaphore(AT_ONCE)

    async def checks(stage: StageTwo, name: str) -> CheckList:
        async with slots:
            if name == "our own":
                return await our_own(url, stage, folder)
            return await third_party(url, stage, name, folder)

    done = await asyncio.gather(*(checks(*each) for each in names))
    return dict(zip(names, done, strict=True))


def tested(names: Collection[tuple[StageTwo, str]], place: Path) -> Checks:
    """Return the checks of each of these households; many are tested at the same time."""
    folder = place / "population"
    write(generate(households=9, slots=30, seed=3), folder)
    with EmbeddedServer() as server:
        return asyncio.run(all_of(names, server.url, folder))


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Checks:
    """Return the checks of the right households."""
    return tested(RIGHT, tmp_path_factory.mktemp("right"))


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Checks:
    """Return the checks of the wrong households."""
    return tested(FAULTS, tmp_path_factory.mktemp("wrong"))


def failed(checks: CheckList) -> list[Check]:
    return [found for found in checks.found if found.passed is False]


def not_tried(checks: CheckList) -> set[str]:
    return {found.name for found in checks.found if found.passed is None}


@pytest.mark.nats
@pytest.mark.parametrize(("stage", "name"), RIGHT)
def test_a_right_household_passes(stage: StageTwo, name: str, right: Checks) -> None:
    checks = right[stage, name]
    assert failed(checks) == []
    assert checks.passed
    assert checks.found[-1].name == "leaves when it is released"
    assert not_tried(checks) == RIGHT[stage, name]


@pytest.mark.nats
@pytest.mark.parametrize(("stage", "name"), FAULTS)
def test_every_fault_is_found(stage: StageTwo, name: str, wrong: Checks) -> None:
    checks = failed(wrong[stage, name])
    assert not wrong[stage, name].passed
    assert checks[0].name == SHOULD_FAIL[stage][name]
    for found in checks:
        assert found.expected
        assert found.came
        assert found.lines[0] == f"FAILED  {found.name}"


@pytest.mark.nats
def test_each_check_of_stage_2_is_failed_by_some_household(right: Checks, wrong: Checks) -> None:
    """A check that nothing fails may be one that cannot fail."""
    for stage, faults in SHOULD_FAIL.items():
        if stage == "slot":
            continue
        own = ("Content bundle", "Content amounts", "Equal shift")
        found = right[stage, "our own"].found
        checks = {each.name for each in found if each.section.startswith(own)}
        caught = {each.name for name in faults for each in failed(wrong[stage, name])}
        assert checks - caught == set()


@pytest.mark.nats
def test_each_check_names_its_section(right: Checks, wrong: Checks) -> None:
    for checks in (*right.values(), *wrong.values()):
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
                words = ["conformance", *where, "--content", "slot", "--patience", "10"]
                result = CliRunner().invoke(app, words)
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
