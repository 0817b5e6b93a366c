"""A second, slow and simple implementation of plan selection: one central program with loops over
lists, strictly from left to right, written from the description of EPOS alone.

It shares no code with the machines, so that the two can be compared.
"""

import math
from dataclasses import dataclass, field
from itertools import product

Vector = list[float]


class Java:
    """java.util.Random."""

    def __init__(self, seed: int) -> None:
        self.seed = (seed ^ 25214903917) % 2**48

    def bits(self, count: int) -> int:
        self.seed = (self.seed * 25214903917 + 11) % 2**48
        return self.seed >> (48 - count)

    def double(self) -> float:
        return (self.bits(26) * 2**27 + self.bits(27)) / 2**53

    def below(self, bound: int) -> int:
        if bound in (1, 2, 4, 8, 16, 32, 64):
            return bound * self.bits(31) // 2**31
        while True:
            bits = self.bits(31)
            if bits - bits % bound + bound - 1 < 2**31:
                return bits % bound


@dataclass
class Setup:
    """The inputs of a run; households are vertices, the last one the root of the first tree."""

    plans: list[list[Vector]]
    local: list[Vector]
    weights: list[tuple[float, float]]
    arity: int = 2
    iterations: int = 6
    cost: str = "var"
    scaling: str = "std"
    goal: Vector = field(default_factory=list)
    strategy: str = "never"
    period: int = 2
    offset: int = 0
    memorise: bool = False
    threshold: float = 0.0
    constraint: str = ""
    rows: list[Vector] = field(default_factory=list)
    ties: list[int] = field(default_factory=list)


@dataclass
class Sums:
    """The response and other sums over a subtree or all households."""

    x: Vector
    s: float
    q: float


def plus(a: Vector, b: Vector) -> Vector:
    return [u + v for u, v in zip(a, b, strict=True)]


def minus(a: Vector, b: Vector) -> Vector:
    return [u - v for u, v in zip(a, b, strict=True)]


def total(x: Vector) -> float:
    result = x[0]
    for value in x[1:]:
        result = result + value
    return result


def mean(x: Vector) -> float:
    return total(x) / len(x)


def variance(x: Vector) -> float:
    m = mean(x)
    return total([(v - m) * (v - m) for v in x]) / len(x)


def std(x: Vector) -> float:
    return math.sqrt(variance(x))


def scaled(x: Vector, how: str) -> Vector:
    if how == "std":
        return [(v - mean(x)) / (std(x) + 1e-10) for v in x]
    if how == "unit-length":
        norm = math.sqrt(total([v * v for v in x]))
        return [v / (norm + 1e-10) for v in x]
    low, high = min(x), max(*x, 4.9e-324)
    return [(v - low) / (high - low) for v in x]


def global_cost(setup: Setup, x: Vector) -> float:
    goal, d = setup.goal, len(x)
    if setup.cost == "var":
        return variance(x)
    if setup.cost == "std":
        return std(x)
    if setup.cost == "dot":
        return total([g * v for g, v in zip(goal, x, strict=True)])
    if setup.cost == "sqr":
        return total([(v - g) * (v - g) for g, v in zip(goal, x, strict=True)])
    if setup.cost == "residual":
        return variance([v - g for g, v in zip(goal, x, strict=True)])
    if setup.cost == "rmse":
        stretch, m, gm = std(x) / (std(goal) + 1e-10), mean(x), mean(goal)
        r = [(g - gm) * stretch + m for g in goal]
        return math.sqrt(total([(a - b) * (a - b) for a, b in zip(r, x, strict=True)]) / d)
    if setup.cost == "xcorr":
        m, gm = mean(x), mean(goal)
        product_sum = total([(v - m) * (g - gm) for v, g in zip(x, goal, strict=True)])
        return -(product_sum / (d * std(goal) * std(x) + 1e-10))
    assert setup.cost == "rss"
    aim, own = scaled(goal, "std"), scaled(x, setup.scaling)
    return total([(a - b) * (a - b) for a, b in zip(own, aim, strict=True)])


