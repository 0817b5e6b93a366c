"""One household's exchange of single slots: lookups, and the negotiations that follow from them.

It joins the search for partners (partner_search.py) and the negotiations with partners
(negotiations.py). Which rounds there are is decided in trader.py.
"""

from agents.exchange.holding import Holding
from agents.exchange.journal.entries import Entry, Journal
from agents.exchange.lease_check import LeaseCheck
from agents.exchange.negotiations import ExchangeCounts, Negotiations, ending
from agents.exchange.partner_search import PartnerSearch
from agents.exchange.rounds import ENTER, GATHER
from protocol.errors import PeerError
from protocol.messages import Address, Match, Message, NextRound, Outcome, Proposal, Trace
from protocol.messages.exchange import Closed
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms


class SlotExchange:
    """A household's exchange of single slots, at many of them at the same time."""

    quiet_share, quiet_rounds = 0.0, 1
    quiet_among_lookups = False
    partial_rounds = 0
    balance = 0

    def __init__(
        self,
        address: Address,
        holding: Holding,
        journal: Journal,
        *,
        matchmakers: tuple[Address, ...],
        terms: ExchangeTerms,
        session: int,
        leases: LeaseCheck | None = None,
    ) -> None:
        """Set up an exchange in which nothing has been sent yet. `session` is as in Lookup. Without
        `leases`, those of others are not checked."""
        self._leases = leases or LeaseCheck(address, terms.content)
        self._address, self._holding, self._terms = address, holding, terms
        self._in_waves = terms.order == "waves"
        self._negotiations = Negotiations(address, holding, journal)
        self._search = PartnerSearch(
            matchmakers=matchmakers,
            session=session,
            slots=holding.slots,
            attempts_max=terms.attempts,
            waves=self._in_waves,
        )
        self._held_back: dict[Address, list[Envelope]] = {}
        """Answers held back until the matchmaker knows of the exchange (sequential order)."""
        self._outcomes: dict[int, tuple[Address, Outcome]] = {}
        """Answers by slot that wait for those to all open proposals (waves)."""
        self._exchanged: set[int] = set()
        """Slots at which the household exchanged a value in this round, as requester."""
        self._round = GATHER
        self._over = False
        self._min_gain_kwh2 = self._least_limit_kwh = 0.0

    @property
    def counts(self) -> ExchangeCounts:
        """Counts of the household's part so far."""
        return self._negotiations.counts

    @property
    def changed(self) -> tuple[int, ...]:
        """Slots to look up again in the next round: those exchanged as requester, rising."""
        return tuple(sorted(self._exchanged))

    @property
    def idle(self) -> bool:
        """True when every slot of this round is settled and everything is said and answered."""
        return not self._negotiations.open and self._search.idle

    @property
    def missing(self) -> tuple[Address, ...]:
        """The partners or matchmakers whose answers are missing."""
        return self._negotiations.partners or self._search.missing

    @property
    def wake(self) -> float:
        """Time at which to act if nothing arrives; NEVER if nothing is due."""
        return min(self._negotiations.wake, self._search.wake)

    def trace(self) -> Trace:
        """Return the exchanges made so far, on both sides."""
        return self._negotiations.trace(by_lease=self._in_waves)

    # -- rounds -----------------------------------------------------------------------------------

    def share(self, scale_kwh2: float, min_gain_kwh2: float, least_limit_kwh: float) -> None:
        """Take the numbers that all households share, as the root sends them."""
        self._holding.gain_before_losses_kwh2 = scale_kwh2
        self._min_gain_kwh2, self._least_limit_kwh = min_gain_kwh2, least_limit_kwh

    def enter(self, round: int) -> None:
        """Enter a round: nothing has been exchanged in it yet."""
        self._round, self._exchanged = round, set()

    def announce(self) -> None:
        """Send all offers again with the next lookups, as for the first time."""
        self._search.announce()

    def ask(self, following: NextRound) -> None:
        """Start looking up partners for the slots of this round."""
        self._search.begin(self._holding, following.changed)

    def end(self) -> None:
        """Take no new proposals: the stage is over."""
        self._over = True

    # -- messages ---------------------------------------------------------------------------------

    def handle(self, sender: Address, message: Message, now: float) -> list[Envelope]:
        """Answer one message of a matchmaker or a partner."""
        match message:
            case Match():
                return self._on_match(sender, message, now)
            case Proposal():
                return self._on_proposal(sender, message)
            case Outcome():
                return self._on_outcome(sender, message, now)
            case _:
                raise PeerError(f"{type(message).__name__} is not for an exchange of slots")

    def go_on(self, now: float, *, asking: bool) -> list[Envelope]:
        """Send lookups, and answers that were held back. New leases are asked for only while the
        household goes through its own slots (`asking`)."""
        out: list[Envelope] = []
        if self._in_waves and self._negotiations.open:
            return out  # one lookup reports the ends of all
        room = self._terms.leases_at_once - self._negotiations.open if asking else 0
        for client in self._search.clients:
            lookup = client.next_lookup(
                self._holding, self._round, self._min_gain_kwh2, self._least_limit_kwh, room, now
            )
            if lookup is not None:
                out.append(Envelope(self._address, client.matchmaker, lookup))
            elif self._held_back and client.informed:
                out += self._held_back.pop(client.matchmaker, [])
        return out

    def repeat(self, now: float) -> list[Envelope]:
        """Return the messages whose answers are late."""
        out = self._negotiations.repeat(now)
        for client in self._search.clients:
            lookup = client.repeat(now)
            if lookup is not None:
                out.append(Envelope(self._address, client.matchmaker, lookup))
        return out

    def replay(self, entry: Entry, now: float) -> None:
        """Restore the state after a journal entry."""
        self._negotiations.replay(entry, now)
        if entry.kind == "done":
            self._exchanged.add(entry.slot)

    def _on_match(self, sender: Address, match: Match, now: float) -> list[Envelope]:
        client = self._search.client_at(sender)
        if client is None:
            raise PeerError(f"{sender} is not a matchmaker of this run")
        if not client.heard(match, now):
            return []
        out = []
        counts = self.counts
        counts.answers += 1
        counts.lookups += len(match.none) + len(match.busy) + len(match.leases)
        counts.matches += len(match.leases)
        for lease in match.leases:
            if lease.slot not in client.asked:
                raise PeerError(f"{sender} finds what was not looked for")
            done = self._negotiations.consider(lease, self._round, self._min_gain_kwh2, now)
            if isinstance(done, Closed):
                self._search.close(lease.slot, done)
                self._search.failed(lease.slot)
            else:
                out.append(done)
        return out

    def _on_outcome(self, sender: Address, outcome: Outcome, now: float) -> list[Envelope]:
        if not self._in_waves:
            self._conclude(sender, outcome, now)
        elif self._negotiations.awaits(sender, outcome):
            self._outcomes[outcome.slot] = sender, outcome
            if len(self._outcomes) == self._negotiations.open:
                # In an order that does not depend on which answer was faster.
                for _, answer in sorted(self._outcomes.items()):
                    self._conclude(*answer, now)
                self._outcomes.clear()
        return []

    def _conclude(self, sender: Address, outcome: Outcome, now: float) -> None:
        closed = self._negotiations.conclude(sender, outcome, self._round, now)
        if closed is not None:
            self._search.close(outcome.slot, closed)
            if outcome.accepted:
                self._exchanged.add(outcome.slot)
            else:
                self._search.failed(outcome.slot)

    def _on_proposal(self, sender: Address, proposal: Proposal) -> list[Envelope]:
        said = self._negotiations.answered(sender, proposal)
        client = self._search.client_of(proposal.slot)
        if said is not None:
            return [] if said in self._held_back.get(client.matchmaker, ()) else [said]
        if self._round < ENTER or self._over:
            raise PeerError(f"{sender} proposes something outside the rounds")
        maker = self._search.number_of(proposal.slot)
        self._leases.check(
            sender, proposal, slot=proposal.slot, round=self._round, matchmaker=maker
        )
        out = self._negotiations.answer(sender, proposal, self._round, self._min_gain_kwh2)
        assert isinstance(out.message, Outcome)
        self._search.close(proposal.slot, Closed(proposal.lease, ending(out.message.reason)))
        client.resting = 0.0
        if self._terms.order == "sequential":
            # The next lookup of any household must see the effect of this exchange.
            self._held_back.setdefault(client.matchmaker, []).append(out)
            return []
        return [out]
