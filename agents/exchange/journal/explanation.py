"""What a household did in stage 2 and why, read from its own journal alone.

Reads the entries (`entries`) and decides which sentences tell them; how they are laid out on a
terminal is decided in `orchestrator.reporting`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.exchange.journal.another_exchange import read_another
from agents.exchange.journal.division import read_division
from agents.exchange.journal.entries import Entry, Kind
from agents.exchange.journal.records import read_beginning, read_deal
from agents.plans import rmse
from protocol.messages.equal_shift import UNIT_KWH
from protocol.messages.exchange import WHOLE, Refusal
from protocol.terms import DisclosureName, RuleName
from protocol.vectors import Array

WORDS: dict[Refusal, str] = {
    "loss": "it would have lost comfort by it",
    "no joint gain": "the two together would not have gained enough",
    "preferred": "it already held the value that it prefers",
    "cap": "it would have ended with more discomfort than it may",
    "drift": "the sum of its energy would have drifted too far",
    "never": "its people never trade that slot",
    "stale": "the value had changed hands meanwhile",
    "rule": "its own rule refused",
    "contradiction": "what was said of the other side did not agree with what was said before",
    "busy": "it was already negotiating about that slot",
}
"""Why a household refused; "it" is that household."""


_ASKED: frozenset[Kind] = frozenset({"done", "failed", "declined", "released"})
_OWN: frozenset[Kind] = frozenset({"declined", "released", "refused"})
_ENDS: frozenset[Kind] = _ASKED | {"accepted", "refused", "dismissed"}
"""Entries with which a negotiation ends; those as requester; those that the household decided."""


@dataclass(frozen=True, slots=True)
class NegotiationRecord:
    """A negotiation about one slot or a bundle, as it ended for this household."""

    round: int
    slot: int
    """The slot; WHOLE for a bundle."""
    slots: tuple[int, ...]
    """The slots concerned; empty if no bundle was named."""
    partner: str
    asked: bool
    """Whether this household was the requester."""
    given: float
    """kWh that this household held before, over all these slots; so are the next and
    `preferred`."""
    taken: float
    """kWh that it was offered."""
    gain: float
    """Fall of its squared deviation that the exchange brought, or would have brought, kWh²."""
    reason: Refusal
    """Why nothing came of it; empty if the values changed hands."""
    own: bool
    """Whether this household decided."""
    preferred: float
    """kWh that it prefers."""
    gain_share: float
    """The gain as a share of its squared deviation after stage 1 over all slots, if it had any."""


@dataclass(frozen=True, slots=True)
class Change:
    """A slot at which the household holds another value than after stage 1, kWh."""

    slot: int
    planned: float
    exchanged: float
    preferred: float


@dataclass(frozen=True, slots=True)
class ExchangeExplanation:
    """Stage 2 as one household saw it."""

    household: str
    rule: RuleName
    disclosure: DisclosureName
    mandate: dict[str, object]
    """What its people asked for; empty if they asked for nothing."""
    rounds: int
    restarts: int
    over: bool
    """Whether the journal reaches to the end of the stage."""
    discomfort_planned: float
    """kWh, as is the next."""
    discomfort_exchanged: float
    energy_drift: float
    """kWh."""
    away_planned: int
    """Number of slots that were not as preferred, after stage 1; the next is after stage 2."""
    away_exchanged: int
    negotiations: tuple[NegotiationRecord, ...]
    changes: tuple[Change, ...]
    loops: int = 1
    """Number of exchanges; between them the household planned again (`exchange_every`)."""
    from_exchange: int = 0
    """How often it then planned with a schedule of an earlier exchange, not with an own plan."""
    equal_shift: bool = False
    """Whether the stage was an equal shift, without negotiations."""

    @property
    def exchanges(self) -> list[NegotiationRecord]:
        """The negotiations in which values changed hands."""
        return [record for record in self.negotiations if not record.reason]

    def at(self, slot: int) -> "list[NegotiationRecord]":
        """Return what happened at one slot, in order."""
        return [record for record in self.negotiations if slot in record.slots]


def explain(entries: Sequence[Entry]) -> ExchangeExplanation:
    """Return the explanation in a household's entries, which start with the `begin` of stage 2."""
    setting, mandate, planned, preferred = read_beginning(entries[0].data)
    schedule, negotiations = planned.copy(), []
    ends, from_exchange, over = list[bytes](), 0, False
    deviation = float(((planned - preferred) ** 2).sum())
    for entry in entries:
        if entry.kind in _ENDS:
            negotiations.append(_record(entry, preferred, deviation=deviation))
        if entry.kind in ("done", "accepted"):
            slots, taken = _bundle_of(entry)
            schedule[list(slots)] = taken
        if entry.kind == "replanned":
            schedule, over = read_another(entry.data).schedule.copy(), False
            from_exchange += schedule.tobytes() in ends
        if entry.kind == "shared":
            schedule += read_division(entry.data).moved * UNIT_KWH
        if entry.kind in ("over", "shared"):
            ends.append(schedule.tobytes())
            over = True
    return ExchangeExplanation(
        household=entries[0].household,
        rule=mandate.rule or setting.terms.rule,
        disclosure=mandate.disclosure or setting.terms.disclosure,
        mandate=mandate.narrowed,
        rounds=max((entry.round for entry in entries if entry.kind == "round"), default=0),
        restarts=sum(entry.kind == "resume" for entry in entries),
        over=over,
        equal_shift=setting.terms.equal_shift,
        discomfort_planned=float(rmse(planned[None], preferred[None])[0]),
        discomfort_exchanged=float(rmse(schedule[None], preferred[None])[0]),
        energy_drift=float(schedule.sum() - planned.sum()),
        away_planned=int((planned != preferred).sum()),
        away_exchanged=int((schedule != preferred).sum()),
        negotiations=tuple(negotiations),
        changes=tuple(
            Change(slot, *(float(plan[slot]) for plan in (planned, schedule, preferred)))
            for slot in range(len(planned))
            if planned[slot] != schedule[slot]
        ),
        loops=max(1, len(ends)),
        from_exchange=from_exchange,
    )


