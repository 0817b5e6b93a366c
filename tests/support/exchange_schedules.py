"""What a household held before and after each exchange, read from its journal alone."""

from collections.abc import Sequence

from agents.exchange.journal.another_exchange import read_another
from agents.exchange.journal.entries import Entry
from agents.exchange.journal.records import read_beginning, read_deal
from agents.exchange.stage import remembered
from protocol.vectors import Array


def schedules_around_exchanges(entries: Sequence[Entry]) -> list[tuple[Array, Array]]:
    """Return the schedules before and after each exchange of bundles that has ended, float64[d],
    kWh."""
    found: list[tuple[Array, Array]] = []
    before = held = read_beginning(remembered(entries)[1].data).schedule
    for entry in remembered(entries):
        match entry.kind:
            case "replanned":
                before = held = read_another(entry.data).schedule
            case "done" | "accepted":
                slots, taken = read_deal(entry.data)
                held = held.copy()
                held[list(slots)] = taken
            case "over":
                found.append((before, held))
    return found
