"""One household as a machine on the bus, deciding by itself: the readable reference."""

from collections.abc import Callable, Sequence

from agents.exchange.journal.entries import Entry, Journal, MemoryJournal
from agents.exchange.traffic_count import TrafficCount
from agents.mandate import FREE, Mandate
from agents.member import Member, Stage
from agents.planning.costs import EXACT, Arithmetic
from agents.planning.java_random import JavaRandom, household_chance
from agents.planning.stage import PlanningStage
from agents.plans import Plans
from protocol.messages import Address, Place


class Household(Member):
    """A household of one run; `stage` is how it takes part in stage 1, by itself unless told."""

    def __init__(
        self,
        address: Address,
        orchestrator: Address,
        plans: Plans,
        *,
        arithmetic: Arithmetic = EXACT,
        chance: Callable[[int, str], JavaRandom] = household_chance,
        stage: Callable[[Member, Place], Stage] = PlanningStage,
        journal: Journal | None = None,
        mandate: Mandate = FREE,
        session: int = 1,
        entries: Sequence[Entry] = (),
        meter: TrafficCount | None = None,
    ) -> None:
        super().__init__(
            address,
            orchestrator,
            plans,
            arithmetic=arithmetic,
            chance=chance,
            stage=stage,
            journal=MemoryJournal() if journal is None else journal,
            mandate=mandate,
            session=session,
            entries=entries,
            meter=TrafficCount() if meter is None else meter,
        )
