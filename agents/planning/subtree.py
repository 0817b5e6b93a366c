"""Stage 1 of a connected part of the tree on one host: in arrays, without messages inside.

A `Subtree` decides layer by layer, each layer as soon as its children on other hosts have reported.
At its edges it sends what its households would send one by one. stage.py is the reference,
batch_selection.py has the arithmetic, and host_planning.py groups households into subtrees.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

import numpy as np

from agents.planning.batch_selection import Aggregates, HouseholdBatch, Row, Rows
from agents.planning.costs import cost_function
from agents.planning.layer import Layer
from agents.planning.plan_selection import summarise
from agents.planning.stage import (
    Participant,
    PlanningResult,
    check_answer,
    late_answer,
    planning_history,
)
from protocol.errors import PeerError
from protocol.messages import Address, Aggregate, Down, Iteration, Place, Progress, Up
from protocol.runtime.machine import Envelope
from protocol.vectors import Array


class Host(Protocol):
    """The host of a subtree, as its households see it."""

    changed: dict[Address, None]
    """Households whose state has changed since the last `take_changed`, in order."""
    iterated: Callable[[Iteration], None]
    """Called after each iteration, at the root."""
    early: "list[tuple[SharedStage, Address, Up]]"
    """Sums that came after an exchange, before the exchange was over for all households here."""

    def form_subtrees(self) -> None:
        """Group the households into subtrees. Raises PeerError unless all are placed."""
        ...

    def begin(self) -> list[Envelope]:
        """Start all households of this host."""
        ...


@dataclass(slots=True, eq=False)
class SharedStage:
    """One household's stage 1, decided together with those of its subtree."""

    participant: Participant
    place: Place
    host: "Host"
    begun: bool = False
    row: int = -1
    """Row of the household in the arrays of its subtree."""
    subtree: "Subtree | None" = None
    unanswered: Envelope | None = None
    result: PlanningResult | None = None

    @property
    def address(self) -> Address:
        """The household's address."""
        return self.participant.address

    @property
    def iteration(self) -> int:
        """The present iteration of its subtree, from 0."""
        return 0 if self.subtree is None else self.subtree.iteration

    @property
    def selections(self) -> list[int]:
        """The selected plan after each iteration so far."""
        return [] if self.subtree is None else [int(row[self.row]) for row in self.subtree.history]

    @property
    def missing(self) -> tuple[Address, ...]:
        """The neighbours whose messages its subtree is missing, if the household is at an edge."""
        return () if self.participant.loop and not self.subtree else self._formed().missing(self)

    def begin(self) -> list[Envelope]:
        """Start stage 1 of all households of this host."""
        return self.host.begin()

    def on_up(self, sender: Address, up: Up) -> list[Envelope]:
        """Take the sums of a child on another host."""
        if self.participant.loop and self.subtree is None:
            self.host.early.append((self, sender, up))
            return []
        return self._formed().on_up(self, sender, up)

    def on_down(self, sender: Address, down: Down) -> list[Envelope]:
        """Take the answer of the parent on another host."""
        return self._formed().on_down(self, sender, down)

    def take_changed(self) -> list[Address]:
        """Return the households of this host whose state has changed since the last call."""
        changed = list(self.host.changed)
        self.host.changed.clear()
        return changed

    def _formed(self) -> "Subtree":
        if self.subtree is None:
            self.host.form_subtrees()
        assert self.subtree is not None
        return self.subtree


