"""Subjects: every bus subject, built and parsed. No other module writes a subject string.

`coflex.<run>.to.<host>.from.<host>`: the sender comes last, so that fixed server permissions
(publish `*.*.to.*.from.<me>`, subscribe `*.*.to.<me>.>`) keep a host from speaking for another.
"""

import re
from functools import lru_cache
from typing import Annotated

from pydantic import StringConstraints

from protocol.errors import DecodeError, InputError

ORCHESTRATOR = "orchestrator"
OPERATOR = "operator"
"""Name of the operator, who watches runs and may end them."""
HOST = "host"
"""Name under which a host itself is reached, in addition to its households."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

Name = Annotated[str, StringConstraints(pattern=rf"^{_NAME.pattern}$")]
"""A field of a message with the name of a host or household: one token of a subject, no
wildcard."""


@lru_cache(maxsize=4096)  # every message names two
def is_name(name: str) -> bool:
    """Return True if `name` can be a token of a subject."""
    return _NAME.fullmatch(name) is not None


def check_name(name: str, what: str) -> str:
    """Return `name` if it can be a token of a subject. Raises InputError if not; `what` is its
    field there."""
    if not is_name(name):
        raise InputError(
            f"{name!r} is not a name: use 1 to 64 letters, digits, '-' or '_'", field=what
        )
    return name


EVERYBODY = "everybody"
"""The receiver of announcements."""
ANNOUNCEMENTS = f"coflex.announce.from.{ORCHESTRATOR}"
"""The subject on which orchestrators announce their runs."""
INQUIRIES = f"coflex.announce.from.{OPERATOR}"
"""The subject on which an operator asks which parts are present."""


def direct(run: str, to: str, sender: str) -> str:
    """Return the subject for frames from `sender` to `to`."""
    return f"coflex.{run}.to.{to}.from.{sender}"


def inbox(run: str, host: str) -> str:
    """Return the subject that `host` subscribes to."""
    return f"coflex.{run}.to.{host}.from.*"


def replies(name: str) -> str:
    """Return the beginning of the subjects on which `name` receives answers to its requests.

    Each part has its own: with one shared by all, every part could read the answers to the others.
    """
    return f"_INBOX_{name}"


def everything(run: str) -> str:
    """Return the subject of all frames of a run, for tests of external households."""
    return f"coflex.{run}.to.*.from.*"


def sender_of(subject: str) -> str:
    """Return the host that published on this subject."""
    sender = _parts(subject)[5]
    if not is_name(sender):
        raise DecodeError(f"not from a host: {subject!r}")
    return sender


def receiver_of(subject: str) -> str:
    """Return the host that a subject is addressed to."""
    return _parts(subject)[3]


def _parts(subject: str) -> list[str]:
    parts = subject.split(".")
    if len(parts) != 6 or [parts[i] for i in (0, 2, 4)] != ["coflex", "to", "from"]:
        raise DecodeError(f"not a subject of ours: {subject!r}")
    return parts
