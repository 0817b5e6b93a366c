"""The exchange of amounts as a plain loop in one process: homes, a book, and no messages.

It counts the messages that the same talks would take.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from agents.devices.cycle import Cycle
from agents.devices.home_table import Homes
from agents.exchange.amounts.agenda import Agenda
from agents.exchange.amounts.announcement import Announcement, announcement, undone
from agents.exchange.amounts.held_home import HeldHome
from agents.exchange.amounts.inside_moves import rearrange
from agents.exchange.amounts.pair_moves import Limits, serve
from agents.exchange.amounts.wish import Wish
from matchmaker.amount_book import AmountBook
from protocol.messages import Address
from protocol.terms import RuleName
from protocol.vectors import Array


def held_homes(homes: Homes, rule: RuleName = "mutual") -> list[HeldHome]:
    """Return the homes with their selected plans, or their preferred ones."""
    return [
        HeldHome(own.home, own.plans[own.selected or 0], rule=rule) for own in homes.homes.values()
    ]


@dataclass
class AmountLoop:
    """Homes that exchange amounts, one after another."""

    homes: Sequence[HeldHome]
    seed: int = 0
    messages: int = 0
    made: dict[str, int] = field(default_factory=lambda: {"part": 0, "whole": 0, "failed": 0})

    def __post_init__(self) -> None:
        self.chance = np.random.default_rng(self.seed)
        self.book = AmountBook(self.homes[0].slots)
        self.by_id = {held.home.id: held for held in self.homes}
        for held in self.homes:
            self.book.enter(Address("host", held.home.id))
            rearrange(held)
            self._announce(held)

    def round(self) -> int:
        """Let every home look once for what it wants. Returns the number of exchanges."""
        before = self.made["part"] + self.made["whole"]
        for place in self.chance.permutation(len(self.homes)).tolist():
            held = self.homes[place]
            rearrange(held)
            self._announce(held)
            agenda = Agenda(held)
            while (wish := agenda.next_wish()) is not None:
                self._negotiate(held, wish)
        return self.made["part"] + self.made["whole"] - before

    def _announce(self, held: HeldHome) -> None:
        says = announcement(held)
        self.book.announce(held.home.id, up_kwh=says.up_kwh, down_kwh=says.down_kwh)

    def _negotiate(self, held: HeldHome, wish: Wish) -> None:
        parts: dict[str, dict[str, Array]] = {}
        asked: list[str] = []
        while (wanted := wish.wanted()) is not None and len(asked) < wish.partners_max:
            want = {"up_kwh": wanted.up_kwh, "down_kwh": wanted.down_kwh}
            self.messages += 2
            found = self.book.ranked(held.home.id, without=asked, **want)
            if not found:
                break
            partner = found[0][0]
            asked.append(partner)
            gives = Announcement(*self.book.announced(partner, **want))
            changed = self._talk(held, wish, partner, gives)
            if changed:
                parts[partner] = changed
        own = wish.changed()
        self.messages += 2 * len(parts)
        if own is None:
            self.made["failed"] += 1
            return
        self.made[wish.kind] += 1
        held.take(own)
        for partner, changed in parts.items():
            self.by_id[partner].take(changed)
        self._announce(held)

    def _talk(
        self, held: HeldHome, wish: Wish, partner: str, gives: Announcement
    ) -> dict[str, Array]:
        """Return the new schedules that the partner reserves."""
        other = self.by_id[partner]
        change: Array | None = wish.proposed(gives)
        changed: dict[str, Array] = {}
        while change is not None and change.any():
            self.messages += 2
            changed = serve(other, Limits.of(-change))
            part = -other.change_of(changed)
            left, entered = undone(change - part, gives)
            self.book.refuse(partner, left=left, entered=entered)
            change = wish.answered(part)
        if wish.kind == "part" and wish.changed() is None:
            self.book.disappoint(held.home.id, partner)
            return {}
        return changed

    # -- measures ---------------------------------------------------------------------------------

    @property
    def total(self) -> Array:
        """The sum over all homes, float64[d] kWh."""
        return np.asarray(sum(held.total for held in self.homes))

    @property
    def discomforts(self) -> Array:
        """D of every home with a wish."""
        each = [held.discomfort for held in self.homes]
        return np.array([own for own in each if own is not None])

    @property
    def delay_min(self) -> float:
        """Mean delay of all cycles, minutes."""
        return float(
            np.mean(
                [
                    float(device.setback(held.schedules[device.name]))
                    for held in self.homes
                    for device in held.home.devices
                    if isinstance(device, Cycle)
                ]
            )
        )
