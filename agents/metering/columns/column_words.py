"""Words in the names of columns, in the languages that meter files come in.

Holds the words and tells which kind a name is. What follows from it is decided in column_roles.
"""

import re
import unicodedata

from agents.metering.notation.units import is_rate, unit_in_name


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HOUSEHOLD_NAMES = _set(
    """
    account accountid accountnumber building buildingid bus compteur contador cups customer
    customerid customernumber dataid device deviceid ean eancode entityid esiid haushalt home
    homeid house household householdid householdname houseid icp id identifiantprm lclid malo
    marktlokation melo messlokation meter meterid meteringpoint meteringpointid meterno
    meternumber meterserial meterserialnumber mpan mprn mpxn name nmi pdl pod premise premiseid
    prm property resource resourceid sensor sensorid serial serialnumber servicepoint site siteid
    supplypoint usagepoint user userid zaehler zaehlernummer zaehlpunkt zahler zahlernummer
    zahlpunkt
    """
)
_MONEY = _set(
    """
    aud betrag cad cents chf cost costo costs cout dkk eur euro euros gbp importe kosten money
    montant nok pence pln precio preis price prices prix sek tax usd vat
    """
)
_MAYBE_MONEY = _set(
    """
    amount bill charge charges ct kr rate tarif tariff
    """
)
_WEATHER = _set(
    """
    celsius cloud clouds degc degf dewpoint dhi dni ghi hdd humidity irradiance outdoor
    precipitation pressure radiation rain snow solarradiation temp temperatur temperature weather
    wind
    """
)
_OTHER = _set(
    """
    amp ampere amperes amps apparent area blindleistung capacity carbon co2 cosphi current day
    dayofweek dow flag flags freq frequency gas holiday hour hz intensite issues kva kvah kvar
    kvarh latitude longitude m3 month occupancy occupants pct people percent percentage pf
    postcode powerfactor quality reactive rooms score soc spannung status tension var varh volt
    voltage volts wasser water week weekday weekend year zip
    """
)
_INDEX = _set(
    """
    counter epoch idx index interval no nr recordid row rowid rownumber seq sequence step timestep
    unix unixtime unnamed
    """
)
_TOTAL = _set(
    """
    aggregate all average gesamt insgesamt mean overall somme sum summe totaal total totals
    """
)
_FLOW = _set(
    """
    appliance autoconsumption battery bezug charge consumed consumption delivered discharge
    einspeisung erzeugung export exported feed feedin gen generation grid import imported injectee
    injection levering lieferung net netzbezug produced production produktion pv received return
    returned selfconsumption solar soutirage soutiree t1 t2 terugleveren usage use verbrauch
    """
)
_OUTGOING = _set(
    """
    battery discharge einspeisung erzeugung export exported feed feedin gen generation injectee
    injection lieferung produced production produktion pv return returned solar terugleveren
    """
)
_CONSUMPTION = _set(
    """
    consommation consumed consumo consumption hausverbrauch home house household load usage use
    verbrauch verbruik
    """
)
_QUANTITY = _set(
    """
    wh kwh mwh w kw mw energy power energie leistung consumption usage use verbrauch value values
    reading readings load demand wert electricity electric strom stromverbrauch consommation
    """
)
_END = _set(
    """
    bis end ende ending fin finish stop to until
    """
)
_START = _set(
    """
    ab begin beginn debut from start von
    """
)
_BRACKETS = re.compile(r"[\[(]\s*([^\])]*?)\s*[\])]")
_FOREIGN_IN_BRACKETS = {"p", "v", "a", "%", "c", "f", "ct", "kr", "m", "pa", "l", "m/s"}


def words(name: str) -> set[str]:
    """Return the words of a name in lower case, without accents; `homeEnergy` is two words."""
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    plain = re.sub(r"(?<=[a-z])(?=[A-Z][a-z]{2})", " ", plain).lower()
    found = {word for word in re.split(r"[^a-z0-9]+", plain) if word}
    return found | {word.rstrip("0123456789") for word in found if not word.isdigit()}


def is_household_name(name: str) -> bool:
    """Return True if the name says that the column names households."""
    plain = unicodedata.normalize("NFKD", name).lower().replace("ä", "ae")
    return re.sub(r"[^a-z0-9]", "", plain) in _HOUSEHOLD_NAMES


def is_foreign(name: str) -> str | None:
    """Tell what a column holds that is no electricity, for people; None if nothing says so."""
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
    if found & _MONEY or (found & _MAYBE_MONEY and unit is None):
        return "money"
    if found & _WEATHER and unit is None:
        return "weather"
    return "another quantity" if found & _OTHER else None


def is_index(name: str) -> bool:
    """Return True if the name says that the column counts rows, or repeats the time."""
    plain = re.sub(r"[^a-z]", "", name.lower())
    last = [word for word in re.split(r"[^a-z]+", name.lower()) if word]
    return plain in _INDEX or (bool(last) and last[-1] in _INDEX and unit_in_name(name) is None)


def is_total(name: str) -> bool:
    """Return True if the name speaks of a sum."""
    return not words(name).isdisjoint(_TOTAL)


def is_flow(name: str) -> bool:
    """Return True if the name tells one flow of a home from another (import, solar, usage)."""
    return not words(name).isdisjoint(_FLOW)


def is_outgoing(name: str) -> bool:
    """Return True if the name speaks of energy that a home makes, stores or sends out."""
    return not words(name).isdisjoint(_OUTGOING)


def is_consumption(name: str) -> bool:
    """Return True if the name speaks of what a home consumes, and of no other flow."""
    found = words(name)
    others = _OUTGOING | {"grid", "import", "imported", "net", "bezug", "netzbezug"}
    return not found.isdisjoint(_CONSUMPTION) and found.isdisjoint(others)


def is_quantity(name: str) -> bool:
    """Return True if the name only says what is measured, such as `kWh` or `Energy (kWh)`."""
    return bool(words(name)) and words(name) <= _QUANTITY


def is_end(name: str) -> bool:
    """Return True if a column of times holds the ends of intervals."""
    return not words(name).isdisjoint(_END) and words(name).isdisjoint(_START)


def is_start(name: str) -> bool:
    """Return True if a column of times holds the starts of intervals."""
    return not words(name).isdisjoint(_START)