def sentences(explanation: ExchangeExplanation) -> list[str]:
    """Return the explanation in a few plain sentences."""
    if explanation.equal_shift:
        return _shift_sentences(explanation)
    asked = [
        record
        for record in explanation.negotiations
        if record.asked and not (record.own and record.reason)
    ]
    left = [
        record
        for record in explanation.negotiations
        if record.asked and record.own and record.reason
    ]
    answered = [record for record in explanation.negotiations if not record.asked]
    sentences = [
        f"{explanation.household} acted under the rule {explanation.rule} and disclosed at level "
        f"{explanation.disclosure}; {_mandated(explanation)}",
        _outcome(explanation),
    ]
    if explanation.rule == "ttc":
        sentences.append(f"It traded in cycles at {_times(len(asked), 'slot')}.")
    else:
        sentences.append(f"In {_times(explanation.rounds, 'round')} it asked {_answers(asked)}")
    if left:
        sentences.append(
            f"It did not pursue what was found for it {_times(len(left), 'time')}{_why(left)}."
        )
    if explanation.rule != "ttc":
        sentences.append(f"It was asked {_answers(answered)}")
    if explanation.loops > 1:
        again = explanation.loops - 1
        sentences.append(
            f"Between {_times(explanation.loops, 'exchange')} it planned again "
            f"{_times(again, 'time')}, {explanation.from_exchange} of them with a schedule of an "
            "earlier exchange. Before and after mean the first selected plan and the end."
        )
    return sentences + _interruptions(explanation)


def _shift_sentences(explanation: ExchangeExplanation) -> list[str]:
    """Return the explanation of an equal shift, in which nothing was negotiated."""
    return [
        f"{explanation.household} was part of an equal shift: at each slot, everybody who took "
        "part got what it prefers, plus an equal share of the energy planned beyond that; "
        f"{_mandated(explanation)}",
        _outcome(explanation),
        *_interruptions(explanation),
    ]


