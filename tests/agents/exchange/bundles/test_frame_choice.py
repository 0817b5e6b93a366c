"""Bundles are chosen for all proposals of a frame at once, with the same result as one by one."""

from dataclasses import replace

import numpy as np
import pytest

import coflex
from agents.exchange.bundles import bundle_content
from agents.exchange.bundles.bundle_choice import BundleBounds, Bundles, PairChanges
from agents.exchange.bundles.bundle_content import BundleContent
from agents.exchange.bundles.frame_choice import choose_together
from agents.exchange.holding import Holding
from agents.mandate import Mandate
from orchestrator.coordination import nodes
from protocol.messages import BundleProposal
from protocol.messages.exchange import LeaseId
from protocol.terms import ExchangeTerms, RuleName

SLOTS, PAIRS = 24, 12


def households(rule: RuleName) -> list[BundleContent]:
    draws = np.random.default_rng(3)
    made = []
    for number in range(2 * PAIRS):
        held, preferred = draws.integers(0, 16, (2, SLOTS)) / 8.0
        mandate = Mandate(energy_drift=0.1 + number / 8)
        terms = ExchangeTerms(rule=rule, content="bundle", energy_drift_kwh=2.0)
        content = BundleContent(Holding(held, preferred, terms, mandate))
        content.share(0.25, min_gain_kwh2=0.01)
        made.append(content)
    return made


def asked(rule: RuleName) -> list[tuple[BundleContent, BundleProposal]]:
    made = households(rule)
    return [
        (responder, requester.propose(LeaseId(1, number)))
        for number, (requester, responder) in enumerate(
            zip(made[:PAIRS], made[PAIRS:], strict=True), 1
        )
    ]


def refuse_to_choose(changes: PairChanges, bounds: BundleBounds) -> Bundles:
    raise AssertionError("chosen anew")


@pytest.mark.parametrize("rule", ["mutual", "cooperative"])
def test_a_choice_for_many_is_the_choice_for_each(
    rule: RuleName, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = [responder.answer(proposal) for responder, proposal in asked(rule)]
    together = asked(rule)
    choose_together(together)
    monkeypatch.setattr(bundle_content, "choose_bundles", refuse_to_choose)
    assert [responder.answer(proposal) for responder, proposal in together] == alone
    assert sum(reason == "" for _, reason in alone) > PAIRS // 2


def test_what_changes_before_the_answer_is_chosen_anew() -> None:
    pairs = asked("mutual")
    choose_together(pairs)
    for responder, proposal in pairs:
        deal, reason = responder.answer(proposal)
        if not reason:
            choose_together([(responder, proposal)])
            responder.apply(deal)  # such as a confirmation earlier in the frame
            again, _ = responder.answer(proposal)
            fresh, _ = responder.answer(proposal)
            assert again == fresh
            assert again != deal


def test_a_choice_is_for_one_proposal_only() -> None:
    (responder, proposal), (_, other) = asked("mutual")[:2]
    choose_together([(responder, other)])
    foreseen = responder.answer(proposal)
    assert foreseen == asked("mutual")[0][0].answer(proposal)


def test_nonsense_in_a_frame_is_left_to_its_receiver() -> None:
    pairs = asked("mutual")
    senseless = replace(pairs[0][1], values_kwh=np.full(SLOTS, np.nan))
    choose_together([(pairs[0][0], senseless), *pairs[1:]])
    assert [r.answer(p) for r, p in pairs[1:]] == [r.answer(p) for r, p in asked("mutual")[1:]]


def test_a_run_is_the_same_with_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def together(found: list[tuple[BundleContent, BundleProposal]]) -> None:
        sizes.append(len(found))
        choose_together(found)

    def run() -> str:
        outcome = coflex.simulate(demo=True, households=24, slots=24, iterations=5)
        return str(outcome.households.to_csv())

    monkeypatch.setattr(nodes, "choose_together", together)
    many = run()
    monkeypatch.setattr(nodes, "choose_together", lambda found: None)
    assert run() == many
    assert max(sizes) > 2
