"""Options of commands, made from the settings model: one definition of name, type and help."""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic.fields import FieldInfo

from orchestrator.scenario.settings import RunSettings, settings_from

FROM_ENVIRONMENT = {"nats", "keys", "insecure"}
"""Options that may also be set in the environment: they are the same for all parts of a machine."""


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` with one option per setting, and `--config`, in place of its parameter
    `settings`; its other parameters are kept."""

    def call(config: Path | None, **options: Any) -> None:
        further = {name: options.pop(name) for name in set(options) - set(RunSettings.model_fields)}
        command(settings_from(options, config), **further)

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
    parameters = [config, *(_parameter(*item) for item in RunSettings.model_fields.items()), *kept]
    return shaped(call, parameters, command)


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


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    """Return the option for one setting. Without a value it is None, so that a value from a file
    counts; the help shows the default."""
    default = "" if field.default in (None, False) else f" (default {field.default})"
    flag = "--" + name.replace("_", "-")
    variable = f"COFLEX_{name.upper()}" if name in FROM_ENVIRONMENT else None
    text = f"{field.description}{default}"
    option = typer.Option(flag, envvar=variable, help=text, show_default=False)
    kind: Any = field.annotation
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, option],
    )
