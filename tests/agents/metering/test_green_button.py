"""Green Button XML: several meters and directions, powers of ten, encodings, broken files."""

from datetime import UTC
from pathlib import Path

import pytest

from protocol.errors import InputError
from tests.support.meter_files import START, A, B, kwh, mean, read

WH = [round(value * 1000) for value in A]
BEGIN = int(START.replace(tzinfo=UTC).timestamp())


def entry(own: str, content: str, title: str = "", **links: str) -> str:
    """Return an Atom entry with links to others."""
    more = "".join(f'<link rel="{name}" href="{href}"/>' for name, href in links.items())
    return (
        f'<entry><link rel="self" href="{own}"/>{more}<title>{title}</title>'
        f"<content>{content}</content></entry>"
    )


def reading_type(number: int, power: str = "0", direction: int = 1, unit: int = 72) -> str:
    return entry(
        f"Type/{number}",
        "<ReadingType><accumulationBehaviour>4</accumulationBehaviour>"
        f"<flowDirection>{direction}</flowDirection>"
        f"<powerOfTenMultiplier>{power}</powerOfTenMultiplier><uom>{unit}</uom></ReadingType>",
    )


def meter(number: int, title: str) -> str:
    return entry(f"Point/{number}", "<UsagePoint/>", title)


def reading(number: int, point: int) -> str:
    return entry(
        f"Point/{point}/MeterReading/{number}", "<MeterReading/>", related=f"Type/{number}"
    )


def block(number: int, point: int, values: list[float]) -> str:
    readings = "".join(
        f"<IntervalReading><timePeriod><duration>1800</duration>"
        f"<start>{BEGIN + 1800 * row}</start></timePeriod><value>{value}</value></IntervalReading>"
        for row, value in enumerate(values)
    )
    up = f"Point/{point}/MeterReading/{number}/IntervalBlock"
    return entry(f"{up}/1", f"<IntervalBlock>{readings}</IntervalBlock>", up=up)


def feed(*entries: str, encoding: str = "UTF-8") -> str:
    return (
        f'<?xml version="1.0" encoding="{encoding}"?>'
        f'<feed xmlns="http://www.w3.org/2005/Atom">{"".join(entries)}</feed>'
    )


def test_blocks_belong_to_the_meter_and_type_that_their_links_name(tmp_path: Path) -> None:
    text = feed(
        meter(1, "Anna"),
        meter(2, "Ben"),
        reading(1, 1),
        reading(2, 1),
        reading(3, 2),
        reading_type(1),
        reading_type(2, direction=19),
        reading_type(3, power="-3"),
        block(3, 2, [1e6 * value for value in B]),
        block(2, 1, [5.0] * 96),
        block(1, 1, [float(value) for value in WH]),
    )
    made = read(tmp_path, text, name="usage.xml")
    assert kwh(made) == pytest.approx({"Ben": mean(B), "Anna": mean(A)})
    assert "left out: readings that are sent out, not consumed" in made.notes


def test_watts_are_power(tmp_path: Path) -> None:
    text = feed(meter(1, "A"), reading(1, 1), reading_type(1, unit=38), block(1, 1, list(WH)))
    assert kwh(read(tmp_path, text, name="usage.xml")) == pytest.approx({"A": mean(A) / 2})


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_the_encoding_may_be_another(tmp_path: Path, encoding: str) -> None:
    text = feed(
        meter(1, "Zoë"), reading(1, 1), reading_type(1), block(1, 1, list(WH)), encoding=encoding
    )
    made = read(tmp_path, text, name="usage.xml", encoding=encoding)
    assert kwh(made) == pytest.approx({"Zoë": mean(A)})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (feed(reading_type(1, power="x"), block(1, 1, list(WH))), "'x' is no power of ten"),
        (feed(reading_type(1, power="99999"), block(1, 1, list(WH))), "is no power of ten"),
        (feed(reading_type(1, unit=169), block(1, 1, list(WH))), "no interval readings"),
        (feed(reading_type(1), block(1, 1, list(WH)))[:300], "line 1: is not well-formed XML"),
        ("<svg xmlns='x'><path/></svg>", "no interval readings of electricity"),
    ],
)
def test_a_broken_or_foreign_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, text, name="usage.xml")
