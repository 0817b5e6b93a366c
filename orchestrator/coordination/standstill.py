"""Who is to blame when a run makes no progress, and how that is said."""

from collections.abc import Collection, Mapping, Sequence

from protocol.messages import Address

NAMED_MAX = 8
"""Maximum number of names in an error message."""


def to_blame(members: Sequence[str], waiting: Mapping[str, Collection[Address]]) -> set[str]:
    """Return those for whom others wait and who wait for nobody themselves.

    `waiting` has the addresses for which each household waits. A matchmaker has the name of its
    host here, since that is what people start.
    """
    awaited = {
        address.name if address.name in members else address.host
        for addresses in waiting.values()
        for address in addresses
    }
    return awaited - set(waiting)


def name_some(members: Sequence[str], missing: set[str]) -> str:
    """Return the first names in `missing`, in the order of `members` and then strangers by name,
    and the number of others."""
    names = [name for name in members if name in missing]
    names += sorted(missing.difference(members))
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return ", ".join(names[:NAMED_MAX]) + more
