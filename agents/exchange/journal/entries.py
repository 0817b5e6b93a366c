"""Entries: the facts that a household writes down before it acts, and the journal that keeps them.

No frame leaves a host before the entries it depends on are committed. `append` collects entries;
`commit` makes them durable and is called once before frames are sent, however many households
wrote. The same entries later explain to the people of the household what was decided and why.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple, Protocol

from protocol.messages.exchange import Refusal

Kind = Literal[
    "planned", "anew", "replanned", "withdrawn",
    "begin", "resume", "round", "risen", "counted", "over", "closed",
    "proposed", "done", "failed", "declined", "accepted", "refused",
    "countered", "released", "settled", "dismissed", "shared", "traded",
    "home", "devices", "inside",
    "told",
]  # fmt: skip
"""planned: stage 1 is over (`data`: the place, the result, and the state of the generator). anew:
stage 1 starts again, and all earlier entries are void. replanned: stage 1 is over once more after
an exchange, and another exchange starts (`data`). withdrawn: that exchange is void, and stage 1
goes on. begin: stage 2 starts (`data`: place and terms). resume: the household has restarted.
round: a round begins. risen: the round is finished in the subtree (`data`: the report to the
parent). counted: the same at the root. over: the stage has ended. closed: the sums over all
households are known (`data`). proposed, done, failed, declined: as requester. accepted, refused: as
responder. shared: the shares of the equal shift are known (`data`). Content bundle only (`data`:
the bundle): countered, as responder, which is reserved from then on; released, as requester, which
does not want the bundle; settled: the responder has heard of either; dismissed: the responder has
heard of a release. Rule `ttc` only (`data`: the trades): traded, as reported by a matchmaker; each
becomes `done` when it is made. Content amounts (`data`: new schedules of devices, and parts):
countered, done, settled and dismissed likewise; home: what its devices are (`data`: see
home_facts.py); devices: all schedules when stage 2 starts; inside: the home has rearranged its own
devices; failed: a wish for which partners were asked in vain. The first and the last only explain.
Of an orchestrator (`data`: the message): told, something that changes the state of its run.
"""


class Entry(NamedTuple):
    """One entry of a journal."""

    household: str
    kind: Kind
    round: int = 0
    slot: int = -1
    host: str = ""
    partner: str = ""
    epoch: int = 0
    lease: int = 0
    given: float = 0.0
    """Value held before, as recorded by this household, kWh."""
    taken: float = 0.0
    """Value offered for it, kWh."""
    change: float = 0.0
    """Change of the own squared deviation, made or avoided, kWh^2."""
    reason: Refusal = ""
    data: bytes = b""


class Journal(Protocol):
    """The journal of one host."""

    def append(self, entry: Entry) -> None:
        """Add an entry; it is durable after the next `commit`."""
        ...

    def commit(self) -> None:
        """Make all entries added so far durable."""
        ...

    def entries(self) -> dict[str, list[Entry]]:
        """Return the durable entries by household, in the order in which they were written."""
        ...


class MemoryJournal:
    """A journal that outlives a host in the same process: for simulation."""

    def __init__(self) -> None:
        self._lasting: list[Entry] = []
        self._pending: list[Entry] = []

    def append(self, entry: Entry) -> None:
        """Add an entry; it is durable after the next `commit`."""
        self._pending.append(entry)

    def commit(self) -> None:
        """Make all entries added so far durable."""
        self._lasting += self._pending
        self._pending.clear()

    def crash(self) -> None:
        """Drop the entries that were not committed."""
        self._pending.clear()

    def save(self, journal: Journal) -> None:
        """Copy the durable entries into another journal."""
        for entry in self._lasting:
            journal.append(entry)
        journal.commit()

    def entries(self) -> dict[str, list[Entry]]:
        """Return the durable entries by household."""
        return by_household(self._lasting)


def by_household(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Group entries by household, keeping their order."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.household, []).append(entry)
    return found
