"""Storms: stage 2 alone on a network with faults, with hosts and matchmakers killed at odd moments.

Each test decides what is exchanged, and what must hold afterwards.
"""

from collections.abc import Callable
from random import Random

from agents.exchange.journal.entries import Entry, Kind, MemoryJournal
from orchestrator.simulation.network import NetworkFaults
from tests.support.exchange_world import World


def faults_by_chance(chance: Random, seed: int) -> NetworkFaults:
    """Return faults of a network: lost and doubled messages, and delays."""
    return NetworkFaults(
        dropped=chance.choice([0.0, 0.1, 0.3]),
        doubled=chance.choice([0.0, 0.2]),
        delay=(0.001, chance.choice([0.003, 0.1])),
        seed=seed,
    )


def survive(
    world: World,
    chance: Random,
    seed: int,
    *,
    watch: Callable[[], None] = lambda: None,
    until: float = 600.0,
) -> None:
    """Run a world to its end, and kill its hosts and matchmakers now and then. `watch` is called
    after every event; the end must come before the virtual time `until`, in seconds."""
    names = list(world.nodes)
    share = chance.choice([0.0, 0.02, 0.1])

    def kill() -> None:
        watch()
        if world.crashes < 5 and chance.random() < share:
            world.crash(chance.choice(names), chance)

    assert world.run(world.over, watch=kill, until=until), f"seed {seed} does not end"


def forgetting(kind: Kind) -> type[MemoryJournal]:
    """Return a journal with a planted fault: entries of one kind are not kept."""

    class Forgetful(MemoryJournal):
        def append(self, entry: Entry) -> None:
            if entry.kind != kind:
                super().append(entry)

    return Forgetful


def breaks_when_killed(make: Callable[[NetworkFaults], World], *, after_round: int) -> bool:
    """Kill a host after a round, with each of a few networks; return True if a value is then lost
    or doubled in one of them."""

    def broken(seed: int) -> bool:
        world = make(NetworkFaults(delay=(0.001, 0.01), seed=seed))
        assert world.run(lambda: world.traders[0].round == after_round + 1, until=100)
        world.crash("host0", Random(seed))
        return not world.conserved()

    return any(map(broken, range(5)))
