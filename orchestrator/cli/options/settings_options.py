"""Options of commands, made from the settings model: each name, type and help is defined once."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic.fields import FieldInfo

from orchestrator.coordination.unfinished_run import UnfinishedRun, read
from orchestrator.scenario.option_effects import Mode, refuse_without_effect
from orchestrator.scenario.settings import RunSettings, settings_from
from protocol.errors import InputError

FROM_ENVIRONMENT = {"nats", "keys", "insecure"}
"""Options that may also be set in the environment: they are the same for all parts on a machine."""
_PANELS = {
    "Households": (
        "dataset",
        "homes",
        "demo",
        "households",
        "slots",
        "order",
        "seed",
        "plans",
        "score",
        "mandates",
    ),
    "Stage 1: planning": (
        *("children", "iterations", "alpha", "beta", "behaviours", "cost", "scaling", "target"),
        *("discomfort", "hard_plans", "hard_costs", "feeders", "feeder_limits"),
    ),
    "Reorganisation of the tree": ("reorganise", "period", "offset", "memorise", "threshold"),
    "Stage 2: exchange": (
        *(
            "exchange",
            "exchange_every",
            "content",
            "energy_drift",
            "disclose",
            "tolerance",
            "min_gain",
            "rounds",
        ),
        *("exchange_order", "locks", "matchmakers", "participation"),
    ),
    "Bus and processes": (
        *("isolation", "hosts", "nats", "keys", "insecure", "run", "external"),
        *("deadline", "round_limit", "limit"),
    ),
    "Results": ("out", "trace", "save_schedules"),
}
"""The options in each panel of the help."""
RESULTS_PANEL = "Results"


def with_settings(command: Callable[..., None], mode: Mode) -> Callable[..., None]:
    """Return `command` with one option per setting, and `--config`, in place of its parameter
    `settings`; its other parameters are kept.

    The new command refuses options without effect in this mode. Only commands that connect to a bus
    read the environment.
    """
    environment = FROM_ENVIRONMENT if mode in ("run", "orchestrate") else set()

    def call(ctx: typer.Context, config: Path | None, **options: Any) -> None:
        others = {name: options.pop(name) for name in set(options) - set(RunSettings.model_fields)}
        if (begun := others.get("resume")) is not None:
            command(_unfinished(begun, config, options, mode), **others)
            return
        settings = settings_from(options, config)
        given = frozenset(name for name, value in options.items() if value is not None)
        machine = _from_environment(ctx)
        refuse_without_effect(
            settings, mode, config=config, given=given - machine, environment=machine
        )
        command(settings, **others)

    context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    config = inspect.Parameter(
        "config",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[
            Path | None,
            typer.Option(help="TOML file with any of these options; the command line wins."),
        ],
    )
    own = inspect.signature(command).parameters
    kept = [parameter for name, parameter in own.items() if name != "settings"]
    fields = RunSettings.model_fields.items()
    settings = [option_of(name, field, environment=name in environment) for name, field in fields]
    return shaped(call, [context, config, *settings, *kept], command)


def _unfinished(
    out: Path, config: Path | None, options: Mapping[str, Any], mode: Mode
) -> UnfinishedRun:
    """Return the run that is to go on in this folder."""
    if config is not None:
        raise InputError("has no effect beside --resume", field="--config")
    changes = {name: value for name, value in options.items() if value is not None}
    return read(out, changes, "orchestrate" if mode == "orchestrate" else "run")


def shaped(
    call: Callable[..., None], parameters: Sequence[inspect.Parameter], command: Callable[..., None]
) -> Callable[..., None]:
    """Return `call` with the signature that typer is to read: these parameters as keywords, and the
    name and docstring of `command`."""
    keywords = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    vars(call)["__signature__"] = inspect.Signature(keywords)
    call.__annotations__ = {p.name: p.annotation for p in keywords}
    call.__name__, call.__doc__ = command.__name__, command.__doc__
    return call


def panel_of(name: str) -> str:
    """Return the panel of the help that shows a setting."""
    return next(panel for panel, names in _PANELS.items() if name in names)


def option_of(name: str, field: FieldInfo, *, environment: bool) -> inspect.Parameter:
    """Return the option for one setting.

    Its default is None, so that a value in a file counts; the help shows the setting's default.
    """
    default = "" if field.default in (None, False) else f" (default {field.default})"
    variable = f"COFLEX_{name.upper()}" if environment else None
    option = typer.Option(
        "--" + name.replace("_", "-"),
        envvar=variable,
        help=f"{field.description}{default}",
        show_default=False,
        rich_help_panel=panel_of(name),
    )
    kind: Any = field.annotation
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, option],
    )


def _from_environment(ctx: typer.Context) -> frozenset[str]:
    """Return the options that are set in the environment of the machine.

    They hold for every command, so they may have no effect on this one.
    """
    sources = {name: ctx.get_parameter_source(name) for name in ctx.params}
    return frozenset(
        name
        for name, source in sources.items()
        if source is not None and source.name == "ENVIRONMENT"
    )
