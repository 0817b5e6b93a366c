"""One household's talks about bundles: every message, entry and count, and what a restart does."""

from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import pytest

from agents.exchange.bundles.bundle_content import BundleContent
from agents.exchange.bundles.bundle_talks import BundleTalks
from agents.exchange.holding import Holding
from agents.exchange.journal.entries import Entry, MemoryJournal
from agents.mandate import FREE
from agents.retransmission import NEVER
from protocol.errors import PeerError
from protocol.messages import (
    Address,
    BundleProposal,
    Confirmation,
    Counter,
    Message,
    Outcome,
    Settled,
)
from protocol.messages.exchange import WHOLE, Closed, Lease, LeaseId
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms

A, B, OTHER = Address("host0", "a"), Address("host1", "b"), Address("host2", "c")
LEASE = LeaseId(7, 1)


class Side:
    """One side of a talk, with its journal. Started again it knows what that holds."""

    def __init__(self, address: Address, held: list[float], preferred: list[float]) -> None:
        self._start = (address, held, preferred)
        self.journal = MemoryJournal()
        self.restart()

    def restart(self, now: float = 0.0) -> None:
        address, held, preferred = self._start
        terms = ExchangeTerms(content="bundle", energy_drift_kwh=0.05)
        self.holding = Holding(np.array(held), np.array(preferred), terms, FREE)
        content = BundleContent(self.holding)
        content.share(0.25, min_gain_kwh2=0.01)
        self.talks = BundleTalks(address, content, self.journal)
        self.journal.commit()
        for entry in self.journal.entries().get(address.name, []):
            self.talks.replay(entry, now)

    @property
    def written(self) -> list[str]:
        self.journal.commit()
        return [entry.kind for entry in self.journal.entries().get(self._start[0].name, [])]

    @property
    def entries(self) -> list[Entry]:
        self.journal.commit()
        return self.journal.entries()[self._start[0].name]

    def counted(self) -> dict[str, int]:
        """The counts that are not 0, without lookups and matches."""
        counts = asdict(self.talks.counts)
        return {n: k for n, k in counts.items() if k and n not in ("lookups", "matches")}


def sides() -> tuple[Side, Side]:
    """A requester and its ideal responder."""
    return Side(A, [2.0, 1.0, 1.5], [1.0, 2.0, 1.5]), Side(B, [1.0, 2.0, 1.0], [2.0, 1.0, 1.0])


def lease(number: int = 1) -> Lease:
    return Lease(LeaseId(7, number), WHOLE, B, 0.0, 15.0)


def said(envelope: object, kind: type[Message]) -> Message:
    assert isinstance(envelope, Envelope)
    assert isinstance(envelope.message, kind)
    return envelope.message


def proposal_of(side: Side, number: int = 1) -> BundleProposal:
    message = said(side.talks.propose(lease(number), 3, 10.0), BundleProposal)
    assert isinstance(message, BundleProposal)
    return message


def counter_of(side: Side, proposal: BundleProposal) -> Counter:
    message = said(side.talks.on_proposal(A, proposal, 3), Counter)
    assert isinstance(message, Counter)
    return message


