"""When an exchange is agreed to: three acceptance rules as pure functions (DESIGN.md 4).

A change is that of a squared deviation, (new - preferred)^2 - (old - preferred)^2, in kWh^2:
negative means closer. Each side computes its own.
"""

from protocol.messages.exchange import Refusal
from protocol.terms import RuleName

MARGIN = 1e-9
"""Relative: a running sum of squares is off by less; what it allows must hold of the true one."""


def worth_asking(change: float, min_gain_kwh2: float) -> bool:
    """Whether a requester proposes: it gains, and more than what is not worth while."""
    return change < 0 and -change >= min_gain_kwh2


def answer_mutual(change: float) -> Refusal:
    """A responder that does not lose agrees."""
    return "" if change <= 0 else "loss"


def answer_cooperative(
    change: float, named: float, deviation: float, most: float, min_gain_kwh2: float
) -> Refusal:
    """A responder agrees if the pair gains together and it does not end above `most`.

    `named` is the change that the requester names for itself; `deviation` the responder's sum of
    squared deviations now, `most` what it was when the stage began, both kWh^2.
    """
    together = change + named
    if together >= 0 or -together < min_gain_kwh2:
        return "no joint gain"
    if change > 0 and deviation + change > most * (1 - MARGIN):
        return "cap"
    return ""


def answer_paper(held: float, preferred: float) -> Refusal:
    """The source's literal rule: a responder agrees unless the slot is at its preferred value
    (section IV-C), though it may lose by it."""
    return "preferred" if held == preferred else ""


def named_change(rule: RuleName, change: float) -> float:
    """What a requester tells its partner of its own change: nothing, unless the rule needs it."""
    return change if rule == "cooperative" else 0.0
