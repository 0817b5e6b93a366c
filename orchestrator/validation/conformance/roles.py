"""The parts around the tested household, and the places that it is given."""

from agents.planning.costs import EXACT
from agents.planning.java_random import household_chance
from agents.planning.plan_selection import PlanSelection
from agents.plans import Plans
from orchestrator.validation.conformance.sealed_leases import PUBLIC_KEY
from protocol.messages import Address, Place, Up
from protocol.messages.planning import Aggregate
from protocol.terms import ExchangeTerms, Terms


def _address(name: str) -> Address:
    return Address(f"conformance-{name}", f"conformance-{name}")


PARENT, STRANGER = _address("parent"), _address("stranger")
CHILDREN = (_address("child-1"), _address("child-2"))
PARTNERS = (_address("partner-1"), _address("partner-2"))
MATCHMAKER = Address("matchmaker-1", "matchmaker-1")
ITERATIONS = 3
NEAR = 1e-9
"""Relative tolerance between sums that were added in a different order."""


SLOT = ExchangeTerms(rule="mutual", disclosure="limit", at_once=2)
BUNDLE = ExchangeTerms(
    rule="mutual",
    content="bundle",
    energy_drift_kwh=0.02,
    disclosure="limit",
    order="waves",
    locks="household",
)
AMOUNTS = ExchangeTerms(rule="mutual", content="amounts", locks="household", lease_seconds=12.0)
"""Its leases are short, since the test waits for some to run out."""
EQUAL = ExchangeTerms(equal_shift=True)


def place_of(attempt: int, exchange: ExchangeTerms, *, parent: bool, children: bool) -> Place:
    """Return a place in a tree with the parts named above, in a run with these terms of stage 2."""
    terms = Terms(
        iterations=ITERATIONS, seed=attempt, beta=0.0, exchange=exchange, patience_seconds=60.0
    )
    return Place(
        position=1 if parent else 0,
        households=1 + parent + 2 * children + parent * children,
        parent=PARENT if parent else None,
        children=CHILDREN if children else (),
        terms=terms,
        matchmakers=() if exchange.equal_shift else (MATCHMAKER,),
        attempt=attempt,
        matchmaker_keys=() if exchange.equal_shift else (PUBLIC_KEY,),
    )


class Twin:
    """The expected decisions of a household with these plans at a place, one iteration after
    another."""

    def __init__(self, household: str, plans: Plans, place: Place) -> None:
        self._place, self._begun = place, False
        self._planner = PlanSelection(
            plans=plans.values,
            discomforts=plans.discomforts(place.terms.discomfort),
            terms=place.terms,
            households=place.households,
            chance=household_chance(place.terms.seed, household),
            arithmetic=EXACT,
        )

    def bottom_up(self, ups: list[Up]) -> Aggregate:
        """Return the sums of its subtree."""
        known = self._place.households if self._begun else 1 + sum(up.size for up in ups)
        self._begun = True
        return self._planner.bottom_up([up.sums for up in ups], known)

    def top_down(self, everybody: Aggregate, approved: bool) -> tuple[bool, ...]:
        """Return the approval of each child's change."""
        self._planner.top_down(everybody, approved)
        return self._planner.flags


def near(one: Aggregate, other: Aggregate) -> bool:
    """Return True if the sums are equal up to rounding."""
    scale = max(1.0, float(abs(other.response).max()), other.discomfort, other.discomfort_squares)
    away = (
        abs(one.response - other.response).max(),
        abs(one.discomfort - other.discomfort),
        abs(one.discomfort_squares - other.discomfort_squares),
    )
    return all(float(distance) <= NEAR * scale for distance in away)
