"""Commissions: the epoch counts the lives of a matchmaker, and its key stays the same."""

import pytest

from orchestrator.coordination.commissions import LIVES_MAX, Commissions
from orchestrator.coordination.coordinator import RunCoordinator
from orchestrator.coordination.nodes import ORCHESTRATOR_ADDRESS
from protocol.errors import PeerError
from protocol.lease_seal import LeaseSigner
from protocol.messages import Address, Application, Commission, Enrol, Place, Residents
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms, Terms
from tests.support.gate import handed

SECRET = bytes(range(32))
MAKERS = [Address("maker-1", "maker-1"), Address("maker-2", "maker-2")]
RESIDENTS = (Residents("host-1", ("a", "b")),)


def given(commissions: Commissions, maker: str, life: int) -> Commission:
    return commissions.give(maker, Application(life), RESIDENTS)


def test_the_epoch_counts_lives_not_applications() -> None:
    commissions = Commissions(SECRET)
    first = given(commissions, "maker-1", 900)
    assert (first.life, first.epoch, first.residents) == (900, 1, RESIDENTS)
    assert given(commissions, "maker-1", 900) == first
    assert given(commissions, "maker-1", 5).epoch == 2, "lives have no order of their own"
    assert given(commissions, "maker-1", 900).epoch == 1, "a late repetition of the first"
    assert given(commissions, "maker-2", 5).epoch == 1


def test_every_life_of_a_matchmaker_has_the_same_key() -> None:
    commissions = Commissions(SECRET)
    keys = {given(commissions, "maker-1", life).signing_key for life in (1, 2, 3)}
    (key,) = keys
    assert key is not None
    assert Commissions(SECRET).public_keys(MAKERS)[0] == LeaseSigner(key).public_key
    assert given(commissions, "maker-2", 1).signing_key != key
    assert given(Commissions(bytes(32)), "maker-1", 1).signing_key != key


def test_without_a_secret_there_are_no_keys() -> None:
    assert Commissions().public_keys(MAKERS) == ()
    assert given(Commissions(), "maker-1", 1).signing_key is None


def test_a_matchmaker_that_starts_for_ever_takes_no_memory() -> None:
    commissions = Commissions()
    for life in range(3 * LIVES_MAX):
        assert given(commissions, "maker-1", life).epoch == life + 1
    assert len(commissions.epochs["maker-1"]) == LIVES_MAX


@pytest.mark.parametrize("planned", [True, False])
def test_a_matchmaker_hears_who_takes_part_as_soon_as_it_is_known(planned: bool) -> None:
    terms = Terms(exchange=ExchangeTerms())
    roster = {"a": "host-1", "b": "host-1"} if planned else None
    coordinator = RunCoordinator(
        ORCHESTRATOR_ADDRESS,
        ["a", "b"],
        lambda _: terms,
        matchmakers=MAKERS,
        roster=roster,
        secret=SECRET,
    )
    apply = Envelope(MAKERS[1], ORCHESTRATOR_ADDRESS, Application(7))
    assert bool(handed(coordinator, apply)) is planned
    places = []
    for name in ("a", "b"):
        enrol = Envelope(Address("host-1", name), ORCHESTRATOR_ADDRESS, Enrol(2))
        places = handed(coordinator, enrol)
    (answer,) = handed(coordinator, apply)
    assert answer.to == MAKERS[1]
    assert isinstance(answer.message, Commission)
    assert answer.message.residents == RESIDENTS
    assert coordinator.heard["maker-2"] == 0.0
    key = answer.message.signing_key
    assert key is not None
    for envelope in places:
        assert isinstance(envelope.message, Place)
        assert envelope.message.matchmaker_keys[1] == LeaseSigner(key).public_key


@pytest.mark.parametrize(
    "sender", [Address("host-1", "a"), Address("host-1", "maker-1"), Address("maker-1", "host")]
)
def test_nobody_else_is_commissioned(sender: Address) -> None:
    coordinator = RunCoordinator(
        ORCHESTRATOR_ADDRESS,
        ["a"],
        lambda _: Terms(),
        matchmakers=MAKERS,
        roster={"a": "host-1"},
        secret=SECRET,
    )
    with pytest.raises(PeerError):
        handed(coordinator, Envelope(sender, ORCHESTRATOR_ADDRESS, Application(7)))
