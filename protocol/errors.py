"""The kinds of errors, by their cause.

InputError   a person gave wrong input: the message says what, where and what to do; exit status 2.
RunError     a run could not be completed: what happened, and to which part; exit status 1.
             ForbiddenError: the permissions on the server do not allow it.
DecodeError  bytes from the bus that are not a message: counted and dropped.
PeerError    a well-formed message that its sender may not send now: counted and dropped.

Any other exception is a defect of coflex: it ends the household in which it shows, or the process.
"""

from pathlib import Path

INTERRUPTED = "interrupted"
"""How the reason of a RunError begins that says: a person ended the run."""


class InputError(Exception):
    """Bad input or usage, with the place where it was found."""

    def __init__(
        self,
        reason: str,
        *,
        file: Path | str | None = None,
        line: int | None = None,
        field: str | None = None,
    ) -> None:
        place = ", ".join(
            part
            for part in (
                f"{file}" if file is not None else "",
                f"line {line}" if line is not None else "",
                f"field {field}" if field is not None else "",
            )
            if part
        )
        super().__init__(f"{place}: {reason}" if place else reason)
        self.reason, self.file, self.line, self.field = reason, file, line, field


class RunError(Exception):
    """A run that could not be completed."""


class ForbiddenError(RunError):
    """An action that the server does not permit to this part."""


class DecodeError(Exception):
    """Bytes that are not a message of this protocol."""


class PeerError(Exception):
    """A message that its sender may not send, or not at this moment."""
