"""Green Button XML (NAESB ESPI), as utilities offer it for download, as one table of readings.

Decides which readings are deliveries of electricity. A ReadingType says unit, power of ten and
direction; it is matched to interval blocks by their links, or by their order.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar
from xml.etree import ElementTree

from agents.metering.table.source_table import SourceTable
from protocol.errors import InputError

METER, UNIT, TIME, END, READING = "usage point", "unit", "start", "end", "reading"
_UNITS = {"72": "Wh", "38": "W"}
_CUMULATIVE = {"1", "3"}
_OUTGOING = {"19"}
_Known = TypeVar("_Known")


def is_xml(text: str) -> bool:
    """Return True if the text is an XML document."""
    return text.lstrip().startswith("<")


def table_of_green_button(text: str, path: Path) -> SourceTable:
    """Return the readings of electricity in the file, one row each, times in UTC."""
    import numpy as np
    import pandas as pd

    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise InputError("has a document type, which Green Button files have not", file=path)
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        line, _ = error.position
        raise InputError(f"is not well-formed XML: {error}", file=path, line=line) from None
    rows, notes = _rows(root, path)
    if not rows:
        raise InputError(
            "is XML, but holds no interval readings of electricity as Green Button files do",
            file=path,
        )
    frame = pd.DataFrame(rows, columns=[METER, UNIT, TIME, END, READING])
    lines = np.zeros(len(rows), dtype=np.int64)
    return SourceTable(frame=frame, lines=lines, header_line=None, notes=["Green Button", *notes])


def _rows(
    root: ElementTree.Element, path: Path
) -> tuple[list[tuple[str, str, str, str, str]], list[str]]:
    """Return rows of meter, unit, start, end and value, from blocks in the order of the file."""
    rows: list[tuple[str, str, str, str, str]] = []
    notes: dict[str, None] = {}
    types = [each for each in root.iter() if _tag(each) == "ReadingType"]
    links = _types_by_link(root)
    by_reading: dict[str, tuple[str, ElementTree.Element]] = {}
    meters: dict[str, str] = {}
    meter, kind = path.stem, types[0] if types else None
    for entry in root.iter():
        if _tag(entry) != "entry":
            continue
        for child in entry.iter():
            if _tag(child) == "UsagePoint":
                meter = _title(entry) or meter
                meters |= dict.fromkeys(_links(entry, "self"), meter)
            elif _tag(child) == "MeterReading":
                kind = _linked_type(entry, links) or kind
                if kind is not None:
                    own = _above(_links(entry, "self"), meters) or meter
                    by_reading |= dict.fromkeys(_links(entry, "self"), (own, kind))
            elif _tag(child) == "IntervalBlock":
                meter, kind = _above(_links(entry, "up"), by_reading) or (meter, kind)
                reason = _reason_against(kind)
                if reason:
                    notes[f"left out: readings that are {reason}"] = None
                    continue
                rows += _block(child, meter, kind=kind, path=path)
    return rows, list(notes)


def _block(
    block: ElementTree.Element, meter: str, kind: ElementTree.Element | None, path: Path
) -> list[tuple[str, str, str, str, str]]:
    unit = _UNITS[_text(kind, "uom") or "72"]
    power = _power_of_ten(kind, path)
    rows = []
    for reading in block.iter():
        if _tag(reading) != "IntervalReading":
            continue
        start, length = _text(reading, "start"), _text(reading, "duration")
        value = _text(reading, "value")
        if not (start or "").isdigit() or not (length or "").isdigit():
            raise InputError(
                f"an IntervalReading has start {start!r} and duration {length!r}: expected seconds",
                file=path,
            )
        try:
            number = "" if value is None else repr(float(value) * 10.0**power)
        except ValueError:
            raise InputError(f"value {value!r} is not a number", file=path, field="value") from None
        end = str(int(start or 0) + int(length or 0))
        rows.append((meter, unit, str(start), end, number))
    return rows


def _power_of_ten(kind: ElementTree.Element | None, path: Path) -> int:
    text = _text(kind, "powerOfTenMultiplier") or "0"
    if not re.fullmatch(r"-?\d{1,2}", text):
        raise InputError(
            f"{text!r} is no power of ten: expected one from -12 to 9",
            file=path,
            field="powerOfTenMultiplier",
        )
    return int(text)


def _above(hrefs: list[str], known: Mapping[str, _Known]) -> _Known | None:
    """Return what stands at one of these addresses, or at the nearest one above it."""
    for href in hrefs:
        while href:
            if href in known:
                return known[href]
            href = href.rpartition("/")[0]
    return None


def _reason_against(kind: ElementTree.Element | None) -> str | None:
    """Tell why readings of this type are no consumption of electricity; None if they are."""
    if _text(kind, "flowDirection") in _OUTGOING:
        return "sent out, not consumed"
    if (_text(kind, "uom") or "72") not in _UNITS:
        return "neither Wh nor W"
    return "of a counter" if _text(kind, "accumulationBehaviour") in _CUMULATIVE else None


def _types_by_link(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    """Return ReadingTypes by the addresses under which entries link to them."""
    found: dict[str, ElementTree.Element] = {}
    for entry in root.iter():
        if _tag(entry) != "entry":
            continue
        for child in entry.iter():
            if _tag(child) == "ReadingType":
                found |= dict.fromkeys(_links(entry, "self"), child)
    return found


def _links(entry: ElementTree.Element, relation: str) -> list[str]:
    """Return addresses to which an entry has this relation."""
    links = [each for each in entry if _tag(each) == "link" and each.get("rel") == relation]
    return [str(link.get("href")) for link in links]


def _linked_type(
    entry: ElementTree.Element, links: dict[str, ElementTree.Element]
) -> ElementTree.Element | None:
    hrefs = [str(link.get("href")) for link in entry if _tag(link) == "link"]
    return next((links[href] for href in hrefs if href in links), None)


def _title(entry: ElementTree.Element) -> str | None:
    return next((each.text.strip() for each in entry if _tag(each) == "title" and each.text), None)


def _text(element: ElementTree.Element | None, tag: str) -> str | None:
    """Return the text of the first element of this tag below, None if there is none."""
    if element is None:
        return None
    found = next((each for each in element.iter() if _tag(each) == tag), None)
    return None if found is None or found.text is None else found.text.strip()


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rsplit("}", 1)[-1]
