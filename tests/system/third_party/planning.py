"""Stage 1: approval of the children's changes, and selection of a plan (docs/protocol.md, Decisions
of stage 1)."""

from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]


class Sums(NamedTuple):
    """Sums over some households: plans, discomforts and squared discomforts."""

    plan: Array
    discomfort: float
    squares: float

    def plus(self, other: "Sums") -> "Sums":
        return Sums(
            self.plan + other.plan,
            self.discomfort + other.discomfort,
            self.squares + other.squares,
        )

    def minus(self, other: "Sums") -> "Sums":
        return Sums(
            self.plan - other.plan,
            self.discomfort - other.discomfort,
            self.squares - other.squares,
        )

    def equals(self, other: "Sums") -> bool:
        return bool((self.plan == other.plan).all()) and self[1:] == other[1:]


class JavaRandom:
    """java.util.Random."""

    def __init__(self, seed: int) -> None:
        self.state = (seed ^ 0x5DEECE66D) % 2**48

    def bits(self, count: int) -> int:
        self.state = (self.state * 0x5DEECE66D + 11) % 2**48
        return int(self.state >> (48 - count))

    def next_double(self) -> float:
        return ((self.bits(26) << 27) + self.bits(27)) / 2**53


def generator(seed: int, household: str) -> JavaRandom:
    digest = blake2b(f"{seed}:{household}".encode(), digest_size=8).digest()
    return JavaRandom(int.from_bytes(digest, "little"))


def variance(plan: Array) -> float:
    away = plan - plan.sum() / len(plan)
    return float((away * away).sum() / len(plan))


def rmse(plan: Array, preferred: Array) -> float:
    away = plan - preferred
    return float(np.sqrt((away * away).sum() / len(plan)))


class Planning:
    """One household's decisions."""

    def __init__(
        self,
        name: str,
        plans: Array,
        preferred: Array,
        terms: dict[str, Any],
        households: int,
        discomforts: list[float] | None = None,
    ) -> None:
        """`discomforts` are those of the devices in each plan, if these are what counts."""
        self.plans, self.households, self.of_devices = plans, households, discomforts is not None
        self.alpha, self.beta = float(terms["alpha"]), float(terms["beta"])
        self.discomforts = discomforts or [rmse(plan, preferred) for plan in plans]
        self.chance = generator(terms["seed"], name)
        self.zero = Sums(np.zeros(plans.shape[1]), 0.0, 0.0)
        self.all = self.below = self.below_before = self.zero
        self.taken: list[Sums] = []
        self.taken_before: list[Sums] = []
        self.flags: list[bool] = []
        self.selected = self.selected_before = -1
        self.first = True

    def rise(self, received: list[Sums], size: int) -> Sums:
        """Return the sums of the subtree after deciding, given those `received` from each child;
        `size` is the number of its households."""
        self.taken_before, self.below_before = self.taken, self.below
        self.selected_before = self.selected
        covered = size if self.first else self.households
        if self.first:
            self.flags, self.taken = [True] * len(received), received
        elif received:
            self.approve(received)
        self.below = self.zero
        for part in self.taken:
            self.below = self.below.plus(part)
        base = self.below
        if not self.first:
            own, whole = self.own(self.selected), self.all
            plan = whole.plan - own.plan
            if received:
                plan = plan - self.below_before.plan + self.below.plan
            rest = whole.minus(self.below_before).plus(self.below).minus(own)
            base = Sums(plan, rest.discomfort, rest.squares)
        candidates = [base.plus(self.own(plan)) for plan in range(len(self.plans))]
        self.selected = self.choose([self.cost(sums, covered) for sums in candidates])
        return self.below.plus(self.own(self.selected))

    def settle(self, everybody: Sums, approved: bool) -> None:
        """Handle the parent's answer."""
        self.all, self.first = everybody, False
        if not approved:
            self.taken, self.below = self.taken_before, self.below_before
            self.selected = self.selected_before
            self.flags = [False] * len(self.flags)

    def approve(self, received: list[Sums]) -> None:
        """Choose the old or new sums of each child: all combinations are tried, with the first
        child as the lowest bit."""
        combinations = range(2 ** len(received))
        pairs = list(zip(self.taken, received, strict=True))
        costs = [0.0 for _ in combinations]
        if not all(old.equals(new) for old, new in pairs):
            others = self.all
            for old in self.taken:
                others = others.minus(old)
            for number in combinations:
                parts = self.zero
                for bit, pair in enumerate(pairs):
                    parts = parts.plus(pair[number >> bit & 1])
                costs[number] = self.cost(others.plus(parts), self.households)
        chosen = self.choose(costs)
        self.flags = [bool(chosen >> bit & 1) for bit in range(len(received))]
        self.taken = [pair[flag] for pair, flag in zip(pairs, self.flags, strict=True)]

    def own(self, plan: int) -> Sums:
        discomfort = self.discomforts[plan]
        return Sums(self.plans[plan], discomfort, discomfort * discomfort)

    def cost(self, sums: Sums, covered: int) -> float:
        inefficiency = variance(sums.plan)
        if self.alpha == 0 and self.beta == 0:
            return inefficiency
        weight = covered if self.of_devices else 1
        unfairness = self.alpha * self.unfairness(sums, covered)
        mean = self.beta * sums.discomfort / covered
        return (1 - self.alpha - self.beta) * inefficiency + weight * (unfairness + mean)

    def unfairness(self, sums: Sums, covered: int) -> float:
        mean = sums.discomfort / covered
        spread = sums.squares / covered - mean * mean
        return float(np.sqrt(spread)) if spread >= 1e-9 else 0.0

    def choose(self, costs: list[float]) -> int:
        best, ties = 0, 1
        for number in range(1, len(costs)):
            if costs[number] == costs[best]:
                ties += 1
                if self.chance.next_double() <= 1 / ties:
                    best = number
            elif costs[number] < costs[best]:
                best, ties = number, 1
        return best

    def summary(self, iteration: int) -> list[float]:
        """Return the root's report of an iteration."""
        sums, n = self.all, self.households
        mean = sums.discomfort / n
        inefficiency, unfairness = variance(sums.plan), self.unfairness(sums, n)
        return [iteration, inefficiency, unfairness, mean, self.cost(sums, n)]
