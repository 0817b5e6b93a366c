"""Which exchange a household takes part in, by the content and rule of the run, and what all
exchanges have in common."""

from typing import Protocol

from agents.exchange.amounts.amount_exchange import AmountExchange
from agents.exchange.amounts.held_home import HeldHome
from agents.exchange.bundles.bundle_exchange import BundleExchange
from agents.exchange.cycles.cycle_exchange import CycleExchange
from agents.exchange.holding import Holding
from agents.exchange.journal.entries import Entry, Journal
from agents.exchange.journal.records import Setting
from agents.exchange.lease_check import LeaseCheck
from agents.exchange.negotiations import ExchangeCounts
from agents.exchange.slot_exchange import SlotExchange
from protocol.errors import PeerError
from protocol.messages import Address, Message, NextRound, Trace
from protocol.runtime.machine import Envelope


class ContentExchange(Protocol):
    """A household's exchange of one content: its lookups and its talks with partners."""

    quiet_share: float
    """Share of the households; the stage ends if on average no more exchange as requesters in the
    last `quiet_rounds`."""
    quiet_rounds: int
    quiet_among_lookups: bool
    """True if it is a share of the households that look up, of which each does so once a round."""

    partial_rounds: int
    """Number of rounds at the start in which not all households look up; the stage does not end
    after them."""

    @property
    def counts(self) -> ExchangeCounts:
        """Counts of the household's part so far."""
        ...

    @property
    def changed(self) -> tuple[int, ...]:
        """Slots to look up again in the next round, rising."""
        ...

    @property
    def balance(self) -> int:
        """Balance of the trades that wait for those of all others (rule `ttc`); else 0."""
        ...

    @property
    def idle(self) -> bool:
        """True when the household's own part of the round is finished."""
        ...

    @property
    def missing(self) -> tuple[Address, ...]:
        """The partners or matchmakers whose answers are missing."""
        ...

    @property
    def wake(self) -> float:
        """Time at which to act if nothing arrives; NEVER if nothing is due."""
        ...

    def trace(self) -> Trace:
        """Return the exchanges made so far."""
        ...

    def share(self, scale_kwh2: float, min_gain_kwh2: float, least_limit_kwh: float) -> None:
        """Take the numbers that all households share."""
        ...

    def enter(self, round: int) -> None:
        """Enter a round."""
        ...

    def announce(self) -> None:
        """Send all offers again."""
        ...

    def ask(self, following: NextRound) -> None:
        """Start looking up partners in this round."""
        ...

    def end(self) -> None:
        """Take no new proposals."""
        ...

    def handle(self, sender: Address, message: Message, now: float) -> list[Envelope]:
        """Answer one message of a matchmaker or a partner; PeerError for any other kind."""
        ...

    def go_on(self, now: float, *, asking: bool) -> list[Envelope]:
        """Send what is due; lookups for partners only while `asking`."""
        ...

    def repeat(self, now: float) -> list[Envelope]:
        """Return the messages whose answers are late."""
        ...

    def replay(self, entry: Entry, now: float) -> None:
        """Restore the state after a journal entry."""
        ...


def exchange_of(
    address: Address,
    setting: Setting,
    holding: Holding,
    *,
    journal: Journal,
    session: int,
    held: HeldHome | None = None,
) -> SlotExchange | BundleExchange | CycleExchange | AmountExchange:
    """Return a household's exchange on the terms of its run, in which nothing has been sent yet.
    Content amounts is for homes, and raises PeerError without one."""
    leases = LeaseCheck(address, setting.terms.content, setting.matchmaker_keys)
    if setting.terms.rule == "ttc":
        return CycleExchange(
            address,
            holding,
            journal,
            matchmakers=setting.matchmakers,
            households=setting.households,
            session=session,
        )
    if setting.terms.content == "amounts":
        if held is None:
            raise PeerError("an exchange of amounts is for homes with devices")
        return AmountExchange(
            address=address,
            held=held,
            holding=holding,
            journal=journal,
            setting=setting,
            session=session,
            leases=leases,
        )
    if setting.terms.content == "bundle":
        return BundleExchange(
            address, holding, journal, setting=setting, session=session, leases=leases
        )
    return SlotExchange(
        address,
        holding,
        journal,
        matchmakers=setting.matchmakers,
        terms=setting.terms,
        session=session,
        leases=leases,
    )
