"""The options of every part that works for long: what it logs, and whether it serves metrics."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from orchestrator.cli.settings_options import shaped
from orchestrator.monitoring.logs import LogFormat, LogLevel, LogSettings, complain, logging_as
from orchestrator.monitoring.prometheus import read_endpoint
from orchestrator.operations import Operations
from protocol.errors import InputError, RunError


def watched(command: Callable[..., None], part: str, level: LogLevel) -> Callable[..., None]:
    """`command`, which takes `operations`, as one that has the options for them instead. `part`: in
    whose name its end is logged; `level`: what is logged unless somebody says otherwise."""

    def call(
        log_format: LogFormat, log_level: LogLevel, metrics: str | None, **options: Any
    ) -> None:
        endpoint = None if metrics is None else read_endpoint(metrics)
        logs = LogSettings(log_format, log_level)
        with logging_as(logs):
            try:
                command(operations=Operations(logs, endpoint), **options)
            except (InputError, RunError) as error:
                if complain(part, error):
                    raise typer.Exit(2 if isinstance(error, InputError) else 1) from error
                raise

    own = inspect.signature(command).parameters.values()
    parameters = [p for p in own if p.name != "operations"]
    for name, default, kind, text in (
        ("log_format", "text", LogFormat, "Log lines as text, or as JSON objects."),
        ("log_level", level, LogLevel, "Log what is at least that important."),
        ("metrics", None, str | None, "Serve Prometheus metrics: PORT, or HOST:PORT."),
    ):
        option = typer.Option(envvar=f"COFLEX_{name.upper()}", help=text)
        keyword = inspect.Parameter.KEYWORD_ONLY
        annotation: Any = Annotated[kind, option]
        parameters.append(inspect.Parameter(name, keyword, default=default, annotation=annotation))
    return shaped(call, parameters, command)
