"""The peers of a household: who may say what to it, before it is placed, at its place, and in
talks."""

from dataclasses import replace

import numpy as np
import pytest

from agents.exchange.journal.entries import Entry
from agents.peers import Peers
from protocol.errors import PeerError
from protocol.messages import (
    Address,
    AmountConfirmation,
    Down,
    Enrol,
    Message,
    Outcome,
    Place,
    Proposal,
    Release,
    Up,
)
from protocol.messages.exchange import LeaseId
from protocol.runtime.gate import admit
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms, Reorganisation, Terms

OWN, PARENT, CHILD, OTHER = (Address("host-1", name) for name in ("own", "up", "down", "other"))
ORCHESTRATOR = Address("orchestrator", "orchestrator")
MAKER = Address("maker", "maker")
PLACE = Place(1, 4, PARENT, (CHILD,), Terms(exchange=ExchangeTerms()), (MAKER,))
LEASE = LeaseId(1, 1)
PROPOSAL = Proposal(LEASE, 0, 1.0, 2.0, 0.0)
OUTCOME = Outcome(LEASE, 0, accepted=True, reason="")
UP = Up(iteration=0, size=1, response_kwh=np.ones(2), discomfort=0.0, discomfort_squares=0.0)
DOWN = Down(
    iteration=0,
    response_kwh=np.ones(2),
    discomfort=0.0,
    discomfort_squares=0.0,
    approved=True,
    reorganise=False,
)


def placed(place: Place = PLACE) -> Peers:
    peers = Peers(OWN, ORCHESTRATOR)
    peers.place(place)
    return peers


def may(peers: Peers, sender: Address, message: Message) -> bool:
    try:
        admit(peers.roles_of(sender), Envelope(sender, OWN, message))
    except PeerError:
        return False
    return True


@pytest.mark.parametrize("sender", [PARENT, OTHER, MAKER, Address("host-9", "orchestrator")])
def test_before_it_is_placed_it_hears_the_orchestrator_alone(sender: Address) -> None:
    peers = Peers(OWN, ORCHESTRATOR)
    assert may(peers, ORCHESTRATOR, Release())
    with pytest.raises(PeerError, match=f"{sender.name} on {sender.host} is no peer of own"):
        peers.roles_of(sender)


@pytest.mark.parametrize(
    ("message", "senders"),
    [
        (UP, {CHILD}),
        (DOWN, {PARENT}),
        (Release(), {ORCHESTRATOR}),
        (PROPOSAL, {PARENT, CHILD, OTHER}),
        (OUTCOME, set()),
        (Enrol(2), set()),
    ],
)
def test_at_its_place_each_says_what_it_may(message: Message, senders: set[Address]) -> None:
    everybody = (ORCHESTRATOR, PARENT, CHILD, OTHER, MAKER)
    assert {sender for sender in everybody if may(placed(), sender, message)} == senders


def test_a_name_on_another_host_is_another() -> None:
    for peer in (PARENT, CHILD, MAKER, ORCHESTRATOR):
        evil = peer._replace(host="host-9")
        assert not may(placed(), evil, UP)
        assert not may(placed(), evil, DOWN)
        assert not may(placed(), evil, Release())


@pytest.mark.parametrize(
    "terms", [Terms(), Terms(exchange=ExchangeTerms(equal_shift=True)),
              Terms(exchange=ExchangeTerms(rule="ttc"))],
)  # fmt: skip
def test_where_no_pairs_exchange_other_households_say_nothing(terms: Terms) -> None:
    peers = placed(replace(PLACE, terms=terms))
    assert not may(peers, OTHER, PROPOSAL)
    assert may(peers, CHILD, UP)


def test_an_answer_is_heard_from_those_who_were_asked() -> None:
    peers = placed()
    peers.meet_partners([Envelope(OWN, OTHER, PROPOSAL), Envelope(OWN, PARENT, UP)])
    assert may(peers, OTHER, OUTCOME)
    assert not may(peers, PARENT, OUTCOME)
    assert not may(peers, OTHER._replace(host="host-9"), OUTCOME)


def test_a_requester_becomes_a_partner_once_its_proposal_is_taken() -> None:
    peers = placed()
    peers.meet_requester(Envelope(OTHER, OWN, AmountConfirmation(LEASE, commit=False)))
    assert not may(peers, OTHER, OUTCOME)
    peers.meet_requester(Envelope(OTHER, OWN, PROPOSAL))
    assert may(peers, OTHER, OUTCOME)


def test_partners_are_known_again_after_a_restart() -> None:
    peers = Peers(OWN, ORCHESTRATOR)
    entries = [Entry("own", "proposed", host=OTHER.host, partner=OTHER.name), Entry("own", "over")]
    peers.resume(PLACE, entries)
    assert may(peers, OTHER, OUTCOME)
    assert may(peers, CHILD, UP)


def test_anybody_may_become_a_neighbour_in_a_tree_that_changes() -> None:
    terms = Terms(reorganisation=Reorganisation("periodically", period=2))
    peers = placed(replace(PLACE, terms=terms))
    assert may(peers, OTHER, UP)
    assert may(peers, OTHER, DOWN)
    assert not may(peers, OTHER, Release())