def test_a_talk_from_proposal_to_settled() -> None:
    a, b = sides()
    proposal = proposal_of(a)
    assert a.talks.asking
    assert (a.talks.partners, a.talks.wake) == ((B,), 10.5)
    counter = counter_of(b, proposal)
    assert counter.slots == (0, 1)
    assert b.holding.values == [1.0, 2.0, 1.0]
    confirmed = said(a.talks.on_counter(B, counter, 3, 11.0), Confirmation)
    assert confirmed == Confirmation(LEASE, "")
    assert a.holding.values == [1.0, 2.0, 1.5]
    assert a.talks.asking
    assert isinstance(confirmed, Confirmation)
    settled = said(b.talks.on_confirmation(A, confirmed, 3), Settled)
    assert isinstance(settled, Settled)
    assert b.holding.values == [2.0, 1.0, 1.0]
    assert a.talks.on_settled(B, settled, 3, 12.0) == Closed(LEASE, "done")
    assert not a.talks.asking
    assert a.talks.wake == NEVER
    assert a.written == ["proposed", "done", "settled"]
    assert b.written == ["countered", "accepted"]
    assert a.counted() == {"proposals": 1, "accepted": 1}
    assert b.counted() == {"given": 1}
    assert a.talks.trace().slots == b.talks.trace().slots == (0, 1)
    assert a.talks.trace().given_kwh.tolist() == b.talks.trace().taken_kwh.tolist() == [2.0, 1.0]
    assert (a.talks.trace().asked, b.talks.trace().asked) == ((True, True), (False, False))
    assert a.talks.trace().gains_kwh2.tolist() == b.talks.trace().gains_kwh2.tolist() == [1.0, 1.0]
    assert a.talks.take_changed() == b.talks.take_changed() == (0, 1)
    assert a.talks.take_changed() == ()


def test_every_repetition_gets_the_same_answer_and_changes_nothing() -> None:
    a, b = sides()
    proposal = proposal_of(a)
    counter = counter_of(b, proposal)
    assert counter_of(b, proposal) is counter
    first = a.talks.on_counter(B, counter, 3, 11.0)
    assert a.talks.on_counter(B, counter, 3, 11.5) == first
    confirmation = Confirmation(LEASE, "")
    settled = b.talks.on_confirmation(A, confirmation, 3)
    assert b.talks.on_confirmation(A, confirmation, 3) == settled
    a.talks.on_settled(B, Settled(LEASE), 3, 12.0)
    assert a.talks.on_settled(B, Settled(LEASE), 3, 12.0) is None
    assert a.talks.on_counter(B, counter, 3, 12.0) is None
    assert a.talks.on_outcome(B, Outcome(LEASE, WHOLE, False, "busy"), 3, 12.0) is None
    assert a.written == ["proposed", "done", "settled"]
    assert b.written == ["countered", "accepted"]


def test_what_is_unanswered_is_repeated() -> None:
    a, b = sides()
    proposal = proposal_of(a)
    assert a.talks.repeat(10.4) == []
    assert a.talks.repeat(10.5) == [Envelope(A, B, proposal)]
    a.talks.on_counter(B, counter_of(b, proposal), 3, 11.0)
    assert a.talks.repeat(a.talks.wake) == [Envelope(A, B, Confirmation(LEASE, ""))]


@pytest.mark.parametrize("step", range(1, 5))
@pytest.mark.parametrize("victim", [0, 1])
def test_either_side_may_start_again_after_every_step(step: int, victim: int) -> None:
    a, b = sides()
    proposal = proposal_of(a)
    steps: list[Callable[[], object]] = [
        lambda: counter_of(b, proposal),
        lambda: a.talks.on_counter(B, counter_of(b, proposal), 3, 11.0),
        lambda: b.talks.on_confirmation(A, Confirmation(LEASE, ""), 3),
        lambda: a.talks.on_settled(B, Settled(LEASE), 3, 12.0),
    ]
    for do in steps[:step]:
        do()
    (a, b)[victim].restart(20.0)
    # The requester repeats what is open; the rest follows from that.
    for envelope in a.talks.repeat(30.0):
        if isinstance(envelope.message, BundleProposal):
            answer = a.talks.on_counter(B, counter_of(b, envelope.message), 3, 31.0)
            assert said(answer, Confirmation) == Confirmation(LEASE, "")
        b.talks.on_confirmation(A, Confirmation(LEASE, ""), 3)
        a.talks.on_settled(B, Settled(LEASE), 3, 32.0)
    assert a.holding.values == [1.0, 2.0, 1.5]
    assert b.holding.values == [2.0, 1.0, 1.0]
    assert not a.talks.asking
    assert a.counted() == {"proposals": 1, "accepted": 1}
    assert b.counted() == {"given": 1}


