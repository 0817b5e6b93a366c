"""One household's exchange of bundles: its partner in each round, and the talk with it.

Partners come from a matchmaker, which the household looks up once a round (matchmaker_client.py),
or from a public draw if there is none (public_draws.py). The talk itself is in bundle_talks.py.
Which rounds there are is decided in trader.py.
"""

from agents.exchange.bundles.bundle_content import BundleContent
from agents.exchange.bundles.bundle_talks import BundleTalks
from agents.exchange.bundles.public_draws import Shard, asks, partner_of, shard_of
from agents.exchange.holding import Holding
from agents.exchange.journal.entries import Entry, Journal
from agents.exchange.journal.records import Setting
from agents.exchange.lease_check import LeaseCheck
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
from protocol.messages.exchange import WHOLE, Closed, Lease, LeaseId
from protocol.runtime.machine import Envelope

QUIET_SHARE, QUIET_ROUNDS = 0.26, 2
"""The stage ends if in so many rounds, on average, no larger share of the households that looked up
exchanged as requesters."""
UNAIDED = 0
"""The epoch of leases that no matchmaker has given."""
UNAIDED_QUIET_SHARE, UNAIDED_QUIET_ROUNDS = 0.1, 4
"""The same for partners from a public draw, which suit each other less often, as a share of all
households."""


