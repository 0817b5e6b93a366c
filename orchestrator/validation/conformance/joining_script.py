"""Scripts of joining and leaving: enrolment, places, invalid messages, and release."""

import msgpack

from orchestrator.coordination.nodes import ORCHESTRATOR_ADDRESS
from orchestrator.validation.conformance.household_probe import HouseholdProbe
from orchestrator.validation.conformance.roles import PARENT, STRANGER, place_of
from protocol.codec import VERSION, Item, encode_frame
from protocol.messages import Enrol, Go, Left, Place, Ready, Release, Result, Up
from protocol.terms import ExchangeTerms

JOINING, AGAIN = "Joining and leaving", "Joining and leaving, Starting again"
FRAMES, BUS = "Frames", "Bus"
FOREIGN = 90
"""First of the attempts in places that the household must not take."""


async def join(probe: HouseholdProbe, exchange: ExchangeTerms) -> tuple[int, Place]:
    """Let the household enrol, and place it as a leaf. Returns its number of slots, and the
    place."""
    enrolled = await probe.expect(
        "enrols",
        JOINING,
        Enrol,
        ORCHESTRATOR_ADDRESS,
        "at least 1 slot",
        right=lambda enrol: enrol.slots >= 1,
    )
    await probe.again("repeats Enrol until Place comes", JOINING, ORCHESTRATOR_ADDRESS, enrolled)
    probe.mark()
    place = place_of(1, exchange, parent=True, children=False)
    await probe.put(place)
    ready = await confirms(probe, 1)
    await probe.again("repeats Ready until Go comes", JOINING, ORCHESTRATOR_ADDRESS, ready)
    probe.mark()
    await probe.say(STRANGER, Go(1))
    await probe.say(ORCHESTRATOR_ADDRESS, Go(2))
    await probe.settled()
    check = "does not begin by a Go of a stranger, or of another attempt"
    probe.silent(check, JOINING, Up, PARENT, lambda up: True)
    return enrolled.slots, place


async def confirms(probe: HouseholdProbe, attempt: int) -> Ready:
    """Wait for the household to confirm a place."""
    return await probe.expect(
        "confirms its place",
        JOINING if attempt == 1 else AGAIN,
        Ready,
        ORCHESTRATOR_ADDRESS,
        f"attempt {attempt}",
        pick=lambda ready: ready.attempt == attempt,
    )


async def place_anew(probe: HouseholdProbe, place: Place) -> None:
    """Start stage 1 again for all."""
    probe.mark()
    await probe.put(place)
    await confirms(probe, place.attempt)


async def disturb(probe: HouseholdProbe, run: str, exchange: ExchangeTerms) -> None:
    """Send places that no household may take, and check that it takes none of them."""
    place = place_of(FOREIGN, exchange, parent=True, children=False)

    def frame(run: str, version: int = VERSION) -> bytes:
        parts = msgpack.unpackb(
            encode_frame(run, [Item(probe.household, ORCHESTRATOR_ADDRESS.name, place)])
        )
        data: bytes = msgpack.packb([version, *parts[1:]])
        return data

    whole = frame(run)
    cases = {
        "drops frames that cannot be decoded": (whole[:-9], b"\xc1", b"", msgpack.packb([1, run])),
        "drops frames of another version": (frame(run, VERSION + 1),),
        "drops frames of another run": (frame("another-run"),),
        "drops messages with fields that are missing or of another type": _misshapen(whole),
    }
    for check, frames in cases.items():
        probe.mark()
        for data in frames:
            await probe.send(ORCHESTRATOR_ADDRESS, data)
        await probe.settled()
        probe.silent(
            check, FRAMES, Ready, ORCHESTRATOR_ADDRESS, lambda ready: ready.attempt >= FOREIGN
        )
    probe.mark()
    await probe.say(STRANGER, place)
    await probe.send(STRANGER, whole)  # in the orchestrator's name, from another host
    await probe.settled()
    check = "takes the sender's host from the subject: nobody else is the orchestrator"
    probe.silent(check, BUS, Ready, ORCHESTRATOR_ADDRESS, lambda ready: ready.attempt >= FOREIGN)


def _misshapen(whole: bytes) -> tuple[bytes, ...]:
    less, more = msgpack.unpackb(whole), msgpack.unpackb(whole)
    del less[2][0][3]["terms"]
    more[2][0][3]["attempt"] = "ninety"
    return msgpack.packb(less), msgpack.packb(more)


async def leave(probe: HouseholdProbe, result: Result) -> None:
    """Check that the household repeats its result, and leaves when the orchestrator releases it,
    but for no other sender."""
    await probe.again("repeats Result until Release comes", JOINING, ORCHESTRATOR_ADDRESS, result)
    probe.mark()
    await probe.say(STRANGER, Release())
    await probe.settled()
    probe.silent(
        "is released by the orchestrator only",
        JOINING,
        Left,
        ORCHESTRATOR_ADDRESS,
        lambda left: True,
    )
    probe.mark()
    await probe.say(ORCHESTRATOR_ADDRESS, Release())
    await probe.expect(
        "leaves when it is released", JOINING, Left, ORCHESTRATOR_ADDRESS, "after Release"
    )
