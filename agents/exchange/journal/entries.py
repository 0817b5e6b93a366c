"""What a household writes down before it acts, and how a host keeps it.

Nothing leaves a host before what it rests on is committed: `append` gathers, `commit` makes it last
and is called once before frames are sent, however many households wrote. The same entries tell the
household's people afterwards what was decided and why.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple, Protocol

from protocol.messages.exchange import Refusal

Kind = Literal[
    "planned", "anew", "begin", "resume", "round", "risen", "counted", "over", "closed",
    "proposed", "done", "failed", "declined", "accepted", "refused",
]  # fmt: skip
"""planned: stage 1 is over (`data`: the place, and what came out). anew: stage 1 begins again, and
what stands before is void. begin: stage 2 starts (`data`: where and how). resume: the household has
started again. round: a round begins. risen: the subtree's round is done, and this was said
(`data`); counted: the same at the root. over: the stage has ended. closed: the sums over all are
known (`data`). proposed, done, failed, declined: as requester. accepted, refused: as responder."""


class Entry(NamedTuple):
    """One line of a journal."""

    household: str
    kind: Kind
    round: int = 0
    slot: int = -1
    host: str = ""
    partner: str = ""
    epoch: int = 0
    lease: int = 0
    given: float = 0.0
    """kWh held before, as this household has it."""
    taken: float = 0.0
    """kWh offered for it."""
    change: float = 0.0
    """Own change of squared deviation, kWh^2, done or avoided."""
    reason: Refusal = ""
    data: bytes = b""


class Journal(Protocol):
    """One host's journal."""

    def append(self, entry: Entry) -> None:
        """Write down; lasts after the next `commit`."""
        ...

    def commit(self) -> None:
        """Make everything written so far last."""
        ...

    def entries(self) -> dict[str, list[Entry]]:
        """What lasts, by household, in the order it was written."""
        ...


class MemoryJournal:
    """A journal that outlives a host in the same process: for simulation."""

    def __init__(self) -> None:
        self._lasting: list[Entry] = []
        self._pending: list[Entry] = []

    def append(self, entry: Entry) -> None:
        """Write down; lasts after the next `commit`."""
        self._pending.append(entry)

    def commit(self) -> None:
        """Make everything written so far last."""
        self._lasting += self._pending
        self._pending.clear()

    def crash(self) -> None:
        """What was not committed is gone."""
        self._pending.clear()

    def save(self, journal: Journal) -> None:
        """Copy what lasts into another journal."""
        for entry in self._lasting:
            journal.append(entry)
        journal.commit()

    def entries(self) -> dict[str, list[Entry]]:
        """What lasts, by household."""
        return by_household(self._lasting)


def by_household(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """The entries of each household, in their order."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.household, []).append(entry)
    return found
