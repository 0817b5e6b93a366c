"""The terms of a run, from its settings: what an omitted option of the stages means."""

from collections.abc import Mapping

from agents.mandate import FREE, Mandate
from agents.own_functions import OwnFunctions
from agents.plans import Population
from orchestrator.scenario.amounts import amount_terms
from orchestrator.scenario.cycles import check_rule_mandates, cycle_terms
from orchestrator.scenario.exchange_every import exchange_every
from orchestrator.scenario.feeders import Feeders
from orchestrator.scenario.home_options import measure_of
from orchestrator.scenario.settings import RunSettings
from orchestrator.scenario.supply import constraint_of
from protocol.errors import InputError
from protocol.terms import (
    COSTS_WITH_TARGET,
    PAPER_TOLERANCE,
    ExchangeTerms,
    OrderName,
    Reorganisation,
    Terms,
)
from protocol.vectors import Array

ROUNDS, PAPER_ROUNDS = 50, 10
"""Default limit on rounds of the exchange. The rule `paper` does not end by itself; under a bound
on energy drift, single slots are tried in vain in every round."""
ATTEMPTS, CAPPED_ATTEMPTS = ExchangeTerms().attempts, 1
"""Default attempts at a slot and round, and those under a bound on energy drift."""
MIN_GAIN = 0.02
"""Default least gain of an exchange of single slots, as a share of the mean squared deviation."""
BUNDLE_MIN_GAINS: dict[str, float] = {"mutual": 0.5, "cooperative": 0.1}
"""Default least gain of an exchange of bundles, by rule; later exchanges make discomfort more equal
under `cooperative`."""
BUNDLE_DRIFT_KWH = 0.05
"""Default bound on the change of a household's own energy by bundles, kWh."""
PATIENCE_SHARE = 3
"""The run's deadline divided by this is the time after which a household reports for whom it is
waiting."""


def rounds_max(settings: RunSettings) -> int:
    """Return the limit on the rounds of an exchange."""
    if settings.rounds is not None:
        return settings.rounds
    capped = settings.content_exchanged == "slot" and settings.energy_drift is not None
    return PAPER_ROUNDS if capped or settings.exchange == "paper" else ROUNDS


def terms_of(
    settings: RunSettings,
    target: Array | None,
    population: Population,
    mandates: Mapping[str, Mandate],
    *,
    own: OwnFunctions,
    feeders: Feeders | None = None,
) -> Terms:
    """Return the terms of a run. Raises InputError for options that do not go together."""
    discomfort = measure_of(settings, population)
    constraint = constraint_of(settings, population)
    exchange = _exchange(settings, population, mandates)
    if feeders is not None:
        constraint = feeders.joined_to(constraint)
        if exchange is not None and exchange.content != "amounts":
            reason = "only homes that exchange amounts keep a feeder's limits: add --exchange off"
            raise InputError(reason, field="--feeder-limits")
    return Terms(
        iterations=max(settings.iterations, 1),  # one pass sums the plans that all start with
        arity=settings.children,
        cost=settings.cost,
        scaling=settings.scaling,
        target=target if settings.cost in COSTS_WITH_TARGET else None,
        discomfort=discomfort,
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
        constraint=constraint,
        feeders=0 if feeders is None else len(feeders.names),
        exchange=exchange,
        exchange_every=exchange_every(settings, own, discomfort),
        patience_seconds=settings.deadline / PATIENCE_SHARE,
    )


def _exchange(
    settings: RunSettings, population: Population, mandates: Mapping[str, Mandate]
) -> ExchangeTerms | None:
    if settings.exchange == "off":
        return None
    if settings.exchange == "equal":
        return ExchangeTerms(equal_shift=True)
    check_rule_mandates(settings, mandates)
    if settings.exchange == "ttc":
        return cycle_terms(settings)
    if settings.content_exchanged == "amounts":
        return amount_terms(settings, population, mandates, rounds=rounds_max(settings))
    if settings.content_exchanged == "bundle":
        return _bundles(settings, mandates)
    if settings.matchmakers == 0:
        reason = "single slots need a matchmaker; with bundles partners can be found without one"
        raise InputError(reason, field="--matchmakers")
    rule = settings.exchange
    everybody = (FREE, *mandates.values())
    separate = settings.energy_drift is None and not any(
        mandate.joins_slots(mandate.rule or rule) for mandate in everybody
    )
    order = _order(settings, separate=separate)
    paper = settings.exchange == "paper" and settings.tolerance is None
    return ExchangeTerms(
        rule=settings.exchange,
        disclosure=settings.disclose,
        tolerance_kwh=PAPER_TOLERANCE if paper else settings.tolerance,
        energy_drift_kwh=settings.energy_drift,
        min_gain=MIN_GAIN if settings.min_gain is None else settings.min_gain,
        rounds=rounds_max(settings),
        attempts=ATTEMPTS if settings.energy_drift is None else CAPPED_ATTEMPTS,
        # If a household decides by several slots, it negotiates one at a time in waves.
        locks=settings.locks if separate or order != "waves" else "household",
        order=order,
        seed=settings.seed,
        trace=settings.trace,
    )


def _bundles(settings: RunSettings, mandates: Mapping[str, Mandate]) -> ExchangeTerms:
    """Return the terms of an exchange of bundles."""
    if settings.exchange == "paper":
        reason = "the rule paper exchanges single slots: leave out --content bundle"
        raise InputError(reason, field="--content")
    if settings.disclose == "value":
        reason = "values alone do not tell partners what suits: use direction or limit, or add "
        raise InputError(f"{reason}--content slot", field="--disclose")
    for name, mandate in mandates.items():
        if mandate.rule == "paper" or mandate.tolerance is not None:
            key = "tolerance" if mandate.rule != "paper" else "rule"
            reason = f"{key} is about single slots: add --content slot"
            raise InputError(reason, file=settings.mandates, field=f"{name}.{key}")
    assert settings.exchange != "off"
    assert settings.exchange != "equal"
    drift, min_gain = settings.energy_drift, settings.min_gain
    return ExchangeTerms(
        rule=settings.exchange,
        content="bundle",
        energy_drift_kwh=BUNDLE_DRIFT_KWH if drift is None else drift,
        disclosure=settings.disclose,
        min_gain=BUNDLE_MIN_GAINS[settings.exchange] if min_gain is None else min_gain,
        rounds=rounds_max(settings),
        locks="household",
        order="waves",
        seed=settings.seed,
        trace=settings.trace,
    )


def pairs_of(terms: ExchangeTerms | None) -> ExchangeTerms | None:
    """Return these terms if households exchange in pairs, else None."""
    return None if terms is None or terms.equal_shift else terms


def _order(settings: RunSettings, *, separate: bool) -> OrderName:
    """Return the order of exchanges: as chosen, or in waves where that costs little.

    `separate` says that every household decides slot by slot. Raises InputError for waves with more
    than one matchmaker.
    """
    if settings.exchange_order == "waves" and settings.matchmakers > 1:
        reason = "waves need one matchmaker: leave out --matchmakers, or say sequential"
        raise InputError(reason, field="--exchange-order")
    if settings.exchange_order is not None:
        return settings.exchange_order
    # Households of others may not speak in waves; each wave would then wait for them in vain.
    cheap = separate and settings.matchmakers == 1 and not settings.externals
    return "waves" if cheap else "concurrent"
