"""docs/privacy.md compared with the messages: what stage 2 reveals about a household's preferred
values."""

from collections.abc import Iterator
from math import isclose, log2

import numpy as np
import pytest

from agents.mandate import Mandate
from protocol.codec import decode_frame
from protocol.messages import Lookup, Message, Proposal
from protocol.runtime.node import Frame
from protocol.terms import DisclosureName, ExchangeTerms, RuleName
from protocol.vectors import Array
from tests.support.exchange_world import RUN, World

TRADED = 3
"""Slots; one more is never traded."""


class Ear:
    """All messages of stage 2 of ten households, by household."""

    def __init__(self, terms: ExchangeTerms, mandate: Mandate | None = None) -> None:
        chance = np.random.default_rng(5)
        shape = (10, TRADED + 1)
        self.schedules, self.preferred = chance.uniform(0, 2, shape), chance.uniform(0, 2, shape)
        never = mandate or Mandate(never=frozenset({TRADED}))
        world = World(
            self.schedules, self.preferred, terms, mandates=dict.fromkeys(range(10), never)
        )
        self._said: list[tuple[int, Message]] = []

        def listen(sender: str, frame: Frame) -> None:
            for item in decode_frame(frame.data, RUN):
                if item.sender.startswith("h"):
                    self._said.append((int(item.sender[1:]), item.message))

        world.listen = listen
        assert world.run(world.over)
        assert (world.after != world.before).any()

    def lookups(self) -> Iterator[tuple[Array, dict[int, float], Lookup]]:
        """Yield the preferred values of a requester, its offers so far, and its lookup."""
        held: list[dict[int, float]] = [{} for _ in range(10)]
        for who, message in self._said:
            if isinstance(message, Lookup):
                held[who].update(zip(message.slots, message.values_kwh.tolist(), strict=True))
                yield self.preferred[who], held[who], message

    def proposals(self) -> list[tuple[Array, Proposal]]:
        """Yield proposals with the preferred values of their senders."""
        return [(self.preferred[who], m) for who, m in self._said if isinstance(m, Proposal)]


def is_short(named: float, true: float) -> bool:
    """Return True if a limit is disclosed as the page says: a step of the ladder below the true
    one, or 0."""
    if named == 0:
        return True
    step = 2 * log2(abs(named))
    within = abs(named) <= abs(true) * (1 + 1e-12) and abs(true) < abs(named) * 2**0.5 * (1 + 1e-12)
    return named * true > 0 and within and isclose(step, round(step), abs_tol=1e-6)


@pytest.mark.parametrize("rule", ["mutual", "cooperative"])
@pytest.mark.parametrize("level", ["value", "direction", "limit"])
def test_the_matchmaker_learns_what_the_page_says(rule: RuleName, level: DisclosureName) -> None:
    asked = named = ordered = 0
    for preferred, held, lookup in Ear(ExchangeTerms(rule=rule, disclosure=level)).lookups():
        assert TRADED not in {*lookup.slots, *lookup.wants}
        values, limits = lookup.values_kwh.tolist(), lookup.limits_kwh.tolist()
        match level:
            case "value":
                assert limits == []
            case "direction":
                true = np.sign(preferred[list(lookup.slots)] - lookup.values_kwh)
                assert limits == true.tolist()
            case "limit":
                assert len(lookup.wanted_kwh) == len(lookup.tolerance_kwh) == 0
                for slot, value, limit in zip(lookup.slots, values, limits, strict=True):
                    assert is_short(limit, 2 * (preferred[slot] - value))
                    named += limit != 0
        for slot, wanted, tolerance in zip(
            lookup.wants, lookup.wanted_kwh.tolist(), lookup.tolerance_kwh.tolist(), strict=False
        ):
            away = wanted - held[slot]
            assert tolerance == pytest.approx(abs(away))
            limit = 2 * away if abs(away) > 1e-9 else 0.0
            assert is_short(limit, 2 * (preferred[slot] - held[slot]))
            named += limit != 0
        asked += len(lookup.wants)
        if len(lookup.wants) == TRADED:  # the first: an order, and so much is told
            distances = [abs(held[slot] - preferred[slot]) for slot in lookup.wants]
            ordered += distances == sorted(distances, reverse=True)
    assert asked > 0
    assert named > 0
    assert ordered >= 9  # of ten; all but who was busy at once


def test_a_tolerance_reveals_more_to_the_matchmaker() -> None:
    for preferred, _, lookup in Ear(
        ExchangeTerms(tolerance_kwh=0.5), Mandate(never=frozenset({TRADED}))
    ).lookups():
        assert lookup.wanted_kwh.tolist() == [preferred[slot] for slot in lookup.wants]


def test_a_partner_can_infer_what_the_page_says() -> None:
    for preferred, proposal in Ear(ExchangeTerms()).proposals():
        wanted = preferred[proposal.slot]
        assert proposal.change_kwh2 == 0
        assert abs(wanted - proposal.taken_kwh) < abs(wanted - proposal.given_kwh)
    heard = Ear(ExchangeTerms(rule="cooperative")).proposals()
    for preferred, proposal in heard:
        given, taken = proposal.given_kwh, proposal.taken_kwh
        worked_out = (given + taken) / 2 - proposal.change_kwh2 / (2 * (taken - given))
        assert worked_out == pytest.approx(preferred[proposal.slot])
    assert heard
