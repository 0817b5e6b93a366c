"""Scripts of joining and leaving: enrolment, places, what is not for it, and the end."""

import msgpack

from orchestrator.coordination.nodes import ORCHESTRATOR_ADDRESS as ORCHESTRATOR
from orchestrator.validation.conformance.household_probe import Stand
from orchestrator.validation.conformance.roles import PARENT, STRANGER, place_of
from protocol.codec import VERSION, Item, encode_frame
from protocol.messages import Enrol, Go, Left, Place, Ready, Release, Result, Up

JOINING, AGAIN = "Joining and leaving", "Joining and leaving, Starting again"
FRAMES, BUS = "Frames", "Bus"
FOREIGN = 90
"""Attempts from here on are those of places that it must not take."""


async def join(probe: HouseholdProbe) -> tuple[int, Place]:
    """It enrols and is placed as a leaf: its slots, and the place."""
    enrolled = await stand.expect(
        "enrols",
        JOINING,
        Enrol,
        ORCHESTRATOR,
        "at least 1 slot",
        right=lambda enrol: enrol.slots >= 1,
    )
    await stand.again("repeats Enrol until Place comes", JOINING, ORCHESTRATOR, enrolled)
    stand.mark()
    place = place_of(1, parent=True, children=False)
    await stand.put(place)
    ready = await confirms(stand, 1)
    await stand.again("repeats Ready until Go comes", JOINING, ORCHESTRATOR, ready)
    stand.mark()
    await stand.say(STRANGER, Go(1))
    await stand.say(ORCHESTRATOR, Go(2))
    await stand.settled()
    check = "does not begin by a Go of a stranger, or of another attempt"
    probe.silent(check, JOINING, Up, PARENT, lambda up: True)
    return enrolled.slots, place


async def confirms(probe: HouseholdProbe, attempt: int) -> Ready:
    """Its answer to a place."""
    return await probe.expect(
        "confirms its place",
        JOINING if attempt == 1 else AGAIN,
        Ready,
        ORCHESTRATOR,
        f"attempt {attempt}",
        pick=lambda ready: ready.attempt == attempt,
    )


async def place_anew(probe: HouseholdProbe, place: Place) -> None:
    """Stage 1 begins again for all."""
    probe.mark()
    await probe.put(place)
    await confirms(probe, place.attempt)


async def disturb(probe: HouseholdProbe, run: str) -> None:
    """Things that no household may take: all would place it, and none may."""
    place = place_of(FOREIGN, parent=True, children=False)

    def frame(run: str, version: int = VERSION) -> bytes:
        parts = msgpack.unpackb(
            encode_frame(run, [Item(stand.household, ORCHESTRATOR.name, place)])
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
            await stand.send(ORCHESTRATOR, data)
        await stand.settled()
        stand.silent(check, FRAMES, Ready, ORCHESTRATOR, lambda ready: ready.attempt >= FOREIGN)
    stand.mark()
    await stand.say(STRANGER, place)
    await stand.send(STRANGER, whole)  # in the orchestrator's name, from another host
    await stand.settled()
    check = "takes the sender's host from the subject: nobody else is the orchestrator"
    stand.silent(check, BUS, Ready, ORCHESTRATOR, lambda ready: ready.attempt >= FOREIGN)


def _misshapen(whole: bytes) -> tuple[bytes, ...]:
    less, more = msgpack.unpackb(whole), msgpack.unpackb(whole)
    del less[2][0][3]["terms"]
    more[2][0][3]["attempt"] = "ninety"
    return msgpack.packb(less), msgpack.packb(more)


async def leave(probe: HouseholdProbe, result: Result) -> None:
    """It has said its result; it goes when the orchestrator says so, and nobody else."""
    await stand.again("repeats Result until Release comes", JOINING, ORCHESTRATOR, result)
    stand.mark()
    await stand.say(STRANGER, Release())
    await stand.settled()
    stand.silent(
        "is released by the orchestrator only", JOINING, Left, ORCHESTRATOR, lambda left: True
    )
    stand.mark()
    await stand.say(ORCHESTRATOR, Release())
    await stand.expect("leaves when it is released", JOINING, Left, ORCHESTRATOR, "after Release")
