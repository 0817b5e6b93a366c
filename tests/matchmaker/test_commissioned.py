"""A matchmaker with a commission: whom it serves, and what its leases are worth."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from matchmaker.commissioned import APPLY_AGAIN, CommissionedMatchmaker
from matchmaker.trading_matchmaker import matchmaker_of
from protocol.errors import PeerError
from protocol.lease_seal import LeaseSigner, SealedLease, check_seal
from protocol.messages import (
    Address,
    Application,
    Commission,
    Lookup,
    Match,
    Message,
    Release,
    Residents,
)
from protocol.messages.exchange import WHOLE, Lease
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms
from tests.support.gate import handed

HERE, ORCHESTRATOR = Address("maker", "maker"), Address("orchestrator", "orchestrator")
A, B = Address("host-1", "a"), Address("host-2", "b")
KEY = "5a" * 32
LIFE = 77
COMMISSION = Commission(
    life=LIFE,
    epoch=3,
    residents=(Residents("host-1", ("a",)), Residents("host-2", ("b", "c"))),
    signing_key=KEY,
)
SLOTS = ExchangeTerms(content="slot", locks="slot", at_once=2)
BUNDLES = ExchangeTerms(content="bundle", energy_drift_kwh=0.5)


EMPTY = {"values_kwh": np.zeros(0), "limits_kwh": np.zeros(0)}
"""What a lookup without new offers has."""


def made(terms: ExchangeTerms = SLOTS) -> CommissionedMatchmaker:
    return CommissionedMatchmaker(
        HERE,
        ORCHESTRATOR,
        life=LIFE,
        content=terms.content,
        make=lambda epoch: matchmaker_of(HERE, 4, epoch, terms=terms),
    )


def say(maker: CommissionedMatchmaker, sender: Address, message: Message) -> list[Message]:
    return [each.message for each in handed(maker, Envelope(sender, HERE, message))]


def commissioned(
    terms: ExchangeTerms = SLOTS, commission: Commission = COMMISSION
) -> CommissionedMatchmaker:
    maker = made(terms)
    maker.tick(0.0)
    assert say(maker, ORCHESTRATOR, commission) == []
    return maker


def lookup(number: int, value: float, limit: float, **fields: Any) -> Lookup:
    plain = Lookup(
        session=1,
        number=number,
        epoch=0,
        round=1,
        limits_bind=True,
        disclosure="limit",
        slots=(0, 1, 2, 3),
        values_kwh=np.full(4, value),
        limits_kwh=np.full(4, limit),
        withdrawn=(),
        closed=(),
        wants=(),
        wanted_kwh=np.zeros(0),
        tolerance_kwh=np.zeros(0),
        min_gain_kwh2=0.0,
        leases_max=9,
    )
    return replace(plain, **fields)


def leases(maker: CommissionedMatchmaker, *wants: int, **fields: Any) -> tuple[Lease, ...]:
    """Return the leases of household a, after b has made its offers."""
    say(maker, B, lookup(1, 2.0, -1.5))
    (match,) = say(maker, A, lookup(1, 1.0, 1.5, wants=wants, **fields))
    assert isinstance(match, Match)
    return match.leases


def check(lease: Lease, requester: Address, terms: ExchangeTerms) -> None:
    sealed = SealedLease(
        id=lease.id,
        content=terms.content,
        slot=lease.slot,
        round=1,
        requester=requester,
        responder=lease.partner,
    )
    check_seal(LeaseSigner(KEY).public_key, lease.seal, sealed)


def test_it_applies_until_it_is_commissioned() -> None:
    maker = made()
    (said,) = maker.tick(0.0)
    assert said == Envelope(HERE, ORCHESTRATOR, Application(LIFE))
    assert maker.next_deadline() == APPLY_AGAIN
    assert maker.tick(APPLY_AGAIN) == [said]
    with pytest.raises(PeerError, match="maker has no commission yet"):
        say(maker, A, lookup(1, 1.0, 1.5))  # households repeat their lookups
    assert (maker.answered, maker.summary) == (0, {})
    say(maker, ORCHESTRATOR, COMMISSION)
    assert maker.next_deadline() is None
    (match,) = say(maker, A, lookup(1, 1.0, 1.5))
    assert isinstance(match, Match)
    assert match.epoch == 3
    assert maker.answered == 1


def test_the_commission_of_an_earlier_life_changes_nothing() -> None:
    maker = made()
    maker.tick(0.0)
    say(maker, ORCHESTRATOR, replace(COMMISSION, life=LIFE - 1))
    assert maker.serving is None
    say(maker, ORCHESTRATOR, COMMISSION)
    say(maker, A, lookup(1, 1.0, 1.5))
    say(maker, ORCHESTRATOR, replace(COMMISSION, epoch=9))
    assert maker.summary["households"] == 1, "a repetition does not forget the offers"


@pytest.mark.parametrize(
    "stranger",
    [Address("host-9", "z"), Address("host-9", "a"), Address("host-2", "a"), HERE],
    ids=["invented", "as another", "on another host", "itself"],
)
def test_only_households_of_the_roster_look_up(stranger: Address) -> None:
    maker = commissioned()
    with pytest.raises(PeerError, match="is not a household of this run"):
        say(maker, stranger, lookup(1, 1.0, 1.5))
    assert maker.summary["households"] == 0


@pytest.mark.parametrize("sender", [A, Address("host-9", "orchestrator")])
def test_only_the_orchestrator_commissions(sender: Address) -> None:
    maker = made()
    with pytest.raises(PeerError, match="maker has no commission yet"):
        say(maker, sender, COMMISSION)
    assert maker.serving is None
    for message in (COMMISSION, Release()):
        with pytest.raises(PeerError, match="is not"):
            say(commissioned(), sender, message)


def test_leases_of_slots_are_sealed_for_both_sides() -> None:
    given = leases(commissioned(), 0, 1)
    assert [lease.slot for lease in given] == [0, 1]
    for lease in given:
        assert lease.round == 1
        check(lease, A, SLOTS)
        with pytest.raises(PeerError):
            check(lease, Address("host-2", "c"), SLOTS)


def test_leases_of_bundles_are_sealed() -> None:
    maker = commissioned(BUNDLES)
    for household, value, limit in ((A, 1.0, 1.5), (B, 2.0, -1.5)):
        say(maker, household, lookup(1, value, limit, round=0, households=2))
    say(maker, A, lookup(2, 1.0, 1.5, households=2, epoch=3, slots=(), **EMPTY))
    answers = handed(
        maker, Envelope(B, HERE, lookup(2, 1.0, 1.5, households=2, epoch=3, slots=(), **EMPTY))
    )
    matches = [(each.to, each.message) for each in answers]
    found = [(to, said.leases) for to, said in matches if isinstance(said, Match) and said.leases]
    ((requester, (lease,)),) = found
    assert lease.slot == WHOLE
    check(lease, requester, BUNDLES)


def test_a_household_gets_no_more_leases_than_the_terms_allow() -> None:
    maker = commissioned()
    first = leases(maker, 0, 1, 2, 3)
    assert len(first) == SLOTS.leases_at_once == 2
    again = say(maker, A, lookup(2, 1.0, 1.5, epoch=3, slots=(), wants=(2, 3), **EMPTY))
    assert isinstance(again[0], Match)
    assert again[0].leases == (), "it has closed none of them"


def test_without_a_key_leases_are_not_sealed() -> None:
    (lease,) = leases(commissioned(commission=replace(COMMISSION, signing_key=None)), 0)
    assert lease.seal == b""
