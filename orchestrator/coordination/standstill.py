"""Who is to blame when a run makes no progress, and how that is said."""

from collections.abc import Collection, Mapping, Sequence

from orchestrator.coordination.run_phase import RunPhase
from protocol.messages import Address, Waiting

NAMED_MAX = 8
"""Maximum number of names in an error message."""


class WaitingReports:
    """What households say about those for whom they wait."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[float, tuple[Address, ...]]] = {}
        """When each household last spoke, and for whom it waited then."""
        self._done: dict[str, int] = {}
        """The progress in stage 2 that each household has reported."""

    def take(self, household: str, waiting: Waiting, now: float) -> bool:
        """Take a report; return True if it tells of progress."""
        before = self._done.get(household, 0)
        self._said[household], self._done[household] = (now, waiting.missing), waiting.done
        return waiting.done != before

    def since(self, time: float) -> dict[str, tuple[Address, ...]]:
        """Return for whom each household waits, by the reports from this time on."""
        return {name: missing for name, (said, missing) in self._said.items() if said >= time}


def to_blame(members: Collection[str], waiting: Mapping[str, Collection[Address]]) -> set[str]:
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


def who_is_missing(
    phase: RunPhase,
    members: Sequence[str],
    *,
    enrolled: Collection[str],
    ready: Collection[str],
    waiting: Mapping[str, Collection[Address]],
    results: Collection[str],
) -> str:
    """Return for whom a run waits in this phase, as far as known; `waiting` is as in `to_blame`."""
    match phase:
        case RunPhase.ENROLLING:
            missing, what = set(members).difference(enrolled), "{} did not enrol"
        case RunPhase.PLACING:
            missing, what = set(members).difference(ready), "{} did not confirm their place"
        case _:
            missing, what = to_blame(members, waiting), "no answer from {}"
            if not missing:
                missing, what = set(members).difference(results), "no result of {}"
    return what.format(name_some(members, missing))


def name_some(members: Sequence[str], missing: set[str]) -> str:
    """Return the first names in `missing`, in the order of `members` and then strangers by name,
    and the number of others."""
    names = [name for name in members if name in missing]
    names += sorted(missing.difference(members))
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return ", ".join(names[:NAMED_MAX]) + more