def spread(s: float, q: float, n: int) -> float:
    difference = q / n - (s / n) * (s / n)
    return math.sqrt(0.0 if abs(difference) < 1e-9 else difference)


def combined(g: float, s: float, q: float, n: int, weights: tuple[float, float]) -> float:
    alpha, beta = weights
    if alpha == 0 and beta == 0:
        return g
    return (1 - alpha - beta) * g + alpha * spread(s, q, n) + beta * s / n


def pick(costs: Vector, chance: Java) -> int:
    best, at, ties = costs[0], 0, 1
    for i in range(1, len(costs)):
        if costs[i] < best:
            best, at, ties = costs[i], i, 1
        elif costs[i] == best:
            ties += 1
            if chance.double() <= 1 / ties:
                at = i
    return at


def hard(setup: Setup, t: int, part: Sums, g: float, known: int, vertex: int) -> float:
    """Return the global cost of a candidate of the household's own choice."""
    if not setup.constraint:
        return g
    n = len(setup.plans)
    alpha, beta = setup.weights[vertex]
    y = part.x
    if setup.constraint == "costs":
        u = spread(part.s, part.q, known)
        y = [part.s / n, g, u, alpha * u + beta * (part.s / n) + (1 - alpha - beta) * g]
    bound, mode = setup.rows[0], setup.rows[1]
    double = len(setup.rows) == 4
    if t == 0 and double:
        gaps = [
            (setup.rows[0][i] + setup.rows[2][i]) / 2 - y[i]
            if setup.rows[1][i] != 0 or setup.rows[3][i] != 0
            else 0.0
            for i in range(len(y))
        ]
        return math.sqrt(total([gap * gap for gap in gaps]))
    if t == 0:
        slack = [
            {0: 0.0, 1: h - v, 2: v - h, 3: 2 * abs(h - v)}[int(m)]
            for h, m, v in zip(bound, mode, y, strict=True)
        ]
        return 1 / math.exp(total(slack) / n)
    violations = []
    for i, v in enumerate(y):
        here = 0.0
        if mode[i] != 0:
            for k in range(0, len(setup.rows), 2):
                h, m = setup.rows[k][i], int(setup.rows[k + 1][i])
                here += {0: 0.0, 1: max(0.0, v - h), 2: max(0.0, h - v), 3: abs(h - v)}[m]
        violations.append(here)
    violation = total(violations)
    return n * violation if violation > 0 else g


@dataclass
class State:
    """The state of a vertex between iterations."""

    selected: int
    below: Sums
    accepted: list[Sums]


def undo(
    position: int,
    approved: bool,
    order: list[int],
    arity: int,
    states: list[State],
    old: list[State],
    flags: dict[int, bool],
) -> None:
    """Revert changes that were not approved, from this vertex down."""
    v = order[position]
    if not approved:
        states[v] = old[v]
    for child in range(arity * position + 1, arity * (position + 1) + 1):
        if child < len(order):
            undo(child, approved and flags[order[child]], order, arity, states, old, flags)


