"""Words in the names of columns, in the languages that meter files come in.

Holds the words and tells which kind a name is. What follows from it is decided in column_roles.
"""

import re
import unicodedata
from collections.abc import Sequence

from agents.metering.notation.units import foreign_unit_in_name, is_rate, unit_in_name


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HOUSEHOLD_NAMES = _set(
    """
    account accountid accountnumber anlaggningsid apartment apartmentid building buildingid bus
    client clientid compteur consumer consumerid contador cpe cups customer customerid
    customernumber dataid device deviceid dwelling dwellingid ean eancode entityid esiid flat
    flatid haus haushalt hausid hausnr hausnummer home homeid house household householdid
    householdname houseid icp id identifiantprm kunde kundennummer kundenr lclid malepunkt
    malepunktid malepunktsid malo marktlokation melo messlokation meter meterid meteringpoint
    meteringpointid meterno meternumber meterserial meterserialnumber mittauspisteentunnus mpan
    mprn mpxn name nmi participant participantid pdl pod premise premiseid prm property resource
    resourceid sensor sensorid serial serialnumber servicepoint site siteid statisticid supplypoint
    usagepoint user userid wohnung zaehler zaehlernummer zaehlpunkt zahler zahlernummer zahlpunkt
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
    amount bill charge charges ct kr rate spot tarif tariff
    """
)
_REGISTERS = _set(
    """
    delivered electricity energy high hoog import laag low normal peak returned
    """
)
_WEATHER = _set(
    """
    ambient aussen celsius cloud clouds degc degf dewpoint dhi dni exterieur ghi hdd humidity
    indoor irradiance outdoor outside precipitation pressure radiation rain snow solarradiation
    tamb temp temperatur temperatura temperature tout weather wetter wind
    """
)
_OTHER = _set(
    """
    amp ampere amperes amps apparent area blindleistung capacity carbon co2 cosphi current day
    dayofweek dow fernwarme flag flags forecast freq frequency gas holiday hour hz intensite
    intensity issues kva kvah kvar kvarh latitude longitude m3 month mvar mvarh nahwarme occupancy
    occupants oil pct people percent percentage pf postcode powerfactor predicted prediction
    prognose qgen qload quality reactive rooms score soc spannung status tension var varh volt
    voltage volts warme warmwasser wasser water week weekday weekend year zip
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
    aggregate all average avg gesamt insgesamt mean median overall somme std sum summe totaal total
    totals
    """
)
_FLOW = _set(
    """
    afname aircon appliance autoconsumo autoconsumption battery bezogen bezug boiler charge
    consumed consumption delivered discharge dishwasher dryer eingespeist einspeisung erzeugung
    excedente excedentes export exported feed feedin forbruk freezer fridge furnace gen generation
    grid heatpump hvac immissione import imported injectee injectie injection inmatning kettle
    levering lieferung microwave net netzbezug oddanie opgewekt oven pobor prelievo produced
    production produksjon produktion pv received refrigerator return returned selfconsumption solar
    soutirage soutiree t1 t2 terugleveren teruglevering tv usage use uttag verbrauch verbruik
    vertida warmepumpe washer
    """
)
_OUTGOING = _set(
    """
    battery discharge eingespeist einspeisung erzeugung excedente excedentes export exported feed
    feedin gen generation immissione injectee injectie injection inmatning lieferung oddanie
    opgewekt produced production produksjon produktion pv return returned solar terugleveren
    teruglevering vertida
    """
)
_CONSUMPTION = _set(
    """
    consommation consumed consumo consumption forbruk hausverbrauch home house household load main
    mains usage use verbrauch verbruik
    """
)
_QUANTITY = _set(
    """
    consommation consumption demand electric electricity energie energy kw kwh leistung load mw mwh
    power reading readings strom stromverbrauch usage use value values verbrauch w wert wh
    """
)
_END = _set(
    """
    bis end ende ending fim fin fine finish hasta stop til till to tot until
    """
)
_START = _set(
    """
    ab begin beginn debut desde fra fran from inicio inizio start van von
    """
)
_OBIS = {r"1\.8\.\d": "import", r"2\.8\.\d": "export", r"\d+\.7\.\d": "power"}
"""Codes of registers (IEC 62056-61): energy drawn, energy sent out, power."""
_PARTS = [{"hp", "hc"}, {"ht", "nt"}, {"peak", "offpeak"}, {"day", "night"}, {"jour", "nuit"}]
_PARTS += [{"tag", "nacht"}, {"dag", "nacht"}, {"l1", "l2", "l3"}, {"phase1", "phase2", "phase3"}]
_PARTS += [{"phasea", "phaseb", "phasec"}]
_BRACKETS = re.compile(r"[\[(]\s*([^\])]*?)\s*[\])]")
_FOREIGN_IN_BRACKETS = {"p", "v", "a", "%", "c", "f", "ct", "kr", "m", "pa", "l", "m/s"}


def words(name: str) -> set[str]:
    """Return the words of a name in lower case, without accents; `homeEnergy` is two words."""
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    plain = re.sub(r"(?<=[a-z])(?=[A-Z][a-z]{2})", " ", plain).lower()
    found = {word for word in re.split(r"[^a-z0-9]+", plain) if word}
    found |= {flow for code, flow in _OBIS.items() if re.search(rf"(?<!\d){code}", plain)}
    found |= {word.rstrip("0123456789") for word in found if not word.isdigit()}
    joined = re.fullmatch(r"t(emp)?[ _.-](out|in|ext|amb|aussen|air)", plain.strip())
    return found | {"temperature"} if joined else found


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
    other = foreign_unit_in_name(name)
    if other is not None:
        return f"in {other}, to be converted to kWh"
    found = words(name)
    if found & _MONEY or (found & _MAYBE_MONEY and unit is None and not found & _REGISTERS):
        return "money"
    if found & _WEATHER and unit is None:
        return "weather"
    if "heat" in found and "pump" not in found:
        return "heat"
    return "another quantity" if found & _OTHER else None


def is_index(name: str) -> bool:
    """Return True if the name says that the column counts rows, or repeats the time."""
    plain = re.sub(r"[^a-z]", "", name.lower())
    last = [word for word in re.split(r"[^a-z]+", name.lower()) if word]
    return plain in _INDEX or (bool(last) and last[-1] in _INDEX and unit_in_name(name) is None)


def is_total(name: str) -> bool:
    """Return True if the name speaks of a sum."""
    return not words(name).isdisjoint(_TOTAL)


def flows_in(name: str) -> frozenset[str]:
    """Return the words that tell one flow of a home from another (import, solar, usage)."""
    return _FLOW & words(name)


def is_flow(name: str) -> bool:
    """Return True if the name tells one flow of a home from another."""
    return bool(flows_in(name))


def are_parts(names: Sequence[str]) -> bool:
    """Return True for the tariffs, or the phases, of one meter: HP and HC, L1 to L3."""
    plain = [re.sub(r"off[ _-]peak", "offpeak", name.lower()) for name in names]
    plain = [re.sub(r"phase[ _-]([a-c1-3])\b", r"phase\1", name) for name in plain]
    cores = [set(re.split(r"[^a-z0-9]+", name)) - _QUANTITY - {""} for name in plain]
    common = set.intersection(*cores) if cores else set()
    own = [core - common for core in cores]
    return all(len(core) == 1 for core in own) and set().union(*own) in _PARTS


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
