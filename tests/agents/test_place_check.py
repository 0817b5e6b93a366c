"""Places that no household can go through a run at."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agents.place_check import check_place
from agents.plans import Plans
from protocol.errors import PeerError
from protocol.messages import Address, Place
from protocol.terms import ExchangeTerms, HardConstraint, Limit, Reorganisation, Terms

OWN, *OTHERS = (Address("host-1", name) for name in ("own", "a", "b", "c", "d"))
A, B, C, D = OTHERS
PLANS = Plans(np.eye(2), np.ones(2))
MAKER = (Address("matchmaker-1", "matchmaker-1"),)
PLACE = Place(1, 5, A, (B, C), Terms(exchange=ExchangeTerms()), MAKER)
THREE = HardConstraint("plans", (Limit(np.zeros(3), (1, 1, 1)),))
BUNDLE = Terms(exchange=ExchangeTerms(content="bundle"))
ALL = (A, OWN, B, C, D)


def with_terms(**terms: Any) -> Place:
    return replace(PLACE, terms=replace(PLACE.terms, **terms))


def test_a_place_that_fits_is_taken() -> None:
    check_place(OWN, PLACE, PLANS)
    check_place(OWN, replace(PLACE, terms=BUNDLE, matchmakers=(), roster=ALL), PLANS)
    check_place(OWN, replace(PLACE, terms=Terms(), matchmakers=()), PLANS)
    root = replace(PLACE, position=0, parent=None)
    check_place(OWN, root, PLANS)


@pytest.mark.parametrize(
    ("place", "named"),
    [
        (replace(PLACE, position=5), "position 5 among 5 households"),
        (replace(PLACE, parent=None), "not the neighbours of position 1"),
        (replace(PLACE, position=0), "not the neighbours of position 0"),
        (replace(PLACE, children=(B,)), "not the neighbours of position 1"),
        (replace(PLACE, children=(B, B)), "the same household twice"),
        (replace(PLACE, children=(A, B)), "the same household twice"),
        (replace(PLACE, children=(OWN, B)), "the same household twice"),
        (replace(PLACE, roster=(A, OWN)), "a roster that does not name all"),
        (replace(PLACE, roster=(*ALL[:4], A)), "a roster that does not name all"),
        (replace(PLACE, matchmaker_keys=("5a" * 32,) * 2), "not one for each matchmaker"),
        (replace(PLACE, matchmakers=()), "neither a matchmaker nor a roster"),
        (replace(PLACE, terms=BUNDLE, matchmakers=()), "neither a matchmaker nor a roster"),
        (with_terms(target=np.zeros(3), cost="sqr"), "a target of 3 slots for 2"),
        (with_terms(constraint=THREE), "limits that are not for 2 slots"),
        (with_terms(exchange=ExchangeTerms(content="amounts")), "for homes with devices"),
        (
            with_terms(reorganisation=Reorganisation("periodically", period=2)),
            "the tree may change, but there is no roster",
        ),
    ],
)
def test_a_place_that_cannot_be_is_refused(place: Place, named: str) -> None:
    with pytest.raises(PeerError, match=named):
        check_place(OWN, place, PLANS)
