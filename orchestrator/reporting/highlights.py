"""The result of a run at a glance: the first sentences of the page and its few large numbers.

This module decides which numbers come first, and says what they mean. Pure; `wording` has the
complete tables.
"""

from dataclasses import dataclass
from typing import Literal

from orchestrator.reporting.homes.homes_in_words import amount, home_sentences, kilowatts, setbacks
from orchestrator.reporting.number_wording import counted
from orchestrator.reporting.wording import own_rule
from orchestrator.results.audit import audit_words
from orchestrator.results.measures import discomfort_removed
from orchestrator.results.run_results import RunResults

Tone = Literal["good", "bad", "plain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Highlight:
    """One large number on the page."""

    word: str
    """Its word in the glossary, if there is one."""
    title: str
    value: str
    detail: str
    tone: Tone = "plain"


def highlights(results: RunResults) -> list[Highlight]:
    """Return peak, comfort, the households that lost, and the spread of discomfort."""
    shown = [_peak(results)]
    if results.homes is not None:
        return [*shown, *_of_homes(results)]
    if results.exchanged is None:
        return [*shown, *_after_planning(results)]
    return [*shown, _comfort(results), _worse_off(results), _spread(results)]


def _of_homes(results: RunResults) -> list[Highlight]:
    """Return what people of homes notice, and how many are worse off."""
    shown = []
    for own in setbacks(results):
        before = "after stage 1" if own.exchanged is None else "before the exchange"
        other = own.preferred if own.exchanged is None else own.planned
        before = "as preferred" if own.exchanged is None else before
        shown.append(
            Highlight(
                word="",
                title=own.title,
                value=amount(own.end, own.unit),
                detail=f"{amount(other, own.unit)} {before}",
                tone="good" if own.end < other else "plain",
            )
        )
    return shown if results.exchange is None else [*shown, _worse_off(results)]


def lead_sentences(results: RunResults) -> list[str]:
    """Return the result in a few sentences: demand, discomfort, equality and bounds; first of all
    why it must not be used, if the run has failed."""
    failed = _failure(results)
    if results.homes is not None:
        return [*failed, *home_sentences(results)]
    sentences = [_demand_sentence(results), _discomfort_sentence(results)]
    if results.exchanged is not None:
        sentences += [_rule_sentence(results), _equality_sentence(results)]
        sentences += [_bound_sentence(results)]
    return [sentence for sentence in (*failed, *sentences, negative_comfort(results)) if sentence]


def _failure(results: RunResults) -> list[str]:
    """Return why the results of a failed run must not be used."""
    if results.status == "done":
        return []
    why = "" if results.audit is None else f" Audit: {audit_words(results.audit)}."
    return [f"This run has failed: do not use its results.{why}"]


def negative_comfort(results: RunResults) -> str:
    """Return an explanation of comfort below 0; empty if none is."""
    if min(found.mean_comfort for found in results.states().values()) >= 0:
        return ""
    return (
        "Comfort is below 0 because it is 1 minus a discomfort in kWh, and slots differ from what "
        "households prefer by more than 1 kWh (RMSE): homes with larger demand have lower comfort. "
        "Compare shares of discomfort instead, which do not depend on the size of the homes."
    )


def _brief(value: float) -> str:
    """Return a number with three significant digits, or as a whole number from 1000 on."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _peak(results: RunResults) -> Highlight:
    after, before = _agreed_peak(results), results.preferred
    value = _with_unit(results, after)
    if before is None:
        return Highlight(word="peak", title="Peak demand", value=value, detail="")
    change = _percent_change(before.peak, after)
    return Highlight(
        word="peak",
        title="Peak demand",
        value=value,
        detail=f"{_with_unit(results, before.peak)} as preferred{change}",
        tone="good" if after < before.peak else "plain" if after == before.peak else "bad",
    )


def _with_unit(results: RunResults, peak_kwh: float) -> str:
    """Return a peak, as power for homes."""
    return f"{_brief(peak_kwh)} kWh" if results.homes is None else kilowatts(results, peak_kwh)


def _agreed_peak(results: RunResults) -> float:
    """Return the peak of the last demand that was planned, kWh: exchanges do not change it, but
    planning goes on between them."""
    last = results.exchanged if results.loops else None
    return (results.planned if last is None else last).peak


def _percent_change(before: float, after: float) -> str:
    return f" ({(after - before) / before:+.1%})".replace("-", "\u2212") if before > 0 else ""


def _after_planning(results: RunResults) -> list[Highlight]:
    moved = sum(row.discomfort_planned > 0 for row in results.rows)
    planned = results.planned
    return [
        Highlight(
            word="comfort",
            title="Mean comfort",
            value=_brief(planned.mean_comfort),
            detail=f"mean discomfort {_brief(planned.mean_discomfort)} kWh",
        ),
        Highlight(
            word="discomfort",
            title="Gave up comfort",
            value=f"{moved:,} of {results.households:,}",
            detail=f"at most {_brief(planned.max_discomfort)} kWh",
        ),
    ]


def _comfort(results: RunResults) -> Highlight:
    assert results.exchanged is not None
    before, after = results.planned, results.exchanged
    removed = discomfort_removed(before, after)
    comfort = f"comfort {_brief(before.mean_comfort)} to {_brief(after.mean_comfort)}"
    if removed is None:
        return Highlight(
            word="comfort", title="Mean comfort", value=_brief(after.mean_comfort), detail=comfort
        )
    return Highlight(
        word="discomfort removed",
        title="Discomfort removed",
        value=f"{removed:.0%}".replace("-", "\u2212"),
        detail=comfort,
        tone="good" if removed > 0 else "bad" if removed < 0 else "plain",
    )


def _worse_off(results: RunResults) -> Highlight:
    assert results.exchange is not None
    worse = results.exchange.households_worse
    return Highlight(
        word="worse off",
        title="Worse off by the exchange",
        value=f"{worse:,} of {results.households:,}",
        detail=f"rule {_rule(results)}" if worse else "no household lost",
        tone="bad" if worse else "good",
    )


def _spread(results: RunResults) -> Highlight:
    assert results.exchanged is not None
    before, after = results.planned, results.exchanged
    return Highlight(
        word="unfairness",
        title="Standard deviation of discomfort",
        value=f"{_brief(after.unfairness)} kWh",
        detail=f"{_brief(before.unfairness)} before; Gini {_brief(before.gini)} to "
        f"{_brief(after.gini)}",
        tone="good" if after.unfairness < before.unfairness else "plain",
    )


def _demand_sentence(results: RunResults) -> str:
    homes, after = counted(results.households, "household"), _agreed_peak(results)
    if results.preferred is None:
        return f"{homes} planned together; the highest demand of a slot is {_brief(after)} kWh."
    before = results.preferred.peak
    if _brief(before) == _brief(after):
        return f"{homes} planned together; the peak stayed at {_brief(after)} kWh."
    verb = "fell" if after < before else "rose"
    return (
        f"{homes} planned together: the peak {verb} from {_brief(before)} to {_brief(after)} kWh."
    )


def _discomfort_sentence(results: RunResults) -> str:
    before, after = results.planned, results.exchanged
    sentence = (
        "For that, their schedules differ from what they prefer by "
        f"{_brief(before.mean_discomfort)} kWh (mean discomfort)"
    )
    removed = None if after is None else discomfort_removed(before, after)
    if removed is None:
        return f"{sentence}."
    if removed <= 0:
        return f"{sentence}; the exchange removed none of it."
    return f"{sentence}; the exchange then removed {removed:.0%} of it."


def _rule_sentence(results: RunResults) -> str:
    own = own_rule(results)
    return (
        f"Whether households agree to an exchange was decided by {own}, a function." if own else ""
    )


def _rule(results: RunResults) -> str:
    return own_rule(results) or str(results.config.get("exchange", "?"))


def _equality_sentence(results: RunResults) -> str:
    """Return what became more equal: discomfort in kWh (standard deviation), or relative to its
    mean (Gini)."""
    assert results.exchanged is not None
    before, after = results.planned, results.exchanged
    in_kwh, spread = _change(before.unfairness, after.unfairness, " kWh")
    relative, gini = _change(before.gini, after.gini)
    if in_kwh == relative == "fell":
        return (
            f"Discomfort became more equal: its standard deviation fell {spread}, and Gini {gini}."
        )
    if in_kwh == "fell":
        kept = "is as unequal as before" if relative == "stayed" else "is less equal than before"
        return (
            f"Households came closer in kWh: the standard deviation of discomfort fell {spread}. "
            f"Relative to its mean, discomfort {kept}: Gini {relative} {gini}."
        )
    if relative == "fell":
        return (
            f"Relative to its mean, discomfort became more equal: Gini fell {gini}. In kWh it did "
            f"not: its standard deviation {in_kwh} {spread}."
        )
    return (
        f"Discomfort did not become more equal: its standard deviation {in_kwh} {spread}, and "
        f"Gini {relative} {gini}."
    )


def _change(before: float, after: float, unit: str = "") -> tuple[str, str]:
    """Return a verb and the values of a change, as they are shown: three significant digits."""
    old, new = _brief(before), _brief(after)
    if old == new:
        return "stayed", f"at {new}{unit}"
    return "fell" if after < before else "rose", f"from {old} to {new}{unit}"


def _bound_sentence(results: RunResults) -> str:
    if results.bound is None:
        return ""
    most = discomfort_removed(results.planned, results.bound)
    if most is None:
        return ""
    sentence = f"The bound of values, the best sorting of the same values, would remove {most:.0%}"
    amounts = None if results.exchange is None else results.exchange.comfort_bound_of_amounts
    if amounts is None:
        return f"{sentence}."
    share = 1 - (1 - amounts) / results.planned.mean_discomfort
    return f"{sentence}; the bound of amounts, for energy divided at will, {share:.0%}."
