"""The options of a command, made from the settings model: one definition of name, type, help."""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic.fields import FieldInfo

from orchestrator.scenario.settings import RunSettings, settings_from

FROM_ENVIRONMENT = {"nats", "keys", "insecure"}
"""Options that may stand in the environment too: the same for every part on a machine."""


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """`command` as a function with one keyword for each setting, and `--config`. Its parameters
    other than `settings` are kept."""

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
    """`call` with these parameters, keywords all, and the name and words of `command`, as typer
    reads them."""
    keywords = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    vars(call)["__signature__"] = inspect.Signature(keywords)
    call.__annotations__ = {p.name: p.annotation for p in keywords}
    call.__name__, call.__doc__ = command.__name__, command.__doc__
    return call


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    """Absent options stay None, so that a file's value shows; the help tells the default."""
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
