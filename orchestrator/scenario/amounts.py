"""The terms of an exchange of amounts: the default for homes, and the options that go with it."""

from collections.abc import Mapping

from agents.mandate import Mandate
from agents.plans import Population
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError
from protocol.terms import ExchangeTerms

_EXACT = "homes announce no exact amounts: use limit (powers of sqrt 2) or direction"


def with_content(settings: RunSettings, population: Population) -> RunSettings:
    """Return the settings with content amounts, if households are homes with devices and pairs
    exchange, and no other content is chosen."""
    homes = all(plans.home is not None for plans in population.households.values())
    pairs = settings.exchange in ("mutual", "cooperative")
    if settings.content is not None or not (homes and pairs) or settings.exchange_every:
        return settings
    return settings.model_copy(update={"content": "amounts"})


def amount_terms(
    settings: RunSettings,
    population: Population,
    mandates: Mapping[str, Mandate],
    *,
    rounds: int,
) -> ExchangeTerms:
    """Return the terms of an exchange of amounts. Raises InputError for options and mandates that
    have no effect on it, and for households that are no homes."""
    if settings.exchange not in ("mutual", "cooperative"):
        reason = f"the rule {settings.exchange} exchanges no amounts: mutual or cooperative do"
        raise InputError(reason, field="--content")
    for name, plans in population.households.items():
        if plans.home is None:
            reason = f"amounts are for homes with devices, and {name} has only plans"
            raise InputError(reason, field="--content")
    for value, option in (
        (settings.min_gain, "--min-gain"),
        (settings.energy_drift, "--energy-drift"),
        (settings.tolerance, "--tolerance"),
    ):
        if value is not None:
            reason = "it has no effect on amounts: leave it out, or add --content bundle"
            raise InputError(reason, field=option)
    if settings.exchange_order not in (None, "sequential"):
        raise InputError("amounts are exchanged one home after another", field="--exchange-order")
    if settings.matchmakers != 1:
        raise InputError("an exchange of amounts has one matchmaker", field="--matchmakers")
    if settings.disclose == "value":
        raise InputError(_EXACT, field="--disclose")
    for name, mandate in mandates.items():
        if mandate.disclosure == "value":
            raise InputError(_EXACT, file=settings.mandates, field=f"{name}.disclosure")
        for key in ("tolerance", "discomfort"):
            if getattr(mandate, key) is not None:
                reason = f"{key} is about values at slots, which homes do not exchange"
                raise InputError(reason, file=settings.mandates, field=f"{name}.{key}")
        if mandate.rule not in (None, "mutual", "cooperative"):
            reason = "homes exchange amounts by the rules mutual and cooperative"
            raise InputError(reason, file=settings.mandates, field=f"{name}.rule")
    return ExchangeTerms(
        rule=settings.exchange,
        content="amounts",
        disclosure=settings.disclose,
        rounds=rounds,
        locks="household",
        order="sequential",
        seed=settings.seed,
        trace=settings.trace,
    )