class Subtree:
    """A connected part of the tree on this host. Rows run level by level; the top is row 0.

    Invariant: between calls it waits for a child on another host, or for the parent of its top.
    """

    def __init__(
        self,
        top: SharedStage,
        members: Mapping[Address, SharedStage],
        changed: dict[Address, None],
    ) -> None:
        """Collect `top` and all its descendants on this host. The households whose state changes
        are added to `changed`."""
        self._planned = top.participant.iterations(top.place.terms)
        self.iteration = self._planned.start
        self.history: list[Rows] = []
        """The selected plan of each row, by iteration."""
        self._members: list[SharedStage] = []
        self._layers: list[Layer] = []
        self._top, self._attempt, self._changed = top, top.place.attempt, changed
        self._terms, self._slots = top.place.terms, top.participant.plans.slots
        level = [top]
        while level:
            below = len(self._members) + len(level)
            for run in _alike(level):
                self._layers.append(self._layer(run, below, members))
                below = self._layers[-1].inner.stop
            level = [members[c] for member in level for c in member.place.children if c in members]
        count = len(self._members)
        self._sizes = np.ones(count, dtype=np.int64)
        self._sums = Aggregates(np.empty((count, self._slots)), np.empty(count), np.empty(count))
        self._undecided = len(self._layers)
        """Number of layers that have not decided yet; the deepest one decides first."""
        self._answers: dict[Address, Down] = {}
        self._iterations: list[Iteration] = []
        """The iterations so far, if the top is the root."""
        self._summed: Array | None = None
        """The global plan after the first iteration, if that one kept all plans."""
        outer = {child for layer in self._layers for child in layer.outer}
        self._edge = [
            member
            for member in self._members
            if member is top or any(child in outer for child in member.place.children)
        ]

    @property
    def _over(self) -> bool:
        return self.iteration == self._planned.stop

    def _layer(
        self, run: Sequence[SharedStage], below: int, members: Mapping[Address, SharedStage]
    ) -> Layer:
        """Return the next layer; the children of its rows begin at row `below`."""
        first, households = len(self._members), run[0].place.households
        rows = []
        for member in run:
            member.subtree, member.row = self, len(self._members)
            self._members.append(member)
            own, terms = member.participant, member.place.terms
            chance = own.chance(terms.seed, own.address.name)
            discomforts = own.discomforts(terms)
            rows.append(
                Row(
                    plans=own.plans.values,
                    discomforts=discomforts,
                    terms=terms,
                    chance=chance,
                    selected=own.selected,
                )
            )
        children = [child for member in run for child in member.place.children]
        inner = [at for at, child in enumerate(children) if child in members]
        return Layer(
            batch=HouseholdBatch(
                rows,
                children=len(run[0].place.children),
                households=households,
                arithmetic=run[0].participant.arithmetic,
            ),
            rows=slice(first, len(self._members)),
            inner=slice(below, below + len(inner)),
            inner_at=np.array(inner, dtype=np.intp),
            outer={child: at for at, child in enumerate(children) if child not in members},
        )

    # -- incoming messages ------------------------------------------------------------------------

    def begin(self) -> list[Envelope]:
        """Start stage 1 of all households in the subtree."""
        for member in self._members:
            member.begun = True
        self._note(self._members)
        return self._go_on()

    def on_up(self, member: SharedStage, sender: Address, up: Up) -> list[Envelope]:
        """Take the sums of a child on another host, or answer again if the iteration is over."""
        if self._over or up.iteration < self.iteration:
            return [Envelope(member.address, sender, late_answer(self._answers, sender, up))]
        if len(up.response_kwh) != self._slots:
            raise PeerError(f"{sender} speaks of {len(up.response_kwh)} slots")
        layer = next((layer for layer in self._layers if sender in layer.outer), None)
        if up.iteration > self.iteration or layer is None or sender not in member.place.children:
            raise PeerError(f"{sender} is not a child in iteration {up.iteration}")
        if layer.decided:
            return []
        layer.received.setdefault(sender, up)
        if not member.begun:
            # This host missed the start, but a child that has begun has heard it.
            return member.begin()
        self._note([member])
        return self._go_on()

    def on_down(self, member: SharedStage, sender: Address, down: Down) -> list[Envelope]:
        """Take the answer of the top's parent."""
        if member is not self._top or sender != member.place.parent:
            raise PeerError(f"{sender} is not the parent of {member.address.name}")
        if down.iteration < self.iteration or self._over:
            return []
        if down.iteration > self.iteration or self._undecided:
            raise PeerError(f"{sender} answers iteration {down.iteration} before it was asked")
        check_answer(sender, down, self._slots, first=self.iteration == self._planned.start)
        return self._top_down(down.sums, down.approved) + self._go_on()

    def missing(self, member: SharedStage) -> tuple[Address, ...]:
        """Return the neighbours whose messages are missing; empty unless `member` is at an edge."""
        if member not in self._edge:
            return ()
        if self._undecided == 0:
            return () if self._top.place.parent is None else (self._top.place.parent,)
        return tuple(
            child
            for layer in self._layers
            for child in layer.outer
            if not layer.decided and child not in layer.received
        )

    def _note(self, members: Sequence[SharedStage]) -> None:
        """Report these households as changed, after those that are already reported."""
        for member in members:
            self._changed.pop(member.address, None)
            self._changed[member.address] = None

    # -- iterations -------------------------------------------------------------------------------

    def _go_on(self) -> list[Envelope]:
        """Advance as far as possible without hearing from other hosts."""
        out: list[Envelope] = []
        while not self._over and self._bottom_up():
            top = self._top
            sums = Aggregate(
                self._sums.response[0].copy(),
                float(self._sums.discomfort[0]),
                float(self._sums.discomfort_squares[0]),
            )
            if top.place.parent is not None:
                up = Up(self.iteration, int(self._sizes[0]), *sums, attempt=self._attempt)
                top.unanswered = Envelope(top.address, top.place.parent, up)
                self._note([top])
                return [*out, top.unanswered]
            out += self._conclude(sums)
        return out

    def _bottom_up(self) -> bool:
        """Let the layers decide, deepest first. Returns True if the top has just decided."""
        if self._undecided == 0:
            return False
        while self._undecided:
            layer = self._layers[self._undecided - 1]
            if len(layer.received) < len(layer.outer):
                return False
            received = layer.children_sums(self._sums)
            if self.iteration == self._planned.start:
                layer.count(self._sizes)
            aggregates = layer.batch.bottom_up(received, self._sizes[layer.rows, None])
            for kept, new in zip(self._sums, aggregates, strict=True):
                kept[layer.rows] = new
            layer.decided, layer.received = True, {}
            self._undecided -= 1
        return True

    def _conclude(self, total: Aggregate) -> list[Envelope]:
        """Finish an iteration if the top is the root, whose sums cover all households."""
        terms, root = self._terms, self._top.participant
        summary = summarise(
            total,
            self._top.place.households,
            cost=cost_function(terms.cost, terms.target, terms.scaling, arithmetic=root.arithmetic),
            weights=(terms.alpha, terms.beta),
            arithmetic=root.arithmetic,
        )
        row = Iteration(self.iteration, *summary)
        self._iterations.append(row)
        if self.iteration and self.iteration == self._planned.start:
            self._summed = total.response
        self._top.host.iterated(row)
        out = self._top_down(total, approved=True)
        return [*out, Envelope(root.address, root.orchestrator, Progress(row))]

    def _top_down(self, total: Aggregate, approved: bool) -> list[Envelope]:
        """Take the global plan and answer the children; go on to the next iteration, or end."""
        stands = np.empty(len(self._members), dtype=bool)
        stands[0] = approved
        self._answers = {}
        for layer in self._layers:
            layer.batch.top_down(total, stands[layer.rows])
            layer.decided = False
            flags = layer.batch.flags.reshape(-1)
            stands[layer.inner] = flags[layer.inner_at]
            for child, at in layer.outer.items():
                self._answers[child] = Down(
                    self.iteration,
                    *total,
                    approved=bool(flags[at]),
                    reorganise=False,
                    attempt=self._attempt,
                )
        out = [
            Envelope(member.address, child, self._answers[child])
            for member in self._edge
            for child in member.place.children
            if child in self._answers
        ]
        self._top.unanswered = None
        self._note(self._edge)
        self.history.append(np.concatenate([layer.batch.selected for layer in self._layers]))
        self._undecided = len(self._layers)
        self.iteration += 1
        if self._over:
            self._finish(total)
        return out

    def _finish(self, total: Aggregate) -> None:
        """End the stage for every household of the subtree."""
        history = planning_history(self._iterations, total.response, self._summed)
        states = [state for layer in self._layers for state in layer.batch.generator_states]
        for member, selected, state in zip(
            self._members, self.history[-1].tolist(), states, strict=True
        ):
            own = history if member is self._top else None
            member.result = PlanningResult(selected, own, generator_state=state)
        self._note(self._members)


def _alike(level: Sequence[SharedStage]) -> Iterator[list[SharedStage]]:
    """Split a level into runs of neighbours with equally many children."""
    for _, run in groupby(level, key=lambda member: len(member.place.children)):
        yield list(run)
