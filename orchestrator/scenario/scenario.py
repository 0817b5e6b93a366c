"""A scenario: the settings of a run, resolved once into everything that its machines need.

This module decides what an omitted option means (isolation, number of hosts),
and which households take part and exchange. `run_terms.py` decides on which terms,
`coordination/placement.py` which household lives on which host.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agents.mandate import FREE, Mandate, load_mandates
from agents.own_functions import NO_OWN_FUNCTIONS, AcceptanceRule, OwnFunctions
from agents.planning.costs import EXACT, Arithmetic
from agents.planning.java_random import JavaRandom
from agents.plans import Population
from agents.population.arrays import with_alternatives
from agents.population.homes import generated_population
from agents.population.loader import data_sha256, load
from agents.population.size_limits import check_magnitudes, check_sums
from agents.population.synthetic import generate
from agents.suggestions import household_suggestion
from orchestrator.scenario.amounts import with_content
from orchestrator.scenario.feeders import Feeders, read_feeders
from orchestrator.scenario.home_options import starting, with_mandates, with_saved_schedules
from orchestrator.scenario.input_files import read_weights, tree_order
from orchestrator.scenario.own_functions import accepting_with, arithmetic_with, refuse_externals
from orchestrator.scenario.run_terms import pairs_of, rounds_max, terms_of
from orchestrator.scenario.settings import RunSettings
from orchestrator.scenario.supply import target_of, with_residual
from protocol.errors import InputError
from protocol.messages import Address
from protocol.subjects import check_name
from protocol.terms import ExchangeTerms, Terms
from protocol.vectors import Array

Isolation = Literal["process", "task", "subtree"]
"""The way households share processes, once `auto` is resolved."""
Execution = Literal["bus", "standby", "simulation"]
"""Where a run takes place: on a bus with its own hosts, on a bus with hosts that stand by, or on a
simulated network in one process."""

DEMO_HOUSEHOLDS = 200
PROCESSES_MAX = 500
"""Up to this many households, isolation `auto` gives each its own process."""
UNAIDED_MAX = 2_000
"""Maximum number of households without a matchmaker: each is told the addresses of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that a run starts from, resolved and checked."""

    settings: RunSettings
    """The options as people gave them."""
    execution: Execution
    population: Population
    members: tuple[str, ...]
    """Ids of the households that take part, in tree order."""
    mandates: Mapping[str, Mandate]
    """Mandates that narrow the terms, by id of the household; not every household has one."""
    externals: tuple[str, ...]
    """Ids of the households that other people run; they join by themselves."""
    common_terms: Terms
    """The terms of every household without its own weights."""
    weights: Mapping[str, tuple[float, float]]
    """(alpha, beta) of the households that have their own weights, by id."""
    feeders: Feeders | None
    """The feeders with limits of their own; None if there are none."""
    target: Array | None
    """float64[slots], kWh."""
    isolation: Isolation
    host_count: int
    """Number of hosts that share the tree, unless each household has its own host."""
    matchmakers: tuple[Address, ...]
    """Addresses of the matchmakers, each on its own host; empty if no pairs exchange."""
    rounds: int
    """Limit on rounds of each exchange."""
    data_sha256: str
    own: OwnFunctions = NO_OWN_FUNCTIONS
    """People's own functions; a plan generator has done its work already."""
    arithmetic: Arithmetic = EXACT
    """The arithmetic of stage 1, with the own cost and discomfort, checked."""
    accepts: AcceptanceRule | None = None
    """The own acceptance rule, checked."""

    def terms(self, household: str) -> Terms:
        """Return the terms of one household."""
        terms = self.common_terms
        if self.feeders is not None:
            terms = replace(terms, feeder=self.feeders.number(household))
        if household in self.weights:
            alpha, beta = self.weights[household]
            terms = replace(terms, alpha=alpha, beta=beta)
        return terms

    @property
    def exchange(self) -> ExchangeTerms | None:
        """The terms of stage 2; None if there is no stage 2."""
        return self.common_terms.exchange

    @property
    def rounds_in_all(self) -> int:
        """Limit on rounds of all exchanges, with those that only add up before each but the
        first."""
        return (self.rounds + 1) * self.common_terms.exchanges - 1

    @property
    def pairs(self) -> ExchangeTerms | None:
        """The terms of exchanges between pairs; None without stage 2, and for an equal shift."""
        return pairs_of(self.exchange)

    def resolved_settings(self) -> RunSettings:
        """Return the settings with isolation, hosts and the order of the exchange resolved.

        They then mean the same on every machine, however many processors it has.
        """
        resolved: dict[str, object] = {
            "isolation": self.isolation,
            "hosts": self.host_count,
            "discomfort": self.common_terms.discomfort,
        }
        if self.pairs is not None:
            resolved |= {"content": self.pairs.content, "exchange_order": self.pairs.order}
            if self.pairs.content != "amounts":
                # Amounts have neither: to name them would be an error.
                resolved |= {
                    "energy_drift": self.pairs.energy_drift_kwh,
                    "min_gain": self.pairs.min_gain,
                }
        return self.settings.model_copy(update=resolved)


