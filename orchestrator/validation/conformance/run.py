"""The whole conformance test, from the first Enrol to the last Left."""

from agents.plans import Plans
from orchestrator.coordination.nodes import ORCHESTRATOR_ADDRESS
from orchestrator.validation.conformance.amounts.amount_script import AmountScript
from orchestrator.validation.conformance.amounts.amount_stage import AmountStage
from orchestrator.validation.conformance.bundles.bundle_script import BundleScript
from orchestrator.validation.conformance.checks import CheckList
from orchestrator.validation.conformance.equal_shift_script import EqualShiftScript
from orchestrator.validation.conformance.exchange_script import ExchangeScript
from orchestrator.validation.conformance.household_probe import HouseholdProbe
from orchestrator.validation.conformance.joining_script import disturb, join, leave, place_anew
from orchestrator.validation.conformance.planning_script import (
    PlanningScript,
    as_inner,
    as_leaf,
    as_root,
)
from orchestrator.validation.conformance.roles import place_of
from orchestrator.validation.conformance.slot_script import SlotScript
from protocol.messages import Abort
from protocol.terms import ExchangeTerms
from protocol.transport.bus import Connection
from protocol.transport.nats_bus import NatsBus

NAME = "conformance"


async def conform(
    connection: Connection,
    *,
    run: str,
    household: str,
    plans: Plans | None,
    patience: float,
    exchange: ExchangeTerms,
) -> CheckList:
    """Test the household that joins this run, and return the results of the checks.

    `exchange` has the terms of stage 2: one of those in roles.py. `patience` is the longest wait
    for a message, in seconds. The test ends early where the household sends nothing
    more.
    """
    bus = await NatsBus.connect(connection)
    probe = HouseholdProbe(bus=bus, run=run, household=household, patience=patience)
    try:
        await probe.open()
        with probe.checks.going_on():
            await _script(probe, run, plans, exchange=exchange)
        if probe.where is not None:
            await probe.say(ORCHESTRATOR_ADDRESS, Abort("the test is over"))
        await bus.flush()
    finally:
        await bus.close()
    return probe.checks


async def _script(
    probe: HouseholdProbe, run: str, plans: Plans | None, *, exchange: ExchangeTerms
) -> None:
    slots, place = await join(probe, exchange)
    if plans is not None and plans.slots != slots:
        probe.note("enrols", "Joining and leaving", False, f"{plans.slots} slots", f"{slots}")
        plans = None
    with probe.checks.going_on():
        await as_leaf(PlanningScript(probe=probe, place=place, plans=plans, slots=slots))
    await disturb(probe, run, exchange)
    with probe.checks.going_on():
        place = place_of(2, exchange, parent=False, children=True)
        await place_anew(probe, place)
        await as_root(PlanningScript(probe=probe, place=place, plans=plans, slots=slots))
    place = place_of(3, exchange, parent=True, children=True)
    await place_anew(probe, place)
    tree = PlanningScript(probe=probe, place=place, plans=plans, slots=slots)
    planned = await as_inner(tree)
    if exchange.equal_shift:
        result = await EqualShiftScript(tree, planned, plans).run()
    elif exchange.content == "amounts":
        result = await AmountScript(AmountStage(tree, planned)).run()
    elif exchange.content == "bundle":
        result = await BundleScript(ExchangeScript(tree, planned, plans)).run()
    else:
        result = await SlotScript(ExchangeScript(tree, planned, plans)).run()
    await leave(probe, result)
