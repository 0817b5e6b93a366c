"""Homes as linear programs: what schedules their devices can follow, alone or all together.

This module decides how cycles and stores become variables and rows, and what discomfort costs in a
linear program: cycles by their delay, cars by the mean time by which their reserve is late, heat by
the mean (not the root mean square) of the degrees that are missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agents.devices.cycle import Cycle
from agents.devices.home import Home, Schedules
from agents.devices.store import Store
from agents.devices.store_wishes import Reserve, Warmth
from orchestrator.experiments.homes.linear_model import Index, LinearModel, Solution
from protocol.vectors import Array

TOLERANCE_KWH = 1e-6
_WIDER_KWH = 1e-5
_FREE = np.inf
_SECONDS_A_HOME = 20.0


@dataclass(frozen=True, slots=True)
class Plant:
    """A home in a program: the variables of its devices, by name.

    A cycle has one for each start; a store has what it takes and, after that, what it gives.
    """

    home: Home
    columns: Mapping[str, Index]

    def terms(self, slot: int) -> list[tuple[int, float]]:
        """Return the home's flexible energy in a slot as weighted variables."""
        found: list[tuple[int, float]] = []
        for device in self.home.devices:
            columns = self.columns[device.name]
            if isinstance(device, Cycle):
                for at, start in zip(columns.tolist(), device.starts, strict=True):
                    if 0 <= slot - start < device.length:
                        found.append((at, float(device.profile_kwh[slot - start])))
            else:
                slots = self.home.slots
                found += [(int(columns[slot]), 1.0), (int(columns[slots + slot]), -1.0)]
        return found

    def schedules(self, values: Array) -> dict[str, Array]:
        """Return the schedules of the devices in a solution."""
        found = {}
        for device in self.home.devices:
            own = values[self.columns[device.name]]
            if isinstance(device, Cycle):
                found[device.name] = device.at(device.starts[int(np.argmax(own))])
            else:
                found[device.name] = own[: self.home.slots] - own[self.home.slots :]
        return found


def add_home(
    model: LinearModel,
    home: Home,
    *,
    exact: bool,
    weight: float = 0.0,
    at_ease: bool = False,
    whole: bool = True,
) -> Plant:
    """Add a home to a program. Raises ValueError for devices of other kinds than the model's.

    `exact`: a store takes nothing or at least its least, and never takes and gives in one slot;
    else that is relaxed. `weight` is what discomfort costs. `at_ease`: every cycle runs when it is
    wanted. Unless `whole`, a cycle may be split over its starts.
    """
    columns: dict[str, Index] = {}
    for device in home.devices:
        if isinstance(device, Cycle):
            columns[device.name] = _add_cycle(
                model, device, weight=weight, at_ease=at_ease, whole=whole and not at_ease
            )
        elif isinstance(device, Store):
            columns[device.name] = _add_store(model, device, exact, weight)
        else:
            raise ValueError(f"{device.name} is neither a cycle nor a store")
    for device in home.devices:
        if isinstance(device, Cycle) and device.after is not None and not at_ease:
            _add_order(model, home, device, columns)
    return Plant(home, columns)


def can_follow(home: Home, total: Array, seconds: float = _SECONDS_A_HOME) -> bool:
    """Return True if the devices of a home can produce this energy at the meter, float64[d].

    The solver may give up without a proof, for numerical reasons; it is then asked again about a
    wider tolerance.
    """
    wanted = total - home.fixed_kwh
    if not home.devices:
        return bool(np.abs(wanted).max() <= TOLERANCE_KWH)
    for tolerance in (TOLERANCE_KWH, _WIDER_KWH):
        model = LinearModel()
        plant = add_home(model, home, exact=True)
        for slot, energy in enumerate(wanted.tolist()):
            terms = [*plant.terms(slot)]
            model.row(terms, low=energy - tolerance, high=energy + tolerance)
        solution = model.solve(seconds)
        if solution.values is not None:
            return True
        if solution.infeasible:
            break
    return False


