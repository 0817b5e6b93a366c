"""Which slot a time of day means, also when the day ends early in the morning or clocks change."""

from typing import Any

import pytest

from agents.devices.day import Day, day_of
from protocol.errors import InputError

DAY = day_of(slot_minutes=15, first="06:00")
SPRING = day_of(slot_minutes=15, time_zone="Europe/Brussels", on="2026-03-29")
AUTUMN = day_of(slot_minutes=15, time_zone="Europe/Brussels", on="2026-10-25")


def test_a_day_of_a_clock_change_has_an_hour_less_or_more() -> None:
    assert (DAY.slots, SPRING.slots, AUTUMN.slots) == (96, 92, 100)
    before = day_of(slot_minutes=60, first="06:00", time_zone="Europe/Brussels", on="2026-03-28")
    assert before.slots == 23  # from 06:00 to 06:00, over the change at night
    assert day_of(slot_minutes=30, time_zone="UTC", on="2026-03-29").slots == 48


@pytest.mark.parametrize(
    ("day", "clock", "first", "last"),
    [
        (DAY, "06:00", 0, 0),
        (DAY, "18:45", 51, 51),
        (DAY, "18:50", 52, 51),
        (DAY, "05:45", 95, 95),
        (SPRING, "01:45", 7, 7),
        (SPRING, "02:30", 10, 10),  # skipped: an hour later, 03:30
        (SPRING, "03:00", 8, 8),
        (SPRING, "23:45", 91, 91),
        (AUTUMN, "02:30", 10, 10),  # twice: the first
        (AUTUMN, "03:00", 16, 16),
        (AUTUMN, "23:45", 99, 99),
    ],
)
def test_slots_of_times(day: Day, clock: str, first: int, last: int) -> None:
    assert (day.slot_from(clock), day.slot_until(clock)) == (first, last)


def test_the_times_of_slots_are_those_on_the_wall() -> None:
    assert [DAY.clock(slot) for slot in (0, 51, 95)] == ["06:00", "18:45", "05:45"]
    assert [SPRING.clock(slot) for slot in (7, 8)] == ["01:45", "03:00"]
    assert [AUTUMN.clock(slot) for slot in (11, 12)] == ["02:45", "02:00"]


@pytest.mark.parametrize(
    ("arrival", "clock", "slot"),
    [
        ("20:15", "06:00", 96),
        ("20:15", "05:30", 94),
        ("20:15", "05:35", 94),
        ("20:15", "06:10", 96),  # just past the day's border: its end, not slot 0
        ("20:15", "20:15", 96),
        ("20:15", "20:30", 58),
        ("20:01", "20:14", 56),  # no whole slot: before its start, which is refused
        ("06:00", "06:00", 96),
        ("06:00", "07:00", 4),
        (57, "06:10", 96),
        (57, 94, 94),
    ],
)
def test_a_departure_never_wraps_to_the_first_slot(
    arrival: str | int, clock: str | int, slot: int
) -> None:
    assert DAY.stretch(arrival, clock)[1] == slot


def test_a_time_before_the_earliest_is_on_the_next_date() -> None:
    assert DAY.slot_until("06:30", after=60) == 98
    assert SPRING.slot_until("01:00", after=80) == 96  # 92 slots and an hour


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"slot_minutes": 7}, "slot_minutes"),
        ({"slot_minutes": 2000}, "slot_minutes"),
        ({"first": "6:00"}, "first"),
        ({"first": "24:00"}, "first"),
        ({"time_zone": "Europe/Brussel"}, "time_zone"),
        ({"on": "2026-03-29"}, "time_zone"),
        ({"on": "29.3.2026", "time_zone": "UTC"}, "date"),
    ],
)
def test_an_impossible_day_names_its_field(changes: dict[str, Any], field: str) -> None:
    values: dict[str, Any] = {"slot_minutes": 15, **changes}
    with pytest.raises(InputError) as caught:
        day_of(**values)
    assert caught.value.field == field


@pytest.mark.parametrize("clock", ["", "18", "18:60", "25:00", "noon", "18:45:00"])
def test_what_is_no_time_of_day(clock: str) -> None:
    with pytest.raises(InputError, match='write it like "18:45"'):
        DAY.slot_from(clock)
