"""Stage 1 of all households of a host, decided together. This module decides which of them form
subtrees.

Under hard constraints, or where the tree may change, each household decides by itself (stage.py).
"""

from collections.abc import Callable

from agents.planning.stage import Participant, Planning, PlanningStage
from agents.planning.subtree import SharedStage, Subtree
from protocol.errors import PeerError
from protocol.messages import Address, Iteration, Place, Up
from protocol.runtime.machine import Envelope


class HostPlanning:
    """Stage 1 of the households of one host, which start together."""

    def __init__(
        self, households: int, iterated: Callable[[Iteration], None] = lambda iteration: None
    ) -> None:
        """Wait for `households` of them to be placed before anything is decided. `iterated` is
        called after each iteration if the root is among them."""
        self._households, self.iterated = households, iterated
        self._members: dict[Address, SharedStage] = {}
        self._subtrees: list[Subtree] = []
        self._begins = (1, 0)
        """The attempt, and the number of exchanges before it, of the stage that begins next."""
        self.early: list[tuple[SharedStage, Address, Up]] = []
        """Sums that came after an exchange, before it was over for all households of this host."""
        self.changed: dict[Address, None] = {}
        """Households whose state has changed since the last `take_changed`, in order."""

    def stage(self, participant: Participant, place: Place) -> Planning:
        """Return stage 1 of a household that has been placed."""
        terms = place.terms
        if terms.constraint is not None or terms.reorganisation.strategy != "never":
            return PlanningStage(participant, place)
        begins = place.attempt, participant.loop
        if begins > self._begins:
            self._members, self._subtrees, self._begins = {}, [], begins
            self.changed.clear()
            self.early.clear()
        member = SharedStage(participant, place, self)
        if begins == self._begins:  # otherwise others here have already begun anew
            self._members[participant.address] = member
        return member

    def form_subtrees(self) -> None:
        """Group the households into subtrees. Raises PeerError unless all are placed."""
        if len(self._members) < self._households:
            raise PeerError("not all households of this host are placed yet")
        if self._subtrees:
            return
        members = self._members
        tops = [member for member in members.values() if member.place.parent not in members]
        self._subtrees = [Subtree(top, members, self.changed) for top in tops]

    def begin(self) -> list[Envelope]:
        """Start all households of this host: once one of them knows that the run has started, or
        once an exchange is over for the last of them."""
        if self._begins[1] and len(self._members) < self._households:
            return []
        self.form_subtrees()
        out: list[Envelope] = []
        for subtree in self._subtrees:
            out += subtree.begin()
        early, self.early = self.early, []
        for member, sender, up in early:
            out += member.on_up(sender, up)
        return out
