"""The acceptance rules: when an exchange is agreed to, as pure functions.

A change is the change of a squared deviation, (new - preferred)^2 - (old - preferred)^2, in kWh^2;
negative means closer. Each side computes its own.
"""

from protocol.messages.exchange import Refusal
from protocol.terms import RuleName

MARGIN = 1e-9
"""Relative bound on the rounding error of a running sum of squares. A cap must hold for the exact
sum."""


def worth_asking(change: float, min_gain_kwh2: float) -> bool:
    """Return True if a requester should propose: it gains at least the least gain."""
    return change < 0 and -change >= min_gain_kwh2


def answer_mutual(change: float) -> Refusal:
    """Decide as a responder by the rule `mutual`: agree unless it loses."""
    return "" if change <= 0 else "loss"


def answer_cooperative(
    change: float, named: float, deviation: float, most: float, min_gain_kwh2: float
) -> Refusal:
    """Decide as a responder by the rule `cooperative`: agree if the pair gains together and the
    responder does not end above `most`.

    `named` is the change that the requester states for itself; `deviation` is the responder's
    present sum of squared deviations, `most` the one at the start of the stage. All in kWh^2.
    """
    together = change + named
    if together >= 0 or -together < min_gain_kwh2:
        return "no joint gain"
    if change > 0 and deviation + change > most * (1 - MARGIN):
        return "cap"
    return ""


def answer_paper(held: float, preferred: float) -> Refusal:
    """Decide as a responder by the source's literal rule (section IV-C): agree unless the slot is
    at its preferred value, even at a loss."""
    return "preferred" if held == preferred else ""


def named_change(rule: RuleName, change: float) -> float:
    """Return the change that a requester states to its partner, kWh^2; 0 unless the rule needs
    it."""
    return change if rule == "cooperative" else 0.0
