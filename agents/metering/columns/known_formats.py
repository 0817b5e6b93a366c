"""What published formats of meter files say beyond their cells: which columns, which unit.

Holds what their documentation says. A format is known by its columns, never by its numbers.

LCL: Low Carbon London, UK Power Networks. REFIT: University of Strathclyde, cleaned files.
Pecan Street: Dataport. Enedis: `courbe de charge`. P1: Dutch and Belgian meters (DSMR 5).
Home Assistant: exported long-term statistics. UCI: Machine Learning Repository, data sets 235
(one household by minutes) and 321 (load diagrams by quarter hours).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.metering.options import UnitName


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFormat:
    """A published format."""

    name: str
    household: str | None = None
    value: str | None = None
    time: str | None = None
    unit: UnitName | None = None
    left_out: str = ""
    """Why other columns of readings are left out, for people."""
    registers: tuple[str, ...] = ()
    """Columns that are registers of one meter, to be added."""
    counter_is_late: bool = False
    """True if a counter was read at the end of the interval that the time begins."""
    binding: bool = True
    """True if another unit given as an option contradicts the format."""


def recognise_format(names: Sequence[str], path: Path) -> KnownFormat | None:
    """Return the format with these columns, None if none is known."""
    plain = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in names}
    if "lclid" in plain:
        value = next((plain[each] for each in plain if each.startswith("kwhhh")), None)
        time = plain.get("datetime") or plain.get("tstp")
        return KnownFormat(name="LCL", household=plain["lclid"], value=value, time=time, unit="kWh")
    if "aggregate" in plain and any(each.startswith("appliance") for each in plain):
        return KnownFormat(
            name="REFIT",
            value=plain["aggregate"],
            time=plain.get("time"),
            unit="W",
            left_out="Aggregate holds the whole home, Appliance columns parts of it",
        )
    local = next((plain[each] for each in plain if re.fullmatch(r"local\d*min(ute)?", each)), None)
    if "dataid" in plain and (local or "localhour" in plain):
        return KnownFormat(
            name="Pecan Street",
            household=plain["dataid"],
            value=plain.get("use") or plain.get("grid"),
            time=local or plain["localhour"],
            unit="kW",
            left_out="other columns are circuits of the same homes",
        )
    if "horodate" in plain and "valeur" in plain:
        return KnownFormat(name="Enedis", value=plain["valeur"], time=plain["horodate"], unit="W")
    if "statisticid" in plain and "start" in plain:
        value = next(
            (plain[each] for each in ("delta", "mean", "sum", "state") if each in plain), None
        )
        return KnownFormat(
            name="Home Assistant statistics",
            household=plain["statisticid"],
            value=value,
            time=plain["start"],
            left_out="other columns say the same in another way",
            counter_is_late=True,
        )
    if "globalactivepower" in plain and "submetering1" in plain:
        return KnownFormat(
            name="UCI household",
            value=plain["globalactivepower"],
            unit="kW",
            left_out="other quantities, and parts of the home",
        )
    if len(names) > 1 and all(re.fullmatch(r"MT_\d{3}", name) for name in names[1:]):
        return KnownFormat(name="UCI load diagrams", unit="kW")
    registers = [plain[each] for each in plain if _is_import_register(each)]
    sent_out = [each for each in plain if re.search("export|returned", each)]
    if len(registers) >= 2 or (registers and sent_out):
        return KnownFormat(
            name="P1",
            registers=tuple(registers),
            left_out="they are what the home returned, or single phases",
        )
    if "p_set" in path.stem:
        return KnownFormat(name="PyPSA p_set", unit="MW")
    if names and names[0] in ("snapshot", "snapshots") and "value" not in plain:
        return KnownFormat(name="PyPSA snapshots", unit="MW", binding=False)
    return None


def _is_import_register(plain: str) -> bool:
    """Return True for a register of energy drawn from the grid, such as `Import T1 kWh`."""
    return (
        re.fullmatch(
            r"(electricity)?(import|imported|delivered|consumed)?(t|tariff|tarif|low|high|normal)?"
            r"(import|delivered)?[12]?(kwh)?",
            plain,
        )
        is not None
        and re.search(r"import|delivered|consumed", plain) is not None
        and re.search(r"[12](kwh)?$|^importkwh$", plain) is not None
    )
