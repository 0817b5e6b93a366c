"""Stage 1 of all households of a host at once: whole subtrees in arrays, no messages inside.

Groups the households of a host into connected parts of the tree, which decide (part.py). Under
hard constraints, or where the tree may change, its households decide one by one (stage_one.py).
"""

from agents.member import Member, Phase, Stage
from agents.planning.stage import PlanningStage
from agents.planning.subtree import PlannedSubtree, Seat
from protocol.errors import PeerError
from protocol.messages import Address, Place
from protocol.runtime.machine import Envelope


class Subtree:
    """What the households of a host share: `seat` is the `stage` of each of them."""

    def __init__(self, households: int) -> None:
        self._households = households
        self._seats: dict[Address, Seat] = {}
        self._parts: list[PlannedSubtree] = []
        self._attempt = 0

    def seat(self, member: Member, place: Place) -> Stage:
        """A household has been placed."""
        terms = place.terms
        if terms.constraint is not None or terms.reorganisation.strategy != "never":
            return PlanningStage(member, place)
        if place.attempt > self._attempt:
            self._seats, self._parts, self._attempt = {}, [], place.attempt
        seat = self._seats[member.address] = Seat(member, place, self.open, self.begin)
        return seat

    def open(self) -> None:
        """Group the households into parts, once all are placed."""
        if len(self._seats) < self._households:
            raise PeerError("not all households of this host are placed yet")
        if self._parts:
            return
        tops = [seat for seat in self._seats.values() if seat.place.parent not in self._seats]
        self._parts = [PlannedSubtree(top, self._seats) for top in tops]

    def begin(self, now: float) -> list[Envelope]:
        """The start has been given, to one household and so to all."""
        self.open()
        out: list[Envelope] = []
        for seat in self._seats.values():
            if seat.member.phase in (Phase.PLACED, Phase.PLANNING):
                seat.member.phase = Phase.PLANNING
                out += seat.member.say([], now)
        for part in self._parts:
            out += part.go_on(now)
        return out
