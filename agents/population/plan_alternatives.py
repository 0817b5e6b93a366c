"""A household's possible plans, made from its preferred plan as in the paper (section IV-A).

This module decides which permutations of the preferred plan a household can choose from, and their
scores. `synthetic.py` and `agents/metering` decide what the preferred plan is.

Every alternative is a permutation of the preferred plan: it has exactly the same values, so the
total, the mean and the spread are the same. `swap-S` makes S swaps one after the other, each of two
different random slots. A slot may be drawn again, so that in 144 slots, 15 swaps change 27.3 slots
on average and 30 swaps change 49.2. The energy data of the paper agree with this (27.3 and 49.1;
their permutations are products of 15 and of 30 such swaps), although its text speaks of "15
positions".
"""

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from agents.plans import Plans
from protocol.errors import InputError
from protocol.vectors import Array

SOURCE_SLOTS = 144
"""Slots of a plan in the paper's energy data: 12 hours in steps of 5 minutes."""

_MOST_PLANS = 1000
_PART = re.compile(r"(?:(?P<shuffle>shuffle)|swap-(?P<swaps>[0-9]{1,6})):(?P<plans>[0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class Alternatives:
    """A number of plans that are made from the preferred plan in the same way.

    Invariant: `plans` is at least 1; `swaps` is at least 1 for the kind "swap", 0 for "shuffle".
    """

    kind: Literal["shuffle", "swap"]
    plans: int
    swaps: int = 0

    def score(self, slots: int) -> float:
        """Return the score (preference) of each of these plans: 1/d after a shuffle of d slots, 1/S
        after S swaps."""
        return 1.0 / (slots if self.kind == "shuffle" else self.swaps)

    def __str__(self) -> str:
        kind = self.kind if self.kind == "shuffle" else f"swap-{self.swaps}"
        return f"{kind}:{self.plans}"


Scheme = tuple[Alternatives, ...]
"""The alternatives to a household's preferred plan, in the order of its plans."""

SOURCE_SCHEME: Scheme = (
    Alternatives("shuffle", 3),
    Alternatives("swap", 3, 15),
    Alternatives("swap", 3, 30),
)
"""The scheme of the paper: with the preferred plan, 10 plans per household."""


def scaled_scheme(slots: int) -> Scheme:
    """Return the paper's scheme scaled to d slots: the same number of swaps per slot.

    A single slot has nothing to swap, so its scheme has only shuffles.
    """
    scaled = tuple(_scaled(part, slots) for part in SOURCE_SCHEME)
    return tuple(part for part in scaled if slots > 1 or part.kind == "shuffle")


def parse_scheme(text: str) -> Scheme:
    """Read a scheme such as `shuffle:3,swap-15:3,swap-30:3`; an empty text gives no alternatives.

    Raises InputError if the text is not a scheme, or if it makes more than 1,000 plans.
    """
    scheme: list[Alternatives] = []
    for part in text.replace(" ", "").split(",") if text.strip() else []:
        match = _PART.fullmatch(part)
        if match is None:
            raise InputError(
                f"'{part}' is not a part of a scheme: write parts like shuffle:3 or swap-15:3 "
                "(kind:number of plans), separated by commas",
                field="--scheme",
            )
        plans, swaps = int(match["plans"]), int(match["swaps"] or 0)
        if plans == 0 or (swaps == 0 and not match["shuffle"]):
            raise InputError(
                f"'{part}' makes no plan: plans and swaps must be at least 1", field="--scheme"
            )
        scheme.append(Alternatives("shuffle" if match["shuffle"] else "swap", plans, swaps))
    if sum(part.plans for part in scheme) >= _MOST_PLANS:
        raise InputError(
            f"a household can have at most {_MOST_PLANS} plans, including the preferred one",
            field="--scheme",
        )
    return tuple(scheme)


def check_scheme(scheme: Scheme, slots: int) -> None:
    """Raise InputError for a scheme that is impossible with this number of slots; it suggests one
    that is possible."""
    for part in scheme:
        if part.kind == "swap" and slots < max(2, part.swaps):
            fitting = ",".join(str(_scaled(each, slots)) for each in scheme)
            advice = f"for example --scheme {fitting}" if slots > 1 else "use more slots"
            raise InputError(
                f"{part} needs plans of at least {max(2, part.swaps)} slots, "
                f"these have {slots}: {advice}",
                field="--scheme",
            )


def portfolio(preferred: Array, scheme: Scheme, rng: np.random.Generator) -> Plans:
    """Return the plans of a household from its preferred plan, float64[d].

    The preferred plan comes first, with the score 1. The scheme must be possible with d slots
    (`check_scheme`).
    """
    slots = len(preferred)
    order = np.arange(slots)
    orders = [order]
    scores = [1.0]
    for part in scheme:
        for _ in range(part.plans):
            shuffled = part.kind == "shuffle"
            orders.append(rng.permutation(slots) if shuffled else _swapped(slots, part.swaps, rng))
        scores += [part.score(slots)] * part.plans
    return Plans(preferred[np.stack(orders)], np.array(scores))


def _swapped(slots: int, swaps: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the permutation, int64[slots], that results from random swaps of two slots each."""
    first = rng.integers(slots, size=swaps)
    second = (first + rng.integers(1, slots, size=swaps)) % slots
    order = list(range(slots))
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        order[i], order[j] = order[j], order[i]
    return np.array(order, dtype=np.int64)


def _scaled(part: Alternatives, slots: int) -> Alternatives:
    """Return alternatives with the same number of swaps per slot as in SOURCE_SLOTS slots."""
    if part.kind == "shuffle":
        return part
    swaps = max(1, min(slots, part.swaps * slots // SOURCE_SLOTS))
    return Alternatives("swap", part.plans, swaps)
