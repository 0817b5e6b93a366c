"""The text of each claim in the report: its place in the paper, its words, its measures, its
reason.

The texts are in `claim_words.txt`; after a change of wording, change them there too.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.replication.claims import beyond, claims
from orchestrator.replication.verdict import Claim
from tests.support.replication_runs import RUNS, OverBeta, OverSize, cooperative_run

for name in ("scipy", "kneed"):
    pytest.importorskip(name, reason="the evaluation needs the extra `report`")

WORDS = Path(__file__).with_name("claim_words.txt")


def text_of(claim: Claim) -> Iterator[str]:
    yield f"{claim.where}: {claim.says}"
    for criterion in claim.criteria:
        yield f"  {criterion.what} {criterion.form}"
    if claim.why:
        yield f"  because {claim.why}"


def test_claims_have_the_texts_of_the_report() -> None:
    runs = OverBeta().runs()
    found = [
        *claims(runs, OverSize().runs()),
        *beyond(runs, [cooperative_run()] * RUNS),
    ]
    assert [line for claim in found for line in text_of(claim)] == WORDS.read_text().splitlines()
