"""Words in the names of columns, in the languages that meter files come in.

Holds the words and tells which kind a name is. What follows from it is decided in column_roles.
"""

import re
import unicodedata

from agents.metering.units import is_rate, unit_in_name

_HOUSEHOLD_NAMES = {"household", "householdid", "id", "meter", "meterid", "meternumber", "meterno"}
_HOUSEHOLD_NAMES |= {"customer", "customerid", "customernumber", "lclid", "dataid", "houseid"}
_HOUSEHOLD_NAMES |= {"mpxn", "mpan", "mprn", "nmi", "ean", "eancode", "prm", "pdl", "pod", "cups"}
_HOUSEHOLD_NAMES |= {"icp", "esiid", "meteringpoint", "meteringpointid", "zaehlpunkt", "site"}
_HOUSEHOLD_NAMES |= {"account", "accountnumber", "accountid", "serial", "serialnumber", "siteid"}
_HOUSEHOLD_NAMES |= {"meterserialnumber", "meterserial", "entityid", "device", "deviceid", "sensor"}
_HOUSEHOLD_NAMES |= {"sensorid", "resource", "resourceid", "home", "homeid", "house", "building"}
_HOUSEHOLD_NAMES |= {"buildingid", "user", "userid", "usagepoint", "servicepoint", "supplypoint"}
_HOUSEHOLD_NAMES |= {"haushalt", "zaehler", "zaehlernummer", "zahler", "zahlernummer", "zahlpunkt"}
_HOUSEHOLD_NAMES |= {"messlokation", "marktlokation", "malo", "melo", "compteur", "contador", "bus"}
_HOUSEHOLD_NAMES |= {"identifiantprm", "householdname", "name", "property", "premise", "premiseid"}

_MONEY = {
    "cost",
    "costs",
    "price",
    "prices",
    "tariff",
    "eur",
    "euro",
    "euros",
    "gbp",
    "usd",
    "pence",
}
_MONEY |= {"kosten", "preis", "betrag", "amount", "montant", "prix", "cout", "tax", "vat", "bill"}
_MONEY |= {"charge", "charges", "rate", "chf", "sek", "nok", "dkk", "aud", "cad", "cents", "ct"}
_MONEY |= {"value gbp", "money", "costo", "importe", "precio", "tarif", "kr", "pln"}
_WEATHER = {"temp", "temperature", "temperatur", "degc", "degf", "celsius", "humidity", "wind"}
_WEATHER |= {"irradiance", "ghi", "dni", "dhi", "pressure", "cloud", "clouds", "rain", "weather"}
_WEATHER |= {"radiation", "precipitation", "snow", "outdoor", "dewpoint", "solarradiation", "hdd"}
_OTHER = {"soc", "pct", "percent", "percentage", "voltage", "volt", "volts", "current", "ampere"}
_OTHER |= {"amp", "amps", "amperes", "frequency", "freq", "hz", "pf", "cosphi", "kvar", "kvarh"}
_OTHER |= {
    "var",
    "varh",
    "kva",
    "kvah",
    "m3",
    "gas",
    "water",
    "wasser",
    "co2",
    "carbon",
    "strom co2",
}
_OTHER |= {"powerfactor", "reactive", "apparent", "blindleistung", "occupancy", "postcode", "zip"}
_OTHER |= {"latitude", "longitude", "capacity", "quality", "status", "flag", "flags", "score"}
_OTHER |= {"weekday", "month", "year", "dayofweek", "issues", "spannung", "tension", "intensite"}
_INDEX = {"index", "idx", "row", "rownumber", "nr", "no", "timestep", "step", "unnamed", "unix"}
_INDEX |= {"unixtime", "epoch", "counter", "sequence", "seq", "rowid", "recordid", "interval"}
_TOTAL = {"total", "totals", "sum", "summe", "gesamt", "aggregate", "overall", "somme", "totaal"}
_TOTAL |= {"all", "insgesamt", "mean", "average"}
_FLOW = {"import", "imported", "export", "exported", "grid", "solar", "pv", "battery", "generation"}
_FLOW |= {"production", "gen", "use", "net", "feed", "feedin", "einspeisung", "bezug", "return"}
_FLOW |= {"returned", "delivered", "received", "injection", "soutirage", "erzeugung", "produktion"}
_FLOW |= {"consumption", "usage", "verbrauch", "netzbezug", "t1", "t2", "terugleveren", "levering"}
_FLOW |= {"lieferung", "soutiree", "injectee", "charge", "discharge", "consumed", "produced"}
_FLOW |= {"autoconsumption", "selfconsumption", "appliance"}
_OUTGOING = {"export", "exported", "solar", "pv", "generation", "production", "gen", "feed"}
_OUTGOING |= {"feedin", "einspeisung", "return", "returned", "injection", "erzeugung", "injectee"}
_OUTGOING |= {"produktion", "battery", "discharge", "produced", "terugleveren", "lieferung"}
_CONSUMPTION = {"home", "house", "household", "consumption", "consumed", "usage", "use", "load"}
_CONSUMPTION |= {"verbrauch", "hausverbrauch", "consommation", "consumo", "verbruik"}
_END = {"end", "ende", "bis", "to", "until", "fin", "stop", "finish", "ending"}
_START = {"start", "begin", "beginn", "from", "von", "debut", "ab"}
_BRACKETS = re.compile(r"[\[(]\s*([^\])]*?)\s*[\])]")
_FOREIGN_IN_BRACKETS = {"p", "v", "a", "%", "c", "f", "ct", "kr", "m", "pa", "l", "m/s"}


