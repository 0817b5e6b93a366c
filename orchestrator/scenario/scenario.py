"""Settings and the files they name, turned into what the machines take: a population in tree order
and the terms of each household."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from agents.mandate import FREE, Mandate, load_mandates
from agents.planning.java_random import JavaRandom
from agents.plans import Population
from agents.population.epos_folder import read_target
from agents.population.loader import data_sha256, load
from agents.population.synthetic import generate
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError
from protocol.subjects import check_name
from protocol.terms import (
    COSTS_WITH_TARGET,
    PAPER_TOLERANCE,
    ExchangeTerms,
    HardConstraint,
    Limit,
    Reorganisation,
    Terms,
)
from protocol.vectors import Array

DEMO_HOUSEHOLDS = 200
PATIENCE_SHARE = 3
"""A household tells for whom it waits after this fraction of the run's deadline."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a run starts from."""

    population: Population
    members: tuple[str, ...]
    """Household ids in tree order."""
    terms: Callable[[str], Terms]
    target: Array | None
    data_sha256: str
    mandates: Mapping[str, Mandate]
    """Of the households whose people said something."""


def read_inputs(settings: RunSettings) -> Scenario:
    """Load or generate the population, read every file the settings name, check that all fit."""
    population = _population(settings)
    for household in population.households:
        check_name(household, "household id")
    target = _target(settings, population)
    common = _terms(settings, target, population.slots)
    weights = _behaviours(settings.behaviours, population) if settings.behaviours else {}
    members = _order(settings, population)
    special = {
        household: replace(common, alpha=alpha, beta=beta)
        for household, (alpha, beta) in weights.items()
    }
    digest = data_sha256(population)
    mandates: dict[str, Mandate] = {}
    if settings.mandates is not None:
        mandates = load_mandates(settings.mandates, population.households, population.slots)
        absent = {name for name, mandate in mandates.items() if not mandate.take_part}
        members = tuple(name for name in members if name not in absent)
        if not members:
            raise InputError("nobody takes part", file=settings.mandates)
    for name in _onlookers(settings, members):
        mandates[name] = replace(mandates.get(name, FREE), exchange=False)
    for name in settings.externals:
        if name not in members:
            raise InputError(f"no household {name!r} takes part", field="--external")
    return Scenario(
        population, members, lambda name: special.get(name, common), target, digest, mandates
    )


def _population(settings: RunSettings) -> Population:
    if settings.dataset is not None:
        return load(settings.dataset, households=settings.households, score=settings.score)
    count = DEMO_HOUSEHOLDS if settings.households is None else settings.households
    return generate(households=count, slots=settings.slots, seed=settings.seed)


def _target(settings: RunSettings, population: Population) -> Array | None:
    if settings.target is not None:
        return read_target(settings.target, population.slots)
    if settings.cost not in COSTS_WITH_TARGET:
        return None
    if population.target is None:
        raise InputError(
            f"the cost {settings.cost} needs a target: name a file with --target", field="--cost"
        )
    if len(population.target) != population.slots:
        raise InputError(
            f"the data set's target has {len(population.target)} values for "
            f"{population.slots} slots: name another with --target",
            file=population.source,
        )
    return population.target


def _terms(settings: RunSettings, target: Array | None, slots: int) -> Terms:
    return Terms(
        iterations=settings.iterations,
        arity=settings.children,
        cost=settings.cost,
        scaling=settings.scaling,
        target=target if settings.cost in COSTS_WITH_TARGET else None,
        discomfort=settings.discomfort,
        alpha=settings.alpha,
        beta=settings.beta,
        seed=settings.seed,
        reorganisation=Reorganisation(
            strategy=settings.reorganise,
            period=settings.period,
            offset=settings.offset,
            memorise=settings.memorise,
            threshold=settings.threshold,
            seed=settings.seed,
        ),
        constraint=_constraint(settings, slots),
        exchange=_exchange(settings),
        patience_seconds=settings.deadline / PATIENCE_SHARE,
    )


def _exchange(settings: RunSettings) -> ExchangeTerms | None:
    if settings.exchange == "off":
        return None
    paper = settings.exchange == "paper" and settings.tolerance is None
    return ExchangeTerms(
        rule=settings.exchange,
        disclosure=settings.disclose,
        tolerance_kwh=PAPER_TOLERANCE if paper else settings.tolerance,
        min_gain=settings.min_gain,
        rounds=settings.resolved_rounds(),
        locks=settings.locks,
        order=settings.exchange_order,
        trace=settings.trace,
    )