def run(setup: Setup) -> tuple[list[list[int]], list[float], Vector]:
    """Return the selections by iteration and vertex, the global cost by iteration, and the last
    response."""
    n, d = len(setup.plans), len(setup.plans[0][0])
    chances = [Java(seed) for seed in setup.ties]
    shuffler, vertices = Java(0), list(range(n))
    order = list(reversed(vertices))  # order[position] = vertex
    zero = Sums([0.0] * d, 0.0, 0.0)
    states = [State(-1, zero, []) for _ in range(n)]
    whole, fresh = zero, True
    saved: list[int | None] = [None] * n
    last_reorganisation, reorganised = 0, False
    selections, costs = [], []
    previous_x: Vector = []
    for t in range(setup.iterations):
        kids = [
            [
                order[p]
                for p in range(setup.arity * at + 1, setup.arity * at + setup.arity + 1)
                if p < n
            ]
            for at in range(n)
        ]
        old = [State(s.selected, s.below, list(s.accepted)) for s in states]
        sent: list[Sums] = [zero] * n
        size = [0] * n
        flags: dict[int, bool] = {}
        for position in reversed(range(n)):
            v = order[position]
            new = [sent[c] for c in kids[position]]
            size[v] = 1 + sum(size[c] for c in kids[position])
            known = size[v] if t == 0 else n
            before = old[v]
            if fresh:
                taken = list(new)
                for c in kids[position]:
                    flags[c] = True
            else:
                others = whole
                for was in before.accepted:
                    others = Sums(minus(others.x, was.x), others.s - was.s, others.q - was.q)
                pairs = list(zip(before.accepted, new, strict=True))
                choices = [bits[::-1] for bits in product((0, 1), repeat=len(pairs))]
                options = []
                for bits in choices:
                    chosen = zero
                    for pair, bit in zip(pairs, bits, strict=True):
                        chosen = Sums(
                            plus(chosen.x, pair[bit].x),
                            chosen.s + pair[bit].s,
                            chosen.q + pair[bit].q,
                        )
                    x = plus(others.x, chosen.x)
                    g = global_cost(setup, x)
                    options.append(
                        combined(
                            g, others.s + chosen.s, others.q + chosen.q, known, setup.weights[v]
                        )
                    )
                bits = choices[pick(options, chances[v])] if pairs else ()
                taken = [pair[bit] for pair, bit in zip(pairs, bits, strict=True)]
                for c, bit in zip(kids[position], bits, strict=True):
                    flags[c] = bool(bit)
            below = zero
            for part in taken:
                below = Sums(plus(below.x, part.x), below.s + part.s, below.q + part.q)
            if fresh and t > 0:
                selected = before.selected
            else:
                if fresh:
                    base = below
                else:
                    own_x = setup.plans[v][before.selected]
                    own = setup.local[v][before.selected]
                    base = Sums(
                        plus(minus(minus(whole.x, own_x), before.below.x), below.x),
                        whole.s - before.below.s + below.s - own,
                        whole.q - before.below.q + below.q - own * own,
                    )
                options = []
                for plan, own in zip(setup.plans[v], setup.local[v], strict=True):
                    part = Sums(plus(base.x, plan), base.s + own, base.q + own * own)
                    g = hard(setup, t, part, global_cost(setup, part.x), known, v)
                    options.append(combined(g, part.s, part.q, known, setup.weights[v]))
                selected = pick(options, chances[v])
            states[v] = State(selected, below, taken)
            own = setup.local[v][selected]
            sent[v] = Sums(
                plus(below.x, setup.plans[v][selected]), below.s + own, below.q + own * own
            )
        whole = sent[order[0]]

        undo(0, True, order, setup.arity, states, old, flags)
        selections.append([s.selected for s in states])
        costs.append(global_cost(setup, whole.x))
        if setup.memorise and setup.strategy == "convergence":
            for v in range(n):
                if not reorganised:
                    if t == setup.offset:
                        saved[v] = states[v].selected
                elif t == last_reorganisation + setup.offset:
                    keep = saved[v] is not None and saved[v] != states[v].selected
                    saved[v] = states[v].selected if keep else None
        again = False
        if setup.strategy == "periodically":
            again = t != 0 and t % setup.period == 0
        elif setup.strategy == "convergence":
            again = not fresh and previous_x == whole.x
        elif setup.strategy == "cost-reduction" and not fresh and costs[-2] != 0:
            again = 0 < abs(costs[-2] - costs[-1]) / costs[-2] <= setup.threshold
        previous_x = whole.x
        fresh = False
        if again:
            for i in range(n, 1, -1):
                j = shuffler.below(i)
                vertices[i - 1], vertices[j] = vertices[j], vertices[i - 1]
            order = list(reversed(vertices))
            if t < last_reorganisation + setup.offset:
                saved = [None] * n
            last_reorganisation, reorganised, fresh = t, True, True
            for v in range(n):
                memory = saved[v] if setup.memorise and setup.strategy == "convergence" else None
                back = states[v].selected if memory is None else memory
                states[v] = State(back, zero, [])
            whole_kept, whole = whole, zero
            if t == setup.iterations - 1:
                whole = whole_kept
    return selections, costs, whole.x
