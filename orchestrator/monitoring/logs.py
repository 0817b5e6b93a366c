"""Log lines of a part: their format, and their destination, which is standard error.

The code in which an event happens decides whether to log it. No line has a plan, a schedule or a
value from one. Importing this module sets up nothing: programs that use coflex as a library
configure `logging` themselves.
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
"""Name of the parent of all our loggers."""
CLEARED_LINE = "\r\x1b[K"
"""Moves the cursor of a terminal to the start of its line and clears the line."""
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@dataclass(frozen=True, slots=True)
class LogSettings:
    """The format of a part's log lines, and the lowest level that is shown."""

    format: LogFormat = "text"
    level: LogLevel = "warning"

    def as_options(self) -> tuple[str, ...]:
        """Return the settings as options of a command line."""
        return ("--log-format", self.format, "--log-level", self.level)


class PartLog:
    """The log of one part; every line names the part and the run."""

    def __init__(self, part: str, run: str | None = None) -> None:
        self._logger = logging.getLogger(f"{ROOT}.part")
        self._about = {"part": part, **({} if run is None else {"run": run})}

    def debug(self, what: str, **fields: object) -> None:
        """Log details for debugging."""
        self._logger.debug(what, extra={**self._about, **fields})

    def info(self, what: str, **fields: object) -> None:
        """Log normal operation."""
        self._logger.info(what, extra={**self._about, **fields})

    def warning(self, what: str, **fields: object) -> None:
        """Log something that deserves attention although the run continues."""
        self._logger.warning(what, extra={**self._about, **fields})

    def error(self, what: str, **fields: object) -> None:
        """Log that the part cannot do its work."""
        self._logger.error(what, extra={**self._about, **fields})


def complain(part: str, error: Exception) -> bool:
    """Log that `part` ends with this error, if log lines are JSON.

    Returns True if so: the error is then not printed as well.
    """
    if not _json_is_on():
        return False
    PartLog(part).error(str(error), error=type(error).__name__)
    return True


@contextmanager
def logging_as(settings: LogSettings) -> Iterator[None]:
    """Write our log lines to standard error in this format while the context lasts."""
    logger, handler = logging.getLogger(ROOT), logging.StreamHandler(sys.stderr)
    text = _Text(CLEARED_LINE if sys.stderr.isatty() else "")
    handler.setFormatter(_json_lines() if settings.format == "json" else text)
    before = logger.level, logger.propagate
    logger.setLevel(settings.level.upper())
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.level, logger.propagate = before


@contextmanager
def without_info() -> Iterator[None]:
    """Hide lines of normal operation while the context lasts, unless details are shown as well."""
    logger = logging.getLogger(ROOT)
    before = logger.level
    if before == logging.INFO:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)


def _json_is_on() -> bool:
    handlers = logging.getLogger(ROOT).handlers
    return any(
        handler.formatter is not None and not isinstance(handler.formatter, _Text)
        for handler in handlers
    )


def _json_lines() -> logging.Formatter:
    # Imported only if it is needed.
    from pythonjsonlogger.json import JsonFormatter

    return JsonFormatter(
        ["levelname", "message"], rename_fields={"levelname": "level"}, timestamp="time"
    )


class _Text(logging.Formatter):
    """Log lines for people: `time LEVEL part: what (field=value, ...)`."""

    def __init__(self, before: str) -> None:
        super().__init__()
        self._before = before

    def format(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in _USUAL}
        part = fields.pop("part", record.name)
        shown = ", ".join(f"{name}={value}" for name, value in fields.items())
        line = f"{self._before}{_time(record)} {record.levelname} {part}: {record.getMessage()}"
        return f"{line} ({shown})" if shown else line


def _time(record: logging.LogRecord) -> str:
    when = datetime.fromtimestamp(record.created, UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
