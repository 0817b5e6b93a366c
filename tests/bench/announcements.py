"""What announcements of amounts tell about devices, and what it costs to say less.

The attacker is a matchmaker that knows only what each home announces before the first round. For
each kind of device it orders the homes by a plain score (SCORES). The AUC is the probability that a
home with the device comes before one without; 0.5 is a guess. The cost is the mean device
discomfort after an exchange in which all homes announce so (a plain loop, tests/support).

    python -m tests.bench.announcements [--homes N | --dataset FILE] [--rounds N] [--seed S]

prints the tables of docs/privacy.md.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from agents.devices.home import Home
from agents.devices.store import Store
from agents.exchange.amounts.announcement import DIRECTION_KWH, Announcement, announcement
from agents.exchange.amounts.held_home import HeldHome
from orchestrator.coordination.placement import Run
from orchestrator.scenario.scenario import read_scenario
from orchestrator.scenario.settings import RunSettings
from orchestrator.simulation.simulator import simulate
from protocol.vectors import Array
from tests.support.amount_loop import AmountLoop

CAP_KWH = DIRECTION_KWH
"""The greatest amount that is announced if amounts are capped, kWh."""


def powers_of(factor: float) -> Callable[[Array], Array]:
    """Return what rounds amounts down to powers of a factor."""

    def rounded(kwh: Array) -> Array:
        steps = np.floor(np.log(np.maximum(kwh, 1e-9)) / np.log(factor) + 1e-9)
        return np.where(kwh > 0.0, np.power(factor, steps), 0.0)

    return rounded


LEVELS: dict[str, Callable[[Array], Array]] = {
    "powers of sqrt 2 (as it is)": lambda kwh: kwh,
    "powers of 2": powers_of(2.0),
    "powers of 4": powers_of(4.0),
    f"at most {CAP_KWH:g} kWh": lambda kwh: np.minimum(kwh, CAP_KWH),
    "directions only (--disclose direction)": lambda kwh: np.where(kwh > 0.0, CAP_KWH, 0.0),
    "nothing (the same in all slots)": lambda kwh: np.full_like(kwh, CAP_KWH),
}
"""What a home says of the amounts at each slot, from much to little."""


def both_ways(says: Announcement) -> float:
    """Return the share of slots with more and less at once: a battery can move either way."""
    return float(((says.up_kwh > 0.0) & (says.down_kwh > 0.0)).mean())


def largest(says: Announcement) -> float:
    """Return the largest amount: a car charges with the most power."""
    return float(max(says.up_kwh.max(), says.down_kwh.max()))


def spread(says: Announcement) -> float:
    """Return the share of slots with less, each at most CAP_KWH: a heat pump runs all day."""
    return float(np.minimum(says.down_kwh, CAP_KWH).sum() / CAP_KWH / len(says.down_kwh))


SCORES: dict[str, Callable[[Announcement], float]] = {
    "battery": both_ways,
    "ev": largest,
    "heatpump": spread,
}
"""The attacker's score, by the device that it looks for."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one level of disclosure tells, and what it costs."""

    level: str
    auc: dict[str, float]
    """By device; NaN if all homes or none have it."""
    discomfort: float
    """Mean D after the exchange."""
    messages: int


def auc(scores: Sequence[float], owned: Sequence[bool]) -> float:
    """Return the probability that an owner's score is above that of another home; ties count
    half. NaN without both."""
    yes = np.array([score for score, own in zip(scores, owned, strict=True) if own])
    no = np.array([score for score, own in zip(scores, owned, strict=True) if not own])
    if not len(yes) or not len(no):
        return float("nan")
    above = (yes[:, None] > no).mean() + (yes[:, None] == no).mean() / 2.0
    return float(above)


def owns(home: Home, what: str) -> bool:
    """Return True if a home has a store of this kind."""
    return any(isinstance(device, Store) and device.what == what for device in home.devices)


class QuietLoop(AmountLoop):
    """An exchange in which homes say less than they do by default."""

    says: Callable[[Array], Array] = staticmethod(LEVELS["powers of sqrt 2 (as it is)"])

    def _announce(self, held: HeldHome) -> None:
        told = self.told(held)
        self.book.announce(held.home.id, up_kwh=told.up_kwh, down_kwh=told.down_kwh)

    def told(self, held: HeldHome) -> Announcement:
        """Return what a home announces."""
        full, says = announcement(held), type(self).says
        return Announcement(up_kwh=says(full.up_kwh), down_kwh=says(full.down_kwh))


def measured(homes: Callable[[], list[HeldHome]], level: str, *, rounds: int, seed: int) -> Told:
    """Return what one level tells and costs. `homes` makes the homes anew."""
    kind = type("Loop", (QuietLoop,), {"says": staticmethod(LEVELS[level])})
    loop: QuietLoop = kind(homes(), seed=seed)
    told = [loop.told(held) for held in loop.homes]
    found = {
        what: auc([score(says) for says in told], [owns(held.home, what) for held in loop.homes])
        for what, score in SCORES.items()
    }
    for _ in range(rounds):
        loop.round()
    return Told(
        level=level,
        auc=found,
        discomfort=float(loop.discomforts.mean()),
        messages=loop.messages,
    )


def planned(chosen: RunSettings) -> Callable[[], list[HeldHome]]:
    """Return what makes the homes as stage 1 leaves them."""
    scenario = read_scenario(chosen, "simulation")
    rows = simulate(Run("announcements", scenario)).rows
    households = scenario.population.households

    def homes() -> list[HeldHome]:
        found = []
        for row in rows:
            own = households[row.household].home
            assert own is not None
            found.append(HeldHome(own.home, own.plans[row.selected_plan]))
        return found

    return homes


def table(found: Sequence[Told], began: float) -> str:
    """Return the results as the table of docs/privacy.md."""
    lines = [
        "| a home announces | battery | car | heat pump | mean D | messages |",
        "| --- | --- | --- | --- | --- | --- |",
        f"| (before the exchange) | | | | {began:.3f} | |",
    ]
    for told in found:
        each = " | ".join(f"{told.auc[what]:.2f}" for what in SCORES)
        lines.append(f"| {told.level} | {each} | {told.discomfort:.3f} | {told.messages:,} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--homes", type=int, default=40)
    parser.add_argument("--dataset")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    source = {"dataset": given.dataset, "iterations": 0}
    if given.dataset is None:
        source = {"homes": given.homes, "iterations": 10, "seed": given.seed}
    homes = planned(RunSettings.model_validate({**source, "exchange": "off"}))
    before = [held.discomfort for held in homes()]
    began = float(np.mean([own for own in before if own is not None]))
    print(
        table(
            [measured(homes, level, rounds=given.rounds, seed=given.seed) for level in LEVELS],
            began,
        )
    )


if __name__ == "__main__":
    main()
