"""Lies: what a household may say in stage 2 instead of what it wants.

This module decides which lies exist under a rule and content, and what a household would pretend to
want. How a lie changes messages is decided in dishonesty.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from protocol.terms import ContentName
from protocol.vectors import Array

Rule = Literal["paper", "mutual", "cooperative", "ttc", "equal"]
LieKind = Literal[
    "wish, own slots",
    "wish, all slots",
    "wish, at random",
    "wish, against the shift",
    "limits",
    "named change",
    "discomfort cap",
    "energy cap",
    "loss room",
    "withhold the least wanted",
    "withhold the most wanted",
    "withhold at random",
    "give nothing",
]

FACTORS = (0.5, 0.75, 1.15, 1.5, 2.0)
"""Factors by which a number is understated or overstated."""
CAPS = (0.25, 0.5, 0.9)
"""Factors of caps and losses: below 1, since a cap above what is had is none."""
LEAST_FACTOR, MOST_FACTOR = FACTORS[0], FACTORS[-1]


@dataclass(frozen=True, slots=True)
class Case:
    """A rule and a content, under which lies are tried."""

    rule: Rule
    content: ContentName | Literal["amounts"]

    @property
    def name(self) -> str:
        """The case in words."""
        return f"{self.rule}, {self.content}"


CASES = (
    Case("paper", "slot"),
    Case("mutual", "slot"),
    Case("cooperative", "slot"),
    Case("ttc", "slot"),
    Case("mutual", "bundle"),
    Case("cooperative", "bundle"),
    Case("equal", "amounts"),
)
"""All cases. `paper` is the source's own, greedy rule; `equal` is the equal shift: everybody gets
its preferred plan plus an equal share of what is planned beyond all of them."""


@dataclass(frozen=True, slots=True)
class Lie:
    """What one household says instead of the truth, throughout stage 2."""

    kind: LieKind
    factor: float = 1.0
    """Factor of the number that is misstated."""
    seed: int = 0
    """Seed of what is drawn at random."""

    @property
    def name(self) -> str:
        """The lie in words; those at random are one lie."""
        drawn = self.kind in ("wish, at random", "withhold at random")
        return self.kind if drawn or self.factor == 1.0 else f"{self.kind} x {self.factor:g}"


def lies_under(case: Case, random_lies: int) -> list[Lie]:
    """Return the lies that can be told in a case, with so many wishes at random."""
    return [*_wishes(case, random_lies), *_others(case)]


def _wishes(case: Case, random_lies: int) -> Iterator[Lie]:
    for factor in FACTORS:
        yield Lie("wish, own slots", factor)
        yield Lie("wish, all slots", factor)
    if case.rule == "equal":
        yield Lie("wish, against the shift")
    for seed in range(random_lies):
        yield Lie("wish, at random", seed=seed)


def _others(case: Case) -> Iterator[Lie]:
    if case.rule == "equal":
        return
    yield Lie("withhold the least wanted")
    yield Lie("withhold the most wanted")
    yield Lie("withhold at random")
    if case.rule == "ttc":
        return
    yield Lie("give nothing")
    if case.rule != "paper":  # under which offers have no limits
        yield from (Lie("limits", factor) for factor in FACTORS)
    if case.rule == "cooperative":
        yield from (Lie("named change", factor) for factor in FACTORS)
        yield from (Lie("discomfort cap", factor) for factor in CAPS)
        if case.content == "bundle":
            yield from (Lie("loss room", factor) for factor in CAPS)
    if case.content == "bundle":
        yield from (Lie("energy cap", factor) for factor in CAPS)


def pretended_wish(lie: Lie | None, held: Array, preferred: Array, *, shift: Array) -> Array:
    """Return the plan that a household pretends to prefer, float64[d], kWh.

    `held` is its selected plan, `shift` the equal share of what is planned beyond all preferred
    plans.
    """
    if lie is None:
        return preferred
    match lie.kind:
        case "wish, own slots":
            return np.asarray(held + lie.factor * (preferred - held))
        case "wish, all slots":
            return np.asarray(lie.factor * preferred)
        case "wish, at random":
            chance = np.random.default_rng((lie.seed, 1))
            ends = np.log2(LEAST_FACTOR), np.log2(MOST_FACTOR)
            factors = 2 ** chance.uniform(*ends, len(held))
            return np.asarray(held + factors * (preferred - held))
        case "wish, against the shift":
            return np.asarray(preferred - shift)
        case _:
            return preferred


def withheld_slots(lie: Lie | None, held: Array, preferred: Array) -> frozenset[int]:
    """Return the slots that a household withholds: half of those it wants to change, or none."""
    if lie is None or not lie.kind.startswith("withhold"):
        return frozenset()
    away = np.abs(held - preferred)
    wanted = np.flatnonzero(away)
    if lie.kind == "withhold at random":
        order = np.random.default_rng((lie.seed, 2)).permutation(wanted)
    else:
        order = wanted[np.argsort(away[wanted], kind="stable")]
        order = order[::-1] if lie.kind == "withhold the most wanted" else order
    return frozenset(order[: len(order) // 2].tolist())
