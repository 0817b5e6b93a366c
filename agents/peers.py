"""The peers of one household: what each sender is to it, for the gate (protocol/runtime/gate.py).

They follow from its place: its parent and children in the tree, and the matchmakers. Of other
households it knows those with which it has had a talk; whether one that proposes has a lease is
checked in exchange/lease_check.py. Pure.
"""

from collections.abc import Iterable

from agents.exchange.journal.entries import Entry
from protocol.errors import PeerError
from protocol.messages import (
    Address,
    AmountConfirmation,
    AmountProposal,
    BundleProposal,
    Place,
    Proposal,
)
from protocol.runtime.machine import Envelope, Roles

_ORCHESTRATOR: Roles = frozenset({"orchestrator"})
_MATCHMAKER: Roles = frozenset({"matchmaker"})
_NEIGHBOURS: Roles = frozenset({"parent", "child"})
_HOUSEHOLD: Roles = frozenset({"household"})
_NOBODY: Roles = frozenset()
_PROPOSALS = (Proposal, BundleProposal, AmountProposal)
_OPENING = (*_PROPOSALS, AmountConfirmation)
"""The messages to a partner that is asked, or told, before it has said anything."""


class Peers:
    """The peers of one household. Before it is placed it knows the orchestrator alone."""

    def __init__(self, owner: Address, orchestrator: Address) -> None:
        self._owner = owner
        self._orchestrator = orchestrator
        self._roles: dict[Address, Roles] = {orchestrator: _ORCHESTRATOR}
        self._others = _NOBODY
        """The roles of every other address."""
        self._met: set[Address] = set()
        """The households with which there is, or has been, a talk."""

    def place(self, place: Place) -> None:
        """Take the peers that come with a place in the run."""
        terms, exchange = place.terms, place.terms.exchange
        pairs = exchange is not None and not exchange.equal_shift and exchange.rule != "ttc"
        others = _HOUSEHOLD if pairs else _NOBODY
        if terms.reorganisation.strategy != "never":
            # Anybody may become a neighbour; stage 1 knows who is one in which iteration.
            others |= _NEIGHBOURS
        parents = () if place.parent is None else (place.parent,)
        self._others = others
        self._roles = {
            **{parent: others | {"parent"} for parent in parents},
            **{child: others | {"child"} for child in place.children},
            **dict.fromkeys(place.matchmakers, _MATCHMAKER),
            self._orchestrator: _ORCHESTRATOR,
        }

    def resume(self, place: Place, entries: Iterable[Entry]) -> None:
        """Take the peers of a household that has started again with these entries."""
        self.place(place)
        self._met.update(Address(each.host, each.partner) for each in entries if each.partner)

    def meet_requester(self, taken: Envelope) -> None:
        """Note the talk with the sender of a message that was taken, if it is a proposal."""
        if isinstance(taken.message, _PROPOSALS):
            self._met.add(taken.sender)

    def meet_partners(self, said: Iterable[Envelope]) -> None:
        """Note the talks that these messages of the household open."""
        for envelope in said:
            if isinstance(envelope.message, _OPENING):
                self._met.add(envelope.to)

    def roles_of(self, sender: Address) -> Roles:
        """Return the roles of a sender. Raises PeerError if it has none."""
        roles = self._roles.get(sender, self._others)
        if sender in self._met:
            return roles | {"partner"}
        if not roles:
            raise PeerError(f"{sender.name} on {sender.host} is no peer of {self._owner.name}")
        return roles