def read_scenario(
    settings: RunSettings, execution: Execution = "bus", own: OwnFunctions = NO_OWN_FUNCTIONS
) -> Scenario:
    """Load or generate the population, read every file the settings name, and resolve the rest.

    Raises InputError if anything is missing or inconsistent, or an own function fails its checks.
    """
    population = _population(settings)
    settings = with_saved_schedules(with_residual(with_content(settings, population)))
    if own.alternatives is not None:
        population = with_alternatives(population, own.alternatives)
    for household in population.households:
        check_name(household, "household id")
    if settings.exchange == "equal":
        check_sums(population)
    weights = read_weights(settings.behaviours, population) if settings.behaviours else {}
    feeders = read_feeders(settings, population)
    everybody = tree_order(settings, population)
    digest = data_sha256(population)
    members, mandates = _mandates(settings, population, everybody)
    target = target_of(settings, population, members)
    check_magnitudes(population, target)
    population = with_mandates(population, mandates, settings)
    if settings.iterations == 0:
        population = starting(population)
    if settings.matchmakers == 0 and len(members) > UNAIDED_MAX:
        reason = (
            f"without a matchmaker each household must know all others: {UNAIDED_MAX:,} at most"
        )
        raise InputError(reason, field="--matchmakers")
    common = terms_of(settings, target, population, mandates, own=own, feeders=feeders)
    externals = () if execution == "simulation" else settings.externals
    for name, host in settings.external_hosts.items():
        check_name(host, "--external")
        if name not in members:
            advice = household_suggestion(name, members)
            raise InputError(f"no household {name!r} takes part: {advice}", field="--external")
    refuse_externals(own, externals)
    isolation, host_count = _isolation(settings, execution, len(members))
    return Scenario(
        settings=settings,
        execution=execution,
        population=population,
        members=members,
        mandates=mandates,
        externals=externals,
        common_terms=common,
        weights=weights,
        feeders=feeders,
        target=target,
        isolation=isolation,
        host_count=host_count,
        matchmakers=matchmaker_addresses(
            0 if pairs_of(common.exchange) is None else settings.matchmakers
        ),
        rounds=rounds_max(settings),
        data_sha256=digest,
        own=own,
        arithmetic=arithmetic_with(own, population, common.discomfort),
        accepts=accepting_with(own, population, settings),
    )


def matchmaker_addresses(count: int) -> tuple[Address, ...]:
    """Return the addresses of matchmaker-1 to matchmaker-`count`, each on its own host."""
    names = (f"matchmaker-{number}" for number in range(1, count + 1))
    return tuple(Address(name, name) for name in names)


def _population(settings: RunSettings) -> Population:
    if settings.dataset is not None:
        return load(
            settings.dataset,
            households=settings.households,
            score=settings.score,
            plans=settings.plans,
            seed=settings.seed,
        )
    if settings.homes is not None:
        return generated_population(settings.homes, plans=settings.plans, seed=settings.seed)
    count = DEMO_HOUSEHOLDS if settings.households is None else settings.households
    return generate(households=count, slots=settings.slots, seed=settings.seed)


def _mandates(
    settings: RunSettings, population: Population, everybody: Sequence[str]
) -> tuple[tuple[str, ...], dict[str, Mandate]]:
    """Return the households that take part, and their mandates.

    Only a share of the households exchanges (`participation`); the mandates of the others forbid
    it.
    """
    mandates: dict[str, Mandate] = {}
    members = tuple(everybody)
    if settings.mandates is not None:
        mandates = load_mandates(settings.mandates, population.households, population.slots)
        absent = {name for name, mandate in mandates.items() if not mandate.take_part}
        members = tuple(name for name in members if name not in absent)
        if not members:
            raise InputError("no household takes part", file=settings.mandates)
    drawn = list(members)
    JavaRandom(settings.seed).shuffle(drawn)
    for name in drawn[round(settings.participation * len(drawn)) :]:
        mandates[name] = replace(mandates.get(name, FREE), exchange=False)
    return members, mandates


def _isolation(
    settings: RunSettings, execution: Execution, households: int
) -> tuple[Isolation, int]:
    """Return the isolation and the number of hosts that share the tree."""
    hosts = settings.hosts
    isolation: Isolation
    if settings.isolation != "auto":
        isolation = settings.isolation
    elif execution == "simulation":  # all in one process
        isolation, hosts = "subtree", hosts or 1
    elif execution == "standby" or households > PROCESSES_MAX:
        isolation = "subtree"
    else:
        isolation = "process"
    if execution == "standby" and hosts is None and isolation != "process":
        raise InputError("say how many hosts stand by: host-1, host-2, ...", field="--hosts")
    return isolation, min(hosts or _processors(), households)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
