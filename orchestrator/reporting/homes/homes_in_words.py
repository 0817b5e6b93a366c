"""A run of homes in words that people use: minutes, degrees and hours, kW, and who pays.

This module decides what is said about homes on the page and in the summary. Sums over all homes,
or over groups of them.
"""

from dataclasses import dataclass

from orchestrator.results.device_kinds import MACHINES
from orchestrator.results.home_measures import HomeMeasures
from orchestrator.results.run_results import RunResults

NOBODY_PAYS = (
    "Homes whose stores absorb what others move give their room and get nothing back: no money and "
    "no credit is counted here."
)
GROUP_HEADS = ("homes with", "homes", "discomfort after stage 1", "after the exchange")
MOVED_HEADS = ("devices", "took more, kWh", "took less, kWh")


@dataclass(frozen=True, slots=True)
class Setback:
    """One thing that people notice, before and after the exchange; None without a stage 2."""

    title: str
    unit: str
    planned: float
    exchanged: float | None
    preferred: float

    @property
    def end(self) -> float:
        """The amount in the end."""
        return self.planned if self.exchanged is None else self.exchanged


_SETBACKS = (
    ("minutes_late", "Machines late", "min"),
    ("degrees_short", "Too cold", "°C"),
    ("hours_late", "Cars late", "h"),
)


def setbacks(results: RunResults) -> list[Setback]:
    """Return what people notice, for each kind of device that somebody has."""
    homes = results.homes or {}
    planned, exchanged = homes.get("planned"), homes.get("exchanged")
    if planned is None:
        return []
    found = []
    for field, title, unit in _SETBACKS:
        before = _of(planned, field)
        if before is not None:
            found.append(
                Setback(
                    title=title,
                    unit=unit,
                    planned=before,
                    exchanged=_of(exchanged, field),
                    preferred=_of(homes.get("preferred"), field) or 0.0,
                )
            )
    return found


def amount(value: float, unit: str) -> str:
    """Return an amount with its unit; hours below two in minutes."""
    if unit == "h" and value < 2.0:
        value, unit = 60.0 * value, "min"
    if unit == "min":
        return "under 1 min" if 0.0 < value < 0.5 else f"{value:.0f} min"
    return f"{value:.1f} {unit}"


def kilowatts(results: RunResults, kwh: float) -> str:
    """Return the energy of a slot as power, where the length of slots is known."""
    if results.slot_times is None:
        return f"{kwh:,.3g} kWh per slot"
    return f"{kwh * 60.0 / results.slot_times.minutes:,.0f} kW"


def home_sentences(results: RunResults) -> list[str]:
    """Return the result for homes in a few sentences."""
    end = results.exchanged or results.planned
    peak = kilowatts(results, end.peak)
    sentences = []
    if results.preferred is not None:
        before = kilowatts(results, results.preferred.peak)
        sentences.append(
            f"{results.households:,} homes planned their day together: their peak is {peak}, and "
            f"{before} if everybody did what they prefer."
        )
    words = {
        "min": "machines start {} later or earlier than people want",
        "°C": "rooms and boilers are {} colder than wished",
        "h": "what cars should have soon comes {} late",
    }
    found = setbacks(results)
    if found:
        each = [words[own.unit].format(amount(own.end, own.unit)) for own in found]
        sentences.append("What people notice: on average " + ", ".join(each) + ".")
    if results.homes and "exchanged" in results.homes and found:
        told = [f"{amount(own.planned, own.unit)} ({own.title.lower()})" for own in found]
        sentences.append(
            "Before the exchange it was " + ", ".join(told) + ". The sum of all homes is the same "
            "in every slot as before it, and every home's devices can follow what it holds."
        )
        sentences.append(NOBODY_PAYS)
    return sentences


def group_rows(results: RunResults) -> list[tuple[str, ...]]:
    """Return homes by what they have, with their discomfort before and after."""
    return [
        (
            group,
            f"{own.homes:,}",
            "-" if own.planned_discomfort is None else f"{own.planned_discomfort:.2f}",
            "-" if own.exchanged_discomfort is None else f"{own.exchanged_discomfort:.2f}",
        )
        for group, own in (results.groups or {}).items()
    ]


def moved_rows(results: RunResults) -> list[tuple[str, ...]]:
    """Return how much energy the exchange moved, by kind of device; empty if that is not known."""
    return [
        (kind, f"{own.more_kwh:,.1f}", f"{own.less_kwh:,.1f}")
        for kind, own in (results.moved or {}).items()
    ]


def who_absorbed(results: RunResults) -> str:
    """Return who took over what others moved, in a sentence; empty if that is not known."""
    moved = {kind: own.more_kwh for kind, own in (results.moved or {}).items() if kind != MACHINES}
    if not moved or not any(moved.values()):
        return ""
    ranked = sorted(moved.items(), key=lambda item: -item[1])
    told = ", ".join(f"{kind} {kwh:,.0f} kWh" for kind, kwh in ranked)
    return f"Stores moved energy so that machines and cars could run when they are wanted: {told}."


def _of(measures: HomeMeasures | None, field: str) -> float | None:
    value = None if measures is None else getattr(measures, field)
    return value if isinstance(value, float) else None
