"""The partners of the tested household in talks about bundles, whoever opens the talk."""

from collections.abc import Callable
from typing import Protocol

from orchestrator.validation.conformance.bundles.bundle_offers import SlotPair
from orchestrator.validation.conformance.exchange_script import ExchangeScript
from orchestrator.validation.conformance.household_probe import shown
from protocol.messages import Address, BundleProposal, Counter, Outcome
from protocol.messages.exchange import WHOLE, LeaseId

SECTION = "Content bundle"
PARTNERS_PART = f"{SECTION}, Partners"


class OfLease(Protocol):
    """A message of a talk."""

    @property
    def lease(self) -> LeaseId:
        """The lease of the talk."""
        ...


def of_lease(lease: LeaseId) -> Callable[[OfLease], bool]:
    """Return a filter for messages of this talk."""
    return lambda said: LeaseId(*said.lease) == lease


class BundlePartners:
    """The partners; they note in `expected` what each talk must change."""

    def __init__(self, stage: ExchangeScript) -> None:
        self.matchmaker, self.probe, self.expected = stage.matchmaker, stage.probe, stage.expected
        self.planned_kwh = float(stage.expected.held.sum())
        """The household's own energy after stage 1, kWh."""

    def new_lease(self) -> LeaseId:
        """Return the id of a lease that no talk has had."""
        return self.matchmaker.new_id()

    def takes(self, pair: SlotPair) -> None:
        """Note that the household has exchanged its values at a pair of slots."""
        held = self.expected.held
        held[list(pair.slots)] = pair.held_by_partner(held)

    async def refuses(
        self, check: str, partner: Address, said: BundleProposal, reason: str = ""
    ) -> None:
        """Send a proposal and check that it is refused, for this reason if there is one."""
        await self.answered(
            check,
            partner,
            said,
            f"Outcome with slot -1, refused{f', {reason}' if reason else ' with a reason'}",
            lambda answer: (
                isinstance(answer, Outcome)
                and (answer.slot, answer.accepted) == (WHOLE, False)
                and (answer.reason == reason if reason else answer.reason != "")
            ),
        )

    async def answered(
        self,
        check: str,
        partner: Address,
        said: BundleProposal,
        expected: str,
        right: Callable[[Counter | Outcome], bool],
    ) -> None:
        """Send a proposal, wait for its answer, of whatever kind, and check it."""
        lease, probe = LeaseId(*said.lease), self.probe
        probe.mark()
        await probe.say(partner, said)

        def found() -> Counter | Outcome | None:
            counter: Counter | None = probe.said(Counter, partner, of_lease(lease))
            return counter or probe.said(Outcome, partner, of_lease(lease))

        answer: Counter | Outcome = await probe.require(
            check, SECTION, f"{expected}, {lease}", found
        )
        probe.note(check, SECTION, right(answer), f"{expected}, {lease}", shown(answer))
