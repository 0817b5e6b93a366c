"""The options of every long-running part: its logs, and whether it serves metrics."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from orchestrator.cli import INTERRUPTED_STATUS
from orchestrator.cli.options.settings_options import shaped
from orchestrator.monitoring.logs import LogFormat, LogLevel, LogSettings, complain, logging_as
from orchestrator.monitoring.prometheus import Operations, read_endpoint
from protocol.errors import INTERRUPTED, InputError, RunError


def _status_of(error: InputError | RunError) -> int:
    if isinstance(error, InputError):
        return 2
    return INTERRUPTED_STATUS if str(error).startswith(INTERRUPTED) else 1


def watched(command: Callable[..., None], part: str, level: LogLevel) -> Callable[..., None]:
    """Return `command` with options for logs and metrics in place of its parameter `operations`.

    An error that ends the command is logged as from `part`. `level` is the default of --log-level.
    """

    def call(
        log_format: LogFormat, log_level: LogLevel, metrics: str | None, **options: Any
    ) -> None:
        endpoint = None if metrics is None else read_endpoint(metrics)
        logs = LogSettings(log_format, log_level)
        with logging_as(logs):
            try:
                command(operations=Operations(logs, endpoint), **options)
            except (InputError, RunError) as error:
                if complain(part, error):  # reported already, in the format of the log
                    raise SystemExit(_status_of(error)) from error
                raise

    own = inspect.signature(command).parameters.values()
    parameters = [p for p in own if p.name != "operations"]
    for name, default, kind, text in (
        ("log_format", "text", LogFormat, "Log lines as text, or as JSON objects."),
        ("log_level", level, LogLevel, "Log events of at least this level."),
        ("metrics", None, str | None, "Serve Prometheus metrics at PORT, or HOST:PORT."),
    ):
        option = typer.Option(envvar=f"COFLEX_{name.upper()}", help=text)
        keyword = inspect.Parameter.KEYWORD_ONLY
        annotation: Any = Annotated[kind, option]
        parameters.append(inspect.Parameter(name, keyword, default=default, annotation=annotation))
    return shaped(call, parameters, command)
