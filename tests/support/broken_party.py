"""The third party's household with one thing wrong each: what `coflex conformance` must find.

python -m tests.support.broken_party WRONG --household ... as tests.system.third_party
"""

import sys
from typing import Any

from tests.support.broken_amounts import WRONG_AMOUNTS
from tests.support.broken_bundles import WRONG_BUNDLES
from tests.support.broken_shift import WRONG_SHIFTS
from tests.support.faults import Wrong
from tests.system.third_party.__main__ import main
from tests.system.third_party.exchange import Exchange
from tests.system.third_party.household import ORCHESTRATOR, Household
from tests.system.third_party.voice import Voice
from tests.system.third_party.wire import Address, Heard


def hears_down_twice(self: Household, sender: Address, down: dict[str, Any]) -> None:
    """Any Down that is not too early answers what it said last."""
    iteration = max(down["iteration"], self.iteration)
    Household.on_down(self, sender, {**down, "iteration": iteration})


def believes_names(self: Household, host: str, heard: Heard) -> None:
    """Who calls itself orchestrator is taken for it, from whatever host."""
    Household.hear(self, ORCHESTRATOR[0] if heard.sender == ORCHESTRATOR[1] else host, heard)


def says_it_once(self: Voice) -> None:
    """It does not repeat what it tells its parent."""
    self.settled("up")
    Voice.repeat(self)


def takes_a_loss(self: Exchange, slot: int, taken: float, given: float) -> str:
    """It gives what it is asked for, whatever it gets."""
    if slot in self.asked:
        return "busy"
    return "" if self.holding.held[slot] == taken else "stale"


def decides_again(self: Exchange, sender: Address, proposal: dict[str, Any]) -> None:
    """It does not remember what it has answered."""
    self.decided = {}
    Exchange.on_proposal(self, sender, proposal)


def keeps_what_it_gave(self: Exchange, maker: Any, slot: int, *exchange: Any) -> None:
    """It agrees, and forgets to change what it holds."""
    maker.changed.add(slot)


def forgets_to_check_leases(self: Exchange, *proposal: Any) -> None:
    """It takes a proposal under any lease."""


WRONG: dict[str, Wrong] = {
    wrong.__name__: (wrong, where, name)
    for wrong, where, name in (
        (hears_down_twice, Household, "on_down"),
        (believes_names, Household, "hear"),
        (says_it_once, Voice, "repeat"),
        (takes_a_loss, Exchange, "judge"),
        (decides_again, Exchange, "on_proposal"),
        (keeps_what_it_gave, Exchange, "take"),
        (forgets_to_check_leases, Exchange, "check_lease"),
    )
}
"""Faults by name: the function, and the method of a class in whose place it is."""
WRONG |= WRONG_BUNDLES | WRONG_AMOUNTS | WRONG_SHIFTS


def broken(name: str) -> type[Household]:
    """Return a household with this fault."""
    wrong, where, method = WRONG[name]
    own = type(where.__name__, (where,), {method: wrong})
    if where is Household:
        return own
    if where is Voice:
        return type("Household", (Household,), {"voices": own})
    kinds = {content: own if kind is where else kind for content, kind in Household.kinds.items()}
    return type("Household", (Household,), {"kinds": kinds})


if __name__ == "__main__":
    main(broken(sys.argv.pop(1)))
