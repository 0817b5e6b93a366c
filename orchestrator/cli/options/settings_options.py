"""Options of commands, made from the settings model: one definition of name, type and help."""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic.fields import FieldInfo

from orchestrator.scenario.option_effects import Mode, refuse_without_effect
from orchestrator.scenario.settings import RunSettings, settings_from

FROM_ENVIRONMENT = {"nats", "keys", "insecure"}
"""Options that may also be set in the environment: they are the same for all parts of a machine."""
_PANELS = {
    "Households": ("dataset", "demo", "households", "slots", "order", "seed", "score", "mandates"),
    "Stage 1: planning": (
        *("children", "iterations", "alpha", "beta", "behaviours", "cost", "scaling", "target"),
        *("discomfort", "hard_plans", "hard_costs"),
    ),
    "Reorganisation of the tree": ("reorganise", "period", "offset", "memorise", "threshold"),
    "Stage 2: exchange": (
        *("exchange", "content", "energy_drift", "disclose", "tolerance", "min_gain", "rounds"),
        *("exchange_order", "locks", "matchmakers", "participation"),
    ),
    "Bus and processes": (
        *("isolation", "hosts", "nats", "keys", "insecure", "run", "external", "deadline"),
    ),
    "Results": ("out", "trace", "save_schedules"),
}
"""The options by the group in which help shows them."""
RESULTS_PANEL = "Results"


def with_settings(command: Callable[..., None], mode: Mode) -> Callable[..., None]:
    """Return `command` with one option per setting, and `--config`, in place of its parameter
    `settings`; its other parameters are kept.

    An option without effect in this mode is refused. Only a command that connects to a bus reads
    the environment.
    """
    environment = FROM_ENVIRONMENT if mode in ("run", "orchestrate") else set()

    def call(ctx: typer.Context, config: Path | None, **options: Any) -> None:
        further = {name: options.pop(name) for name in set(options) - set(RunSettings.model_fields)}
        settings = settings_from(options, config)
        given = {name for name, value in options.items() if value is not None}
        refuse_without_effect(settings, mode, config=config, given=frozenset(given - _unsaid(ctx)))
        command(settings, **further)

    context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    config = inspect.Parameter(
        "config",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[
            Path | None, typer.Option(help="TOML file with any of these; options win.")
        ],
    )
    own = inspect.signature(command).parameters
    kept = [parameter for name, parameter in own.items() if name != "settings"]
    fields = RunSettings.model_fields.items()
    settings = [option_of(name, field, environment=name in environment) for name, field in fields]
    return shaped(call, [context, config, *settings, *kept], command)


def shaped(
    call: Callable[..., None], parameters: Sequence[inspect.Parameter], command: Callable[..., None]
) -> Callable[..., None]:
    """Return `call` with these parameters, all of them keywords, and with the name and docstring of
    `command`, as typer reads them."""
    keywords = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    vars(call)["__signature__"] = inspect.Signature(keywords)
    call.__annotations__ = {p.name: p.annotation for p in keywords}
    call.__name__, call.__doc__ = command.__name__, command.__doc__
    return call


def panel_of(name: str) -> str:
    """Return the group of a setting in the help."""
    return next(panel for panel, names in _PANELS.items() if name in names)


def option_of(name: str, field: FieldInfo, *, environment: bool) -> inspect.Parameter:
    """Return the option for one setting. Without a value it is None, so that a value from a file
    counts; the help shows the default."""
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


def _unsaid(ctx: typer.Context) -> set[str]:
    """Return the options whose value comes from the environment of the machine: they may be of no
    use to one command and still be right."""
    names = ctx.params
    return {
        name
        for name in names
        if (source := ctx.get_parameter_source(name)) is not None and source.name == "ENVIRONMENT"
    }
