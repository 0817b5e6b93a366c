"""The terms of the rule `ttc`, and which mandates go with it."""

from collections.abc import Mapping

from agents.mandate import Mandate
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError
from protocol.terms import ExchangeTerms


def cycle_terms(settings: RunSettings) -> ExchangeTerms:
    """Return the terms of top trading cycles: nothing but the seed is left to choose.

    Raises InputError for bundles, and without a matchmaker.
    """
    if settings.content == "bundle":
        reason = "the rule ttc trades single slots: leave out --content bundle"
        raise InputError(reason, field="--content")
    if settings.matchmakers == 0:
        raise InputError(
            "the rule ttc needs a matchmaker, which finds the cycles", field="--matchmakers"
        )
    return ExchangeTerms(rule="ttc", disclosure="value", order="waves", seed=settings.seed)


def check_rule_mandates(settings: RunSettings, mandates: Mapping[str, Mandate]) -> None:
    """Raise InputError for a mandate that the run's rule cannot keep.

    Trades in cycles are found for all households together, so no household can have another rule,
    and slot by slot, so none can have a cap on what its trades change together.
    """
    for household, mandate in mandates.items():
        for key, reason in _broken(mandate, settings.exchange).items():
            raise InputError(reason, file=settings.mandates, field=f"{household}.{key}")


def _broken(mandate: Mandate, exchange: str) -> dict[str, str]:
    """Return the reason by key of the mandate that the rule cannot keep."""
    if exchange != "ttc":
        return {"rule": "ttc is for all households or none"} if mandate.rule == "ttc" else {}
    broken = {}
    if mandate.rule not in (None, "ttc"):
        broken["rule"] = "the rule ttc is for all households: use exchange = false to stay out"
    if mandate.tolerance is not None:
        broken["tolerance"] = "the rule ttc has no tolerance: use never or exchange = false"
    if mandate.energy_drift is not None:
        broken["energy_drift"] = "the rule ttc cannot keep it: use exchange = false to stay out"
    return broken
