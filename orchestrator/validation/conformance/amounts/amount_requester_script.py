"""Script of content amounts: wishes of the tested household, and what its partners make of them.

The household decides what it wants, and in which order; each wish meets the next fate that its kind
has not met yet.
"""

from typing import Literal, NamedTuple

import numpy as np

from orchestrator.validation.conformance.amounts.amount_changes import (
    COUNTS_PER_KWH,
    answer,
    bad_answers,
    is_part,
    kwh,
    limits_of,
    part_of,
    proposal,
    spread,
)
from orchestrator.validation.conformance.amounts.amount_matchmaker_role import SECTION, WISHES
from orchestrator.validation.conformance.amounts.amount_stage import AmountStage, of_lease
from orchestrator.validation.conformance.checks import StuckError
from orchestrator.validation.conformance.household_probe import shown
from orchestrator.validation.conformance.roles import PARTNERS
from protocol.messages import (
    Address,
    AmountConfirmation,
    AmountDone,
    AmountLookup,
    AmountProposal,
)
from protocol.messages.amounts import PIECES
from protocol.messages.exchange import LeaseId
from protocol.vectors import Array, Int64Array

Fate = Literal["refused", "silent", "halved", "met", "released", "gathered"]
FATES: dict[Literal["part", "whole"], tuple[Fate, ...]] = {
    "part": ("refused", "silent", "halved", "met"),
    "whole": ("released", "gathered"),
}
UNTRIED: dict[Fate, str] = {
    "refused": "reports a lease as refused, with the pieces of the day",
    "silent": "goes on without a partner that is silent for lease_seconds",
    "halved": "agrees with its partner on a part",
    "met": "commits when it gets all that it proposed",
    "released": "decides when nobody is left",
    "gathered": "commits when its partners together make enough room",
}
"""The check of each fate, for those that no wish has met."""


class Talk(NamedTuple):
    """A talk that the household has opened."""

    lease: LeaseId
    change: Int64Array
    kind: Literal["part", "whole"]


