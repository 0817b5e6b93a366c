"""What a place in a run must be like, checked when it arrives: a household that has taken one can
go through both stages with it."""

from agents.feeder_sums import width
from agents.planning.tree import children_of
from agents.plans import Plans
from protocol.errors import PeerError
from protocol.messages import Address, Place
from protocol.terms import Terms


def check_place(address: Address, place: Place, plans: Plans) -> None:
    """Raise PeerError if a household with these plans cannot go through the run at this place."""
    _check_tree(address, place)
    terms = place.terms
    _check_lengths(terms, plans.slots)
    if place.roster and len(set(place.roster)) != place.households:
        raise PeerError("a roster that does not name all households")
    if len(place.matchmaker_keys) not in (0, len(place.matchmakers)):
        raise PeerError("keys that are not one for each matchmaker")
    if terms.reorganisation.strategy != "never" and not place.roster:
        raise PeerError("the tree may change, but there is no roster")
    exchange = terms.exchange
    if exchange is None or exchange.equal_shift:
        return
    if not place.matchmakers and (exchange.content != "bundle" or not place.roster):
        raise PeerError("neither a matchmaker nor a roster to find partners in")
    if exchange.content == "amounts" and plans.home is None:
        raise PeerError("an exchange of amounts is for homes with devices")


def _check_tree(address: Address, place: Place) -> None:
    if place.position >= place.households:
        raise PeerError(f"position {place.position} among {place.households} households")
    below = len(children_of(place.position, place.terms.arity, place.households))
    if (place.parent is None) != (place.position == 0) or len(place.children) != below:
        raise PeerError(f"not the neighbours of position {place.position}")
    neighbours = {address, *place.children, *([] if place.parent is None else [place.parent])}
    if len(neighbours) != 1 + below + (place.parent is not None):
        raise PeerError("a place beside the same household twice")


def _check_lengths(terms: Terms, slots: int) -> None:
    if terms.target is not None and len(terms.target) != slots:
        raise PeerError(f"a target of {len(terms.target)} slots for {slots}")
    constraint = terms.constraint
    limits = constraint.limits if constraint is not None and constraint.kind == "plans" else ()
    if any(len(limit.mode) != width(slots, terms) for limit in limits):
        feeders = f" and {terms.feeders} feeders" if terms.feeders else ""
        raise PeerError(f"limits that are not for {slots} slots{feeders}")
