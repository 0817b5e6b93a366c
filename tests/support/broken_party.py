"""The third party's household with one thing wrong each: what `coflex conformance` must find.

python -m tests.support.broken_party WRONG --household ... as tests.system.third_party
"""

import sys
from collections.abc import Callable
from typing import Any

from tests.system.third_party.__main__ import main
from tests.system.third_party.exchange import Exchange
from tests.system.third_party.household import ORCHESTRATOR, Household
from tests.system.third_party.voice import Voice
from tests.system.third_party.wire import Address, Heard

ON_DOWN, HEAR = Household.on_down, Household.hear
ON_PROPOSAL, REPEAT = Exchange.on_proposal, Voice.repeat


def hears_down_twice(self: Household, sender: Address, down: dict[str, Any]) -> None:
    """Any Down that is not too early answers what it said last."""
    iteration = max(down["iteration"], self.iteration)
    ON_DOWN(self, sender, {**down, "iteration": iteration})


def believes_names(self: Household, host: str, heard: Heard) -> None:
    """Who calls itself orchestrator is taken for it, from whatever host."""
    HEAR(self, ORCHESTRATOR[0] if heard.sender == ORCHESTRATOR[1] else host, heard)


def says_it_once(self: Voice) -> None:
    """It does not repeat what it tells its parent."""
    self.settled("up")
    REPEAT(self)


def takes_a_loss(self: Exchange, slot: int, taken: float, given: float) -> str:
    """It gives what it is asked for, whatever it gets."""
    if slot in self.asked:
        return "busy"
    return "" if self.holding.held[slot] == taken else "stale"


def decides_again(self: Exchange, sender: Address, proposal: dict[str, Any]) -> None:
    """It does not remember what it has answered."""
    self.decided = {}
    ON_PROPOSAL(self, sender, proposal)


def keeps_what_it_gave(self: Exchange, maker: Any, slot: int, *exchange: Any) -> None:
    """It agrees, and forgets to change what it holds."""
    maker.changed.add(slot)


WRONG: dict[Callable[..., Any], tuple[type, str]] = {
    hears_down_twice: (Household, "on_down"),
    believes_names: (Household, "hear"),
    says_it_once: (Voice, "repeat"),
    takes_a_loss: (Exchange, "judge"),
    decides_again: (Exchange, "on_proposal"),
    keeps_what_it_gave: (Exchange, "take"),
}

if __name__ == "__main__":
    chosen = sys.argv.pop(1)
    for wrong, (where, name) in WRONG.items():
        if wrong.__name__ == chosen:
            setattr(where, name, wrong)
    main()
