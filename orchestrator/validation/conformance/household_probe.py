"""The test probe: the tested household is on one side of the bus, the test on the other in place of
all other parts.

The probe receives everything the household sends, sends messages under any name, and records
results. The scripts beside it decide what to send and what is right.
"""

import asyncio
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np

from orchestrator.coordination.nodes import ORCHESTRATOR_ADDRESS
from orchestrator.validation.conformance.checks import Check, CheckList, StuckError
from orchestrator.validation.conformance.sealed_leases import AnyProposal, SealedLeases
from protocol.codec import Item, decode_frame, encode_frame, encode_message
from protocol.errors import DecodeError
from protocol.messages import (
    Address,
    AmountAnswer,
    AmountProposal,
    BundleProposal,
    Counter,
    Message,
    Outcome,
    Place,
    Proposal,
    Ready,
)
from protocol.subjects import direct, everything, receiver_of, sender_of
from protocol.transport.bus import Bus

M = TypeVar("M", bound=Any)
SHOWN = 6
"""Largest number of messages quoted when none of them is the expected one."""


class Heard(NamedTuple):
    """One message from the tested household."""

    to: Address
    message: Message


class HouseholdProbe:
    """The probe of one household. Invariant: `heard` has all messages of the household, in order;
    `_start` is the index where the present step begins."""

    def __init__(self, bus: Bus, run: str, household: str, patience: float) -> None:
        """Set up a probe that waits at most `patience` seconds for each expected message."""
        self.checks, self.household = CheckList(), household
        self.heard: list[Heard] = []
        self.where: Address | None = None
        """The household's address, once it has enrolled."""
        self.place: Place | None = None
        """The last place that the household was given."""
        self.leases = SealedLeases()
        """The seals of leases in the present round."""
        self._bus, self._run, self._patience = bus, run, patience
        self._start = 0
        self._arrived = asyncio.Event()
        self._error: Exception | None = None

    async def open(self) -> None:
        """Start receiving."""
        await self._bus.subscribe(everything(self._run), self._receive, self._fail)

    # -- sending
    # -------------------------------------------------------------------------------------

    async def say(self, sender: Address, message: Message, run: str | None = None) -> None:
        """Send a message to the household in the name of `sender`, in the present run or in another
        one. Leases get their seals."""
        assert self.where is not None
        said = self.leases.sealed(sender, message, self.where)
        item = Item(self.household, sender.name, said)
        await self.send(sender, encode_frame(run or self._run, [item]))

    async def proposes_without_lease(
        self, section: str, sender: Address, proposal: AnyProposal
    ) -> None:
        """Propose this to the household in the name of `sender` without a good lease, in several
        ways, and check that it answers nothing."""
        assert self.where is not None
        self.mark()
        for forged in self.leases.without_lease(sender, proposal, self.where):
            await self.say(sender, forged)
        await self.settled()
        answers: tuple[type[Message], ...] = (Outcome, Counter, AmountAnswer)
        for kind in answers:
            check = "takes no proposal without a lease of its matchmaker"
            self.silent(check, section, kind, sender, lambda said: True)

    async def send(self, sender: Address, data: bytes) -> None:
        """Send bytes to the household, valid or not."""
        assert self.where is not None
        await self._bus.publish(direct(self._run, self.where.host, sender.host), data)

    async def put(self, place: Place) -> None:
        """Give the household a place."""
        self.place = place
        await self.say(ORCHESTRATOR_ADDRESS, place)

    async def settled(self) -> None:
        """Wait until the household has handled everything sent so far.

        Its present place is sent once more, and the household must confirm it again.
        """
        assert self.place is not None
        attempt, before = self.place.attempt, len(self.heard)
        await self.say(ORCHESTRATOR_ADDRESS, self.place)
        await self.require(
            "confirms a place that it has already, once more",
            "Joining and leaving, Starting again",
            f"Ready with attempt {attempt}",
            lambda: self._first(
                Ready, ORCHESTRATOR_ADDRESS, lambda ready: ready.attempt == attempt, before
            ),
        )

    # -- receiving
    # -----------------------------------------------------------------------------------

    def mark(self) -> None:
        """Begin a step: earlier messages no longer count."""
        self._start = len(self.heard)

    def said(self, kind: type[M], to: Address, pick: Callable[[M], bool]) -> M | None:
        """Return the matching message that the household sent in this step, if any."""
        return self._first(kind, to, pick, self._start)

    async def expect(
        self,
        check: str,
        section: str,
        kind: type[M],
        to: Address,
        expected: str,
        *,
        pick: Callable[[M], bool] = lambda message: True,
        right: Callable[[M], bool] = lambda message: True,
    ) -> M:
        """Wait for the first message of this kind in this step that `pick` accepts, and check that
        it is `right`.

        Raises StuckError if there is none.
        """
        what = f"{kind.__name__} to {to.name}: {expected}"
        message: M = await self.require(
            check, section, what, lambda: self._first(kind, to, pick, self._start)
        )
        self.note(check, section, right(message), what, shown(message))
        return message

    async def again(self, check: str, section: str, to: Address, message: Message) -> None:
        """Check that the household repeats this message without being asked."""
        start, same = len(self.heard), encode_message(message)
        kind = type(message)
        await self.require(
            check,
            section,
            f"the same {kind.__name__} to {to.name} once more, after 0.5 to 4 s",
            lambda: self._first(kind, to, lambda m: encode_message(m) == same, start),
        )
        self.note(check, section, True, "", "")

    def silent(
        self,
        check: str,
        section: str,
        kind: type[M],
        to: Address,
        pick: Callable[[M], bool],
        *,
        ever: bool = False,
    ) -> None:
        """Check that the household sent no such message in this step, or at all if `ever`."""
        message = self._first(kind, to, pick, 0 if ever else self._start)
        came = "" if message is None else shown(message)
        self.note(check, section, message is None, f"no {kind.__name__} to {to.name}", came)

    def note(self, check: str, section: str, passed: bool | None, expected: str, came: str) -> None:
        """Add a check to the list."""
        self.checks.note(
            Check(name=check, passed=passed, expected=expected, came=came, section=section)
        )

    # -- the bus ----------------------------------------------------------------------------------

    def _first(self, kind: type[M], to: Address, pick: Callable[[M], bool], start: int) -> M | None:
        for heard in self.heard[start:]:
            if isinstance(heard.message, kind) and heard.to == to and pick(heard.message):
                return heard.message
        return None

    async def require(
        self, check: str, section: str, expected: str, find: Callable[[], M | None]
    ) -> M:
        """Wait until `find` returns a message. If it does not, the check fails and StuckError is
        raised."""
        try:
            async with asyncio.timeout(self._patience):
                while (message := find()) is None:
                    self._arrived.clear()
                    await self._arrived.wait()
                    if self._error is not None:
                        raise self._error
        except TimeoutError:
            came = [shown(heard.message) for heard in self.heard[self._start :][-SHOWN:]]
            self.note(check, section, False, expected, "; ".join(came) or "nothing")
            raise StuckError(check) from None
        return message

    def _receive(self, subject: str, data: bytes) -> None:
        sender, to = sender_of(subject), receiver_of(subject)
        try:
            items = decode_frame(data, self._run)
        except DecodeError as error:
            if self.where is not None and sender == self.where.host:
                self._garbled(str(error))
            return
        for item in items:
            if item.sender != self.household:
                continue
            if self.where is None:
                self.where = Address(sender, item.sender)
            if self.where.host == sender:
                self.heard.append(Heard(Address(to, item.to), item.message))
                self._look_at_seal(item.message)
        self._arrived.set()

    def _look_at_seal(self, message: Message) -> None:
        if isinstance(message, Proposal | BundleProposal | AmountProposal):
            check = "shows round and seal of its lease with a proposal"
            right = self.leases.is_shown(message)
            self.note(
                check, "Leases and seals", right, "as the matchmaker gave them", shown(message)
            )

    def _garbled(self, came: str) -> None:
        expected = "frames of this run and version, with the fields of the tables"
        self.note("sends frames that can be read", "Frames", False, expected, came)

    def _fail(self, error: Exception) -> None:
        self._error = error
        self._arrived.set()


def shown(message: Message) -> str:
    """Return a message as text for people, with long vectors shortened."""
    parts = (f"{f.name}={_value(getattr(message, f.name))}" for f in fields(message))
    return f"{type(message).__name__}({', '.join(parts)})"


def _value(value: Any) -> str:
    if isinstance(value, np.ndarray):
        numbers = ", ".join(f"{number:.6g}" for number in value[:4])
        return f"[{numbers}{', ...' if len(value) > 4 else ''}]"
    if is_dataclass(value):
        return "..."
    if isinstance(value, tuple) and len(value) > 8:
        return f"({', '.join(map(str, value[:8]))}, ...)"
    return repr(value)
