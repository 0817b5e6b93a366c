"""A connected part of the tree on one host: many households' stage 1, no messages inside.

It decides level by level, each as soon as it has heard the children on other hosts, and says at its
edges what its households would have said one by one; stage_one.py is the reference, band.py has the
arithmetic.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from agents.member import Member, Phase
from agents.planning.batch_selection import Aggregates, HouseholdBatch, Row, Rows
from agents.planning.costs import cost_function
from agents.planning.plan_selection import summarise
from agents.planning.stage import late_answer
from protocol.errors import PeerError
from protocol.messages import Address, Down, Iteration, Place, PlanningHistory, Progress, Up
from protocol.messages.planning import Aggregate
from protocol.runtime.machine import Envelope


@dataclass(slots=True, eq=False)
class Seat:
    """One household's stage 1, decided in a part."""

    member: Member
    place: Place
    open: Callable[[], None]
    """Group the households of this host into parts; PeerError if not all are placed yet."""
    start: Callable[[float], list[Envelope]]
    """Begin with all households of this host."""
    row: int = -1
    part: "PlannedSubtree | None" = None

    @property
    def iteration(self) -> int:
        """The iteration its part is in."""
        return 0 if self.part is None else self.part.iteration

    @property
    def selections(self) -> list[int]:
        """The selected plan after each iteration so far."""
        return [] if self.part is None else [int(row[self.row]) for row in self.part.history]

    def begin(self, now: float) -> list[Envelope]:
        """Start, and all others of this host too."""
        return self.start(now)

    def on_up(self, sender: Address, up: Up, now: float) -> list[Envelope]:
        """A child's aggregate."""
        return self._seated().on_up(self, sender, up, now)

    def on_down(self, sender: Address, down: Down, now: float) -> list[Envelope]:
        """The parent's answer."""
        return self._seated().on_down(self, sender, down, now)

    def missing(self) -> tuple[Address, ...]:
        """Whom its part waits for, if it is at an edge."""
        return self._seated().missing(self)

    def _seated(self) -> "PlannedSubtree":
        if self.part is None:
            self.open()
        assert self.part is not None
        return self.part


@dataclass(slots=True)
class _Shelf:
    """A band and where it stands: its rows, its children's rows, its children on other hosts."""

    band: HouseholdBatch
    rows: slice
    inner: slice
    """Rows of the children on this host, in order."""
    inner_at: NDArray[np.intp]
    """Which of all children they are, counted through the band."""
    outer: dict[Address, int]
    """Children on other hosts, and which of all they are."""
    received: dict[Address, Up] = field(default_factory=dict)
    risen: bool = False


