"""Populations from arrays and data frames, for example in a notebook.

This module decides which shapes are valid, and which plan is the preferred one. Values are in kWh
per slot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from agents.own_functions import PlanGenerator, generated_plans
from agents.plans import Plans, Population
from protocol.errors import InputError
from protocol.subjects import check_name
from protocol.vectors import Array


def population_of(
    data: Any,
    *,
    ids: Sequence[str] | None = None,
    preferred: Sequence[int] | Mapping[str, int] | int = 0,
    alternatives: PlanGenerator | None = None,
) -> Population:
    """Return the population of an array, a mapping or a data frame.

    An array has the shape (households, plans, slots), or (households, slots) with one plan each. A
    mapping has an array (plans, slots) by household id. A frame has one row per plan and one column
    per slot; the first level of its index is the household id. `ids` are the ids of the households
    in an array, by default h0, h1, ... `preferred` is the index of the preferred plan, for all
    households or for each. `alternatives` replaces a household's other plans by new ones; it gets
    the preferred plan read-only and must be deterministic.

    Raises InputError, which names the wrong argument.
    """
    plans = _by_household(data, ids)
    if not plans:
        raise InputError("no households", field="data")
    chosen = _preferred(preferred, list(plans))
    households = {}
    for name, values in plans.items():
        check_name(name, "household id")
        if values.ndim != 2 or 0 in values.shape:
            reason = f"the plans of {name} have the shape {values.shape}, not (plans, slots)"
            raise InputError(reason, field="data")
        if not np.isfinite(values).all():
            raise InputError(f"a value of {name} is NaN or infinite", field="data")
        if not 0 <= chosen[name] < len(values):
            reason = f"{name} has {len(values)} plans, none has the number {chosen[name]}"
            raise InputError(reason, field="preferred")
        if alternatives is not None:
            households[name] = _regenerated(name, values[chosen[name]], alternatives)
            continue
        scores = np.zeros(len(values))
        scores[chosen[name]] = 1.0
        households[name] = Plans(values, scores)
    lengths = sorted({own.slots for own in households.values()})
    if len(lengths) > 1:
        raise InputError(f"plans of {lengths[0]} and of {lengths[-1]} slots", field="data")
    return Population(households, "arrays", meaning_source="file")


def with_alternatives(population: Population, generator: PlanGenerator) -> Population:
    """Return the population with each household's preferred plan and what the generator makes of
    it, which take the place of its plans. InputError if the generator returns anything else."""
    households = {
        name: _regenerated(name, own.preferred, generator)
        for name, own in population.households.items()
    }
    return replace(population, households=households, meaning_source="default")


def _regenerated(household: str, preferred: Array, generator: PlanGenerator) -> Plans:
    """Return the preferred plan, with score 1, and those made from it, with score 0."""
    values = np.vstack([preferred, generated_plans(generator, preferred, household)])
    scores = np.zeros(len(values))
    scores[0] = 1.0
    return Plans(values, scores)


def _by_household(data: Any, ids: Sequence[str] | None) -> dict[str, Array]:
    """Return the plans of each household, by id, as copies."""
    if hasattr(data, "columns") and hasattr(data, "index"):
        rows: dict[str, list[Array]] = {}
        values = _numbers(data.to_numpy())
        for label, row in zip(data.index, values, strict=True):
            rows.setdefault(str(label[0] if isinstance(label, tuple) else label), []).append(row)
        found = {name: np.array(own) for name, own in rows.items()}
    elif isinstance(data, Mapping):
        found = {str(name): _numbers(own) for name, own in data.items()}
    else:
        values = _numbers(data)
        if values.ndim == 2:
            values = values[:, None, :]
        if values.ndim != 3:
            reason = f"an array of {values.ndim} dimensions, not (households, plans, slots)"
            raise InputError(reason, field="data")
        names = [f"h{number}" for number in range(len(values))] if ids is None else list(ids)
        if len(names) != len(values) or len(set(names)) != len(names):
            reason = f"{len(set(names))} different ids for {len(values)} households"
            raise InputError(reason, field="ids")
        return {str(name): own for name, own in zip(names, values, strict=True)}
    if ids is not None:
        raise InputError("the data name their households themselves: leave ids out", field="ids")
    return found


def _numbers(data: Any) -> Array:
    try:
        return np.array(data, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"not an array of numbers: {error}", field="data") from None


def _preferred(
    preferred: Sequence[int] | Mapping[str, int] | int, names: Sequence[str]
) -> dict[str, int]:
    if isinstance(preferred, Mapping):
        missing = [name for name in names if name not in preferred]
        if missing:
            raise InputError(f"no preferred plan is named for {missing[0]}", field="preferred")
        return {name: int(preferred[name]) for name in names}
    if isinstance(preferred, int):
        return dict.fromkeys(names, preferred)
    if len(preferred) != len(names):
        reason = f"{len(preferred)} numbers for {len(names)} households"
        raise InputError(reason, field="preferred")
    return {name: int(number) for name, number in zip(names, preferred, strict=True)}
