"""Planning again after an exchange, by all households of a host together: the same as one by one,
in whatever order their exchanges end."""

from collections import deque
from collections.abc import Sequence

import numpy as np
import pytest

from agents.planning.host_planning import HostPlanning
from agents.planning.replanning import Replanning
from agents.planning.stage import Participant, Planning, PlanningResult, PlanningStage
from agents.plans import Plans
from protocol.errors import PeerError
from protocol.messages import Address, Down, Iteration, Place, Up
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms, Terms

HOUSEHOLDS, SLOTS = 9, 5
HOSTS = (0, 0, 1, 0, 1, 1, 2, 0, 1)
"""The host of each household."""
NAMES = [Address(f"host-{host}", f"h{position}") for position, host in enumerate(HOSTS)]
ORCHESTRATOR = Address("orchestrator", "orchestrator")
TERMS = Terms(
    iterations=7, beta=0.25, exchange=ExchangeTerms(content="bundle"), exchange_every=3, seed=5
)
ITERATIONS = (range(3), range(3, 6), range(6, 7))
"""The iterations after each number of exchanges."""


def place(position: int, attempt: int = 1) -> Place:
    children = [child for child in (2 * position + 1, 2 * position + 2) if child < HOUSEHOLDS]
    return Place(
        position=position,
        households=HOUSEHOLDS,
        parent=NAMES[(position - 1) // 2] if position else None,
        children=tuple(NAMES[child] for child in children),
        terms=TERMS,
        attempt=attempt,
    )


def participants(loop: int, seed: int = 0) -> list[Participant]:
    """Return households with few different values, so that ties are frequent."""
    rng, found = np.random.default_rng(seed), []
    for address in NAMES:
        plans = Plans(rng.integers(0, 3, (4, SLOTS)) / 2, rng.integers(0, 3, 4) / 2)
        schedules = tuple(rng.integers(0, 3, (loop, SLOTS)) / 2)
        household = Participant(address, ORCHESTRATOR, plans)
        state = int(rng.integers(0, 2**48))
        found.append(Replanning(schedules, state).participant(household) if loop else household)
    return found


class Planners:
    """Households that plan, and the messages among them."""

    def __init__(self, loop: int, *, together: bool, seed: int = 0) -> None:
        self.iterated: list[Iteration] = []
        self.hosts = [HostPlanning(HOSTS.count(host), self.iterated.append) for host in range(3)]
        self.households = participants(loop, seed)
        self.together, self.loop = together, loop
        self.stages: dict[Address, Planning] = {}
        self.waiting: deque[Envelope] = deque()
        self.changed: set[Address] = set()

    def place(self, position: int) -> None:
        host = self.hosts[HOSTS[position]]
        make = host.stage if self.together else PlanningStage
        household = self.households[position]
        self.stages[household.address] = make(household, place(position))

    def begin(self, position: int) -> None:
        stage = self.stages[NAMES[position]]
        self.waiting.extend(stage.begin())
        self.changed.update(stage.take_changed())

    def deliver(self) -> None:
        """Deliver messages until none are left for households that have been placed."""
        later: list[Envelope] = []
        while self.waiting:
            envelope = self.waiting.popleft()
            stage, message = self.stages.get(envelope.to), envelope.message
            if envelope.to == ORCHESTRATOR:
                continue
            if stage is None:
                later.append(envelope)
                continue
            assert isinstance(message, Up | Down)
            self.waiting.extend(
                stage.on_up(envelope.sender, message)
                if isinstance(message, Up)
                else stage.on_down(envelope.sender, message)
            )
            self.changed.update(stage.take_changed())
        self.waiting.extend(later)

    def run(self, order: Sequence[int]) -> None:
        """Let all exchanges end in this order, and planning go on as far as it can each time."""
        if not self.loop:
            for position in order:
                self.place(position)
        for position in order:
            if self.loop:
                self.place(position)
            self.begin(position)
            self.deliver()

    def results(self) -> list[tuple[object, ...]]:
        return [said(self.stages[address].result) for address in NAMES]


def said(result: PlanningResult | None) -> tuple[object, ...]:
    assert result is not None
    history = result.history
    if history is None:
        return result.selected, result.generator_state
    summed = None if history.summed_kwh is None else history.summed_kwh.tolist()
    told = (history.iterations, history.response_kwh.tolist(), summed)
    return result.selected, result.generator_state, *told


@pytest.mark.parametrize("loop", [0, 1, 2])
@pytest.mark.parametrize("order", [range(9), range(8, -1, -1), (6, 2, 0, 8, 4, 1, 5, 7, 3)])
def test_the_same_as_one_by_one_in_any_order(loop: int, order: Sequence[int]) -> None:
    together, alone = Planners(loop, together=True), Planners(loop, together=False)
    together.run(order)
    alone.run(order)
    assert together.results() == alone.results()
    assert not together.waiting
    assert together.changed == set(NAMES)
    every = list(ITERATIONS[loop])
    assert [row.iteration for row in together.iterated] == every
    history = together.stages[NAMES[0]].result
    assert history is not None
    assert history.history is not None
    assert [row.iteration for row in history.history.iterations] == every
    summed = history.history.summed_kwh
    if not loop:
        assert summed is None
    else:
        assert summed is not None
        kept = [household.plans.values[-1] for household in together.households]
        assert summed.tolist() == sum(kept).tolist()
    for address in NAMES:
        own, other = together.stages[address], alone.stages[address]
        assert own.selections == other.selections
        assert own.iteration == every[-1] + 1


def test_a_host_waits_until_all_its_exchanges_are_over() -> None:
    planners = Planners(1, together=True)
    for position in (8, 5, 4):  # of host 1, household 2 is missing
        planners.place(position)
        planners.begin(position)
    assert not planners.waiting
    assert not planners.changed
    stage = planners.stages[NAMES[4]]
    assert stage.missing == ()
    assert (stage.iteration, stage.selections) == (0, [])
    planners.place(2)
    planners.begin(2)
    assert {envelope.sender for envelope in planners.waiting} == {NAMES[8], NAMES[4]}
    assert planners.stages[NAMES[4]].missing == (NAMES[1],)
    assert planners.stages[NAMES[2]].missing == (NAMES[6],)


def test_sums_that_come_early_are_taken_once_the_host_begins() -> None:
    planners = Planners(1, together=True)
    for position in (2, 4, 5, 8):
        planners.place(position)
        planners.begin(position)
    planners.place(1)
    planners.place(3)
    planners.deliver()
    host = planners.hosts[0]
    early = {(member.address, sender) for member, sender, _ in host.early}
    assert early == {(NAMES[3], NAMES[8]), (NAMES[1], NAMES[4])}
    for position in (0, 7):
        planners.place(position)
    planners.begin(7)
    assert host.early == []
    assert planners.stages[NAMES[0]].missing == (NAMES[2],)


def test_what_came_before_a_new_attempt_does_not_count() -> None:
    planners = Planners(1, together=True)
    host, households = planners.hosts[0], planners.households
    one = host.stage(households[1], place(1))
    up = Up(3, 1, np.zeros(SLOTS), 0.0, 0.0)
    assert one.on_up(NAMES[4], up) == []
    assert len(host.early) == 1
    host.changed[NAMES[1]] = None
    for position in (0, 1, 3):
        host.stage(households[position], place(position, attempt=2))
    assert (host.early, host.changed) == ([], {})
    # A household that has not heard of the new attempt does not count among the others.
    late = host.stage(households[7], place(7))
    assert late.begin() == []
    with pytest.raises(PeerError):
        host.form_subtrees()
    host.stage(households[7], place(7, attempt=2))
    host.form_subtrees()


def test_the_next_planning_begins_with_other_households_of_the_same_host() -> None:
    planners = Planners(0, together=True)
    planners.run(range(9))
    again = Planners(1, together=True)
    again.hosts = planners.hosts
    again.run(range(9))
    fresh = Planners(1, together=True)
    fresh.run(range(9))
    assert again.results() == fresh.results()
    assert [row.iteration for row in planners.iterated] == [0, 1, 2, 3, 4, 5]
