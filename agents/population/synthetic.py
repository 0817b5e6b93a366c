"""Made-up households: daily load curves near in their statistics to the source's energy data.

Decides what a generated household prefers to consume, and names it. Which alternatives a household
has is decided in plan_alternatives. Touches no files.

A curve is the product of three things that each stand for something in a house:

- its **level**, kWh in an average slot: how large the home is and what is always on. Most homes
  are near a common ceiling, few far below (ceiling minus a gamma variable);
- the **rhythm** that all households share, because they get up, cook and heat at the same hours: a
  slow wave over the period, two peaks, and short disturbances such as weather;
- its **own variation**: appliances that switch on and off, independent from slot to slot at these
  step lengths, and bounded (uniform).

A period is 12 hours as in the source, where 144 slots are 5 minutes each. With d slots the same
period is cut into d. A household keeps its level in kW, so that energy per slot is 144/d times as
large and energy per period stays. Relative to the level, the spread of a curve is the same for
every d.

Each household has its own random stream, named by seed and index alone: household 7 is the same
among 10 and among 10,000, and any machine can make just the households it needs. Curves are rounded
to a grid of 2^-20 kWh: processors differ in the last bit of a cosine or an exponential, and the
same seed gives the same households on all of them.
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
"""kWh per 5 minutes that hardly any home exceeds on average."""
_SHORTFALL_SHAPE, _SHORTFALL_SCALE = 1.67, 0.2
"""How far homes are below the ceiling, kWh per 5 minutes: mean 0.334, spread 0.258, skewed."""
_GRID_KWH = 2.0**-20
"""Curves are multiples of this."""
_LOWEST = 0.18
"""A home that consumes almost nothing still has its refrigerator."""

_RHYTHM_SPREAD = 0.0474
"""Population standard deviation of the shared rhythm, as a share of the level."""
_DISTURBANCE = 0.45
"""Share of the rhythm's variance that is short disturbance."""
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
    """Make households `h0`, `h1`, ... with d slots (kWh per slot) and their plans.

    Without a scheme, it is the source's, scaled with d. Raises InputError for fewer than one
    household or slot, a negative seed, or a scheme that does not fit the slots.
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
    """Make household number `index` of `generate` with the same settings, without the others."""
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
    """Give households with known curves their plans: ids[n], float64[n, d] kWh per slot.

    `names` are the original names by id; those that equal the id are not kept.
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
    """Return the id of generated household number `index`."""
    return f"h{index}"


def _checked(households: int, slots: int, seed: int, scheme: Scheme | None) -> Scheme:
    """Return the scheme, or the source's scaled; InputError for settings out of range."""
    for name, value, least in (
        ("households", households, 1),
        ("slots", slots, 1),
        ("seed", seed, 0),
    ):
        if value < least:
            raise InputError(f"must be at least {least}, not {value}", field=name)
    if seed >= 2**64:
        raise InputError(f"must be below 2^64, not {seed}", field="seed")
    if scheme is None:
        return scaled_scheme(slots)
    check_scheme(scheme, slots)
    return scheme


def plans_stream(index: int, seed: int) -> np.random.Generator:
    """Return the random numbers from which household `index` makes its alternative plans."""
    return _stream(seed, _PLANS_STREAM, index)


@lru_cache(maxsize=8)
def rhythm(slots: int, seed: int) -> Array:
    """Tell what all households share, relative to their level: float64[d], mean 0, read-only."""
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
    """Return the curve of household `index`: float64[d], kWh per slot, positive, on the grid."""
    rng = _stream(seed, _BASELINE_STREAM, index)
    level = max(_LOWEST, _CEILING - rng.gamma(_SHORTFALL_SHAPE, _SHORTFALL_SCALE))
    own = rng.uniform(-_OWN_REACH, _OWN_REACH, slots)
    curve = level * (SOURCE_SLOTS / slots) * (1.0 + rhythm(slots, seed) + own)
    return np.asarray(np.round(curve / _GRID_KWH) * _GRID_KWH)


def baselines(households: int, slots: int, seed: int) -> Array:
    """Return the curves of households 0 to n-1: float64[n, d], kWh per slot."""
    return np.stack([baseline(index, slots, seed) for index in range(households)])


def _stream(seed: int, stream: int, index: int) -> np.random.Generator:
    """Return random numbers named by their purpose and household, independent of all others."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(stream, index)))


def _standardised(curve: Array) -> Array:
    """Return the curve with mean 0 and spread 1; a flat one (a single slot) becomes 0."""
    spread = curve.std()
    return np.zeros_like(curve) if spread == 0.0 else np.asarray((curve - curve.mean()) / spread)
