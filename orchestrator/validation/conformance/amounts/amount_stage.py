"""The stage of an exchange of amounts, as both scripts of talks need it: rounds, and what the
tested household has done in them."""

from collections.abc import Callable
from typing import Protocol

from orchestrator.validation.conformance.amounts.amount_changes import kwh
from orchestrator.validation.conformance.amounts.amount_matchmaker_role import (
    ANNOUNCEMENTS,
    SECTION,
    AmountMatchmakerRole,
)
from orchestrator.validation.conformance.household_probe import shown
from orchestrator.validation.conformance.planning_script import PlanningScript
from orchestrator.validation.conformance.round_script import IS_DONE, ROUNDS, RoundScript
from protocol.messages import (
    Address,
    AmountAnswer,
    AmountLookup,
    AmountProposal,
    Lookup,
    RoundDone,
    Up,
)
from protocol.messages.exchange import LeaseId
from protocol.vectors import Int64Array


class OfLease(Protocol):
    """A message of a talk."""

    @property
    def lease(self) -> LeaseId:
        """The lease of the talk."""
        ...


def of_lease(lease: LeaseId) -> Callable[[OfLease], bool]:
    """Return a filter for messages of this talk."""
    return lambda said: LeaseId(*said.lease) == lease


class AmountStage(RoundScript):
    """Rounds in which the household exchanges amounts."""

    def __init__(self, tree: PlanningScript, planned: Up) -> None:
        """Set up the stage. `planned` has the household's sums at the end of stage 1."""
        self.matchmaker = AmountMatchmakerRole(tree.probe, tree.slots)
        super().__init__(tree, planned, self.matchmaker)
        self.expected.refused = 0
        self._heard, self._due = -1, False
        """Number of announcements when the household last changed; True if it has not announced
        since then, until the first lookup of the round."""

    @property
    def slots(self) -> int:
        """Number of slots d."""
        return self.tree.slots

    def changes(self, change: Int64Array) -> None:
        """Note that the household has made a change, int64[d] counts."""
        self.expected.held = self.expected.held + kwh(change)
        self._heard = self.matchmaker.announced

    async def begins(self, round: int) -> None:
        """Begin the next round, which the household must pass on."""
        self._due = self._heard == self.matchmaker.announced
        await super().begins(round)

    async def wish(self) -> AmountLookup | None:
        """Wait for a lookup that seeks a partner; None once the household has finished the
        round."""
        while True:
            came = await self.is_done_or_looks_up()
            if self._due:
                self._due = False
                self._announces_anew(came)
            if isinstance(came, RoundDone):
                right = came.count.households == 3
                self.probe.note(IS_DONE, ROUNDS, right, "3 households", shown(came))
                return None
            if isinstance(came, AmountLookup) and len(came.want_up_kwh):
                return came
            await self.matchmaker.answer()

    def _announces_anew(self, came: RoundDone | Lookup | AmountLookup) -> None:
        check = "announces anew before its wishes if it has changed"
        right = isinstance(came, AmountLookup) and len(came.up_kwh) == self.slots
        self.probe.note(check, ANNOUNCEMENTS, right, f"{self.slots} slots up and down", shown(came))

    async def answers(
        self,
        check: str,
        partner: Address,
        said: AmountProposal,
        expected: str,
        right: Callable[[AmountAnswer], bool],
    ) -> AmountAnswer:
        """Send a proposal, and check the answer to it."""
        self.probe.mark()
        await self.probe.say(partner, said)
        lease, sequence = LeaseId(*said.lease), said.sequence
        return await self.probe.expect(
            check,
            SECTION,
            AmountAnswer,
            partner,
            f"{lease}, sequence {sequence}: {expected}",
            pick=lambda answer: (LeaseId(*answer.lease), answer.sequence) == (lease, sequence),
            right=right,
        )

    async def is_busy(self, check: str, partner: Address, said: AmountProposal) -> None:
        """Check that a proposal is answered with the reason busy."""
        await self.answers(
            check,
            partner,
            said,
            "no slots, reason busy",
            lambda answer: (answer.slots, answer.reason) == ((), "busy"),
        )
