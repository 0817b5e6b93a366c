"""The check of leases by a responder, and what a household makes of a proposal without one."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agents.exchange.bundles.bundle_exchange import BundleExchange
from agents.exchange.holding import Holding
from agents.exchange.journal.entries import Journal, MemoryJournal
from agents.exchange.journal.records import Setting
from agents.exchange.lease_check import LeaseCheck
from agents.exchange.slot_exchange import SlotExchange
from agents.mandate import FREE
from protocol.errors import PeerError
from protocol.lease_seal import LeaseSigner, SealedLease
from protocol.messages import Address, BundleProposal, Lookup, Match, NextRound, Outcome, Proposal
from protocol.messages.exchange import WHOLE, Lease, LeaseId
from protocol.terms import ContentName, ExchangeTerms

REQUESTER, OWN = Address("host-1", "a"), Address("host-2", "b")
MAKERS = (Address("maker-1", "maker-1"), Address("maker-2", "maker-2"))
SIGNERS = (LeaseSigner("01" * 32), LeaseSigner("02" * 32))
KEYS = tuple(signer.public_key for signer in SIGNERS)
ROUND = 3


def sealed(
    proposal: Any,
    *,
    content: ContentName = "slot",
    slot: int = 0,
    round: int = ROUND,
    signer: LeaseSigner = SIGNERS[0],
    requester: Address = REQUESTER,
) -> Any:
    """Return the proposal with a seal for this round and requester."""
    lease = SealedLease(
        id=proposal.lease,
        content=content,
        slot=slot,
        round=round,
        requester=requester,
        responder=OWN,
    )
    return replace(proposal, round=round, seal=signer.seals([lease])[0])


def proposal(slot: int = 0, number: int = 1) -> Proposal:
    return Proposal(
        lease=LeaseId(1, number), slot=slot, given_kwh=2.0, taken_kwh=1.0, change_kwh2=0.0
    )


BUNDLE = BundleProposal(
    lease=LeaseId(1, 1),
    disclosure="limit",
    slots=(0, 1),
    values_kwh=np.array([2.0, 1.0]),
    limits_kwh=np.array([-1.0, 1.0]),
    loss_kwh2=0.0,
    less_kwh=1.0,
    more_kwh=1.0,
)


@pytest.mark.parametrize("round", [ROUND, ROUND + 1])
def test_a_lease_is_good_in_its_round_and_just_before(round: int) -> None:
    check = LeaseCheck(OWN, "slot", KEYS)
    check.check(REQUESTER, sealed(proposal(), round=round), slot=0, round=ROUND)


@pytest.mark.parametrize("round", [-1, ROUND - 1, ROUND + 2, 2**31 - 1])
def test_a_lease_of_another_round_is_no_good(round: int) -> None:
    check = LeaseCheck(OWN, "slot", KEYS)
    with pytest.raises(PeerError, match=f"a proposes under a lease of round {round} in {ROUND}"):
        check.check(REQUESTER, sealed(proposal(), round=round), slot=0, round=ROUND)


def test_each_matchmaker_has_its_own_key() -> None:
    check = LeaseCheck(OWN, "slot", KEYS)
    second = sealed(proposal(1), slot=1, signer=SIGNERS[1])
    check.check(REQUESTER, second, slot=1, round=ROUND, matchmaker=1)
    with pytest.raises(PeerError, match="a proposes without a lease"):
        check.check(REQUESTER, second, slot=1, round=ROUND, matchmaker=0)


def test_where_leases_are_not_sealed_nothing_is_checked() -> None:
    LeaseCheck(OWN, "slot").check(REQUESTER, proposal(), slot=0, round=ROUND)


def without_lease(of: Any, **right: Any) -> Iterator[Any]:
    """Yield the proposal in all the ways in which it has no lease."""
    yield of
    yield replace(of, round=ROUND)
    yield replace(sealed(of, **right), lease=LeaseId(1, 99))
    yield sealed(of, **{**right, "requester": Address("host-9", "a")})
    yield sealed(of, **{**right, "signer": LeaseSigner("99" * 32)})
    yield sealed(of, **{**right, "round": ROUND - 1})
    yield sealed(of, **{**right, "slot": 7})


def slots(terms: ExchangeTerms, journal: Journal | None = None) -> SlotExchange:
    held = np.ones(4)
    made = SlotExchange(
        OWN,
        Holding(held, held + 1, terms, FREE),
        MemoryJournal() if journal is None else journal,
        matchmakers=MAKERS,
        terms=terms,
        session=1,
        leases=LeaseCheck(OWN, "slot", KEYS),
    )
    made.share(0.25, 0.0, 0.1)
    made.enter(ROUND)
    return made


def bundles(terms: ExchangeTerms) -> BundleExchange:
    setting = Setting(None, (), (MAKERS[0],), terms, position=1, households=2)
    holding = Holding(np.array([1.0, 2.0]), np.array([2.0, 1.0]), terms, FREE)
    made = BundleExchange(
        OWN,
        holding,
        MemoryJournal(),
        setting=setting,
        session=1,
        leases=LeaseCheck(OWN, "bundle", KEYS[:1]),
    )
    made.share(0.25, 0.01, 0.125)
    made.enter(ROUND)
    return made


def test_a_swap_needs_a_lease_and_needs_it_once() -> None:
    made = slots(ExchangeTerms(content="slot"))
    for forged in without_lease(proposal()):
        with pytest.raises(PeerError):
            made.handle(REQUESTER, forged, 1.0)
    assert made.counts.given == made.counts.withheld == 0
    (said,) = made.handle(REQUESTER, sealed(proposal()), 1.0)
    assert isinstance(said.message, Outcome)
    assert said.message.accepted
    again = replace(proposal(), round=ROUND - 1)
    assert made.handle(REQUESTER, again, 2.0) == [said], "answered from the record"
    assert made.counts.given == 1


def test_a_bundle_needs_a_lease_and_needs_it_once() -> None:
    made = bundles(ExchangeTerms(content="bundle", energy_drift_kwh=0.05))
    right: dict[str, Any] = {"content": "bundle", "slot": WHOLE}
    for forged in without_lease(BUNDLE, **right):
        assert made.bundles_for(REQUESTER, forged) is None, "nothing is computed for it"
        with pytest.raises(PeerError):
            made.handle(REQUESTER, forged, 1.0)
    good = sealed(BUNDLE, **right)
    assert made.bundles_for(REQUESTER, good) is made.bundles
    (said,) = made.handle(REQUESTER, good, 1.0)
    assert made.bundles_for(REQUESTER, good) is None, "it has been answered"
    assert made.handle(REQUESTER, BUNDLE, 2.0) == [said]


def test_a_requester_shows_its_lease_also_after_a_restart() -> None:
    journal = MemoryJournal()
    made = slots(ExchangeTerms(content="slot", order="concurrent"), journal)
    made.ask(NextRound(ROUND, (0,), 0.25))
    (envelope,) = made.go_on(1.0, asking=True)
    lookup = envelope.message
    assert isinstance(lookup, Lookup)
    lease = Lease(LeaseId(5, 8), 0, REQUESTER, 2.0, 15.0, round=ROUND, seal=b"seal")
    match = Match(
        session=1,
        number=lookup.number,
        epoch=5,
        anew=False,
        engaged=False,
        leases=(lease,),
        none=(),
        busy=(),
    )
    (said,) = made.handle(MAKERS[0], match, 2.0)
    assert isinstance(said.message, Proposal)
    assert (said.message.round, said.message.seal) == (ROUND, b"seal")
    journal.commit()
    again = slots(ExchangeTerms(content="slot", order="concurrent"))
    for entry in journal.entries()[OWN.name]:
        again.replay(entry, 3.0)
    assert again.repeat(3.0) == [said]