def words(name: str) -> set[str]:
    """The words of a name in lower case, without accents; `homeEnergy` is two words."""
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain).lower()
    found = {word for word in re.split(r"[^a-z0-9]+", plain) if word}
    return found | {word.rstrip("0123456789") for word in found if not word.isdigit()}


def is_household_name(name: str) -> bool:
    """True if the name says that the column names households."""
    plain = unicodedata.normalize("NFKD", name).lower().replace("ä", "ae")
    return re.sub(r"[^a-z0-9]", "", plain) in _HOUSEHOLD_NAMES


def is_foreign(name: str) -> str | None:
    """What a column holds that is no electricity, for people; None if nothing says so."""
    if any(sign in name for sign in "£$€"):
        return "money"
    if is_rate(name):
        return "a price or factor per unit of energy"
    if any(sign in name for sign in ("°", "%", "m³", "W/m")):
        return "another quantity"
    unit = unit_in_name(name)
    bracketed = {each.lower() for each in _BRACKETS.findall(name)}
    if unit is None and bracketed & _FOREIGN_IN_BRACKETS:
        return "another quantity"
    found = words(name)
    if found & _MONEY and unit is None:
        return "money"
    if found & _WEATHER and unit is None:
        return "weather"
    return "another quantity" if found & _OTHER else None


def is_index(name: str) -> bool:
    """True if the name says that the column counts rows, or repeats the time."""
    plain = re.sub(r"[^a-z]", "", name.lower())
    last = [word for word in re.split(r"[^a-z]+", name.lower()) if word]
    return plain in _INDEX or (bool(last) and last[-1] in _INDEX and unit_in_name(name) is None)


def is_total(name: str) -> bool:
    """True if the name speaks of a sum."""
    return not words(name).isdisjoint(_TOTAL)


def is_flow(name: str) -> bool:
    """True if the name tells one flow of a home from another (import, export, solar, usage)."""
    return not words(name).isdisjoint(_FLOW)


def is_outgoing(name: str) -> bool:
    """True if the name speaks of energy that a home makes, stores or sends out."""
    return not words(name).isdisjoint(_OUTGOING)


def is_consumption(name: str) -> bool:
    """True if the name speaks of what a home consumes, and of no other flow."""
    found = words(name)
    others = _OUTGOING | {"grid", "import", "imported", "net", "bezug", "netzbezug"}
    return not found.isdisjoint(_CONSUMPTION) and found.isdisjoint(others)


def is_end(name: str) -> bool:
    """True if a column of times holds the ends of intervals."""
    return not words(name).isdisjoint(_END) and words(name).isdisjoint(_START)


def is_start(name: str) -> bool:
    """True if a column of times holds the starts of intervals."""
    return not words(name).isdisjoint(_START)