@dataclass(frozen=True, slots=True)
class CentralPlan:
    """What a planner with full knowledge of all devices finds."""

    schedules: Sequence[Schedules] | None
    """Schedules by home; None if none were found in time."""
    peak_kwh: float
    solution: Solution


def least_peak(
    homes: Sequence[Home], *, seconds: float, peak_kwh: float | None = None
) -> CentralPlan:
    """Return a lower bound on the peak, with cycles split over their starts, or, if a peak is
    allowed, the plan with the least discomfort below it.

    Each store keeps the energy of its home's preferred plan.
    """
    model = LinearModel()
    weight = 0.0 if peak_kwh is None else 1.0
    whole = peak_kwh is not None
    plants = [add_home(model, home, exact=False, weight=weight, whole=whole) for home in homes]
    _keep_energy(model, plants)
    most = np.array([_FREE if peak_kwh is None else peak_kwh])
    peak = int(model.variables(np.zeros(1), most, cost=1.0 - weight)[0])
    fixed = np.sum([home.fixed_kwh for home in homes], axis=0)
    for slot in range(len(fixed)):
        terms = [term for plant in plants for term in plant.terms(slot)]
        model.row([*terms, (peak, -1.0)], low=-_FREE, high=-float(fixed[slot]))
    solution = model.solve(seconds)
    if solution.values is None:
        return CentralPlan(None, np.nan, solution)
    if not whole:
        return CentralPlan(None, float(solution.values[peak]), solution)
    schedules = [plant.schedules(solution.values) for plant in plants]
    totals = [home.total(own) for home, own in zip(homes, schedules, strict=True)]
    return CentralPlan(schedules, float(np.sum(totals, axis=0).max()), solution)


def least_discomfort(
    homes: Sequence[Home], totals: Sequence[Array], *, seconds: float
) -> tuple[float, Solution]:
    """Return a lower bound on the summed linear discomfort of homes whose energy in each slot is
    that of these totals together, and whose own energy over the day is kept.

    Every cycle runs when it is wanted, and stores are relaxed: if 0 is reached, no bound on D
    above 0 can be shown.
    """
    model = LinearModel()
    plants = [add_home(model, home, exact=False, weight=1.0, at_ease=True) for home in homes]
    for plant, total in zip(plants, totals, strict=True):
        terms = [term for slot in range(plant.home.slots) for term in plant.terms(slot)]
        energy = float((total - plant.home.fixed_kwh).sum())
        if terms:
            model.row(terms, low=energy - TOLERANCE_KWH, high=energy + TOLERANCE_KWH)
    wanted = np.sum(
        [total - home.fixed_kwh for home, total in zip(homes, totals, strict=True)], axis=0
    )
    for slot, energy in enumerate(wanted.tolist()):
        terms = [term for plant in plants for term in plant.terms(slot)]
        model.row(terms, low=energy - TOLERANCE_KWH, high=energy + TOLERANCE_KWH)
    solution = model.solve(seconds)
    if solution.values is None:
        return np.nan, solution
    spent = sum(own.home.discomfort(own.schedules(solution.values)) or 0.0 for own in plants)
    wishes = sum(any(device.unit for device in home.devices) for home in homes)
    return float(spent / max(wishes, 1)), solution


def _keep_energy(model: LinearModel, plants: Sequence[Plant]) -> None:
    """Tie the energy of each store to that of its home's preferred plan."""
    from agents.devices.home_plans import preferred_schedules

    for plant in plants:
        preferred = preferred_schedules(plant.home)
        for device in plant.home.devices:
            if isinstance(device, Cycle):
                continue
            columns, slots = plant.columns[device.name], plant.home.slots
            energy = float(preferred[device.name].sum())
            terms = [(int(at), 1.0) for at in columns[:slots]]
            terms += [(int(at), -1.0) for at in columns[slots:]]
            model.row(terms, low=energy - TOLERANCE_KWH, high=energy + TOLERANCE_KWH)


