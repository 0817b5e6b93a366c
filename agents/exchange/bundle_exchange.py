"""One household's exchange of bundles: one lookup a round, and the talk that follows from it.

It joins the conversation with the matchmaker (matchmaker_client.py) and the talks with partners
(bundle_talks.py). Which rounds there are is decided in trader.py.
"""

from agents.exchange.bundle_content import BundleContent
from agents.exchange.bundle_talks import BundleTalks
from agents.exchange.holding import Holding
from agents.exchange.journal.entries import Entry, Journal
from agents.exchange.matchmaker_client import MatchmakerClient
from agents.exchange.negotiations import ExchangeCounts
from agents.exchange.rounds import ENTER, GATHER
from agents.retransmission import NEVER
from protocol.errors import PeerError
from protocol.messages import (
    Address,
    BundleProposal,
    Confirmation,
    Counter,
    Lookup,
    Match,
    Message,
    NextRound,
    Outcome,
    Settled,
    Trace,
)
from protocol.messages.exchange import WHOLE, Closed
from protocol.runtime.machine import Envelope

QUIET_SHARE = 1 / 4
"""Share of the households; if fewer exchange as requesters in a round, it is the last."""


class BundleExchange:
    """A household's exchange of bundles with one partner at a time.

    Invariant: in each round the household looks up once, unless the matchmaker has started anew.
    """

    quiet_share = QUIET_SHARE

    def __init__(
        self,
        address: Address,
        holding: Holding,
        journal: Journal,
        *,
        matchmaker: Address,
        session: int,
    ) -> None:
        """Set up an exchange in which nothing has been sent yet. `session` is as in Lookup."""
        self._address, self._holding = address, holding
        self._content = BundleContent(holding)
        self._talks = BundleTalks(address, self._content, journal)
        self._client = MatchmakerClient(
            matchmaker, session, tuple(range(holding.slots)), waves=True, pairs=True
        )
        self._round = GATHER
        self._over = False
        self._lookup_due = False
        """True until this round's lookup has been sent."""
        self._min_gain_kwh2 = self._least_limit_kwh = 0.0

    @property
    def counts(self) -> ExchangeCounts:
        """Counts of the household's part so far."""
        return self._talks.counts

    @property
    def changed(self) -> tuple[int, ...]:
        """Slots to look up again in the next round: none, since bundles are not looked up by
        slot."""
        return ()

    @property
    def idle(self) -> bool:
        """True when the lookup of this round is answered and the talk that followed is settled."""
        return not (self._lookup_due or self._client.outstanding or self._talks.asking)

    @property
    def missing(self) -> tuple[Address, ...]:
        """The partner or the matchmaker whose answer is missing."""
        waits = self._client.outstanding is not None
        return self._talks.partners or ((self._client.matchmaker,) if waits else ())

    @property
    def wake(self) -> float:
        """Time at which to act if nothing arrives; NEVER if nothing is due."""
        return min(self._talks.wake, self._client.wake, NEVER)

    def trace(self) -> Trace:
        """Return the exchanges made so far, on both sides."""
        return self._talks.trace()

    # -- rounds -----------------------------------------------------------------------------------

    def share(self, scale_kwh2: float, min_gain_kwh2: float, least_limit_kwh: float) -> None:
        """Take the numbers that all households share, as the root sends them."""
        self._content.share(scale_kwh2, min_gain_kwh2)
        self._min_gain_kwh2, self._least_limit_kwh = min_gain_kwh2, least_limit_kwh

    def enter(self, round: int) -> None:
        """Enter a round. It is open to proposals, even if an exchange has ended before."""
        self._round, self._over = round, False

    def announce(self) -> None:
        """Send all offers again with the next lookup, as for the first time."""
        # Talks of an earlier exchange say nothing about these offers, and the matchmaker would
        # count them against the partner's offers of either time, whichever came first.
        self._client.closed.clear()
        self._client.announce()

    def ask(self, following: NextRound) -> None:
        """Look up a partner once."""
        self._lookup_due = True
        self._client.ask(())

    def end(self) -> None:
        """Take no new proposals: the stage is over."""
        self._over = True

    # -- messages ---------------------------------------------------------------------------------

    def handle(self, sender: Address, message: Message, now: float) -> list[Envelope]:
        """Answer one message of a matchmaker or a partner."""
        match message:
            case Match():
                return self._on_match(sender, message, now)
            case BundleProposal():
                if (self._round < ENTER or self._over) and not self._talks.knows(sender, message):
                    raise PeerError(f"{sender} proposes something outside the rounds")
                return [self._talks.on_proposal(sender, message, self._round)]
            case Counter():
                answer = self._talks.on_counter(sender, message, self._round, now)
                return [] if answer is None else [answer]
            case Confirmation():
                return [self._talks.on_confirmation(sender, message, self._round)]
            case Outcome():
                self._close(self._talks.on_outcome(sender, message, self._round, now))
            case Settled():
                self._close(self._talks.on_settled(sender, message, self._round, now))
            case _:
                raise PeerError(f"{type(message).__name__} is not for an exchange of bundles")
        return []

    def go_on(self, now: float, *, asking: bool) -> list[Envelope]:
        """Send the lookup of this round if it is due, which it is only while `asking`."""
        if not self._lookup_due:
            return []
        lookup = self._lookup(now)
        if lookup is None:
            return []
        self._lookup_due = False
        return [Envelope(self._address, self._client.matchmaker, lookup)]

    def repeat(self, now: float) -> list[Envelope]:
        """Return the messages whose answers are late."""
        lookup = self._client.repeat(now)
        again = [] if lookup is None else [Envelope(self._address, self._client.matchmaker, lookup)]
        return again + self._talks.repeat(now)

    def replay(self, entry: Entry, now: float) -> None:
        """Restore the state after a journal entry."""
        self._talks.replay(entry, now)

    def _lookup(self, now: float) -> Lookup | None:
        """Return the lookup of this round, with all that has changed since the last."""
        for slot in self._talks.take_changed():
            self._client.changed.add(slot)
        return self._client.next_lookup(
            self._holding, self._round, self._min_gain_kwh2, self._least_limit_kwh, 1, now
        )

    def _on_match(self, sender: Address, match: Match, now: float) -> list[Envelope]:
        client = self._client
        if sender != client.matchmaker:
            raise PeerError(f"{sender} is not a matchmaker of this run")
        if client.heard(match, now) is None:
            return []
        counts = self.counts
        counts.answers += 1
        if match.anew:
            self._lookup_due = True
            client.ask(())
            return []
        if self._round > ENTER:
            counts.lookups += 1
        out: list[Envelope] = []
        for lease in match.leases:
            if lease.slot != WHOLE:
                raise PeerError(f"{sender} finds a single slot for a household of bundles")
            counts.matches += 1
            said = self._talks.propose(lease, self._round, now)
            if isinstance(said, Closed):
                self._close(said)
            else:
                out.append(said)
        return out

    def _close(self, closed: Closed | None) -> None:
        """Report an ended lease with the next lookup."""
        if closed is not None:
            self._client.closed.append(closed)
