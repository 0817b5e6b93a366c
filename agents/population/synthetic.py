"""Generated households: load curves with statistics close to those of the paper's energy data.

This module decides the preferred plan and the id of a generated household. `plan_alternatives.py`
decides its other plans. It uses no files.

A curve is the product of three factors, each of which represents something in a house:

- its **level**, kWh in an average slot: the size of the home, and appliances that are always on.
  Most homes are near a common ceiling, and few are far below it (ceiling minus a gamma variable).
- the **rhythm** that all households share, because they get up, cook and heat at the same hours: a
  slow wave over the period, two peaks, and short disturbances such as weather.
- its **own variation**: appliances that switch on and off. It is independent from slot to slot at
  these step lengths, and bounded (uniform).

A period is 12 hours as in the paper, where 144 slots are 5 minutes each. With d slots, the same
period has d parts. A household keeps its level in kW, so the energy per slot is 144/d times as
large, and the energy per period is the same. Relative to the level, the spread of a curve is the
same for every d.

Each household has its own random stream, which depends only on seed and index. So household 7 is
the same among 10 and among 10,000, and a machine can make just the households that it needs. Curves
are rounded to a grid of 2^-20 kWh, because processors differ in the last bit of a cosine or an
exponential; so the same seed gives the same households on all of them.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from agents.plans import Plans, Population, SlotTimes
from agents.population.plan_alternatives import (
    SOURCE_SLOTS,
    Scheme,
    check_scheme,
    portfolio,
    scaled_scheme,
)
from agents.population.size_limits import check_memory
from protocol.errors import InputError
from protocol.vectors import Array

_CEILING = 1.72
"""Level that hardly any home exceeds, kWh per 5 minutes."""
_SHORTFALL_SHAPE, _SHORTFALL_SCALE = 1.67, 0.2
"""Gamma distribution of the distance of homes below the ceiling, kWh per 5 minutes: mean 0.334,
spread 0.258, skewed."""
_GRID_KWH = 2.0**-20
"""All values of curves are multiples of this."""
_LOWEST = 0.18
"""Lowest level, kWh per 5 minutes: a home that uses almost nothing still has its refrigerator."""

_RHYTHM_SPREAD = 0.0474
"""Population standard deviation of the shared rhythm, as a share of the level."""
_DISTURBANCE = 0.45
"""Share of short disturbances in the rhythm's variance."""
_OWN_REACH = 0.1667
"""Own variation is uniform between minus and plus this share of the level."""


_SHARED_STREAM, _BASELINE_STREAM, _PLANS_STREAM = 0, 1, 2


def generate(
    *,
    households: int = 200,
    slots: int = SOURCE_SLOTS,
    seed: int = 0,
    scheme: Scheme | None = None,
) -> Population:
    """Make the households `h0`, `h1`, ... with plans of d slots, in kWh per slot.

    The default scheme is the paper's, scaled with d. Raises InputError for fewer than one household
    or slot, a negative seed, or a scheme that is impossible with d slots.
    """
    scheme = _checked(households, slots, seed=seed, scheme=scheme)
    check_memory(households, slots, 1 + sum(part.plans for part in scheme))
    return Population(
        {
            household_id(index): generate_household(index, slots=slots, seed=seed, scheme=scheme)
            for index in range(households)
        },
        source="generated",
    )


def generate_household(
    index: int,
    *,
    slots: int = SOURCE_SLOTS,
    seed: int = 0,
    scheme: Scheme | None = None,
) -> Plans:
    """Make one household, the same as `generate` makes at this index with these settings."""
    scheme = _checked(index + 1, slots, seed=seed, scheme=scheme)
    return portfolio(baseline(index, slots, seed), scheme, plans_stream(index, seed))