def _add_cycle(
    model: LinearModel, cycle: Cycle, *, weight: float, at_ease: bool, whole: bool
) -> Index:
    starts = np.array(cycle.starts)
    late = np.abs(starts - cycle.preferred_start) * cycle.slot_minutes / cycle.tolerance_min
    most = (starts == cycle.preferred_start).astype(np.float64) if at_ease else np.ones(len(starts))
    columns = model.variables(np.zeros(len(starts)), most, cost=weight * late, whole=whole)
    model.row([(int(at), 1.0) for at in columns], low=1.0, high=1.0)
    return columns


def _add_order(model: LinearModel, home: Home, cycle: Cycle, columns: Mapping[str, Index]) -> None:
    """Start a cycle only once the one before has ended."""
    before = home.device(cycle.after or "")
    assert isinstance(before, Cycle)
    terms = [(int(at), float(s)) for at, s in zip(columns[cycle.name], cycle.starts, strict=True)]
    terms += [
        (int(at), -float(s)) for at, s in zip(columns[before.name], before.starts, strict=True)
    ]
    model.row(terms, low=float(before.length), high=_FREE)


def _add_store(model: LinearModel, store: Store, exact: bool, weight: float) -> Index:
    plugged = store.is_plugged().astype(np.float64)
    zeros = np.zeros(store.slots)
    taken = model.variables(zeros, plugged * store.max_in_kwh)
    given = model.variables(zeros, plugged * store.max_out_kwh)
    level = model.variables(store.low_kwh, store.high_kwh)
    for slot in range(store.slots):
        terms = [
            (int(level[slot]), 1.0),
            (int(taken[slot]), -store.efficiency_in),
            (int(given[slot]), 1.0 / store.efficiency_out),
        ]
        start = store.level_kwh if slot == 0 else 0.0
        if slot:
            terms.append((int(level[slot - 1]), -1.0))
        end = start - float(store.use_kwh[slot])
        model.row(terms, low=end, high=end)
    if exact and (store.min_in_kwh or store.max_out_kwh):
        taking = model.variables(zeros, plugged, whole=True)
        for slot in np.flatnonzero(plugged).tolist():
            on, more, less = int(taking[slot]), int(taken[slot]), int(given[slot])
            model.row([(more, 1.0), (on, -store.min_in_kwh)], low=0.0, high=_FREE)
            model.row([(more, 1.0), (on, -store.max_in_kwh)], low=-_FREE, high=0.0)
            if store.max_out_kwh:
                most = store.max_out_kwh
                model.row([(less, 1.0), (on, most)], low=-_FREE, high=most)
    if weight and store.wish is not None:
        _add_wish(model, store, level, weight)
    return np.concatenate([taken, given])


def _add_wish(model: LinearModel, store: Store, level: Index, weight: float) -> None:
    """Let what is missing of a wish cost its share of what is just acceptable."""
    match store.wish:
        case Warmth() as warmth:
            each = weight / (store.slots * warmth.kwh_per_degree * warmth.tolerance)
            slots = range(store.slots)
            wish, top = warmth.wish_kwh, warmth.too_warm_kwh
        case Reserve() as reserve:
            hours = 1.0 / (reserve.wish_kwh - reserve.first_kwh) / reserve.slots_per_hour
            each, slots = weight * hours / reserve.tolerance, range(*reserve.plugged)
            wish, top = reserve.wish_kwh, np.inf
        case _:
            return
    short = model.variables(np.zeros(len(slots)), np.full(len(slots), _FREE), cost=each)
    for at, slot in zip(short.tolist(), slots, strict=True):
        model.row([(at, 1.0), (int(level[slot]), 1.0)], low=wish, high=_FREE)
        if np.isfinite(top):
            model.row([(at, 1.0), (int(level[slot]), -1.0)], low=-top, high=_FREE)