class PlannedSubtree:
    """A connected part of the tree on this host; rows run level by level, the top is row 0.

    Invariant: between calls it waits for a child on another host, or for its top's parent.
    """

    def __init__(self, top: Seat, seats: Mapping[Address, Seat]) -> None:
        self.iteration = 0
        self.history: list[Rows] = []
        """The selected plan of each row, by iteration."""
        self._seats: list[Seat] = []
        self._shelves: list[_Shelf] = []
        self._top, self._attempt = top, top.place.attempt
        self._terms, self._slots = top.place.terms, top.member.plans.slots
        level = [top]
        while level:
            below = len(self._seats) + len(level)
            for run in _alike(level):
                self._shelves.append(self._shelf(run, below, seats))
                below = self._shelves[-1].inner.stop
            level = [seats[c] for seat in level for c in seat.place.children if c in seats]
        count = len(self._seats)
        self._sizes = np.ones(count, dtype=np.int64)
        self._risen = Aggregates(np.empty((count, self._slots)), np.empty(count), np.empty(count))
        self._next = len(self._shelves)
        """The shelf that rises next is the one before this."""
        self._answers: dict[Address, Down] = {}
        self._course: list[Iteration] = []
        edge = {shelf_child for shelf in self._shelves for shelf_child in shelf.outer}
        self._edge = [
            seat
            for seat in self._seats
            if seat is top or any(child in edge for child in seat.place.children)
        ]

    @property
    def _over(self) -> bool:
        return self.iteration == self._terms.iterations

    def _shelf(self, run: Sequence[Seat], below: int, seats: Mapping[Address, Seat]) -> _Shelf:
        """The next shelf; the children of its rows begin at row `below`."""
        first, households = len(self._seats), run[0].place.households
        rows = []
        for seat in run:
            seat.part, seat.row = self, len(self._seats)
            self._seats.append(seat)
            member, terms = seat.member, seat.place.terms
            discomforts = member.plans.discomforts(terms.discomfort)
            chance = member.chance(terms.seed, member.address.name)
            rows.append(Row(member.plans.values, discomforts, terms, chance))
        children = [child for seat in run for child in seat.place.children]
        inner = [at for at, child in enumerate(children) if child in seats]
        return _Shelf(
            HouseholdBatch(rows, len(run[0].place.children), households, run[0].member.arithmetic),
            slice(first, len(self._seats)),
            slice(below, below + len(inner)),
            np.array(inner, dtype=np.intp),
            {child: at for at, child in enumerate(children) if child not in seats},
        )

    # -- what comes in ----------------------------------------------------------------------------

    def on_up(self, seat: Seat, sender: Address, up: Up, now: float) -> list[Envelope]:
        """The aggregate of a child on another host."""
        member = seat.member
        if up.iteration < self.iteration or member.finished:
            return [Envelope(member.address, sender, late_answer(self._answers, sender, up))]
        if len(up.response) != self._slots:
            raise PeerError(f"{sender} speaks of {len(up.response)} slots")
        shelf = next((s for s in self._shelves if sender in s.outer), None)
        if up.iteration > self.iteration or shelf is None or sender not in seat.place.children:
            raise PeerError(f"{sender} is not a child in iteration {up.iteration}")
        if shelf.risen:
            return []
        shelf.received.setdefault(sender, up)
        if member.phase is Phase.PLACED:
            return member.begin(now)  # the start was heard by others, so it has been given
        return member.say([], now) + self.go_on(now)

    def on_down(self, seat: Seat, sender: Address, down: Down, now: float) -> list[Envelope]:
        """What the parent of the top answers."""
        if seat is not self._top or sender != seat.place.parent:
            raise PeerError(f"{sender} is not the parent of {seat.member.address.name}")
        if down.iteration < self.iteration or seat.member.phase is not Phase.PLANNING:
            return []
        if down.iteration > self.iteration or self._next:
            raise PeerError(f"{sender} answers iteration {down.iteration} before it was asked")
        if len(down.response) != self._slots:
            raise PeerError(f"{sender} speaks of {len(down.response)} slots")
        everybody = down.sums
        return self._settle(everybody, down.approved, now) + self.go_on(now)

    def missing(self, seat: Seat) -> tuple[Address, ...]:
        """Whom the part waits for: nobody but those at its edges need say so."""
        if seat not in self._edge:
            return ()
        if self._next == 0:
            return () if self._top.place.parent is None else (self._top.place.parent,)
        return tuple(
            child
            for shelf in self._shelves
            for child in shelf.outer
            if not shelf.risen and child not in shelf.received
        )

    # -- iterations -------------------------------------------------------------------------------

    def go_on(self, now: float) -> list[Envelope]:
        """As far as it goes without hearing from other hosts."""
        out: list[Envelope] = []
        while not self._over and self._rise():
            top = self._top.member
            aggregate = Aggregate(
                self._risen.response[0].copy(),
                float(self._risen.discomfort[0]),
                float(self._risen.discomfort_squares[0]),
            )
            if self._top.place.parent is not None:
                up = Up(self.iteration, int(self._sizes[0]), *aggregate, self._attempt)
                return out + top.say([Envelope(top.address, self._top.place.parent, up)], now)
            out += self._conclude(aggregate, now)
        return out

    def _rise(self) -> bool:
        """Let the shelves rise, deepest first; whether the top has risen just now."""
        if self._next == 0:
            return False
        while self._next:
            shelf = self._shelves[self._next - 1]
            if len(shelf.received) < len(shelf.outer):
                return False
            received = self._received(shelf)
            if self.iteration == 0:
                self._count(shelf)
            aggregates = shelf.band.bottom_up(received, self._sizes[shelf.rows, None])
            for kept, new in zip(self._risen, aggregates, strict=True):
                kept[shelf.rows] = new
            shelf.risen, shelf.received = True, {}
            self._next -= 1
        return True

    def _received(self, shelf: _Shelf) -> Aggregates | None:
        """What the children of the shelf's rows have sent: float64[m, c, d] ..."""
        rows = shelf.rows.stop - shelf.rows.start
        children = len(shelf.inner_at) + len(shelf.outer)
        if not children:
            return None
        inner = Aggregates(*(part[shelf.inner] for part in self._risen))
        if shelf.outer:
            together = Aggregates(
                np.empty((children, self._slots)), np.empty(children), np.empty(children)
            )
            for all_of_them, own in zip(together, inner, strict=True):
                all_of_them[shelf.inner_at] = own
            for child, at in shelf.outer.items():
                up = shelf.received[child]
                together.response[at] = up.response
                together.discomfort[at] = up.discomfort
                together.discomfort_squares[at] = up.discomfort_squares
            inner = together
        response, discomfort, squares = inner
        return Aggregates(
            response.reshape(rows, -1, self._slots),
            discomfort.reshape(rows, -1),
            squares.reshape(rows, -1),
        )

    def _count(self, shelf: _Shelf) -> None:
        """How many households the subtree of each row has."""
        children = len(shelf.inner_at) + len(shelf.outer)
        if not children:
            return
        sizes = np.empty(children, dtype=np.int64)
        sizes[shelf.inner_at] = self._sizes[shelf.inner]
        for child, at in shelf.outer.items():
            sizes[at] = shelf.received[child].size
        self._sizes[shelf.rows] = 1 + sizes.reshape(shelf.rows.stop - shelf.rows.start, -1).sum(1)

    def _conclude(self, everybody: Aggregate, now: float) -> list[Envelope]:
        """The root is here: its aggregate is the global plan."""
        terms, root = self._terms, self._top.member
        summary = summarise(
            everybody,
            self._top.place.households,
            cost_function(terms.cost, terms.target, terms.scaling, root.arithmetic),
            (terms.alpha, terms.beta),
            root.arithmetic,
        )
        row = Iteration(self.iteration, *summary)
        self._course.append(row)
        return [*self._settle(everybody, True, now), root.to_orchestrator(Progress(row))]

    def _settle(self, everybody: Aggregate, approved: bool, now: float) -> list[Envelope]:
        """Take the global plan, answer the children; the next iteration, or the end."""
        stands = np.empty(len(self._seats), dtype=bool)
        stands[0] = approved
        self._answers = {}
        out: list[Envelope] = []
        for shelf in self._shelves:
            shelf.band.top_down(everybody, stands[shelf.rows])
            shelf.risen = False
            flags = shelf.band.flags.reshape(-1)
            stands[shelf.inner] = flags[shelf.inner_at]
            for child, at in shelf.outer.items():
                self._answers[child] = Down(
                    self.iteration,
                    *everybody,
                    approved=bool(flags[at]),
                    reorganise=False,
                    attempt=self._attempt,
                )
        for seat in self._edge:
            out += (
                Envelope(seat.member.address, child, self._answers[child])
                for child in seat.place.children
                if child in self._answers
            )
            if seat.member.phase is Phase.PLANNING:
                seat.member.say([], now)
        self.history.append(np.concatenate([shelf.band.selected for shelf in self._shelves]))
        self._next = len(self._shelves)
        self.iteration += 1
        return out + self._report(everybody, now) if self._over else out

    def _report(self, everybody: Aggregate, now: float) -> list[Envelope]:
        """The stage is over for every household here."""
        course = PlanningHistory(tuple(self._course), everybody.response) if self._course else None
        out: list[Envelope] = []
        for seat, selected in zip(self._seats, self.history[-1].tolist(), strict=True):
            if seat.member.phase is Phase.PLANNING:
                out += seat.member.planned(selected, course if seat is self._top else None, now)
        return out


def _alike(level: Sequence[Seat]) -> Iterator[list[Seat]]:
    """Runs of neighbours with equally many children."""
    for _, run in groupby(level, key=lambda seat: len(seat.place.children)):
        yield list(run)
