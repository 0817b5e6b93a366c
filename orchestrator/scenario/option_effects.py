"""The table of options that have an effect only in some runs.

An option that would be ignored is refused instead. `settings.py` decides which values
are valid.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from agents.population.homes import holds_homes
from orchestrator.scenario.settings import RunSettings
from protocol.errors import InputError

Mode = Literal["run", "simulate", "orchestrate", "baselines", "sweep"]
"""The command that reads the options."""

_Reason = Callable[[RunSettings, Mode], str]
"""A function that returns why an option has no effect, or an empty string if it has one."""
_LIMITS = "--feeder-limits"
_ON_A_BUS = ("run", "orchestrate")
ENCRYPTED = "a connection with --keys is encrypted"
"""Why --insecure has no effect beside --keys."""


def _with_demo(settings: RunSettings, mode: Mode) -> str:
    if settings.homes:
        return "generated homes have 96 slots: choose others with coflex generate --homes"
    return "" if settings.demo else "the data set sets the number of slots"


def _with_homes(settings: RunSettings, mode: Mode) -> str:
    read = settings.dataset is not None and holds_homes(settings.dataset)
    return "" if read or settings.homes else "only homes make plans from devices"


def _without_homes(settings: RunSettings, mode: Mode) -> str:
    return "--homes says how many there are" if settings.homes else ""


def _with_stage_one(settings: RunSettings, mode: Mode) -> str:
    return "" if settings.iterations else "there is no stage 1 with --iterations 0"


def _with_feeders(settings: RunSettings, mode: Mode) -> str:
    for other, option in ((settings.feeders, "--feeders"), (settings.feeder_limits, _LIMITS)):
        if other is None:
            return f"it needs {option}"
    without = not settings.iterations and settings.exchange == "off"
    return "neither stage takes place" if without else ""


def _with_dataset(settings: RunSettings, mode: Mode) -> str:
    return "" if settings.dataset is not None else "generated households have no scores to read"


def _with_rss(settings: RunSettings, mode: Mode) -> str:
    return "" if settings.cost == "rss" else "only the cost rss is scaled: add --cost rss"


def _when_periodical(settings: RunSettings, mode: Mode) -> str:
    wanted = "periodically"
    return "" if settings.reorganise == wanted else f"it needs --reorganise {wanted}"


def _at_convergence(settings: RunSettings, mode: Mode) -> str:
    return "" if settings.reorganise == "convergence" else "it needs --reorganise convergence"


def _when_memorised(settings: RunSettings, mode: Mode) -> str:
    remembers = settings.reorganise == "convergence" and settings.memorise
    return "" if remembers else "it needs --reorganise convergence and --memorise"


def _by_reduction(settings: RunSettings, mode: Mode) -> str:
    wanted = "cost-reduction"
    return "" if settings.reorganise == wanted else f"it needs --reorganise {wanted}"


def _with_exchange(settings: RunSettings, mode: Mode) -> str:
    return "" if settings.exchange != "off" else "there is no stage 2 with --exchange off"


def _with_pairs(settings: RunSettings, mode: Mode) -> str:
    if reason := _with_exchange(settings, mode):
        return reason
    without = settings.exchange in ("equal", "ttc")
    return f"no pairs exchange with --exchange {settings.exchange}" if without else ""


def _with_lookups(settings: RunSettings, mode: Mode) -> str:
    return (
        _with_exchange(settings, mode)
        if settings.exchange == "ttc"
        else _with_pairs(settings, mode)
    )


def _with_single_slots(settings: RunSettings, mode: Mode) -> str:
    if reason := _with_pairs(settings, mode):
        return reason
    return "" if settings.content_exchanged == "slot" else "it is for --content slot"


def _with_this_order(settings: RunSettings, mode: Mode) -> str:
    if settings.exchange_order == "waves":
        return _with_pairs(settings, mode)
    return _with_single_slots(settings, mode)


def _with_files(settings: RunSettings, mode: Mode) -> str:
    return "" if mode in ("run", "simulate", "orchestrate") else f"{mode} keeps no files of runs"


def _with_traced_exchange(settings: RunSettings, mode: Mode) -> str:
    return _with_files(settings, mode) or _with_pairs(settings, mode)


def _with_shared_hosts(settings: RunSettings, mode: Mode) -> str:
    if mode == "baselines":
        return "the comparison is simulated; its result does not depend on hosts"
    if settings.isolation == "process":
        return "each household has its own process: add --isolation task or subtree"
    return ""


def _on_a_bus(settings: RunSettings, mode: Mode) -> str:
    return "" if mode in (*_ON_A_BUS, "sweep") else "a simulation has no bus: use coflex run"


def _with_server(settings: RunSettings, mode: Mode) -> str:
    if reason := _on_a_bus(settings, mode):
        return reason
    return "" if settings.nats is not None else "it applies to a server named with --nats"


def _without_keys(settings: RunSettings, mode: Mode) -> str:
    return _with_server(settings, mode) or ("" if settings.keys is None else ENCRYPTED)


def _apart_from_baselines(settings: RunSettings, mode: Mode) -> str:
    return "the comparison does not use it" if mode == "baselines" else ""


_EFFECTS: dict[str, _Reason] = {
    "slots": _with_demo,
    "plans": _with_homes,
    "households": _without_homes,
    **dict.fromkeys(
        (*("alpha", "beta", "behaviours", "hard_plans", "hard_costs", "reorganise"),),
        _with_stage_one,
    ),
    **dict.fromkeys(("feeders", "feeder_limits"), _with_feeders),
    "score": _with_dataset,
    "scaling": _with_rss,
    "period": _when_periodical,
    "memorise": _at_convergence,
    "offset": _when_memorised,
    "threshold": _by_reduction,
    **dict.fromkeys(
        ("energy_drift", "disclose", "min_gain", "rounds", "exchange_every"),
        _with_pairs,
    ),
    **dict.fromkeys(("content", "matchmakers"), _with_lookups),
    **dict.fromkeys(("tolerance", "locks"), _with_single_slots),
    "exchange_order": _with_this_order,
    "participation": _with_exchange,
    "trace": _with_traced_exchange,
    "save_schedules": _with_files,
    "hosts": _with_shared_hosts,
    "isolation": _apart_from_baselines,
    "run": _apart_from_baselines,
    **dict.fromkeys(("deadline", "round_limit", "limit"), _on_a_bus),
    "nats": _on_a_bus,
    "keys": _with_server,
    "insecure": _without_keys,
    "external": _on_a_bus,
}
"""The options whose effect depends on others; every other option always has one."""


def without_effect(settings: RunSettings, mode: Mode) -> dict[str, str]:
    """Return the reason by option, for options that differ from the default but have no effect."""
    found = {}
    for name, reason_for in _EFFECTS.items():
        default = RunSettings.model_fields[name].default
        if getattr(settings, name) != default and (reason := reason_for(settings, mode)):
            found[name] = reason
    return found


def refuse_without_effect(
    settings: RunSettings,
    mode: Mode,
    *,
    config: Path | None = None,
    given: frozenset[str],
    environment: frozenset[str] = frozenset(),
) -> None:
    """Raise InputError if an option has no effect; it names the first such option and the reason.

    `given` are the options of the command line. Those of the `environment` hold for every command
    on a machine and are accepted. All other values come from the file `config`.
    """
    for name, reason in without_effect(settings, mode).items():
        if name in environment:
            continue
        if name in given:
            raise InputError(f"has no effect: {reason}", field="--" + name.replace("_", "-"))
        if config is not None:
            raise InputError(f"has no effect: {reason}", file=config, field=name)
