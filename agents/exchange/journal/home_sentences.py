"""The explanation of a home's exchange in words: times, minutes, degrees and hours.

This module decides the words; the facts are collected in `home_explanation`.
"""

from collections.abc import Callable, Sequence

from agents.exchange.journal.home_explanation import (
    DeviceChange,
    DeviceDay,
    HomeExplanation,
    HomeStep,
)

Clock = Callable[[int], str]
"""A function that names the time at which a slot begins."""
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
           "eleven", "twelve")  # fmt: skip
SETBACKS = {"min": "min off", "degrees": "degrees short", "h": "h late"}
NOTICED = {"min": 0.5, "degrees": 0.05, "h": 0.05}
"""Differences below these are not worth a word, by unit."""
LEAST_KWH = 0.005


def home_sentences(explanation: HomeExplanation, clock: Clock) -> list[str]:
    """Return the explanation of a home in plain sentences: first the day, then its devices."""
    return [
        _outcome(explanation),
        *(sentence for day in explanation.devices if (sentence := device_sentence(day, clock))),
        *_talks(explanation),
        *_interruptions(explanation),
    ]


def device_sentence(day: DeviceDay, clock: Clock) -> str:
    """Return what changed for one device; empty if nothing did and nothing is wished."""
    name, preferred = f"The {_spoken(day.facts.name)}", day.facts.preferred_start
    if preferred is not None:
        assert day.start_planned is not None
        assert day.start_exchanged is not None
        wish = "as preferred" if day.start_exchanged == preferred else f"not {clock(preferred)}"
        if day.start_exchanged == day.start_planned:
            return f"{name} starts at {clock(day.start_planned)} as planned, {wish}."
        return (
            f"{name} starts at {clock(day.start_exchanged)}, {wish}, "
            f"instead of {clock(day.start_planned)}."
        )
    moved = sum(
        max(after - before, 0.0)
        for before, after in zip(day.kwh_planned, day.kwh_exchanged, strict=True)
    )
    words = [] if moved < LEAST_KWH else [f"takes {moved:.2f} kWh at other times"]
    unit = day.facts.unit
    if unit is not None:
        assert day.setback_planned is not None
        assert day.setback_exchanged is not None
        if moved < LEAST_KWH and day.setback_exchanged < NOTICED.get(unit, 0.005):
            return ""
        words.append(_setback(unit, day.setback_planned, day.setback_exchanged))
        at_ease = day.facts.preferred_setback
        if at_ease is not None and at_ease >= NOTICED.get(unit, 0.005):
            words[-1] += f" ({at_ease:.1f} at its people's ease)"
    return f"{name} {'; it '.join(words)}." if words else ""


def step_sentence(step: HomeStep, household: str, clock: Clock) -> str:
    """Return what one step changed, with how many partners, and why the home agreed."""
    what = "; ".join(_change(change, clock) for change in step.changes)
    count = len(step.partners)
    kwh = sum(share.taken_over_kwh for share in step.partners)
    match step.kind:
        case "inside":
            how = f"{household} rearranged its own devices; nobody else was needed"
        case "served":
            how = f"{household} made room for {step.partners[0].partner}: {kwh:.2f} kWh"
        case _:
            verb = "neighbour" if count == 1 else "neighbours"
            how = f"{NUMBERS[count] if count < len(NUMBERS) else count} {verb} took over"
            names = ", ".join(share.partner for share in step.partners)
            how += f" {kwh:.2f} kWh ({names}); nobody lost"
            if not count:
                how = f"{household} needed nobody"
    return f"Round {step.round}: {what}: {how}. {_why(step)}"


def _outcome(explanation: HomeExplanation) -> str:
    before, after = explanation.discomfort_planned, explanation.discomfort_exchanged
    name = explanation.household
    if before is None or after is None:
        return f"The people of {name} have no wish that devices could miss."
    scale = "0 is at ease, 1 is just acceptable"
    if before - after < 0.0005:
        return f"The discomfort of {name} stays {after:.3f} ({scale})."
    return f"The discomfort of {name} falls from {before:.3f} to {after:.3f} ({scale})."


def _talks(explanation: HomeExplanation) -> list[str]:
    """Return how often it asked and was asked, and what came of it."""
    kinds = [step.kind for step in explanation.steps]
    asked, served = kinds.count("asked"), kinds.count("served")
    helped = {share.partner for step in _of(explanation, "asked") for share in step.partners}
    sentences = []
    if helped:
        count = _number(len(helped), "neighbour")
        kwh = _kwh(_of(explanation, "asked"))
        sentences.append(
            f"{count} took over {kwh:.2f} kWh for it in {_times(asked, 'exchange')}; nobody lost: "
            "each home agrees only to what costs it nothing."
        )
    if explanation.failed:
        sentences.append(
            f"{_times(explanation.failed, 'wish', 'wishes')} came to nothing: "
            f"{_times(explanation.asked_in_vain, 'neighbour')} asked had too little room, or none "
            "was free."
        )
    if served:
        kwh = _kwh(_of(explanation, "served"))
        sentences.append(f"It made room for others {_times(served, 'time')}: {kwh:.2f} kWh.")
    if explanation.refused:
        sentences.append(
            f"It said no {_times(explanation.refused, 'time')}: it could have done nothing of what "
            "was asked without a loss."
        )
    if explanation.released:
        sentences.append(
            f"{_times(explanation.released, 'time')} it was ready to help, and was not needed "
            "after all."
        )
    if not sentences:
        sentences.append("It exchanged nothing with others.")
    return sentences


def _interruptions(explanation: HomeExplanation) -> list[str]:
    sentences = []
    if explanation.mandate:
        said = ", ".join(f"{name} = {value}" for name, value in explanation.mandate.items())
        sentences.append(f"Its people's mandate: {said}.")
    if explanation.restarts:
        times = _times(explanation.restarts, "time")
        sentences.append(f"Its host ended {times} meanwhile; it went on from its journal.")
    if not explanation.over:
        sentences.append("The journal ends before the stage was over.")
    return sentences


def _change(change: DeviceChange, clock: Clock) -> str:
    name = f"the {_spoken(change.name)}"
    if change.start_before is not None and change.start_after is not None:
        return (
            f"{name} starts at {clock(change.start_after)} instead of {clock(change.start_before)}"
        )
    return f"{name} takes {change.moved_kwh:.2f} kWh at other times"


def _why(step: HomeStep) -> str:
    before, after = step.discomfort_before, step.discomfort_after
    if before is None or after is None:
        return "It has no wish that this could miss."
    if abs(before - after) < 0.0005:
        return f"It cost nothing: its discomfort stays {after:.3f}."
    return f"Its discomfort fell from {before:.3f} to {after:.3f}."


def _setback(unit: str, before: float, after: float) -> str:
    words = SETBACKS.get(unit, unit)
    if abs(before - after) < NOTICED.get(unit, 0.005):
        return f"is {after:.1f} {words}"
    return f"is {after:.1f} {words} instead of {before:.1f}"


def _of(explanation: HomeExplanation, kind: str) -> list[HomeStep]:
    return [step for step in explanation.steps if step.kind == kind]


def _kwh(steps: Sequence[HomeStep]) -> float:
    return sum(share.taken_over_kwh for step in steps for share in step.partners)


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _number(count: int, what: str) -> str:
    word = NUMBERS[count].capitalize() if count < len(NUMBERS) else str(count)
    return f"{word} {what}" if count == 1 else f"{word} {what}s"


def _times(count: int, what: str, many: str = "") -> str:
    return f"{count} {what}" if count == 1 else f"{count} {many or what + 's'}"
