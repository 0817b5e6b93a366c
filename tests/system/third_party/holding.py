"""What a household holds in stage 2, and what it says of it (docs/protocol.md, Stage 2)."""

from math import copysign, floor, log2
from typing import Any

import numpy as np

from tests.system.third_party.planning import Array


class Holding:
    """The values held and preferred, kWh; `scale` is the one of the round, kWh^2."""

    def __init__(self, schedule: Array, preferred: Array, tolerance: float | None) -> None:
        self.held, self.preferred, self.tolerance = schedule.copy(), preferred, tolerance
        self.scale = 0.0

    def change(self, slot: int, value: float) -> float:
        """Return the change of the squared deviation if it held `value` there, kWh^2."""
        new, old = value - self.preferred[slot], self.held[slot] - self.preferred[slot]
        return float(new * new - old * old)

    def offers(self, slot: int) -> bool:
        """Say whether the value there is not the preferred one."""
        return bool(self.held[slot] != self.preferred[slot])

    def squares(self) -> float:
        """Return the sum of squared deviations, kWh^2."""
        return float(((self.held - self.preferred) ** 2).sum())

    def discomfort(self) -> float:
        """Return the RMSE against the preferred plan, kWh."""
        return float(np.sqrt(self.squares() / len(self.held)))

    def limit(self, slot: int) -> float:
        """Return how far it says it would go there, kWh."""
        away = float(self.preferred[slot] - self.held[slot])
        if abs(away) <= self.scale**0.5 / 8:
            return 0.0
        named = 2.0 ** (floor(2 * log2(2 * abs(away))) / 2)
        return copysign(min(named, 2 * abs(away)), away)

    def aim(self, slot: int) -> tuple[float, float]:
        """Return the value to look for, and how far from it one still serves, kWh."""
        held, preferred = float(self.held[slot]), float(self.preferred[slot])
        tolerance = self.tolerance
        if tolerance is not None:
            return preferred, min(abs(held - preferred), tolerance)
        return held + self.limit(slot) / 2, abs(self.limit(slot)) / 2

    def told(self, disclosure: str, slots: list[int]) -> list[float]:
        """Return the limits to tell a matchmaker with the offers at these slots."""
        match disclosure:
            case "limit":
                return [self.limit(slot) for slot in slots]
            case "direction":
                return [copysign(1.0, self.preferred[s] - self.held[s]) for s in slots]
        return []


def as_columns(trace: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Return the exchanges made as the fields of a message, one column each."""
    columns = [list(column) for column in zip(*trace, strict=True)] or [[]] * 8
    names = ("rounds", "slots", "partners", "leases", "asked")
    fields: dict[str, Any] = dict(zip(names, columns, strict=False))
    for name, column in zip(("given_kwh", "taken_kwh", "gains_kwh2"), columns[5:], strict=True):
        fields[name] = np.array(column, float)
    return fields