def from_preferred(
    ids: Sequence[str],
    preferred: Array,
    *,
    source: str,
    seed: int = 0,
    scheme: Scheme | None = None,
    slot_times: SlotTimes | None = None,
    names: Mapping[str, str] | None = None,
) -> Population:
    """Make the plans of n households from their preferred plans, float64[n, d], kWh per slot.

    `ids` are their ids, and `names` their original names by id; names that equal the id are
    dropped. Raises InputError like `generate`.
    """
    scheme = _checked(len(ids), preferred.shape[1], seed=seed, scheme=scheme)
    check_memory(len(preferred), preferred.shape[1], 1 + sum(part.plans for part in scheme))
    return Population(
        {
            household: portfolio(curve, scheme, plans_stream(index, seed))
            for index, (household, curve) in enumerate(zip(ids, preferred, strict=True))
        },
        source=source,
        slot_times=slot_times,
        names={key: name for key, name in (names or {}).items() if name != key},
    )


def household_id(index: int) -> str:
    """Return the id of the generated household with this index."""
    return f"h{index}"


def _checked(households: int, slots: int, seed: int, scheme: Scheme | None) -> Scheme:
    """Return the scheme, by default the paper's; raises InputError for settings out of range."""
    for name, value, least in (
        ("households", households, 1),
        ("slots", slots, 1),
        ("seed", seed, 0),
    ):
        if value < least:
            raise InputError(f"must be at least {least}, not {value}", field=f"--{name}")
    if seed >= 2**64:
        raise InputError(f"must be below 2^64, not {seed}", field="--seed")
    if scheme is None:
        return scaled_scheme(slots)
    check_scheme(scheme, slots)
    return scheme


def plans_stream(index: int, seed: int) -> np.random.Generator:
    """Return the random generator for the alternative plans of a household."""
    return _stream(seed, _PLANS_STREAM, index)


@lru_cache(maxsize=8)
def rhythm(slots: int, seed: int) -> Array:
    """Return the rhythm that all households share, relative to their level: float64[d] with mean 0,
    read-only."""
    rng = _stream(seed, _SHARED_STREAM, 0)
    time = (np.arange(slots) + 0.5) / slots
    wave = 0.12 * np.cos(4 * np.pi * (time - rng.uniform(0.0, 0.05)))
    peaks = sum(
        np.exp(-0.5 * ((time - centre - rng.uniform(-0.02, 0.02)) / 0.028) ** 2)
        for centre in (0.33, 0.84)
    )
    weather = np.convolve(rng.standard_normal(slots + 1), [1.0, 1.0], "valid")
    curve = np.sqrt(1.0 - _DISTURBANCE) * _standardised(wave + peaks)
    curve += np.sqrt(_DISTURBANCE) * _standardised(weather)
    curve = _RHYTHM_SPREAD * _standardised(curve)
    curve.setflags(write=False)
    return curve


def baseline(index: int, slots: int, seed: int) -> Array:
    """Return the curve of a household: float64[d], kWh per slot, multiples of _GRID_KWH."""
    rng = _stream(seed, _BASELINE_STREAM, index)
    level = max(_LOWEST, _CEILING - rng.gamma(_SHORTFALL_SHAPE, _SHORTFALL_SCALE))
    own = rng.uniform(-_OWN_REACH, _OWN_REACH, slots)
    curve = level * (SOURCE_SLOTS / slots) * (1.0 + rhythm(slots, seed) + own)
    return np.asarray(np.round(curve / _GRID_KWH) * _GRID_KWH)


def baselines(households: int, slots: int, seed: int) -> Array:
    """Return the curves of the households 0 to n-1: float64[n, d], kWh per slot."""
    return np.stack([baseline(index, slots, seed) for index in range(households)])


def _stream(seed: int, stream: int, index: int) -> np.random.Generator:
    """Return the random generator for one purpose and household, independent of all others."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(stream, index)))


def _standardised(curve: Array) -> Array:
    """Return the curve with mean 0 and spread 1, or 0 if it is flat (a single slot)."""
    spread = curve.std()
    return np.zeros_like(curve) if spread == 0.0 else np.asarray((curve - curve.mean()) / spread)