def _order(settings: RunSettings, population: Population) -> tuple[str, ...]:
    ids = list(population.households)
    if settings.order is None:
        return tuple(ids)
    if settings.order == "random":
        JavaRandom(settings.seed).shuffle(ids)
        return tuple(ids)
    path = Path(settings.order)
    seen: dict[str, int] = {}
    for number, line in enumerate(_lines(path), start=1):
        household = line.strip()
        if household not in population.households:
            raise InputError(f"no household {household!r} in the data", file=path, line=number)
        if household in seen:
            reason = f"{household} stands in line {seen[household]} already"
            raise InputError(reason, file=path, line=number)
        seen[household] = number
    missing = [household for household in ids if household not in seen]
    if missing:
        raise InputError(f"{len(missing)} households are missing, first {missing[0]}", file=path)
    return tuple(seen)


def _onlookers(settings: RunSettings, members: Sequence[str]) -> list[str]:
    """Households that do not exchange, since only a share takes part in stage 2."""
    drawn = list(members)
    JavaRandom(settings.seed).shuffle(drawn)
    return drawn[round(settings.participation * len(drawn)) :]


def _behaviours(path: Path, population: Population) -> dict[str, tuple[float, float]]:
    """Weights (alpha, beta) of single households, from lines `household,alpha,beta`."""
    weights: dict[str, tuple[float, float]] = {}
    for number, row in enumerate(csv.reader(_lines(path)), start=1):
        if number == 1 and [cell.strip() for cell in row] == ["household", "alpha", "beta"]:
            continue
        if len(row) != 3:
            raise InputError("expected household,alpha,beta", file=path, line=number)
        household = row[0].strip()
        if household not in population.households:
            raise InputError(f"no household {household!r} in the data", file=path, line=number)
        if household in weights:
            raise InputError(f"{household} stands here twice", file=path, line=number)
        try:
            alpha, beta = float(row[1]), float(row[2])
        except ValueError:
            raise InputError("alpha and beta are numbers", file=path, line=number) from None
        if not (alpha >= 0 and beta >= 0 and alpha + beta <= 1):
            reason = "alpha and beta are at least 0 and their sum at most 1"
            raise InputError(reason, file=path, line=number)
        weights[household] = (alpha, beta)
    return weights


def _constraint(settings: RunSettings, slots: int) -> HardConstraint | None:
    if settings.hard_plans is not None and settings.hard_costs is not None:
        raise InputError("give hard bounds on plans or on costs, not both", field="--hard-costs")
    if settings.hard_plans is not None:
        return _read_constraint(settings.hard_plans, "plans", slots, (2, 4))
    if settings.hard_costs is not None:
        return _read_constraint(settings.hard_costs, "costs", 4, (2,))
    return None


def _read_constraint(
    path: Path, kind: Literal["plans", "costs"], width: int, heights: tuple[int, ...]
) -> HardConstraint:
    """Alternating lines of bounds and of modes (EPOS-SPEC section 7), comma separated."""
    lines = _lines(path)
    if len(lines) not in heights:
        expected = " or ".join(str(height) for height in heights)
        raise InputError(f"{len(lines)} lines, expected {expected}", file=path)
    rows: list[list[float]] = []
    for number, line in enumerate(lines, start=1):
        try:
            row = [float(cell) for cell in line.split(",")]
        except ValueError:
            raise InputError("expected comma separated numbers", file=path, line=number) from None
        if len(row) != width or not np.isfinite(row).all():
            raise InputError(
                f"{len(row)} values, expected {width} finite ones", file=path, line=number
            )
        if number % 2 == 0 and any(value not in (0, 1, 2, 3) for value in row):
            reason = "modes are 0 (none), 1 (at most), 2 (at least) or 3 (equal)"
            raise InputError(reason, file=path, line=number)
        rows.append(row)
    limits = tuple(
        Limit(np.array(bound), tuple(int(mode) for mode in modes))
        for bound, modes in zip(rows[::2], rows[1::2], strict=True)
    )
    return HardConstraint(kind, limits)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").strip().splitlines()
    except FileNotFoundError:
        raise InputError("no such file", file=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", file=path) from error
