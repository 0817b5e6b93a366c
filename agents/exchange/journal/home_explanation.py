"""What a home did in an exchange of amounts and why, read from its own journal alone.

This module collects facts; `home_sentences` puts them into words, so that a page can show the same
facts in another way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np

from agents.exchange.journal.amount_records import AmountRecord, read_amounts
from agents.exchange.journal.entries import Entry, Kind
from agents.exchange.journal.home_facts import DeviceFacts, read_home
from agents.exchange.journal.records import read_beginning
from protocol.terms import RuleName
from protocol.vectors import Array

StepKind = Literal["inside", "asked", "served"]
_STEPS: dict[Kind, StepKind] = {"inside": "inside", "done": "asked", "accepted": "served"}


@dataclass(frozen=True, slots=True)
class DeviceChange:
    """What one step changed for one device, or all of them together."""

    name: str
    start_before: int | None
    """The slot in which a cycle started before; None for what is no cycle."""
    start_after: int | None
    setback_before: float | None
    """What it cost before, in the device's unit; None for a device without a wish."""
    setback_after: float | None
    moved_kwh: float
    """Energy that it takes at other times."""


@dataclass(frozen=True, slots=True)
class PartnerShare:
    """What one partner did in a step."""

    partner: str
    taken_over_kwh: float
    """Energy that it takes at other times so that this home can take it when it wants; for a step
    in which this home served, what this home does for it."""


@dataclass(frozen=True, slots=True)
class HomeStep:
    """A change that a home made: inside, as requester (`asked`), or as partner (`served`)."""

    round: int
    kind: StepKind
    partners: tuple[PartnerShare, ...]
    changes: tuple[DeviceChange, ...]
    discomfort_before: float | None
    """D before; None for a home without any wish."""
    discomfort_after: float | None
    slots: tuple[int, ...]
    """Slots at which the home's total changed."""


@dataclass(frozen=True, slots=True)
class DeviceDay:
    """A device at ease, after stage 1, and after stage 2."""

    facts: DeviceFacts
    start_planned: int | None
    start_exchanged: int | None
    setback_planned: float | None
    setback_exchanged: float | None
    kwh_planned: tuple[float, ...]
    kwh_exchanged: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class HomeExplanation:
    """Stage 2 as one home saw it, device by device and step by step."""

    household: str
    rule: RuleName
    mandate: dict[str, object]
    """What its people asked for; empty if they asked for nothing."""
    rounds: int
    restarts: int
    over: bool
    """Whether the journal reaches to the end of the stage."""
    discomfort_planned: float | None
    discomfort_exchanged: float | None
    devices: tuple[DeviceDay, ...]
    steps: tuple[HomeStep, ...]
    failed: int
    """Number of its wishes for which partners were asked in vain."""
    asked_in_vain: int
    """Number of partners that were asked for them."""
    refused: int
    """How often it could do nothing of what others proposed without a loss."""
    released: int
    """How often it had reserved something that the other did not want after all."""

    def at(self, slot: int) -> tuple[HomeStep, ...]:
        """Return the steps that changed the home's total at a slot, in order."""
        return tuple(step for step in self.steps if slot in step.slots)


class _State:
    """A home while its entries are read."""

    def __init__(self, facts: Sequence[DeviceFacts], start: AmountRecord) -> None:
        self.facts = {device.name: device for device in facts}
        self.schedules = dict(start.changed)
        self.setbacks = dict(start.setbacks)

    @property
    def discomfort(self) -> float | None:
        """D of these setbacks."""
        squares = [
            (self.setbacks[name] / device.tolerance) ** 2
            for name, device in self.facts.items()
            if name in self.setbacks
        ]
        return sqrt(sum(squares) / len(squares)) if squares else None

    def start(self, name: str, schedule: Array) -> int | None:
        """Return the slot in which a cycle starts; None for what is no cycle."""
        device = self.facts[name]
        if device.preferred_start is None:
            return None
        return int(np.argmax(schedule != 0.0)) - device.lead

    def take(self, entry: Entry, kind: StepKind) -> HomeStep:
        """Make the change of an entry, and return it as a step."""
        record, before = read_amounts(entry.data), self.discomfort
        changes, total = [], 0.0 * next(iter(self.schedules.values()))
        for name, schedule in record.changed.items():
            old = self.schedules[name]
            total = total + schedule - old
            changes.append(
                DeviceChange(
                    name=name,
                    start_before=self.start(name, old),
                    start_after=self.start(name, schedule),
                    setback_before=self.setbacks.get(name),
                    setback_after=record.setbacks.get(name),
                    moved_kwh=_moved(schedule - old),
                )
            )
        self.schedules |= record.changed
        self.setbacks |= record.setbacks
        return HomeStep(
            round=entry.round,
            kind=kind,
            partners=tuple(
                PartnerShare(part.partner.name, _moved(part.change)) for part in record.parts
            ),
            changes=tuple(changes),
            discomfort_before=before,
            discomfort_after=self.discomfort,
            slots=tuple(np.flatnonzero(total).tolist()),
        )


def explain_home(entries: Sequence[Entry]) -> HomeExplanation:
    """Return the explanation in a home's entries, which start with the `begin` of stage 2."""
    setting, mandate, _, _ = read_beginning(entries[0].data)
    first: Mapping[Kind, Entry] = {entry.kind: entry for entry in reversed(entries)}
    state = _State(read_home(first["home"].data), read_amounts(first["devices"].data))
    planned, setbacks, discomfort = dict(state.schedules), dict(state.setbacks), state.discomfort
    steps = [state.take(each, _STEPS[each.kind]) for each in entries if each.kind in _STEPS]
    failed = [read_amounts(entry.data).sequence for entry in entries if entry.kind == "failed"]
    return HomeExplanation(
        household=entries[0].household,
        rule=mandate.rule or setting.terms.rule,
        mandate=mandate.narrowed,
        rounds=max((entry.round for entry in entries if entry.kind == "round"), default=0),
        restarts=sum(entry.kind == "resume" for entry in entries),
        over=any(entry.kind == "over" for entry in entries),
        discomfort_planned=discomfort,
        discomfort_exchanged=state.discomfort,
        devices=tuple(
            DeviceDay(
                facts=device,
                start_planned=state.start(name, planned[name]),
                start_exchanged=state.start(name, state.schedules[name]),
                setback_planned=setbacks.get(name),
                setback_exchanged=state.setbacks.get(name),
                kwh_planned=tuple(planned[name].tolist()),
                kwh_exchanged=tuple(state.schedules[name].tolist()),
            )
            for name, device in state.facts.items()
        ),
        steps=tuple(steps),
        failed=len(failed),
        asked_in_vain=sum(failed),
        refused=sum(entry.kind == "refused" for entry in entries),
        released=sum(entry.kind == "dismissed" for entry in entries),
    )


def _moved(change: Array) -> float:
    """Return the energy that a change moves between slots, kWh."""
    return float(np.abs(change).sum()) / 2.0
