"""The choice of bundles for all proposals of a frame at once, with the same result as one by one.

A host with many households receives many proposals in one frame; choosing for all of them together
takes half the time.
"""

from collections.abc import Iterable
from dataclasses import fields

import numpy as np

from agents.exchange.bundles.bundle_choice import BundleBounds, PairChanges, choose_bundles
from agents.exchange.bundles.bundle_content import BundleContent
from protocol.errors import PeerError
from protocol.messages import BundleProposal


def choose_together(asked: Iterable[tuple[BundleContent, BundleProposal]]) -> None:
    """Choose the bundles of these responders and proposals, and let each responder know its own.

    What makes no sense is left out: the responder will refuse it.
    """
    open_ = []
    for content, proposal in asked:
        try:
            open_.append((content, proposal, content.question(proposal)))
        except PeerError:
            continue
    if not open_:
        return
    questions = [question for _, _, question in open_]
    bundles = choose_bundles(
        PairChanges(**_stacked([question.changes for question in questions])),
        BundleBounds(**_stacked([question.bounds for question in questions])),
    )
    for (content, proposal, question), slots in zip(open_, bundles.slots, strict=True):
        content.foresee(proposal, question, slots)


def _stacked(rows: list[PairChanges] | list[BundleBounds]) -> dict[str, np.ndarray]:
    """Return the fields of several batches of one pair as those of one batch."""
    return {
        field.name: np.concatenate([getattr(row, field.name) for row in rows])
        for field in fields(rows[0])
    }
