"""The messages of a household that lies: an honest proxy whose words are changed on the way.

The proxy still checks with the truth what it agrees to, so none of these lies makes it lose by one
exchange. A household that pretends another wish altogether is in lies.py.
"""

from dataclasses import replace

from orchestrator.manipulation.lies import Lie
from protocol.messages import (
    BundleProposal,
    Counter,
    Lookup,
    Message,
    Outcome,
    Proposal,
)
from protocol.messages.exchange import WHOLE
from protocol.runtime.machine import Envelope


def spoken(lie: Lie, message: Message) -> Message:
    """Return what a household says instead of this message."""
    match lie.kind, message:
        case "limits", Lookup() | BundleProposal() if message.disclosure == "limit":
            return replace(message, limits_kwh=message.limits_kwh * lie.factor)
        case "named change", Proposal() | Counter():
            return replace(message, change_kwh2=message.change_kwh2 * lie.factor)
        case "loss room", BundleProposal():
            return replace(message, loss_kwh2=message.loss_kwh2 * lie.factor)
        case "energy cap", BundleProposal():
            less, more = message.less_kwh, message.more_kwh
            return replace(
                message,
                less_kwh=None if less is None else less * lie.factor,
                more_kwh=None if more is None else more * lie.factor,
            )
        case _:
            return message


def refusal(lie: Lie, envelope: Envelope) -> Envelope | None:
    """Return the refusal that a household gives without thinking, if it lies so."""
    if lie.kind != "give nothing":
        return None
    match envelope.message:
        case Proposal(lease=lease, slot=slot):
            refused = Outcome(lease, slot, accepted=False, reason="loss")
        case BundleProposal(lease=lease):
            refused = Outcome(lease, WHOLE, accepted=False, reason="loss")
        case _:
            return None
    return Envelope(envelope.to, envelope.sender, refused)