def _interruptions(explanation: ExchangeExplanation) -> list[str]:
    sentences = []
    if explanation.restarts:
        sentences.append(
            f"Its host ended {_times(explanation.restarts, 'time')} meanwhile; it went on from its "
            "journal."
        )
    if not explanation.over:
        sentences.append("The journal ends before the stage was over.")
    return sentences


def negotiation_sentence(record: NegotiationRecord, household: str) -> str:
    """Return what was on the table in one negotiation of `household`."""
    who = (
        f"{household} traded in a cycle"
        if not record.partner
        else f"{household} asked {record.partner}"
        if record.asked
        else f"{record.partner} asked {household}"
    )
    if record.slot == WHOLE:
        if not record.slots:
            return f"Round {record.round}: {who} for a bundle."
        who += f" for a bundle of {_times(len(record.slots), 'slot')}"
    verb = "removed" if record.gain >= 0 else "added"
    verb = f"would have {verb}" if record.reason else verb
    return (
        f"Round {record.round}: {who}. {household} held {record.given:.4g} kWh, prefers "
        f"{record.preferred:.4g} and was offered {record.taken:.4g}; that {verb} "
        f"{abs(record.gain_share):.2%} of its squared deviation from what it prefers."
    )


def _outcome(explanation: ExchangeExplanation) -> str:
    before, after = explanation.discomfort_planned, explanation.discomfort_exchanged
    if before > after:
        came = f"The discomfort fell by {before - after:.4g} kWh, {1 - after / before:.0%} of it"
    else:
        came = "The discomfort did not fall"
    return (
        f"{came}: from {before:.4g} to {after:.4g}. Slots that are not as preferred: "
        f"{explanation.away_planned} before, {explanation.away_exchanged} after. The sum of its "
        f"energy moved by {explanation.energy_drift:+.4g} kWh."
    )


def _bundle_of(entry: Entry) -> tuple[tuple[int, ...], Array]:
    """Return the slots that an entry is about, and the values taken there, kWh."""
    return (
        read_deal(entry.data) if entry.slot == WHOLE else ((entry.slot,), np.array([entry.taken]))
    )


def _record(entry: Entry, preferred: Array, *, deviation: float) -> NegotiationRecord:
    """Return an entry as a record; `deviation` is the squared deviation after stage 1, kWh²."""
    slots, _ = _bundle_of(entry)
    return NegotiationRecord(
        round=entry.round,
        slot=entry.slot,
        slots=slots,
        partner=entry.partner,
        asked=entry.kind in _ASKED,
        given=entry.given,
        taken=entry.taken,
        gain=-entry.change,
        reason=entry.reason,
        own=entry.kind in _OWN,
        preferred=float(preferred[list(slots)].sum()),
        gain_share=-entry.change / deviation if deviation else 0.0,
    )


def _mandated(explanation: ExchangeExplanation) -> str:
    if not explanation.mandate:
        return "its people have narrowed nothing."
    said = ", ".join(f"{name} = {value}" for name, value in explanation.mandate.items())
    return f"its people's mandate: {said}."


def _answers(negotiations: Sequence[NegotiationRecord]) -> str:
    """Return how often something was asked, how often the answer was yes, and why it was no."""
    refused = [record for record in negotiations if record.reason]
    if not negotiations:
        return "0 times."
    answers = f"the answer was yes {_times(len(negotiations) - len(refused), 'time')}"
    if refused:
        answers += f" and no {_times(len(refused), 'time')}{_why(refused)}"
    return f"{_times(len(negotiations), 'time')}; {answers}."


def _why(negotiations: Sequence[NegotiationRecord]) -> str:
    """Return the reasons for which nothing came of negotiations, the most frequent first."""
    reasons = Counter(record.reason for record in negotiations)
    return f" ({'; '.join(f'{WORDS[why]}: {count}' for why, count in reasons.most_common())})"


def _times(count: int, what: str) -> str:
    """Return a count and its noun."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
