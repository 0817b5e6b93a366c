"""The choice of bundles for all proposals of a frame at once, with the same result as one by one.

A host with many households receives many proposals in one frame; choosing for all of them together
takes half the time.
"""

from collections.abc import Iterable

from agents.exchange.bundles.bundle_content import BundleContent, best_bundles
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
    bundles = best_bundles([question for _, _, question in open_])
    for (content, proposal, question), slots in zip(open_, bundles, strict=True):
        content.foresee(proposal, question, slots)
