"""Which lies there are, what they pretend, and how they change messages."""

import numpy as np
import pytest

from orchestrator.manipulation.dishonesty import refusal, spoken
from orchestrator.manipulation.lies import (
    CASES,
    FACTORS,
    Case,
    Lie,
    lies_under,
    pretended_wish,
    withheld_slots,
)
from protocol.messages import Address, BundleProposal, Counter, Message, Outcome, Proposal
from protocol.messages.exchange import WHOLE, LeaseId
from protocol.runtime.machine import Envelope

HELD, PREFERRED = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 2.0, 1.0, 4.5])
SHIFT = np.full(4, 0.25)
LEASE = LeaseId(1, 2)
LIAR, OTHER = Address("host", "h1"), Address("host", "h2")


def pretended(lie: Lie | None) -> list[float]:
    return list(pretended_wish(lie, HELD, PREFERRED, shift=SHIFT))


def test_what_is_pretended() -> None:
    assert pretended(None) == pretended(Lie("limits", 2.0)) == PREFERRED.tolist()
    assert pretended(Lie("wish, own slots", 2.0)) == [3.0, 2.0, -1.0, 5.0]
    assert pretended(Lie("wish, all slots", 0.5)) == [1.0, 1.0, 0.5, 2.25]
    assert pretended(Lie("wish, against the shift")) == [1.75, 1.75, 0.75, 4.25]
    drawn = [pretended(Lie("wish, at random", seed=seed)) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    factors = (np.array(drawn[0]) - HELD)[[0, 2, 3]] / (PREFERRED - HELD)[[0, 2, 3]]
    assert (factors >= 0.5).all()
    assert (factors <= 2.0).all()
    assert drawn[0][1] == 2.0


def test_what_is_withheld() -> None:
    assert withheld_slots(None, HELD, PREFERRED) == frozenset()
    assert withheld_slots(Lie("limits", 2.0), HELD, PREFERRED) == frozenset()
    assert withheld_slots(Lie("withhold the least wanted"), HELD, PREFERRED) == {3}
    assert withheld_slots(Lie("withhold the most wanted"), HELD, PREFERRED) == {2}
    assert withheld_slots(Lie("withhold at random"), HELD, PREFERRED) < {0, 2, 3}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_case_has_the_lies_that_can_be_told(case: Case) -> None:
    lies = lies_under(case, 3)
    kinds = {lie.kind for lie in lies}
    assert len(set(lies)) == len(lies)
    assert sum(lie.kind == "wish, at random" for lie in lies) == 3
    assert {lie.factor for lie in lies if lie.kind == "wish, own slots"} == set(FACTORS)
    assert ("named change" in kinds) == (case.rule == "cooperative")
    assert ("energy cap" in kinds) == (case.content == "bundle")
    assert ("limits" in kinds) == (case.rule in ("mutual", "cooperative"))
    assert ("give nothing" in kinds) == (case.rule in ("paper", "mutual", "cooperative"))


def test_a_lie_changes_what_is_said() -> None:
    asked = Proposal(LEASE, 0, 1.0, 2.0, -1.0)
    assert spoken(Lie("named change", 2.0), asked) == Proposal(LEASE, 0, 1.0, 2.0, -2.0)
    assert spoken(Lie("limits", 2.0), asked) == asked
    countered = Counter(LEASE, (0,), np.array([1.0]), -0.5)
    changed = spoken(Lie("named change", 0.5), countered)
    assert isinstance(changed, Counter)
    assert changed.change_kwh2 == -0.25


@pytest.mark.parametrize(
    ("lie", "expected"),
    [
        (Lie("limits", 2.0), ([2.0, -4.0], 0.5, 0.25, None)),
        (Lie("loss room", 0.5), ([1.0, -2.0], 0.25, 0.25, None)),
        (Lie("energy cap", 0.5), ([1.0, -2.0], 0.5, 0.125, None)),
        (Lie("give nothing"), ([1.0, -2.0], 0.5, 0.25, None)),
    ],
)
def test_a_lie_about_a_bundle(
    lie: Lie, expected: tuple[list[float], float, float, float | None]
) -> None:
    proposal = BundleProposal(
        lease=LEASE,
        disclosure="limit",
        slots=(0, 2),
        values_kwh=np.array([1.0, 3.0]),
        limits_kwh=np.array([1.0, -2.0]),
        loss_kwh2=0.5,
        less_kwh=0.25,
        more_kwh=None,
    )
    said = spoken(lie, proposal)
    assert isinstance(said, BundleProposal)
    found = (said.limits_kwh.tolist(), said.loss_kwh2, said.less_kwh, said.more_kwh)
    assert found == expected


def test_who_gives_nothing_refuses() -> None:
    def answer(lie: Lie, message: Message) -> Envelope | None:
        return refusal(lie, Envelope(OTHER, LIAR, message))

    asked = Proposal(LEASE, 3, 1.0, 2.0, -1.0)
    refused = Outcome(LEASE, 3, accepted=False, reason="loss")
    assert answer(Lie("give nothing"), asked) == Envelope(LIAR, OTHER, refused)
    assert answer(Lie("limits", 2.0), asked) is None
    assert answer(Lie("give nothing"), refused) is None
    whole = BundleProposal(LEASE, "value", (), np.zeros(0), np.zeros(0), 0.0, None, None)
    said = answer(Lie("give nothing"), whole)
    assert said is not None
    assert said.message == Outcome(LEASE, WHOLE, accepted=False, reason="loss")
