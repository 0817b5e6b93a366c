"""Permissions: the subjects that each part may publish and subscribe. They follow from its name
alone; the server enforces them.

Every subject of ours ends in its sender, so fixed permissions keep a part from speaking for
another, and from receiving messages meant for another.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from protocol.subjects import ANNOUNCEMENTS, INQUIRIES, OPERATOR, ORCHESTRATOR, direct, replies

SERVICES = "$SRV.>"
"""Subjects on which standard NATS tools query micro services."""
_ANY = "*"
_MATCHMAKER = re.compile(r"matchmaker-[0-9]+")


@dataclass(frozen=True, slots=True)
class Permissions:
    """Subjects a part may publish and subscribe, with wildcards, in the server's own notation."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    answer: bool = False
    """True if it may answer a request on the reply subject, whatever that is."""


def permissions(name: str) -> Permissions:
    """Return what the part called `name` may publish and subscribe. Any name without a role of its
    own is a host."""
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
    """Return what a leaf node may pass on in each direction: as much as its hosts may, and no
    more."""
    own = [permissions(host) for host in hosts]
    publish = [subject for each in own for subject in each.publish]
    subscribe = [subject for each in own for subject in each.subscribe]
    return Permissions(tuple(dict.fromkeys(publish)), tuple(dict.fromkeys(subscribe)))


def is_matchmaker(name: str) -> bool:
    """Return True if `name` is the name of a matchmaker."""
    return _MATCHMAKER.fullmatch(name) is not None