def test_what_was_answered_is_known_by_its_requester_and_lease() -> None:
    a, b = sides()
    proposal = proposal_of(a)
    assert not b.talks.knows(A, proposal)
    counter_of(b, proposal)
    assert b.talks.knows(A, proposal)
    assert not b.talks.knows(OTHER, proposal)
    b.restart(20.0)
    assert b.talks.knows(A, proposal)


def test_talks_that_are_over_stay_over_after_a_restart() -> None:
    """One fails, one is settled; both were found by lookups, which are counted."""
    a, b = sides()
    proposal_of(a)
    a.talks.on_outcome(B, Outcome(LEASE, WHOLE, False, "busy"), 3, 11.0)
    a.restart(20.0)
    assert not a.talks.asking
    counter = counter_of(b, proposal_of(a, number=2))
    a.talks.on_counter(B, counter, 3, 21.0)
    a.talks.on_settled(B, Settled(counter.lease), 3, 22.0)
    a.restart(30.0)
    assert not a.talks.asking
    assert a.talks.repeat(30.0) == []
    counts = a.talks.counts
    assert (counts.lookups, counts.matches, counts.proposals) == (2, 2, 2)
    assert (counts.accepted, counts.refused) == (1, 1)


def test_a_proposal_waits_for_three_times_what_the_last_answer_took() -> None:
    a, _ = sides()
    proposal_of(a)
    a.talks.on_outcome(B, Outcome(LEASE, WHOLE, False, "busy"), 3, 11.0)
    a.talks.propose(lease(2), 4, 20.0)
    assert a.talks.wake == 23.0


def test_the_journal_has_what_a_bundle_brings_and_why_it_came_to_nothing() -> None:
    a, b = sides()
    a.talks.on_outcome(B, Outcome(proposal_of(a).lease, WHOLE, False, "busy"), 3, 11.0)
    counter = counter_of(b, proposal_of(a, number=2))
    wrong = Counter(counter.lease, (0,), np.array([1.0]), 0.0)
    a.talks.on_counter(B, wrong, 3, 12.0)
    assert a.written == ["proposed", "failed", "proposed", "released"]
    proposed, failed, _, released = a.entries
    assert (proposed.slot, proposed.given, proposed.data) == (WHOLE, 0.0, b"")
    assert (failed.reason, failed.data) == ("busy", b"")
    assert (released.slot, released.given, released.taken) == (WHOLE, 2.0, 1.0)
    assert (released.change, released.reason) == (-1.0, "drift")
    assert released.data != b""


def test_refusals_are_counted_one_by_one_on_both_sides() -> None:
    a, b = sides()
    for number in (1, 2):
        counter_of(b, proposal_of(a, number=number))
        wrong = Counter(LeaseId(7, number), (0,), np.array([1.0]), 0.0)
        released = said(a.talks.on_counter(B, wrong, 3, 11.0), Confirmation)
        assert isinstance(released, Confirmation)
        b.talks.on_confirmation(A, released, 3)
        a.talks.on_settled(B, Settled(LeaseId(7, number)), 3, 12.0)
    assert a.counted() == {"proposals": 2, "refused": 2}
    assert b.counted() == {"withheld": 2}


def test_refusals_and_releases_stand_after_a_restart() -> None:
    a, b = sides()
    counter = counter_of(b, proposal_of(a))
    a.talks.on_counter(B, Counter(counter.lease, (0,), np.array([1.0]), 0.0), 3, 11.0)
    a.restart(20.0)
    (again,) = a.talks.repeat(20.0)
    assert again.message == Confirmation(LEASE, "drift")
    assert a.holding.values == [2.0, 1.0, 1.5]
    b.talks.on_confirmation(A, Confirmation(LEASE, "drift"), 3)
    b.restart(20.0)
    assert said(b.talks.on_confirmation(A, Confirmation(LEASE, "drift"), 3), Settled)
    assert b.written == ["countered", "dismissed"], "it is only said again"
    assert isinstance(b.talks.propose(lease(8), 4, 21.0), Envelope), "it is free again"
    busy = Side(B, [2.0, 1.0, 1.0], [2.0, 1.0, 1.0])
    proposal = proposal_of(Side(A, [2.0, 1.0, 1.5], [1.0, 2.0, 1.5]))
    refused = busy.talks.on_proposal(A, proposal, 3)
    busy.restart(20.0)
    assert busy.talks.knows(A, proposal)
    assert busy.talks.on_proposal(A, proposal, 3) == refused
    assert busy.counted() == {"withheld": 1}


