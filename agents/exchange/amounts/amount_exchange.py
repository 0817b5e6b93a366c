"""One home's exchange of amounts: its wishes in each round, one after another, and their talks.

It joins the agenda, the conversation with the matchmaker, and both sides of talks. Which rounds
there are is decided in trader.py.
"""

import numpy as np

from agents.exchange.amounts.agenda import Agenda
from agents.exchange.amounts.amount_client import AmountClient
from agents.exchange.amounts.amount_requests import AmountRequests
from agents.exchange.amounts.amount_reservations import AmountReservations
from agents.exchange.amounts.announcement import Announcement, announcement
from agents.exchange.amounts.held_home import HeldHome
from agents.exchange.amounts.home_record import HomeRecord
from agents.exchange.amounts.inside_moves import rearrange
from agents.exchange.holding import Holding
from agents.exchange.journal.amount_records import AmountRecord, Part, read_amounts
from agents.exchange.journal.entries import Entry, Journal
from agents.exchange.journal.records import Setting
from agents.exchange.lease_check import LeaseCheck
from agents.exchange.negotiations import ExchangeCounts
from agents.exchange.rounds import ENTER, GATHER
from agents.retransmission import NEVER
from protocol.errors import PeerError
from protocol.messages import (
    Address,
    AmountAnswer,
    AmountConfirmation,
    AmountDone,
    AmountMatch,
    AmountProposal,
    Message,
    NextRound,
    Trace,
)
from protocol.messages.amounts import FLOORS
from protocol.messages.exchange import WHOLE, LeaseId
from protocol.runtime.machine import Envelope

QUIET_SHARE, QUIET_ROUNDS = 0.1, 1
"""The stage ends after a round in which no larger share of the homes exchanged as requesters."""
ATTEMPTS_MAX = 4
"""Lookups for a wish for which everybody is busy, after which it waits for the next round."""


