"""Which exchange a household takes part in, by the content and rule of the run."""

from agents.exchange.bundles.bundle_exchange import BundleExchange
from agents.exchange.cycles.cycle_exchange import CycleExchange
from agents.exchange.holding import Holding
from agents.exchange.journal.entries import Journal
from agents.exchange.journal.records import Setting
from agents.exchange.slot_exchange import SlotExchange
from protocol.messages import Address


def exchange_of(
    address: Address, setting: Setting, holding: Holding, *, journal: Journal, session: int
) -> SlotExchange | BundleExchange | CycleExchange:
    """Return a household's exchange on the terms of its run, in which nothing has been sent yet."""
    if setting.terms.rule == "ttc":
        return CycleExchange(
            address,
            holding,
            journal,
            matchmakers=setting.matchmakers,
            households=setting.households,
            session=session,
        )
    if setting.terms.content == "bundle":
        return BundleExchange(address, holding, journal, setting=setting, session=session)
    return SlotExchange(
        address,
        holding,
        journal,
        matchmakers=setting.matchmakers,
        terms=setting.terms,
        session=session,
    )
