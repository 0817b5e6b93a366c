"""A schedule: what kind of run is struck, and where, when and how. Drawn from a seed; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from orchestrator.coordination.run_phase import RunPhase

PLANS: Mapping[str, object] = {"demo": True, "slots": 24, "iterations": 6}
KINDS: Mapping[str, Mapping[str, object]] = {
    "planning": {**PLANS, "exchange": "off"},
    "slot": {**PLANS, "content": "slot"},
    "bundle": {**PLANS, "content": "bundle", "min_gain": 0.0},
    "public pairs": {**PLANS, "content": "bundle", "matchmakers": 0},
    "loops": {**PLANS, "content": "bundle", "iterations": 8, "exchange_every": 4},
    "ttc": {**PLANS, "exchange": "ttc"},
    "equal": {**PLANS, "exchange": "equal"},
    "amounts": {"iterations": 3},
}
"""Kinds of run by name: the options that tell them apart."""
RULES = ("mutual", "cooperative")
PHASES = {
    RunPhase.ENROLLING: 1,
    RunPhase.PLACING: 1,
    RunPhase.PLANNING: 3,
    RunPhase.EXCHANGING: 6,
    RunPhase.RELEASING: 1,
}
"""How often a strike falls into each phase, in proportion."""
ORDER = tuple(PHASES)
STRIKES = {
    "host": 6,
    "matchmaker": 3,
    "server": 2,
    "pause host": 2,
    "pause matchmaker": 1,
    "pause server": 1,
    "cut": 2,
    "full disk": 1,
}
"""How often each kind of strike is drawn, in proportion; strikes.py says what they are."""


@dataclass(frozen=True, slots=True, order=True)
class Strike:
    """One strike: after so many steps of the coordinator in this phase."""

    phase: int
    """Index in ORDER."""
    steps: int
    kind: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """A run and the strikes that it must get over, in their order."""

    seed: int
    kind: str
    options: Mapping[str, object]
    strikes: tuple[Strike, ...]

    def __str__(self) -> str:
        told = ", ".join(
            f"{strike.kind} at {ORDER[strike.phase].value}+{strike.steps}"
            for strike in self.strikes
        )
        return f"seed {self.seed}, {self.kind}: {told}"


def drawn(seed: int) -> Schedule:
    """Draw the schedule of this seed."""
    chance = Random(seed)
    kind = chance.choice(list(KINDS))
    options: dict[str, object] = {
        "seed": chance.randrange(1000),
        "isolation": chance.choice(["task", "task", "subtree", "process"]),
    }
    process = options["isolation"] == "process"
    size = chance.randrange(4, 8) if process else chance.randrange(6, 20)
    if kind == "amounts":
        options["homes"] = min(size, 12)
    else:
        options["households"] = size
    if not process:
        options["hosts"] = chance.randrange(2, 4)
    options |= KINDS[kind]
    if kind in ("slot", "bundle", "public pairs", "amounts"):
        options["exchange"] = chance.choice(RULES)
    if kind in ("slot", "bundle"):
        options["matchmakers"] = chance.choice([1, 1, 2])
    alone = kind in ("planning", "public pairs", "equal")
    kinds = [name for name in STRIKES if not (alone and "matchmaker" in name)]
    strikes = [
        Strike(
            phase=ORDER.index(chance.choices(ORDER, list(PHASES.values()))[0]),
            steps=chance.randrange(6),
            kind=chance.choices(kinds, [STRIKES[name] for name in kinds])[0],
        )
        for _ in range(chance.randrange(1, 5))
    ]
    return Schedule(seed, kind, options, tuple(sorted(strikes)))