class AmountExchange:
    """A home's exchange of amounts.

    Invariant: a wish of its own is open, or the home is reserved for a partner, but never both.
    """

    quiet_share, quiet_rounds = QUIET_SHARE, QUIET_ROUNDS
    quiet_among_lookups = False
    partial_rounds = len(FLOORS)
    balance = 0

    def __init__(
        self,
        address: Address,
        held: HeldHome,
        holding: Holding,
        journal: Journal,
        *,
        setting: Setting,
        session: int,
        leases: LeaseCheck | None = None,
    ) -> None:
        """Set up an exchange in which nothing has been sent yet. `session` is as in AmountLookup.
        Without `leases`, those of others are not checked.

        Raises PeerError if there is no matchmaker.
        """
        if not setting.matchmakers:
            raise PeerError("an exchange of amounts needs a matchmaker")
        self._leases = leases or LeaseCheck(address, setting.terms.content)
        held.disclosure = holding.disclosure
        held.traded = np.array([holding.offered(slot) for slot in range(holding.slots)])
        self._record = HomeRecord(address=address, held=held, holding=holding, journal=journal)
        patience = setting.terms.lease_seconds
        self._requests = AmountRequests(self._record, patience)
        self._reservations = AmountReservations(self._record, patience)
        self._client = AmountClient(setting.matchmakers[0], session, setting.feeder)
        self._skipped = max(len(FLOORS) + 1 - setting.terms.rounds, 0)
        """Number of floors that have no round, since there are too few rounds."""
        self._agenda: Agenda | None = None
        """The wishes of this round; None once they are all done."""
        self._again = 0
        """Number of lookups for the present wish that found everybody busy."""
        self._round = GATHER
        self._over = False

    @property
    def counts(self) -> ExchangeCounts:
        """Counts of the home's part so far."""
        return self._record.counts

    @property
    def reserved(self) -> Part | None:
        """The part for which the home is reserved, as a change of its own total."""
        return self._reservations.part

    def has_committed(self, partner: str, lease: LeaseId) -> bool:
        """Return True if the home has decided, as requester, to make this exchange."""
        return self._requests.has_committed(partner, lease)

    @property
    def changed(self) -> tuple[int, ...]:
        """Slots to look up again in the next round: none, since homes are looked up as a whole."""
        return ()

    @property
    def idle(self) -> bool:
        """True when every wish of this round is settled and everything is said and answered."""
        return self._agenda is None and not self._requests.open and self._client.informed

    @property
    def missing(self) -> tuple[Address, ...]:
        """The partners or the matchmaker whose answers are missing."""
        partners = (*self._requests.partners, *self._reservations.partners)
        if partners or self._client.outstanding is None:
            return partners
        return (self._client.matchmaker,)

    @property
    def wake(self) -> float:
        """Time at which to act if nothing arrives; NEVER if nothing is due."""
        resting = self._client.resting or NEVER
        return min(self._requests.wake, self._reservations.wake, self._client.wake, resting)

    def trace(self) -> Trace:
        """Return the exchanges made so far, on both sides."""
        return self._record.trace()

    # -- rounds -----------------------------------------------------------------------------------

    def share(self, scale_kwh2: float, min_gain_kwh2: float, least_limit_kwh: float) -> None:
        """Take the numbers that all households share: homes need none of them."""

    def enter(self, round: int) -> None:
        """Enter a round."""
        self._round = self._record.round = round

    def announce(self) -> None:
        """Announce everything anew with the next lookup."""
        self._client.announce_anew()
        self._client.news = announcement(self._record.held)
        self._record.changed = False

    def ask(self, following: NextRound) -> None:
        """Go through the wishes of this round; in round 0 the home only enters."""
        if following.round > ENTER:
            self._rearrange()
            self._refresh()
            if self._has_turn(following.round):
                self._agenda = Agenda(self._record.held)

    def end(self) -> None:
        """Take no new proposals: the stage is over."""
        self._over = True

    # -- messages ---------------------------------------------------------------------------------

    def handle(self, sender: Address, message: Message, now: float) -> list[Envelope]:
        """Answer one message of a matchmaker or a partner."""
        match message:
            case AmountMatch():
                return self._on_match(sender, message, now)
            case AmountProposal():
                if not self._reservations.knows(sender, message.lease):
                    self._check_lease(sender, message)
                busy = self._requests.open
                return self._reservations.on_proposal(sender, message, now, busy=busy)
            case AmountAnswer():
                out = self._requests.on_answer(sender, message, now)
            case AmountConfirmation():
                return self._reservations.on_confirmation(sender, message)
            case AmountDone():
                self._requests.on_done(sender, message, now)
                out = []
            case _:
                raise PeerError(f"{type(message).__name__} is not for an exchange of amounts")
        self._report()
        return out

    def _check_lease(self, sender: Address, proposal: AmountProposal) -> None:
        """Raise PeerError if the sender may not propose anything to this home now."""
        if self._round < ENTER or self._over:
            raise PeerError(f"{sender} proposes something outside the rounds")
        self._leases.check(sender, proposal, slot=WHOLE, round=self._round)

    def go_on(self, now: float, *, asking: bool) -> list[Envelope]:
        """Begin the next wish if the home is free for it, and look for partners; report news."""
        out: list[Envelope] = []
        client, requests = self._client, self._requests
        if client.resting and now >= client.resting:
            client.resting = 0.0
        while asking and self._agenda and not (requests.open or self._reservations.reserved):
            self._rearrange()
            wish = self._agenda.next_wish()
            if wish is None:
                self._agenda = None
                break
            self._again = 0
            out += requests.begin(wish, now)
        self._report()
        if client.outstanding is not None or client.resting:
            return out
        wanted = requests.wanted
        if wanted is not None:
            self._refresh()
            self.counts.lookups += 1
            lookup = client.lookup(
                self._round,
                now,
                wanted=wanted,
                whole=requests.indivisible,
                without=requests.asked,
            )
            out.append(Envelope(self._record.address, client.matchmaker, lookup))
        elif not client.informed and not requests.open and self._agenda is None:
            self._refresh()
            lookup = client.lookup(self._round, now, wanted=None)
            out.append(Envelope(self._record.address, client.matchmaker, lookup))
        return out

    def repeat(self, now: float) -> list[Envelope]:
        """Return the messages whose answers are late."""
        out = self._requests.repeat(now) + self._reservations.repeat(now)
        self._report()
        lookup = self._client.repeat(now)
        if lookup is not None:
            out.append(Envelope(self._record.address, self._client.matchmaker, lookup))
        return out

    def replay(self, entry: Entry, now: float) -> None:
        """Restore the state after a journal entry."""
        if entry.kind == "inside":
            self._record.take(read_amounts(entry.data).changed, (), asked=True)
        self._requests.replay(entry, now)
        self._reservations.replay(entry, now)

    def _on_match(self, sender: Address, match: AmountMatch, now: float) -> list[Envelope]:
        client, requests, counts = self._client, self._requests, self.counts
        if sender != client.matchmaker:
            raise PeerError(f"{sender} is not the matchmaker of this run")
        if not client.heard(match, now):
            return []
        counts.answers += 1
        if match.anew:
            client.news = announcement(self._record.held)
            return []
        if requests.wanted is None:
            return []  # the wish was given up meanwhile; the lease expires
        match match.found:
            case "match":
                slots = self._record.held.slots
                if match.lease is None or {len(match.up_kwh), len(match.down_kwh)} != {slots}:
                    raise PeerError(f"{sender} finds a partner of another day")
                counts.matches += 1
                gives = Announcement(up_kwh=match.up_kwh, down_kwh=match.down_kwh)
                return requests.on_lease(match.lease, gives, now)
            case "none":
                return requests.decide(now)
            case "busy" | "engaged":
                self._again += 1
                if requests.asked or self._again == ATTEMPTS_MAX:
                    return requests.decide(now)
                client.rest(now)
            case _:
                pass
        return []

    def _has_turn(self, round: int) -> bool:
        """Return True if the home's discomfort is great enough for wishes in this round."""
        discomfort = self._record.held.discomfort
        floors = (*FLOORS[self._skipped :], 0.0)
        return discomfort is not None and discomfort >= floors[min(round, len(floors)) - 1]

    def _rearrange(self) -> None:
        """Make the moves inside the home that help, unless it is in a talk."""
        record = self._record
        if self._requests.open or self._reservations.reserved:
            return
        before = dict(record.held.schedules)
        if rearrange(record.held):
            changed = {
                name: schedule
                for name, schedule in record.held.schedules.items()
                if schedule is not before[name]
            }
            record.note("inside", AmountRecord(changed))
            record.changed = True

    def _refresh(self) -> None:
        """Announce anew if the home has changed."""
        if self._record.changed:
            self._client.news = announcement(self._record.held)
            self._record.changed = False

    def _report(self) -> None:
        """Report ended leases with the next lookup."""
        self._client.ended += self._requests.ended
        self._requests.ended.clear()
