"""What each part may say and hear on the bus. Decided by its name alone; the server enforces it.

Every subject of ours ends in its sender, so fixed permissions keep a part from speaking for
another, and from hearing what is meant for another.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from protocol.subjects import ANNOUNCEMENTS, INQUIRIES, OPERATOR, ORCHESTRATOR, direct, replies

SERVICES = "$SRV.>"
"""What standard NATS tools ask micro services on."""
_ANY = "*"
_MATCHMAKER = re.compile(r"matchmaker-[0-9]+")


@dataclass(frozen=True, slots=True)
class Permissions:
    """Subjects, with wildcards, in the server's own notation."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    answer: bool = False
    """Whether it may answer a request, wherever the answer is wanted."""


def permissions(name: str) -> Permissions:
    """What the part of this name may do; who is no other is a host."""
    publish = [direct(_ANY, _ANY, name)]
    subscribe = [f"coflex.*.to.{name}.>", "coflex.announce.>", f"{replies(name)}.>"]
    if name == ORCHESTRATOR:
        publish.append(ANNOUNCEMENTS)
    elif name == OPERATOR:
        publish += [INQUIRIES, SERVICES]
    elif is_matchmaker(name):
        subscribe.append(SERVICES)
    return Permissions(tuple(publish), tuple(subscribe), answer=is_matchmaker(name))


def leaf_permissions(hosts: Sequence[str]) -> Permissions:
    """What a leaf node may pass on, and what is passed on to it: what its hosts may, no more."""
    own = [permissions(host) for host in hosts]
    publish = [subject for each in own for subject in each.publish]
    subscribe = [subject for each in own for subject in each.subscribe]
    return Permissions(tuple(dict.fromkeys(publish)), tuple(dict.fromkeys(subscribe)))


def is_matchmaker(name: str) -> bool:
    """Whether this is a matchmaker's name."""
    return _MATCHMAKER.fullmatch(name) is not None
