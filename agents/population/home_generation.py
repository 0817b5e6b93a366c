"""Generated homes: who lives there, which devices they have, and what they want of them today.

This module draws homes from `home_statistics`, each from its own stream of a seed: home 17 is the
same however many homes there are. It writes them as a compact file; plans are made when a run
reads it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator, SeedSequence, default_rng

from agents.devices.day import DAY_MINUTES
from agents.devices.energy_grid import FILE_STEP_KWH, floored, rounded
from agents.population import home_statistics as known
from agents.population.atomic_write import drafted
from agents.population.home_statistics import CycleStatistics, Shares
from protocol.errors import InputError
from protocol.vectors import Array

FIRST_MINUTE = 6 * 60
"""Slot 0 starts at 06:00, so that evening and night are one piece."""
SLOTS = 96
_HOME_STREAM = 7
_SHARED_STREAM = 8
_QUARTER_MINUTES = 15


@dataclass(frozen=True, slots=True)
class _Frame:
    """The slots of the day, and the weather that all homes share."""

    slots: int
    cloudiness: Array
    """What clouds leave of the sun in each slot, float64[d]."""
    outside_c: Array

    @property
    def minutes(self) -> float:
        """Length of a slot, minutes."""
        return DAY_MINUTES / self.slots

    @property
    def hours(self) -> Array:
        """The hour of the day in the middle of each slot, float64[d]."""
        return (FIRST_MINUTE / 60 + (np.arange(self.slots) + 0.5) * self.minutes / 60) % 24

    def slot(self, hour: float) -> int:
        """Return the slot of an hour of the day, counted from the first slot."""
        return int((hour * 60 - FIRST_MINUTE) % DAY_MINUTES / self.minutes)

    def count(self, hours: float) -> int:
        """Return the number of slots in a time, at least 1."""
        return max(1, round(hours * 60 / self.minutes))


def generated_homes(
    count: int,
    *,
    seed: int,
    slots: int = SLOTS,
    shares: Shares | None = None,
    base_loads: Mapping[str, Array] | None = None,
) -> dict[str, Any]:
    """Return the content of a compact file of generated homes.

    `base_loads` are the base loads of the homes by id, float64[slots] kWh from slot 0 on; without
    them homes are h0, h1, ... and have generated ones. Raises InputError, naming the option.
    """
    if count < 1:
        raise InputError(f"must be at least 1, not {count}", field="--homes")
    if not 0 <= seed < 2**64:
        raise InputError(f"must be from 0 to 2^64 - 1, not {seed}", field="--seed")
    if slots < 24 or DAY_MINUTES % slots:
        reason = f"{slots} slots do not fill a day with whole minutes: choose 24, 48, 96 or 144"
        raise InputError(reason, field="--slots")
    frame = _frame(slots, default_rng(SeedSequence(seed, spawn_key=(_SHARED_STREAM,))))
    ids = (
        [f"h{index}" for index in range(count)] if base_loads is None else list(base_loads)[:count]
    )
    homes = []
    for index, name in enumerate(ids):
        chance = default_rng(SeedSequence(seed, spawn_key=(_HOME_STREAM, index)))
        home = _Draw(frame, shares or Shares(), chance).home(name)
        if base_loads is not None:
            home["base"]["kwh"] = rounded(base_loads[name]).tolist()
        homes.append(home)
    return {
        "note": f"{len(ids)} generated homes, kWh at the meter per slot (docs/homes.md)",
        "slots": slots,
        "slot_minutes": frame.minutes,
        "first": f"{FIRST_MINUTE // 60:02}:{FIRST_MINUTE % 60:02}",
        "seed": seed,
        "homes": homes,
    }


def write_homes(content: Mapping[str, Any], path: Path) -> None:
    """Write a compact file with one line per home; raises InputError if `path` exists."""
    head = {name: value for name, value in content.items() if name != "homes"}
    lines = ",\n".join(json.dumps(home, separators=(",", ":")) for home in content["homes"])
    text = json.dumps(head)[:-1] + ',\n"homes": [\n' + lines + "\n]}\n"
    with drafted(path) as draft, draft.open("xb") as file:
        file.write(text.encode())


def _frame(slots: int, chance: Generator) -> _Frame:
    steps = np.convolve(chance.normal(size=slots + 8), np.ones(9) / 9, "valid")
    mean, swing = known.OUTSIDE_C
    bare = _Frame(slots=slots, cloudiness=np.ones(slots), outside_c=np.zeros(slots))
    return _Frame(
        slots=slots,
        cloudiness=np.clip(0.85 + 0.4 * steps, 0.2, 1.0),
        outside_c=mean + swing * np.cos(2 * np.pi * (bare.hours - 15.0) / 24.0),
    )


class _Draw:
    """The draws of one home."""

    def __init__(self, frame: _Frame, shares: Shares, chance: Generator) -> None:
        self._frame, self._shares, self._chance = frame, shares, chance
        self._people = 1 + int(chance.choice(5, p=known.PEOPLE))

    def home(self, name: str) -> dict[str, Any]:
        """Return the table of a home. All is drawn in the same order, whether owned or not, so
        that a share changes nothing but the devices that it is about."""
        base = {"kwh": self._base(), "essential_share": round(self._between(known.ESSENTIAL), 2)}
        kwp = round(self._between(known.SOLAR_KWP), 1)
        solar = self._solar(kwp)
        cycles = self._cycles()
        car, boiler, heatpump = self._car(), self._boiler(), self._heatpump()
        owned = self._owned()
        devices = [cycle for cycle in cycles if owned[cycle["name"]]]
        devices += [boiler] if owned["boiler"] else []
        devices += [heatpump] if owned["heatpump"] else []
        devices += [car] if owned["car"] else []
        home: dict[str, Any] = {"id": name, "people": self._people, "base": base}
        if owned["solar"]:
            home["solar"] = solar
        if owned["battery"]:
            devices.append(_battery(kwp, self._frame))
        return {**home, "devices": devices}

    def _owned(self) -> dict[str, bool]:
        """Return which devices the home has and uses today."""
        shares, draw = self._shares, self._chance.random(10)
        runs = draw[6:9] < [self._runs(name) for name in ("dishwasher", "washer", "dryer")]
        washer = bool(draw[1] < shares.washer and runs[1])
        solar = bool(draw[4] < shares.solar)
        return {
            "dishwasher": bool(draw[0] < shares.dishwasher and runs[0]),
            "washer": washer,
            "dryer": bool(washer and draw[2] < shares.dryer and runs[2]),
            "car": bool(draw[3] < shares.car * known.CAR_PLUGGED_SHARE),
            "solar": solar,
            "battery": bool(solar and draw[5] < shares.battery),
            "boiler": bool(draw[9] < shares.boiler),
            "heatpump": bool(self._chance.random() < shares.heatpump),
        }

    def _runs(self, name: str) -> float:
        return float(known.CYCLES[name].runs_a_day * np.sqrt(self._people / 2))

    def _between(self, bounds: tuple[float, float]) -> float:
        return float(self._chance.uniform(*bounds))

    def _spread(self, spread: float) -> float:
        return float(np.exp(self._chance.normal(scale=spread)))

    def _base(self) -> list[float]:
        nobody, each = known.BASE_KWH_A_DAY
        energy = (nobody + each * self._people) * self._spread(known.BASE_SPREAD)
        activity = np.array(known.ACTIVITY)[self._frame.hours.astype(int)]
        used = activity * self._chance.gamma(0.9, size=self._frame.slots)
        standby = known.STANDBY_SHARE / self._frame.slots
        shape = standby + (1.0 - known.STANDBY_SHARE) * used / used.sum()
        return _listed(energy * shape)

    def _solar(self, kwp: float) -> dict[str, Any]:
        rise, fall = known.SOLAR_HOURS
        height = np.sin(np.pi * np.clip((self._frame.hours - rise) / (fall - rise), 0.0, 1.0))
        shape = height**1.3 * self._frame.cloudiness
        return {
            "kwp": kwp,
            "kwh": _listed(kwp * self._between(known.SOLAR_KWH_PER_KWP) * shape / shape.sum()),
        }

    def _cycles(self) -> list[dict[str, Any]]:
        # A dryer that follows the washer must also end within the day.
        afterwards = len(_resampled(known.CYCLES["dryer"], self._frame))
        washer = self._cycle("washer", None, afterwards=afterwards)
        ended = washer["preferred"] + len(washer["profile"])
        dryer = self._cycle("dryer", ended) | {"after": "washer"}
        return [self._cycle("dishwasher", None), washer, dryer]

    def _cycle(self, name: str, wanted: int | None, *, afterwards: int = 0) -> dict[str, Any]:
        """Return a run that is wanted in a slot, or at a drawn time of day, and after which there
        are so many slots left."""
        statistics = known.CYCLES[name]
        profile = _resampled(statistics, self._frame) * self._spread(statistics.spread)
        listed = _listed(profile)
        if wanted is None:
            weights = [weight for weight, _, _ in statistics.hours]
            _, mean, deviation = statistics.hours[int(self._chance.choice(len(weights), p=weights))]
            wanted = self._frame.slot(float(self._chance.normal(mean, deviation)))
        last = self._frame.slots - len(listed) - afterwards
        window = self._frame.count(self._between(statistics.window_h))
        wanted = min(wanted, last)
        return {
            "name": name,
            "kind": "cycle",
            "profile": listed,
            "earliest": wanted,
            "preferred": wanted,
            "latest": min(wanted + window, last),
            "tolerance_min": float(self._chance.choice(statistics.tolerances_min)),
        }

    def _car(self) -> dict[str, Any]:
        powers, weights = zip(*known.CAR_POWER_KW, strict=True)
        power = float(self._chance.choice(powers, p=weights))
        capacity = float(self._chance.choice(known.CAR_CAPACITY_KWH))
        frame, hours = self._frame, self._frame.minutes / 60
        arrival = frame.slot(float(np.clip(self._chance.normal(*known.CAR_ARRIVAL_H), 12.0, 22.0)))
        departure = float(np.clip(self._chance.normal(*known.CAR_DEPARTURE_H), 5.0, 9.0))
        # A departure after the border of the day is its end.
        end = frame.slots if departure >= FIRST_MINUTE / 60 else frame.slot(departure)
        most = 0.9 * (end - arrival) * power * hours
        median, spread = known.CAR_NEED_KWH
        need = min(median * self._spread(spread), most, 0.6 * capacity)
        least = _down(known.CAR_LEAST_KW[power] * hours)
        need = float(rounded(np.array(max(need, 2.0, least))))
        return {
            "name": "car",
            "kind": "store",
            "what": "ev",
            "max_in": _down(power * hours),
            "min_in": least,
            "efficiency_in": known.CAR_EFFICIENCY,
            "level": _down(capacity - need * known.CAR_EFFICIENCY - self._chance.uniform(0.0, 5.0)),
            "high": capacity,
            "plugged": [arrival, end],
            "need": need,
            "reserve": _down(need * self._between(known.CAR_RESERVE)),
            "tolerance_h": float(self._chance.choice(known.CAR_TOLERANCES_H)),
        }

    def _boiler(self) -> dict[str, Any]:
        litres = int(self._chance.choice(known.BOILER_LITRES))
        nobody, each = known.HOT_WATER_KWH
        energy = (nobody + each * self._people) * self._spread(0.2)
        draws = np.zeros(self._frame.slots)
        weights = [weight for weight, _, _ in known.DRAWS]
        for _ in range(3 + 3 * self._people):
            _, mean, deviation = known.DRAWS[int(self._chance.choice(len(weights), p=weights))]
            slot = self._frame.slot(float(self._chance.normal(mean, deviation)))
            draws[slot] += self._chance.gamma(2.0)
        loss = known.BOILER_LOSS_KWH_A_DAY / self._frame.slots
        power = _down(known.BOILER_POWER_KW[litres] * self._frame.minutes / 60)
        scale = litres * known.KWH_PER_LITRE_DEGREE
        use = loss + energy * draws / draws.sum()
        while not _keeps_warm(use, power, room_kwh=16.0 * scale):
            use = 0.7 * use + 0.3 * use.mean()  # the same water, in more portions
        return {
            "name": "boiler",
            "kind": "store",
            "what": "boiler",
            "max_in": power,
            "kwh_per_degree": scale,
            "level_at": 60.0,
            "low_at": 42.0,
            "high_at": 68.0,
            "wish_at": 52.0,
            "tolerance_deg": 5.0,
            "use": np.round(use, 4).tolist(),
        }

    def _heatpump(self) -> dict[str, Any]:
        hours = self._frame.minutes / 60
        lost = self._between(known.HEAT_LOSS_KW) * hours * (20.5 - self._frame.outside_c)
        use = np.asarray(np.round(np.maximum(lost, 0.0), 4), dtype=np.float64)
        return {
            "name": "heatpump",
            "kind": "store",
            "what": "heatpump",
            "max_in": _down(1.3 * float(use.max()) / known.COP + FILE_STEP_KWH),
            "efficiency_in": known.COP,
            "kwh_per_degree": round(self._between(known.HEAT_CAPACITY_KWH), 2),
            "level_at": 21.0,
            "low_at": 19.0,
            "high_at": 23.0,
            "wish_at": 20.5,
            "too_warm_at": 22.0,
            "tolerance_deg": 1.0,
            "use": use.tolist(),
        }


def _keeps_warm(use: Array, power: float, *, room_kwh: float) -> bool:
    """Return True if a boiler that heats whenever it can loses at most `room_kwh`."""
    missing = 0.0
    for drawn in use:
        missing = max(missing + float(drawn) - power, 0.0)
        if missing + power > room_kwh:
            return False
    return True


def _battery(kwp: float, frame: _Frame) -> dict[str, Any]:
    capacity = _down(kwp * known.BATTERY_KWH_PER_KWP)
    power = _down(capacity / known.BATTERY_HOURS * frame.minutes / 60)
    return {
        "name": "battery",
        "kind": "store",
        "what": "battery",
        "max_in": power,
        "max_out": power,
        "efficiency_in": 0.95,
        "efficiency_out": 0.95,
        "level": _down(0.3 * capacity),
        "low": _down(0.05 * capacity),
        "high": capacity,
    }


def _resampled(statistics: CycleStatistics, frame: _Frame) -> Array:
    """Return the profile in slots of the day: the same power over the same time."""
    edges = np.arange(len(statistics.profile_kwh) + 1) * float(_QUARTER_MINUTES)
    total = np.concatenate([[0.0], np.cumsum(statistics.profile_kwh)])
    slots = int(np.ceil(edges[-1] / frame.minutes))
    return np.diff(np.interp(np.arange(slots + 1) * frame.minutes, edges, total))


def _listed(amounts: Array) -> list[float]:
    listed: list[float] = rounded(amounts).tolist()
    return listed


def _down(kwh: float) -> float:
    return float(floored(np.array(kwh), FILE_STEP_KWH))


def rotated(base_loads: Sequence[Array], first_minute: float) -> list[Array]:
    """Return the base loads of a mean day that starts at `first_minute`, from slot 0 on."""
    return [
        np.roll(load, -round((FIRST_MINUTE - first_minute) * len(load) / DAY_MINUTES))
        for load in base_loads
    ]
