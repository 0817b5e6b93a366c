"""Units of readings: from a column's name, a unit column, or a published format, to kWh or kW.

Decides which unit a piece of text names and whether two statements agree.
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from agents.metering.options import UnitName

Quantity = Literal["energy", "power"]

_FACTORS: dict[UnitName, float] = {
    "Wh": 0.001,
    "kWh": 1.0,
    "MWh": 1000.0,
    "W": 0.001,
    "kW": 1.0,
    "MW": 1000.0,
}
_BY_WORD: dict[str, UnitName] = {name.lower(): name for name in get_args(UnitName)}
_BY_WORD |= {"watt": "W", "watts": "W", "kilowatt": "kW", "kilowatts": "kW", "megawatt": "MW"}
_BY_WORD |= {"watthours": "Wh", "kilowatthours": "kWh", "kilowatthour": "kWh", "watthour": "Wh"}
_POWER_WORDS = {"power", "leistung", "puissance", "vermogen", "potencia", "demand"}
_POWER_WORDS |= {"pload", "pset"}
_FOREIGN_UNITS = {"j": "J", "kj": "kJ", "mj": "MJ", "gj": "GJ", "btu": "BTU", "mmbtu": "MMBTU"}
_FOREIGN_UNITS |= {"therm": "therms", "therms": "therms", "kcal": "kcal", "gwh": "GWh"}
_FOREIGN_UNITS |= {"gw": "GW", "twh": "TWh", "ccf": "ccf"}
_HOURS = re.compile(r"(?i)\b(watt|kilowatt)s?[ -](hours?)\b")
_RATE = re.compile(r"(?i)\S\s*(?:/|\bper\b)\s*[kM]?Wh?\b")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit, and where it was found, for people."""

    name: UnitName
    source: str

    @property
    def quantity(self) -> Quantity:
        """Return whether it is energy of an interval, or mean power in it."""
        return "energy" if self.name.endswith("h") else "power"

    @property
    def factor(self) -> float:
        """Tell what turns a number in this unit into kWh or kW."""
        return _FACTORS[self.name]


def unit_of_word(word: str) -> UnitName | None:
    """Return the unit that a whole cell or word names."""
    return _BY_WORD.get(word.strip().lower().strip("[]()"))


def unit_in_name(name: str) -> UnitName | None:
    """Return the unit in a column's name such as `Home [Wh]`, `p_mw`, `use (kW)`, `KWH/hh`."""
    if is_rate(name):
        return None
    text = _HOURS.sub(r"\1hours", name)
    if re.search(r"(?i)\bkWh\s*/\s*h\b", text):
        return "kW"
    words = [word for word in re.split(r"[^A-Za-z0-9]+", text) if word]
    found = [_BY_WORD[word.lower()] for word in words if word.lower() in _BY_WORD]
    found = [unit for unit in found if unit != "W" or _is_unit_w(name)]
    if not found:
        camel = re.search(r"[a-z](kWh|Wh|MWh|kW|MW)$", name)
        return _BY_WORD[camel[1].lower()] if camel else None
    return found[-1]


def foreign_unit_in_name(name: str) -> str | None:
    """Return a unit in a column's name that is none of Wh to MW, such as `Energy (MJ)`.

    A single letter counts only in brackets: `J` may be the initial of a home.
    """
    text = name.strip()
    last = re.search(r"([A-Za-z]+)\s*[\])]?$", text)
    if last is None or (len(last[1]) == 1 and text[-1] not in ")]"):
        return None
    apart = last.start() == 0 or text[last.start() - 1] in " _[(-./,"
    return _FOREIGN_UNITS.get(last[1].lower()) if apart else None


def is_rate(name: str) -> bool:
    """Return True for a price or factor per unit of energy, such as `EUR/kWh`."""
    return _RATE.search(name) is not None


def says_power(name: str) -> bool:
    """Return True if the name speaks of power, with or without a unit."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z][a-z]{2})", " ", name)
    words = set(re.split(r"[^a-z]+", apart.lower()))
    return not _POWER_WORDS.isdisjoint(words) and "energy" not in words


def _is_unit_w(name: str) -> bool:
    """Return a lone W is a unit in brackets or at the end, not the initial of a home."""
    return re.search(r"(?i)[\[(]\s*w\s*[\])]|[ _.\-/]w$|\bwatts?\b", name.strip()) is not None
