"""The third party's own home: a base load, a tank that is filled at will, and one run of a machine.

All amounts are whole numbers of 2^-20 kWh. What it holds is a *setting*: the slot in which the
machine starts, and what the tank takes in each slot.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

UNIT = 2**20
"""Counts per kWh."""
Counts = np.ndarray[Any, np.dtype[np.int64]]
Setting = tuple[int, Counts]
SERVED, WANTED = 40, 12
"""Greatest number of moves with which it serves others, and that it asks for at once."""


def counts(kwh: Any) -> Counts:
    return np.asarray(np.rint(np.asarray(kwh, float) * UNIT), dtype=np.int64)


@dataclass
class TankHome:
    """What the home can do, and what its people want. `run` is what the machine takes, `starts`
    the slots in which it may start; `wish` is the level below which people mind."""

    base: Counts
    run: Counts
    starts: list[int]
    preferred: int
    patience_slots: int
    use: Counts
    most: int
    level: int
    high: int
    wish: int
    tolerance: int
    settings: list[Setting]
    """The settings of its plans, the preferred one first."""

    @classmethod
    def read(cls, file: Path) -> "TankHome":
        told: dict[str, Any] = json.loads(file.read_text())
        for name in ("base", "run", "use"):
            told[name] = counts(told[name])
        for name in ("most", "level", "high", "wish", "tolerance"):
            told[name] = int(counts(told[name]))
        told["settings"] = [(start, counts(fill)) for start, fill in told["settings"]]
        return cls(**told)

    @property
    def plans(self) -> Any:
        """The totals of its settings, float64[k, d] kWh."""
        return np.array([self.total(setting) for setting in self.settings]) / UNIT

    def total(self, setting: Setting) -> Counts:
        start, fill = setting
        total = self.base + fill
        total[start : start + len(self.run)] += self.run
        return total

    def levels(self, setting: Setting) -> Counts:
        return np.asarray(self.level + np.cumsum(setting[1] - self.use))

    def can(self, setting: Setting) -> bool:
        """Say whether the home can do this."""
        start, fill = setting
        levels = self.levels(setting)
        within = bool(((levels >= 0) & (levels <= self.high)).all())
        return within and bool(((fill >= 0) & (fill <= self.most)).all()) and start in self.starts

    def squares(self, setting: Setting) -> float:
        """Return the sum of squared discomforts; 1 is just acceptable."""
        lag = np.maximum(self.wish - self.levels(setting), 0) / self.tolerance
        late = (setting[0] - self.preferred) / self.patience_slots
        return float((lag * lag).mean()) + late * late

    def discomfort(self, setting: Setting) -> float:
        return float(np.sqrt(self.squares(setting) / 2))

    def room(self, setting: Setting) -> Counts:
        """Return how much the tank could take less in slot i and more in slot j, at no loss:
        int64[i, j]."""
        fill, levels = setting[1], self.levels(setting)
        below = levels - np.maximum(0, np.minimum(levels, self.wish))
        above = self.high - levels
        d = len(fill)
        between = np.zeros((d, d), dtype=np.int64)
        for i in range(d):
            between[i, i + 1 :] = np.minimum.accumulate(below[i:])[: d - 1 - i]
            between[i, :i] = np.minimum.accumulate(above[:i][::-1])[::-1]
        return np.minimum(between, np.minimum(fill[:, None], self.most - fill))

    def serves(self, setting: Setting, change: Counts) -> Setting:
        """Return the setting that makes as much of a change of the total as costs nothing."""
        start, fill = setting[0], setting[1].copy()
        down, up = np.maximum(-change, 0), np.maximum(change, 0)
        for _ in range(SERVED):
            moves = np.minimum(self.room((start, fill)), np.minimum(down[:, None], up))
            i, j = divmod(int(moves.argmax()), len(fill))
            amount = int(moves[i, j])
            if amount == 0:
                break
            for array, slot in ((fill, i), (down, i), (up, j)):
                array[slot] -= amount
            fill[j] += amount
        return start, fill

    def gains(self, setting: Setting, down: Counts, up: Counts) -> Setting:
        """Return a setting with less of what people mind, within what the total may fall and
        rise: energy of later slots is taken earlier."""
        start, fill, down, up = setting[0], setting[1].copy(), down.copy(), up.copy()
        for _ in range(WANTED):
            lag = self.lag((start, fill))
            worth = self.earlier(lag)
            moves = np.minimum(self.room((start, fill)), np.minimum(down[:, None], up))
            i, j = divmod(int((worth * moves).argmax()), len(fill))
            if worth[i, j] * moves[i, j] <= 0:
                break
            amount = min(int(moves[i, j]), int(lag[j:i].max()))
            for array, slot in ((fill, i), (down, i), (up, j)):
                array[slot] -= amount
            fill[j] += amount
        return start, fill

    def lag(self, setting: Setting) -> Counts:
        return np.maximum(self.wish - self.levels(setting), 0)

    def earlier(self, lag: Counts) -> Any:
        """Return what it is worth to take energy of slot i in slot j, float64[i, j]."""
        before = np.concatenate([[0], np.cumsum(lag)])[:-1].astype(float)
        return np.maximum(before[:, None] - before, 0.0)

    def wants(self, setting: Setting) -> tuple[Counts, Counts]:
        """Return how much more and less it would like to take at each slot."""
        moves = np.where(self.earlier(self.lag(setting)) > 0, self.room(setting), 0)
        return moves.max(axis=0), moves.max(axis=1)
