"""Explanation of a household's stage 2, read from its own journal alone.

It reads the entries (entries.py) and decides nothing; how an explanation is shown on a terminal is
decided in orchestrator/reporting.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields

from agents.exchange.journal.entries import Entry
from agents.exchange.journal.records import read_beginning
from agents.mandate import FREE
from agents.plans import rmse
from protocol.messages.exchange import Refusal
from protocol.terms import DisclosureName, RuleName

WORDS: dict[Refusal, str] = {
    "loss": "it would have lost comfort by it",
    "no joint gain": "the two together would not have gained enough",
    "preferred": "the slot was at its preferred value",
    "cap": "it would have ended with more discomfort than it may",
    "drift": "the sum of its energy would have drifted too far",
    "never": "its people never trade that slot",
    "stale": "the value had changed hands meanwhile",
    "busy": "that slot was being negotiated already",
}
"""The reasons for a refusal in words, about the household that refused."""


@dataclass(frozen=True, slots=True)
class NegotiationRecord:
    """One negotiation, as it ended for this household."""

    round: int
    slot: int
    partner: str
    asked: bool
    """True if this household was the requester."""
    given: float
    """Value held before, kWh."""
    taken: float
    """Value offered for it, kWh."""
    gain: float
    """Decrease of the own squared deviation that the exchange brought, or would have brought,
    kWh²."""
    reason: Refusal
    """Reason for the failure; empty if the values were exchanged."""
    own: bool
    """True if this household made the decision."""


@dataclass(frozen=True, slots=True)
class Change:
    """A slot whose value has changed."""

    slot: int
    planned: float
    exchanged: float
    preferred: float


@dataclass(frozen=True, slots=True)
class ExchangeExplanation:
    """An explanation of one household's stage 2."""

    household: str
    rule: RuleName
    disclosure: DisclosureName
    mandate: dict[str, object]
    """The fields of its mandate that differ from an empty mandate."""
    rounds: int
    restarts: int
    over: bool
    """True if the journal reaches the end of the stage."""
    discomfort_planned: float
    """Discomfort before stage 2, kWh."""
    discomfort_exchanged: float
    energy_drift: float
    """Change of the sum of the schedule, kWh."""
    away_planned: int
    """Number of slots that were not at their preferred value."""
    away_exchanged: int
    deeds: tuple[NegotiationRecord, ...]
    changes: tuple[Change, ...]

    @property
    def exchanges(self) -> list[NegotiationRecord]:
        """The negotiations that ended in an exchange."""
        return [deed for deed in self.deeds if not deed.reason]

    def at(self, slot: int) -> "list[NegotiationRecord]":
        """Return the negotiations at one slot, in their order."""
        return [deed for deed in self.deeds if deed.slot == slot]


def explain(entries: Sequence[Entry]) -> ExchangeExplanation:
    """Explain a household's entries, of which the first must be the `begin` of stage 2."""
    setting, mandate, planned, preferred = read_beginning(entries[0].data)
    schedule, deeds = planned.copy(), []
    for entry in entries:
        if entry.kind in ("done", "failed", "declined", "accepted", "refused"):
            deeds.append(_deed(entry))
        if entry.kind in ("done", "accepted"):
            schedule[entry.slot] = entry.taken
    return ExchangeExplanation(
        household=entries[0].household,
        rule=mandate.rule or setting.terms.rule,
        disclosure=mandate.disclosure or setting.terms.disclosure,
        mandate={
            field.name: sorted(value) if isinstance(value, frozenset) else value
            for field in fields(mandate)
            if (value := getattr(mandate, field.name)) != getattr(FREE, field.name)
        },
        rounds=max((entry.round for entry in entries if entry.kind == "round"), default=0),
        restarts=sum(entry.kind == "resume" for entry in entries),
        over=any(entry.kind == "over" for entry in entries),
        discomfort_planned=float(rmse(planned[None], preferred[None])[0]),
        discomfort_exchanged=float(rmse(schedule[None], preferred[None])[0]),
        energy_drift=float(schedule.sum() - planned.sum()),
        away_planned=int((planned != preferred).sum()),
        away_exchanged=int((schedule != preferred).sum()),
        deeds=tuple(deeds),
        changes=tuple(
            Change(slot, *(float(plan[slot]) for plan in (planned, schedule, preferred)))
            for slot in range(len(planned))
            if planned[slot] != schedule[slot]
        ),
    )


def sentences(explanation: ExchangeExplanation) -> list[str]:
    """Return the explanation as a few plain sentences."""
    gain = explanation.discomfort_planned - explanation.discomfort_exchanged
    came = f"The discomfort fell by {gain:.4g} kWh" if gain > 0 else "The discomfort did not fall"
    lines = [
        f"{explanation.household} acted under the rule {explanation.rule} and disclosed at level "
        f"{explanation.disclosure}; {_mandated(explanation)}",
        f"{came}: from {explanation.discomfort_planned:.4g} to "
        f"{explanation.discomfort_exchanged:.4g}. "
        f"Slots that are not as preferred: {explanation.away_planned} before, "
        f"{explanation.away_exchanged} after. The sum of its energy moved by "
        f"{explanation.energy_drift:+.4g} kWh.",
    ]
    asked = [deed for deed in explanation.deeds if deed.asked and not (deed.own and deed.reason)]
    left = [deed for deed in explanation.deeds if deed.asked and deed.own and deed.reason]
    answered = [deed for deed in explanation.deeds if not deed.asked]
    lines.append(f"In {_times(explanation.rounds, 'round')} it asked {_yes(asked)}")
    if left:
        lines.append(f"It left what was found for it {_times(len(left), 'time')}{_why(left)}.")
    lines.append(f"It was asked {_yes(answered)}")
    if explanation.restarts:
        lines.append(
            f"Its host ended {_times(explanation.restarts, 'time')} meanwhile; it went on from its "
            "journal."
        )
    if not explanation.over:
        lines.append("The journal ends before the stage was over.")
    return lines


def _deed(entry: Entry) -> NegotiationRecord:
    return NegotiationRecord(
        round=entry.round,
        slot=entry.slot,
        partner=entry.partner,
        asked=entry.kind in ("done", "failed", "declined"),
        given=entry.given,
        taken=entry.taken,
        gain=-entry.change,
        reason=entry.reason,
        own=entry.kind in ("declined", "accepted", "refused"),
    )


def _mandated(explanation: ExchangeExplanation) -> str:
    if not explanation.mandate:
        return "its people have narrowed nothing."
    said = ", ".join(f"{name} = {value}" for name, value in explanation.mandate.items())
    return f"its people's mandate: {said}."


def _yes(deeds: Sequence[NegotiationRecord]) -> str:
    """Say how often something was asked for, and how often it was accepted or refused and why."""
    refused = [deed for deed in deeds if deed.reason]
    if not deeds:
        return "0 times."
    answers = f"the answer was yes {_times(len(deeds) - len(refused), 'time')}"
    if refused:
        answers += f" and no {_times(len(refused), 'time')}{_why(refused)}"
    return f"{_times(len(deeds), 'time')}; {answers}."


def _why(deeds: Sequence[NegotiationRecord]) -> str:
    """List the reasons for which negotiations failed, the most frequent first."""
    reasons = Counter(deed.reason for deed in deeds)
    return f" ({'; '.join(f'{WORDS[why]}: {count}' for why, count in reasons.most_common())})"


def _times(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
