"""A generated population: made-up load curves, or given ones, each with its portfolio of plans.

Joins profiles.py or meters.py with portfolio.py, and names the households. Touches no files.

Household i depends only on (seed, i, slots, scheme), never on how many others there are. The same
numbers come out wherever the same release of NumPy's random streams is installed.
"""

from collections.abc import Sequence

from agents.data.profiles import SOURCE_SLOTS, baseline, plans_stream
from agents.plans import Plans, Population
from agents.population.plan_alternatives import SOURCE_SCHEME, Scheme, check_scheme, portfolio
from protocol.errors import InputError
from protocol.vectors import Array


def generate(
    *,
    households: int = 200,
    slots: int = SOURCE_SLOTS,
    seed: int = 0,
    scheme: Scheme = SOURCE_SCHEME,
) -> Population:
    """Make households `h0`, `h1`, ... with d slots (kWh per slot) and 1 + sum(scheme) plans each.

    Raises InputError for fewer than one household or slot, a negative seed, or too few slots.
    """
    _check(households, slots, seed, scheme)
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
    scheme: Scheme = SOURCE_SCHEME,
) -> Plans:
    """Household number `index` of `generate` with the same settings, without making the others."""
    _check(index + 1, slots, seed, scheme)
    return portfolio(baseline(index, slots, seed), scheme, plans_stream(index, seed))


def from_preferred(
    ids: Sequence[str],
    preferred: Array,
    *,
    source: str,
    seed: int = 0,
    scheme: Scheme = SOURCE_SCHEME,
) -> Population:
    """Give households with known curves their portfolios: ids[n], float64[n, d] kWh per slot."""
    _check(len(ids), preferred.shape[1], seed, scheme)
    return Population(
        {
            household: portfolio(curve, scheme, plans_stream(index, seed))
            for index, (household, curve) in enumerate(zip(ids, preferred, strict=True))
        },
        source=source,
    )


def household_id(index: int) -> str:
    """The id of generated household `index`."""
    return f"h{index}"


def _check(households: int, slots: int, seed: int, scheme: Scheme) -> None:
    for name, value, least in (
        ("households", households, 1),
        ("slots", slots, 1),
        ("seed", seed, 0),
    ):
        if value < least:
            raise InputError(f"must be at least {least}, not {value}", field=name)
    check_scheme(scheme, slots)