def test_a_refusal_ends_the_talk() -> None:
    a, _ = sides()
    b = Side(B, [2.0, 1.0, 1.0], [2.0, 1.0, 1.0])
    refused = said(b.talks.on_proposal(A, proposal_of(a), 3), Outcome)
    assert refused == Outcome(LEASE, WHOLE, False, "no joint gain")
    assert isinstance(refused, Outcome)
    assert a.talks.on_outcome(B, refused, 3, 11.0) == Closed(LEASE, "refused")
    assert (a.written, b.written) == (["proposed", "failed"], ["refused"])
    assert a.counted() == {"proposals": 1, "refused": 1}
    assert b.counted() == {"withheld": 1}


def test_a_counter_that_does_not_suit_is_released_and_frees_the_responder() -> None:
    a, b = sides()
    counter_of(b, proposal_of(a))
    wrong = Counter(LEASE, (0,), np.array([1.0]), 0.0)
    released = said(a.talks.on_counter(B, wrong, 3, 11.0), Confirmation)
    assert released == Confirmation(LEASE, "drift")
    assert isinstance(released, Confirmation)
    b.talks.on_confirmation(A, released, 3)
    assert a.talks.on_settled(B, Settled(LEASE), 3, 12.0) == Closed(LEASE, "for now")
    assert a.holding.values == [2.0, 1.0, 1.5]
    assert b.holding.values == [1.0, 2.0, 1.0]
    assert (a.written, b.written) == (
        ["proposed", "released", "settled"],
        ["countered", "dismissed"],
    )
    assert a.counted() == {"proposals": 1, "refused": 1}
    assert b.counted() == {"withheld": 1}
    assert isinstance(b.talks.on_proposal(A, proposal_of(a, number=2), 4).message, Counter)


def test_a_household_in_a_talk_is_busy_for_others() -> None:
    a, b = sides()
    proposal = proposal_of(a)
    assert a.talks.propose(lease(2), 3, 10.0) == Closed(LeaseId(7, 2), "void")
    asked = a.talks.on_proposal(OTHER, proposal, 3)
    assert asked.message == Outcome(LEASE, WHOLE, False, "busy")
    counter_of(b, proposal)
    assert b.talks.on_proposal(OTHER, proposal, 3).message == Outcome(LEASE, WHOLE, False, "busy")
    assert b.talks.propose(lease(2), 3, 10.0) == Closed(LeaseId(7, 2), "void")


def test_strangers_and_what_was_never_said_are_errors() -> None:
    a, b = sides()
    counter = counter_of(b, proposal_of(a))
    with pytest.raises(PeerError, match="answers what"):
        a.talks.on_counter(OTHER, counter, 3, 11.0)
    with pytest.raises(PeerError, match="did not counter"):
        b.talks.on_confirmation(OTHER, Confirmation(LEASE, ""), 3)
    with pytest.raises(PeerError, match="did not counter"):
        b.talks.on_confirmation(A, Confirmation(LeaseId(7, 9), ""), 3)
    with pytest.raises(PeerError, match="without naming"):
        a.talks.on_outcome(B, Outcome(LEASE, WHOLE, True, ""), 3, 11.0)
    assert a.talks.on_counter(B, Counter(LeaseId(9, 9), (0,), np.ones(1), 0.0), 3, 11.0) is None