class BundleExchange:
    """A household's exchange of bundles with one partner at a time.

    Invariant: in each round the household looks up once, unless the matchmaker has started anew. If
    there is no matchmaker, it proposes at most once.
    """

    balance = 0

    partial_rounds = 0

    def __init__(
        self,
        address: Address,
        holding: Holding,
        journal: Journal,
        *,
        setting: Setting,
        session: int,
        leases: LeaseCheck | None = None,
    ) -> None:
        """Set up an exchange in which nothing has been sent yet. `session` is as in Lookup. Without
        `leases`, those of others are not checked.

        Raises PeerError if there is neither a matchmaker nor a roster of all households.
        """
        if not setting.matchmakers and len(setting.roster) != setting.households:
            raise PeerError("no matchmaker, and the roster does not name all households")
        self._address, self._holding, self._setting = address, holding, setting
        self._leases = leases or LeaseCheck(address, setting.terms.content)
        self.bundles = BundleContent(holding)
        """What the household decides about bundles."""
        self._talks = BundleTalks(address, self.bundles, journal)
        everything = tuple(range(holding.slots))
        self._clients = [
            MatchmakerClient(matchmaker, session, everything, waves=True, pairs=True)
            for matchmaker in setting.matchmakers
        ]
        self._client = self._clients[0] if self._clients else None
        """The client for the matchmaker of this round; None if there is no matchmaker."""
        self._expected = 0
        """Number of households that look up there in this round."""
        self.quiet_among_lookups = aided = bool(self._clients)
        self.quiet_share = QUIET_SHARE if aided else UNAIDED_QUIET_SHARE
        self.quiet_rounds = QUIET_ROUNDS if aided else UNAIDED_QUIET_ROUNDS
        self._round = GATHER
        self._over = False
        self._due = False
        """True until this round's lookup or proposal has been sent."""
        self._early: tuple[Address, BundleProposal] | None = None
        """A proposal of the next round, until that begins (no matchmaker)."""
        self._proposed_in = GATHER
        """The last round in which the household has proposed."""
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
        return not (self._due or self._waits or self._talks.asking)

    @property
    def _waits(self) -> bool:
        """True while a lookup is not answered."""
        return self._client is not None and self._client.outstanding is not None

    @property
    def missing(self) -> tuple[Address, ...]:
        """The partner or the matchmaker whose answer is missing."""
        if self._talks.partners or self._client is None or not self._waits:
            return self._talks.partners
        return (self._client.matchmaker,)

    @property
    def wake(self) -> float:
        """Time at which to act if nothing arrives; NEVER if nothing is due."""
        lookup = NEVER if self._client is None else self._client.wake
        return min(self._talks.wake, lookup, NEVER)

    def trace(self) -> Trace:
        """Return the exchanges made so far, on both sides."""
        return self._talks.trace()

    def bundles_for(self, sender: Address, proposal: BundleProposal) -> BundleContent | None:
        """Return what decides about a proposal; None if it is known, or refused."""
        if self._talks.knows(sender, proposal):
            return None
        try:
            self._check_lease(sender, proposal)
        except PeerError:
            return None
        return self.bundles

    # -- rounds -----------------------------------------------------------------------------------

    def share(self, scale_kwh2: float, min_gain_kwh2: float, least_limit_kwh: float) -> None:
        """Take the numbers that all households share, as the root sends them."""
        self.bundles.share(scale_kwh2, min_gain_kwh2)
        self._min_gain_kwh2, self._least_limit_kwh = min_gain_kwh2, least_limit_kwh

    def enter(self, round: int) -> None:
        """Enter a round. It is open to proposals, even if an exchange has ended before."""
        self._round, self._over = round, False

    def announce(self) -> None:
        """Send all offers again with the next lookups, as for the first time."""
        for client in self._clients:
            # Talks of an earlier exchange say nothing about these offers, and a matchmaker would
            # count them against the partner's offers of either time, whichever came first.
            client.closed.clear()
            client.announce()

    def ask(self, following: NextRound) -> None:
        """Look for a partner once; offers are made with the first lookup, so there is nothing to do
        in round 0."""
        round = following.round
        if round == ENTER:
            return
        self._due = True
        if self._client is None:
            return
        shard = self._shard(round)
        self._client, self._expected = self._clients[shard.number], shard.households
        self._client.ask(())

    def _shard(self, round: int) -> Shard:
        setting = self._setting
        return shard_of(
            setting.position,
            round,
            households=setting.households,
            shards=len(self._clients),
            seed=setting.terms.seed,
        )

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
                return self._on_proposal(sender, message)
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
        """Send the lookup or the proposal of this round if it is due, which it is only while
        `asking`."""
        if self._early is not None and self._early[1].lease.number <= self._round:
            early, self._early = self._early, None
            return [*self._on_proposal(*early), *self.go_on(now, asking=asking)]
        if not self._due:
            return []
        if self._client is None:
            self._due = False
            return self._propose_unaided(now)
        lookup = self._lookup(self._client, now)
        if lookup is None:
            return []
        self._due = False
        return [Envelope(self._address, self._client.matchmaker, lookup)]

    def repeat(self, now: float) -> list[Envelope]:
        """Return the messages whose answers are late."""
        client = self._client
        lookup = None if client is None else client.repeat(now)
        if client is None or lookup is None:
            return self._talks.repeat(now)
        again = Envelope(self._address, client.matchmaker, lookup)
        return [again, *self._talks.repeat(now)]

    def replay(self, entry: Entry, now: float) -> None:
        """Restore the state after a journal entry."""
        self._talks.replay(entry, now)
        if entry.kind == "proposed":
            self._proposed_in = entry.round

    def _on_proposal(self, sender: Address, proposal: BundleProposal) -> list[Envelope]:
        if not self._talks.knows(sender, proposal):
            self._check_lease(sender, proposal)
            if self._client is None and proposal.lease.number > self._round:
                # The partner has heard of the next round first.
                self._early = sender, proposal
                return []
        return [self._talks.on_proposal(sender, proposal, self._round)]

    def _check_lease(self, sender: Address, proposal: BundleProposal) -> None:
        """Raise PeerError if the sender may not propose a bundle to this household now: it has no
        lease of the matchmaker of this round, or is not the partner that the public draw gives."""
        if self._round < ENTER or self._over:
            raise PeerError(f"{sender} proposes something outside the rounds")
        if self._clients:
            shard = self._shard(proposal.round).number
            self._leases.check(sender, proposal, slot=WHOLE, round=self._round, matchmaker=shard)
            return
        round = proposal.lease.number
        if proposal.lease.epoch != UNAIDED or not self._may_ask(sender, round):
            raise PeerError(f"{sender} is not the one that proposes in round {round}")

    def _may_ask(self, sender: Address, round: int) -> bool:
        """Return True if the public draw gives this household the sender as partner that proposes,
        in this round or the next."""
        setting = self._setting
        if not self._round <= round <= self._round + 1:
            return False
        partner = partner_of(
            setting.position, round, households=setting.households, seed=setting.terms.seed
        )
        if partner is None or setting.roster[partner] != sender:
            return False
        return asks(partner, setting.position, round)

    def _propose_unaided(self, now: float) -> list[Envelope]:
        """Return the proposal to the partner that the public draw gives, if it is this household
        that proposes and it has not done so before a restart."""
        setting, round = self._setting, self._round
        position, households = setting.position, setting.households
        partner = partner_of(position, round, households=households, seed=setting.terms.seed)
        if partner is None or not asks(position, partner, round) or self._proposed_in == round:
            return []
        self._proposed_in = round
        lease = Lease(
            id=LeaseId(UNAIDED, round),
            slot=WHOLE,
            partner=setting.roster[partner],
            value_kwh=0.0,
            seconds=setting.terms.lease_seconds,
        )
        self.counts.lookups += 1
        self.counts.matches += 1
        said = self._talks.propose(lease, round, now)
        return [] if isinstance(said, Closed) else [said]

    def _lookup(self, client: MatchmakerClient, now: float) -> Lookup | None:
        """Return the lookup of this round, with all that has changed since the last one at this
        matchmaker."""
        changed = self._talks.take_changed()
        for each in self._clients:
            each.changed.update(changed)
        return client.next_lookup(
            self._holding,
            self._round,
            self._min_gain_kwh2,
            self._least_limit_kwh,
            room=1,
            now=now,
            households=self._expected,
        )

    def _on_match(self, sender: Address, match: Match, now: float) -> list[Envelope]:
        client = next((each for each in self._clients if each.matchmaker == sender), None)
        if client is None:
            raise PeerError(f"{sender} is not a matchmaker of this run")
        if client.heard(match, now) is None:
            return []
        counts = self.counts
        counts.answers += 1
        if match.anew:
            self._due = True
            client.ask(())
            return []
        if self._round > ENTER and self.bundles.trades:
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
        """Report an ended lease with the next lookup at the matchmaker of this round."""
        if closed is not None and self._client is not None:
            self._client.closed.append(closed)
