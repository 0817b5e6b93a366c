"""The third party's equal shift with one thing wrong each."""

from typing import Any

import numpy as np

from tests.support.faults import Wrong, in_place_of
from tests.system.third_party.equal_shift import EqualShift, Integers
from tests.system.third_party.wire import Address


def sums_up_early(self: EqualShift) -> None:
    """It does not wait for its children, unless it is the root."""
    nothing = np.zeros_like(self.own)
    for child in self.children if self.parent else ():
        self.received.setdefault(child, {"households": 0, "takers": nothing, "excess": nothing})
    EqualShift.go_on(self)


def answers_early(self: EqualShift, sender: Address, excess: dict[str, Any]) -> None:
    """It answers a repeated sum before it knows the shares."""
    if self.risen is not None and not self.over:
        self.below[sender] = np.zeros_like(self.own)
        return self.answer(sender)
    return EqualShift.on_excess(self, sender, excess)


def leaves_itself_out(self: EqualShift) -> dict[str, Any]:
    """It counts its children alone. (A leaf counts itself: no household cannot be said.)"""
    return {**EqualShift.totals(self), "households": len(self.children) or 1}


def sums_up_once(self: EqualShift) -> None:
    """It does not repeat its sum."""
    EqualShift.go_on(self)
    self.voice.settled("excess")


def takes_part_twice(self: EqualShift) -> dict[str, Any]:
    """It counts itself twice among those that take part."""
    totals = EqualShift.totals(self)
    return {**totals, "takers": totals["takers"] + 1}


def names_less(self: EqualShift) -> dict[str, Any]:
    """It hides half of its excess."""
    totals = EqualShift.totals(self)
    return {**totals, "excess": totals["excess"] - self.own // 2}


def believes_any_shares(self: EqualShift, sender: Address, told: dict[str, Any]) -> None:
    """Whoever sends shares is its parent."""
    EqualShift.on_shares(self, self.parent, {**told, "attempt": self.attempt})


def gives_the_rest_last(self: EqualShift, shares: Integers) -> list[Integers]:
    """It gives its children what cannot be divided, and takes of that last."""
    own = np.ones_like(self.own)
    takers = [*(self.received[child]["takers"] for child in self.children), own]
    least, rest = np.divmod(shares, sum(takers))
    parts = []
    for number in takers:
        more = np.minimum(rest, number)
        parts.append(least * number + more)
        rest = rest - more
    return [parts[-1], *parts[:-1]]


def shares_once(self: EqualShift, sender: Address, excess: dict[str, Any]) -> None:
    """It gives no answer again."""
    if not self.over:
        EqualShift.on_excess(self, sender, excess)


def takes_again(self: EqualShift, sender: Address, told: dict[str, Any]) -> None:
    """It takes what its parent sends, each time."""
    if sender == self.parent and told["attempt"] == self.attempt:
        self.over = False
    EqualShift.on_shares(self, sender, told)


def keeps_its_excess(self: EqualShift, shares: Integers) -> None:
    """It passes the shares on, and does not change its own schedule."""
    EqualShift.take(self, shares)
    self.holding.held = self.start.copy()


def clips_nothing(self: EqualShift) -> dict[str, Any]:
    """It hides that it would have to use less than nothing."""
    return {**EqualShift.result(self), "clipped_slots": 0, "clipped_kwh": 0.0}


WRONG_SHIFTS: dict[str, Wrong] = in_place_of(
    EqualShift,
    {
        **{sums_up_early: "go_on", sums_up_once: "go_on"},
        **{answers_early: "on_excess", shares_once: "on_excess"},
        **{leaves_itself_out: "totals", takes_part_twice: "totals", names_less: "totals"},
        **{believes_any_shares: "on_shares", takes_again: "on_shares"},
        **{gives_the_rest_last: "divide", keeps_its_excess: "take", clips_nothing: "result"},
    },
)
