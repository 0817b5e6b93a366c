"""Log lines of a part: their form, and where they go (standard error). What is worth a line is
decided where it happens; no line holds a plan, a schedule or a value of one.

Nothing is set up on import: whoever uses this as a library sets up `logging` as they like.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
ROOT = "coflex"
"""Of our loggers' names."""
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How a part logs."""

    format: LogFormat = "text"
    level: LogLevel = "warning"

    def as_options(self) -> tuple[str, ...]:
        """The same as a command line has it."""
        return ("--log-format", self.format, "--log-level", self.level)


class PartLog:
    """The log of one part; every line says which, and of which run."""

    def __init__(self, part: str, run: str | None = None) -> None:
        self._logger = logging.getLogger(f"{ROOT}.part")
        self._about = {"part": part, **({} if run is None else {"run": run})}

    def debug(self, what: str, **fields: object) -> None:
        """Of interest to who looks for a fault."""
        self._logger.debug(what, extra={**self._about, **fields})

    def info(self, what: str, **fields: object) -> None:
        """The ordinary course of things."""
        self._logger.info(what, extra={**self._about, **fields})

    def warning(self, what: str, **fields: object) -> None:
        """Something to look at; the run goes on."""
        self._logger.warning(what, extra={**self._about, **fields})

    def error(self, what: str, **fields: object) -> None:
        """The part cannot do what it should."""
        self._logger.error(what, extra={**self._about, **fields})


def complain(part: str, error: Exception) -> bool:
    """Log that `part` ends with this error; whether lines are JSON, so that it has been said."""
    if not _json_is_on():
        return False
    PartLog(part).error(str(error), error=type(error).__name__)
    return True


@contextmanager
def logging_as(settings: LogSettings) -> Iterator[None]:
    """Our lines go to standard error in this form, as long as the context lasts."""
    logger, handler = logging.getLogger(ROOT), logging.StreamHandler(sys.stderr)
    handler.setFormatter(_json_lines() if settings.format == "json" else _Text())
    before = logger.level, logger.propagate
    logger.setLevel(settings.level.upper())
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.level, logger.propagate = before


def _json_is_on() -> bool:
    handlers = logging.getLogger(ROOT).handlers
    return any(
        handler.formatter is not None and not isinstance(handler.formatter, _Text)
        for handler in handlers
    )


def _json_lines() -> logging.Formatter:
    # Only whoever wants it pays for it.
    from pythonjsonlogger.json import JsonFormatter

    return JsonFormatter(
        ["levelname", "message"], rename_fields={"levelname": "level"}, timestamp="time"
    )


class _Text(logging.Formatter):
    """`time LEVEL part: what (field=value, ...)`."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in _USUAL}
        part = fields.pop("part", record.name)
        told = ", ".join(f"{name}={value}" for name, value in fields.items())
        line = f"{_time(record)} {record.levelname} {part}: {record.getMessage()}"
        return f"{line} ({told})" if told else line


def _time(record: logging.LogRecord) -> str:
    when = datetime.fromtimestamp(record.created, UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
