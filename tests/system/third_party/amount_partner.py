"""A home with devices as partner in an exchange of amounts (docs/protocol.md, Content amounts): it
reserves what others ask for, as far as that costs it nothing."""

from typing import Any

import numpy as np

from tests.system.third_party.exchange import Exchange
from tests.system.third_party.planning import Array
from tests.system.third_party.tank_home import UNIT, Counts, Setting, TankHome
from tests.system.third_party.voice import Voice
from tests.system.third_party.wire import Address

Fields = dict[str, Any]
Name = tuple[str, tuple[int, ...]]
"""Another household, and a lease."""


class AmountPartner(Exchange):
    """One household's part in talks that others open, and what it holds."""

    def __init__(
        self,
        voice: Voice,
        place: Fields,
        schedule: Array,
        preferred: Array,
        session: int,
        *,
        home: TankHome,
        setting: Setting,
    ) -> None:
        self.home, self.setting, self.news = home, setting, False
        self.reserved: tuple[Name, Address, Setting, Counts] | None = None
        self.asks_at = float("inf")
        """When it says its part again, while it is reserved."""
        self.answers_said: dict[Name, Fields | None] = {}
        """The last answer under each lease; None once it is done."""
        super().__init__(voice, place, schedule, preferred, session)

    @property
    def busy(self) -> bool:
        """Whether the household is in a talk that it has opened."""
        return False

    def change_of(self, told: Fields) -> Counts:
        """Return the change that was told; raises ValueError if it is none."""
        slots, amounts = told["slots"], told["amounts"]
        known = range(len(self.start))
        if slots != sorted(set(slots)) or not all(slot in known for slot in slots):
            raise ValueError("no slots of a change")
        if len(amounts) != len(slots) or int(amounts.sum()) != 0:
            raise ValueError("amounts that do not fit, or do not sum to 0")
        change = np.zeros(len(self.start), dtype=np.int64)
        change[slots] = amounts
        return change

    def on_amount_proposal(self, sender: Address, proposal: Fields) -> None:
        name = (sender[1], tuple(proposal["lease"]))
        said = self.answers_said.get(name)
        if name not in self.answers_said:
            if self.round < 0 or self.over:
                return None
            self.check_lease(sender, proposal, -1, 0)
        if name in self.answers_said and said is None:
            return None
        if said is not None and proposal["sequence"] <= said["sequence"]:
            if proposal["sequence"] == said["sequence"]:
                self.voice.say(sender, "AmountAnswer", **said)
            return None
        change = self.change_of(proposal)
        other = self.reserved is not None and self.reserved[0] != name
        if self.busy or other:
            return self.answer(sender, proposal, np.zeros_like(change), "busy")
        new = self.home.serves(self.setting, -change)
        part = self.setting[1] - new[1]
        self.reserved, self.asks_at = None, float("inf")
        if part.any():
            self.reserved = (name, sender, new, part)
            self.asks_at = self.voice.now + self.terms["lease_seconds"]
        self.answer(sender, proposal, part, "" if part.any() else "loss")
        return self.go_on()

    def answer(self, sender: Address, proposal: Fields, part: Counts, reason: str) -> None:
        slots = np.flatnonzero(part)
        fields = {"lease": proposal["lease"], "sequence": proposal["sequence"], "reason": reason}
        fields |= {"slots": slots.tolist(), "amounts": part[slots]}
        self.answers_said[sender[1], tuple(proposal["lease"])] = fields
        self.voice.say(sender, "AmountAnswer", **fields)

    def on_amount_confirmation(self, sender: Address, confirmation: Fields) -> None:
        name = (sender[1], tuple(confirmation["lease"]))
        if self.reserved is not None and self.reserved[0] == name:
            _, _, new, part = self.reserved
            self.reserved, self.asks_at = None, float("inf")
            if confirmation["commit"]:
                self.setting = new
                self.note(sender[1], confirmation["lease"], -part, asked=False)
                self.changed_now()
        elif confirmation["commit"] and self.answers_said.get(name, {}) is not None:
            raise ValueError("it has reserved nothing")
        self.answers_said[name] = None
        self.voice.say(sender, "AmountDone", lease=confirmation["lease"])
        self.go_on()

    # -- what it holds ----------------------------------------------------------------------------

    def changed_now(self) -> None:
        self.holding.held = self.home.total(self.setting) / UNIT
        self.news = True

    def note(self, other: str, lease: list[int], part: Counts, *, asked: bool) -> None:
        for slot in np.flatnonzero(part).tolist():
            kwh = float(part[slot]) / UNIT
            amounts = (max(-kwh, 0.0), max(kwh, 0.0), 0.0)
            self.trace.append((self.round, slot, other, lease, asked, *amounts))
