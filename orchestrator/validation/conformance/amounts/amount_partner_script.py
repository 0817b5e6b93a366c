"""Script of content amounts: talks that others open with the tested household."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from orchestrator.validation.conformance.amounts.amount_changes import (
    MUCH,
    bad_proposals,
    is_part,
    limits_of,
    part_of,
    proposal,
    spread,
    wishes_for,
)
from orchestrator.validation.conformance.amounts.amount_matchmaker_role import SECTION
from orchestrator.validation.conformance.amounts.amount_stage import AmountStage, of_lease
from orchestrator.validation.conformance.household_probe import shown
from orchestrator.validation.conformance.partner_script import SEALS
from orchestrator.validation.conformance.roles import PARTNERS
from protocol.messages import AmountAnswer, AmountConfirmation, AmountDone, AmountProposal
from protocol.messages.exchange import LeaseId
from protocol.vectors import Int64Array

TRIES = 24
"""Proposals with which the test looks for one that suits the household."""
SUITS = "answers with the part that suits it: sum 0, nowhere more than was proposed"


class AmountPartnerScript:
    """The tested household as partner."""

    def __init__(self, stage: AmountStage) -> None:
        self._stage, self._probe, self._matchmaker = stage, stage.probe, stage.matchmaker
        self._confirmed: LeaseId | None = None
        """The lease of a talk that was committed."""

    async def run(self) -> None:
        """Open talks while the household is free: one that makes no sense, one that is too much,
        one that is released, and one that is committed."""
        up_kwh, down_kwh = self._matchmaker.up_kwh, self._matchmaker.down_kwh
        changes = list(wishes_for(up_kwh, down_kwh))[:TRIES]
        if not changes:
            expected = "announcements of more in one slot and less in another"
            self._probe.note(SUITS, SECTION, None, f"{expected}: give it other devices", "none")
            return
        await self._refuses_nonsense(changes[0])
        await self._refuses_much(changes[0])
        found = await self._suits(changes)
        if found is None:
            expected = "a part of any proposal within what it announces"
            self._probe.note(SUITS, SECTION, None, expected, "none")
            return
        await self._is_reserved(*found)
        await self._is_released(LeaseId(*found[0].lease))
        await self._commits(found[1])

    # -- proposals --------------------------------------------------------------------------------

    async def _refuses_nonsense(self, change: Int64Array) -> None:
        probe, one = self._probe, PARTNERS[0]
        good = proposal(self._matchmaker.new_id(), change)
        probe.mark()
        for bad in bad_proposals(good, self._stage.slots):
            await probe.say(one, bad)
        await probe.say(one, AmountConfirmation(self._matchmaker.new_id(), commit=True))
        await probe.settled()
        check = "answers no proposal that makes no sense"
        probe.silent(check, SECTION, AmountAnswer, one, lambda said: True)
        check = "confirms no commit of what it has not reserved"
        probe.silent(check, SECTION, AmountDone, one, lambda said: True)
        await probe.proposes_without_lease(SEALS, one, good)

    async def _refuses_much(self, change: Int64Array) -> None:
        """Ask for more than any home can move in a slot."""
        much = np.zeros_like(change)
        much[int(change.argmax())], much[int(change.argmin())] = MUCH, -MUCH
        asked = proposal(self._matchmaker.new_id(), much)
        check = "reserves no more than its devices can follow"
        said = await self._stage.answers(
            check,
            PARTNERS[0],
            asked,
            "less than 1024 kWh",
            lambda answer: (
                is_part(answer.slots, answer.amounts, *limits_of(much))
                and bool((abs(answer.amounts) < MUCH).all())
            ),
        )
        if said.slots:
            await self._settles("settles a release, and a repeated one", asked.lease, commit=False)

    async def _suits(self, changes: list[Int64Array]) -> tuple[AmountProposal, Int64Array] | None:
        """Propose one change after another until the household reserves a part; return that
        proposal and the part."""
        for change in changes:
            asked = proposal(self._matchmaker.new_id(), change)
            said = await self._stage.answers(
                SUITS,
                PARTNERS[0],
                asked,
                "a part, or none for the reason loss",
                _is_answer_to(change),
            )
            if said.slots:
                return asked, spread(said.slots, said.amounts, self._stage.slots)
        return None

    # -- reservations -----------------------------------------------------------------------------

    async def _is_reserved(self, asked: AmountProposal, part: Int64Array) -> None:
        """Repeat the proposal, ask as another, propose less, and wait until the household asks."""
        probe, (one, other), stage = self._probe, PARTNERS, self._stage
        await self._answers_again(asked, part)
        check = "is reserved for its part: others are answered busy"
        await stage.is_busy(check, other, proposal(self._matchmaker.new_id(), part))
        probe.mark()
        await probe.say(other, AmountConfirmation(asked.lease, commit=True))
        await probe.settled()
        check = "confirms no commit of what it has not reserved"
        probe.silent(check, SECTION, AmountDone, other, lambda said: True)
        half = part_of(part, 0.5)
        less = proposal(asked.lease, half, sequence=2)
        said = await stage.answers(
            "replaces its reservation if less is proposed",
            one,
            less,
            "a part of what is proposed now",
            lambda answer: is_part(answer.slots, answer.amounts, *limits_of(half)),
        )
        probe.mark()
        await probe.say(one, asked)
        await probe.settled()
        check = "ignores a proposal with a lower sequence"
        probe.silent(check, SECTION, AmountAnswer, one, lambda answer: answer.sequence == 1)
        if said.slots:
            check = "asks again when it has been reserved for lease_seconds"
            await probe.again(check, SECTION, one, said)

    async def _is_released(self, lease: LeaseId) -> None:
        for _ in range(2):
            await self._settles("settles a release, and a repeated one", lease, commit=False)

    async def _commits(self, part: Int64Array) -> None:
        """Propose what suited the household, and commit it; repeat everything."""
        probe, one = self._probe, PARTNERS[0]
        asked = proposal(self._matchmaker.new_id(), part)
        said = await self._stage.answers(
            "is free again after a release",
            one,
            asked,
            "a part",
            lambda answer: (
                bool(answer.slots) and is_part(answer.slots, answer.amounts, *limits_of(part))
            ),
        )
        lease = self._confirmed = LeaseId(*asked.lease)
        check = "settles a commit, and a repeated one"
        for _ in range(2):
            await self._settles(check, lease, commit=True)
        self._stage.changes(-spread(said.slots, said.amounts, self._stage.slots))
        await self._settles("settles a release, and a repeated one", lease, commit=False)
        probe.mark()
        await probe.say(one, replace(asked, sequence=2))
        await probe.settled()
        check = "answers no proposal under a lease that is done"
        probe.silent(check, SECTION, AmountAnswer, one, of_lease(lease))

    async def repeat_themselves(self) -> None:
        """Repeat a confirmation after stage 2, as a partner that has missed the answer."""
        if self._confirmed is not None:
            check = "settles a commit, and a repeated one"
            await self._settles(check, self._confirmed, commit=True)

    async def _settles(self, check: str, lease: LeaseId, *, commit: bool) -> None:
        self._probe.mark()
        await self._probe.say(PARTNERS[0], AmountConfirmation(lease, commit))
        await self._probe.expect(
            check, SECTION, AmountDone, PARTNERS[0], f"{lease}", pick=of_lease(lease)
        )

    async def _answers_again(self, asked: AmountProposal, part: Int64Array) -> None:
        """Repeat a proposal. The household may not wait: it says its part again by itself later."""
        probe, lease = self._probe, LeaseId(*asked.lease)
        probe.mark()
        await probe.say(PARTNERS[0], asked)
        await probe.settled()
        said: AmountAnswer | None = probe.said(AmountAnswer, PARTNERS[0], of_lease(lease))
        probe.note(
            "answers a repeated proposal with the same part",
            SECTION,
            said is not None
            and is_part(said.slots, said.amounts, *limits_of(part))
            and np.array_equal(spread(said.slots, said.amounts, len(part)), part),
            f"AmountAnswer, {lease}: {part[part != 0][:4]}",
            "nothing" if said is None else shown(said),
        )


def _is_answer_to(change: Int64Array) -> Callable[[AmountAnswer], bool]:
    """Return a check that an answer is a part of this change, or says that there is none."""
    return lambda answer: (
        is_part(answer.slots, answer.amounts, *limits_of(change))
        and answer.reason == ("" if answer.slots else "loss")
    )
