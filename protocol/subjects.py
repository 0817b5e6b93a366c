"""Every bus subject, built and parsed. Nobody else writes a subject string.

`coflex.<run>.to.<host>.from.<host>`: the sender stands last, so that fixed server permissions
(publish `*.*.to.*.from.<me>`, subscribe `*.*.to.<me>.>`) keep a host from speaking for another.
"""

import re
from functools import lru_cache
from typing import Annotated

from pydantic import StringConstraints

from protocol.errors import DecodeError, InputError

ORCHESTRATOR = "orchestrator"
OPERATOR = "operator"
"""Who looks after runs from outside."""
HOST = "host"
"""Name under which a host itself is reached, beside its households."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

Name = Annotated[str, StringConstraints(pattern=rf"^{_NAME.pattern}$")]
"""A field of a message that names a host or a household: one token of a subject, no wildcard."""


@lru_cache(maxsize=4096)  # every message names two
def is_name(name: str) -> bool:
    """Whether `name` can stand in a subject."""
    return _NAME.fullmatch(name) is not None


def check_name(name: str, what: str) -> str:
    """`name` if it can stand in a subject, else InputError."""
    if not is_name(name):
        raise InputError(
            f"{what} {name!r} is not a name: use 1 to 64 letters, digits, '-' or '_'", field=what
        )
    return name


EVERYBODY = "everybody"
"""To whom an announcement is addressed."""
ANNOUNCEMENTS = f"coflex.announce.from.{ORCHESTRATOR}"
"""Where orchestrators tell which run there is."""
INQUIRIES = f"coflex.announce.from.{OPERATOR}"
"""Where an operator asks who is there."""


def direct(run: str, to: str, sender: str) -> str:
    """Where `sender` writes to `to`."""
    return f"coflex.{run}.to.{to}.from.{sender}"


def inbox(run: str, host: str) -> str:
    """What `host` subscribes to."""
    return f"coflex.{run}.to.{host}.from.*"


def replies(name: str) -> str:
    """What the subjects begin with on which `name` awaits answers to its requests: with one that
    all share, anybody could read anybody's."""
    return f"_INBOX_{name}"


def everything(run: str) -> str:
    """All that is said in a run: for who tests a household."""
    return f"coflex.{run}.to.*.from.*"


def sender_of(subject: str) -> str:
    """The host that wrote to this subject."""
    sender = _parts(subject)[5]
    if not is_name(sender):
        raise DecodeError(f"not from a host: {subject!r}")
    return sender


def receiver_of(subject: str) -> str:
    """The host that was written to."""
    return _parts(subject)[3]


def _parts(subject: str) -> list[str]:
    parts = subject.split(".")
    if len(parts) != 6 or [parts[i] for i in (0, 2, 4)] != ["coflex", "to", "from"]:
        raise DecodeError(f"not a subject of ours: {subject!r}")
    return parts