class AmountRequesterScript:
    """The tested household as requester."""

    def __init__(self, stage: AmountStage) -> None:
        self._stage, self._probe, self._matchmaker = stage, stage.probe, stage.matchmaker
        self._fates = {kind: list(fates) for kind, fates in FATES.items()}

    @property
    def done(self) -> bool:
        """True once every fate was met."""
        return not any(self._fates.values())

    def untried(self) -> None:
        """Note the checks of the fates that no wish has met."""
        for kind, fates in self._fates.items():
            for fate in fates:
                expected = f"a wish of kind {kind}: give it other plans or devices"
                self._probe.note(UNTRIED[fate], SECTION, None, expected, "none")

    async def meets(self, lookup: AmountLookup) -> None:
        """Let a wish meet its fate; one that has been refused already finds nobody else."""
        if lookup.without:
            await self._matchmaker.answer()
            return
        talk = await self._proposes(lookup, PARTNERS[0])
        if talk is None:
            self._failed()
            return
        fates = self._fates[talk.kind]
        match fates.pop(0) if fates else None:
            case "refused":
                await self._is_refused(talk)
            case "silent":
                await self._hears_nothing(talk)
            case "halved":
                await self._gets_half(talk)
            case "met":
                await self._gets_all(talk)
            case "released":
                await self._lacks_partners(talk)
            case "gathered":
                await self._gathers(talk)
            case _:
                await self._refuse(talk)

    # -- proposals --------------------------------------------------------------------------------

    async def _proposes(self, lookup: AmountLookup, partner: Address) -> Talk | None:
        """Find a partner that announces all that is wanted, and check what it is asked; None if
        nothing suits the household after all."""
        probe, slots = self._probe, self._stage.slots
        probe.mark()
        match = await self._matchmaker.finds(partner)
        assert match.lease is not None
        lease = match.lease.id

        def found() -> AmountProposal | AmountLookup | None:
            self._matchmaker.read()
            said: AmountProposal | None = probe.said(AmountProposal, partner, of_lease(lease))
            if said is not None:
                return said
            return self._matchmaker.open if lease in self._matchmaker.ended else None

        check = "proposes a change within what it wants, with sum 0"
        expected = f"AmountProposal to {partner.name}: {lease}, sequence 1"
        came: AmountProposal | AmountLookup = await probe.require(check, SECTION, expected, found)
        if isinstance(came, AmountLookup):
            return None
        self._stage.expected.asked += 1
        wanted = is_part(*_said(came), *_limits(lookup))
        right = (came.sequence, wanted) == (1, True) and len(came.slots) > 1
        probe.note(check, SECTION, right, expected, shown(came))
        if not wanted:
            raise StuckError(check)
        return Talk(lease, spread(*_said(came), slots), came.kind)

    async def _again(self, talk: Talk) -> AmountProposal:
        """Check that a proposal is repeated, and return it."""
        said: AmountProposal | None = self._probe.said(
            AmountProposal, PARTNERS[0], of_lease(talk.lease)
        )
        assert said is not None
        check = "repeats a proposal until AmountAnswer comes"
        await self._probe.again(check, SECTION, PARTNERS[0], said)
        return said

    async def _refuse(self, talk: Talk) -> None:
        await self._probe.say(PARTNERS[0], answer(talk.lease, 0 * talk.change))
        self._failed()

    def _failed(self) -> None:
        expected = self._stage.expected
        expected.refused = (expected.refused or 0) + 1

    # -- fates of a part --------------------------------------------------------------------------

    async def _is_refused(self, talk: Talk) -> None:
        """Leave the household waiting, tell it nonsense, and refuse."""
        probe, (one, other), stage = self._probe, PARTNERS, self._stage
        await self._again(talk)
        asked = proposal(self._matchmaker.new_id(), talk.change)
        check = "answers busy while its own wish is open"
        await stage.is_busy(check, other, asked)
        probe.mark()
        good = answer(talk.lease, talk.change)
        await probe.say(other, good)
        await probe.say(one, answer(talk.lease, talk.change, sequence=7))
        for bad in bad_answers(good, talk.change):
            await probe.say(one, bad)
        await probe.settled()
        check = "believes no answer of a stranger, of another sequence, or that makes no sense"
        for partner in PARTNERS:
            probe.silent(check, SECTION, AmountConfirmation, partner, of_lease(talk.lease))
        check = "goes on with its talk after an answer that is none"
        asked = proposal(self._matchmaker.new_id(), talk.change)
        await stage.is_busy(check, other, asked)
        await self._refuse(talk)
        pieces = np.arange(stage.slots) * PIECES // stage.slots
        left = tuple(np.unique(pieces[talk.change > 0]).tolist())
        entered = tuple(np.unique(pieces[talk.change < 0]).tolist())
        await self._reports(UNTRIED["refused"], talk.lease, "refused", left, entered)

    async def _hears_nothing(self, talk: Talk) -> None:
        """Let the talk run out of time, and answer too late."""
        self._failed()
        await self._reports(UNTRIED["silent"], talk.lease, "void", (), ())
        check = "answers a part that it has not committed: commit false"
        unknown = self._matchmaker.new_id()
        for lease in (talk.lease, unknown):
            self._probe.mark()
            await self._probe.say(PARTNERS[0], answer(lease, talk.change))
            await self._says(check, lease, commit=False)

    async def _gets_half(self, talk: Talk) -> None:
        """Answer with half, and let the household plan again within it."""
        probe, one, lease = self._probe, PARTNERS[0], talk.lease
        half = part_of(talk.change, 0.5)
        probe.mark()
        await probe.say(one, answer(lease, half))

        def found() -> AmountProposal | AmountConfirmation | None:
            said: AmountProposal | None = probe.said(
                AmountProposal,
                one,
                # The first proposal may have been repeated meanwhile.
                lambda said: LeaseId(*said.lease) == lease and said.sequence != 1,
            )
            done: AmountConfirmation | None = probe.said(AmountConfirmation, one, of_lease(lease))
            return said or done

        expected = f"AmountProposal with sequence 2 within the part, or AmountConfirmation, {lease}"
        came: AmountProposal | AmountConfirmation = await probe.require(
            UNTRIED["halved"], SECTION, expected, found
        )
        if isinstance(came, AmountProposal):
            self._stage.expected.asked += 1
            check = "proposes less only within the part of its partner"
            right = came.sequence == 2 and is_part(*_said(came), *limits_of(half))
            probe.note(check, SECTION, right, expected, shown(came))
            probe.mark()
            await probe.say(one, answer(lease, half))
            await probe.settled()
            check = "believes no answer of a stranger, of another sequence, or that makes no sense"
            probe.silent(check, SECTION, AmountConfirmation, one, of_lease(lease))
            half = spread(*_said(came), self._stage.slots)
            await probe.say(one, answer(lease, half, sequence=2))
        said = await self._says(UNTRIED["halved"], lease)
        await self._concludes([(one, lease, half)], said)

    async def _gets_all(self, talk: Talk) -> None:
        """Answer with all that was proposed; the household must commit, and say so until it is
        heard."""
        probe, (one, other), lease = self._probe, PARTNERS, talk.lease
        probe.mark()
        await probe.say(one, answer(lease, talk.change))
        said = await self._says(UNTRIED["met"], lease, commit=True)
        await probe.again("repeats a confirmation until AmountDone comes", SECTION, one, said)
        await probe.say(other, AmountDone(lease))
        check = "ends a talk only by AmountDone of its partner"
        await probe.again(check, SECTION, one, said)
        await self._concludes([(one, lease, talk.change)], said)
        probe.mark()
        await probe.say(one, answer(lease, talk.change))
        check = "tells a partner that asks again what it has committed"
        await self._says(check, lease, commit=True)

    # -- fates of a whole -------------------------------------------------------------------------

    async def _lacks_partners(self, talk: Talk) -> None:
        """Give half of the room that is needed, and no more."""
        half = await self._gives_half(talk)
        self._probe.mark()
        await self._matchmaker.answer()
        said = await self._says(UNTRIED["released"], talk.lease)
        check = "repeats a confirmation until AmountDone comes"
        await self._probe.again(check, SECTION, PARTNERS[0], said)
        await self._concludes([(PARTNERS[0], talk.lease, half)], said)

    async def _gathers(self, talk: Talk) -> None:
        """Give the room that is needed, half of it each."""
        probe, (one, other) = self._probe, PARTNERS
        half = await self._gives_half(talk)
        lookup = self._matchmaker.open
        assert lookup is not None
        second = await self._proposes(lookup, other)
        if second is None:
            self._failed()
            return
        probe.mark()
        await probe.say(one, answer(talk.lease, half))
        await probe.settled()
        check = "answers no partner that asks while the wish is open"
        probe.silent(check, SECTION, AmountConfirmation, one, of_lease(talk.lease))
        rest = talk.change - half
        check = "proposes to the next partner all that is still missing"
        right = second.kind == "whole" and np.array_equal(second.change, rest)
        probe.note(check, SECTION, right, f"{rest[rest != 0][:4]}", f"{second.change[:4]}")
        probe.mark()
        await probe.say(other, answer(second.lease, second.change))
        said = await self._says(UNTRIED["gathered"], talk.lease, commit=True)
        await self._says(UNTRIED["gathered"], second.lease, commit=True, partner=other)
        parts = [(one, talk.lease, half), (other, second.lease, second.change)]
        await self._concludes(parts, said)

    async def _gives_half(self, talk: Talk) -> Int64Array:
        """Answer with half; the household must look for the rest. Returns the half."""
        half = part_of(talk.change, 0.5)
        await self._probe.say(PARTNERS[0], answer(talk.lease, half))
        rest, name = talk.change - half, PARTNERS[0].name
        await self._matchmaker.lookup(
            "looks for the rest elsewhere, without the partners that it has asked",
            WISHES,
            f"without {name}, wants up and down what is missing",
            lambda lookup: (
                lookup.without == (name,)
                and np.array_equal(lookup.want_up_kwh - lookup.want_down_kwh, kwh(rest))
            ),
        )
        return half

    # -- decisions --------------------------------------------------------------------------------

    async def _says(
        self,
        check: str,
        lease: LeaseId,
        *,
        commit: bool | None = None,
        partner: Address = PARTNERS[0],
    ) -> AmountConfirmation:
        """Wait for the household's decision; with `commit` it must be that one."""
        expected = f"{lease}" if commit is None else f"{lease}, commit {commit}"
        return await self._probe.expect(
            check,
            SECTION,
            AmountConfirmation,
            partner,
            expected,
            pick=of_lease(lease),
            right=lambda said: commit is None or said.commit == commit,
        )

    async def _concludes(
        self, parts: list[tuple[Address, LeaseId, Int64Array]], said: AmountConfirmation
    ) -> None:
        """Acknowledge a decision, note what it changes, and check how it is reported."""
        for partner, lease, part in parts:
            if said.commit:
                self._stage.changes(part)
            await self._probe.say(partner, AmountDone(lease))
            await self._probe.say(partner, AmountDone(lease))
        if said.commit:
            self._stage.expected.agreed += 1
            for _, lease, _ in parts:
                await self._reports("reports a lease as done", lease, "done", None, None)
        else:
            self._failed()

    async def _reports(
        self,
        check: str,
        lease: LeaseId,
        ending: str,
        left: tuple[int, ...] | None,
        entered: tuple[int, ...] | None,
    ) -> None:
        """Wait for the lookup that reports this lease as ended, which stays open; None: any
        pieces."""
        matchmaker, expected = self._matchmaker, f"{ending}, {left}, {entered} for {lease}"

        def found() -> bool | None:
            matchmaker.read()
            return True if lease in matchmaker.ended or matchmaker.open else None

        while lease not in matchmaker.ended:
            if matchmaker.open is not None:
                await matchmaker.answer()
            await self._probe.require(check, WISHES, expected, found)
        end = matchmaker.ended[lease]
        pieces = [(left, end.left), (entered, end.entered)]
        right = end.ending == ending and all(one in (None, came) for one, came in pieces)
        self._probe.note(check, WISHES, right, expected, f"{end}")


def _said(said: AmountProposal) -> tuple[tuple[int, ...], Int64Array]:
    return said.slots, said.amounts


def _limits(lookup: AmountLookup) -> tuple[Array, Array]:
    """Return how much more and less a lookup wants at each slot, counts."""
    return lookup.want_up_kwh * COUNTS_PER_KWH, lookup.want_down_kwh * COUNTS_PER_KWH
