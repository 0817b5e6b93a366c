"""A home's part in stage 2 that both sides of a talk share: what it holds, its journal, its counts.

It writes the entries of the journal and carries out agreed changes; when, is decided in
amount_requests.py and amount_reservations.py.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from agents.devices.energy_grid import from_counts, to_counts
from agents.devices.home import Home, PlannedHome
from agents.devices.home_plans import Caps
from agents.exchange.amounts.held_home import HeldHome
from agents.exchange.holding import Holding
from agents.exchange.journal.amount_records import AmountRecord, Part, read_amounts, write_amounts
from agents.exchange.journal.entries import Entry, Journal, Kind
from agents.exchange.negotiations import ExchangeCounts
from agents.mandate import Mandate
from protocol.errors import PeerError
from protocol.messages import Address, Trace
from protocol.messages.exchange import WHOLE, LeaseId, Refusal
from protocol.terms import ExchangeTerms, RuleName
from protocol.vectors import Array, Int64Array


@dataclass(slots=True)
class HomeRecord:
    """What a home holds, and what it has exchanged.

    Invariant: `holding` has the home's total, slot by slot.
    """

    address: Address
    held: HeldHome
    holding: Holding
    journal: Journal
    counts: ExchangeCounts = field(default_factory=ExchangeCounts)
    round: int = -1
    changed: bool = True
    """True if the home has changed since it last announced."""
    _made: list[tuple[int, bool, Part]] = field(default_factory=list)
    """Round, whether this home asked, and the part, for each partner of each exchange."""

    def note(
        self,
        kind: Kind,
        record: AmountRecord,
        *,
        partner: Address | None = None,
        lease: LeaseId | None = None,
        reason: Refusal = "",
    ) -> None:
        """Write an entry into the journal."""
        partner = Address("", "") if partner is None else partner
        lease = LeaseId(0, 0) if lease is None else lease
        entry = Entry(
            household=self.address.name,
            kind=kind,
            round=self.round,
            slot=WHOLE,
            host=partner.host,
            partner=partner.name,
            epoch=lease.epoch,
            lease=lease.number,
            reason=reason,
            data=write_amounts(
                record._replace(setbacks=setbacks_of(self.held.home, record.changed))
            ),
        )
        self.journal.append(entry)

    def take(self, changed: Mapping[str, Array], parts: tuple[Part, ...], *, asked: bool) -> None:
        """Follow new schedules of devices from now on, as agreed with these partners."""
        self.held.take(changed)
        self._made += [(self.round, asked, part) for part in parts]
        total = self.held.total
        for slot in np.flatnonzero(total != self.holding.schedule).tolist():
            self.holding.take(slot, float(total[slot]))
        self.changed = True

    def trace(self) -> Trace:
        """Return the exchanges made so far, one row for each partner and slot: the amount that
        this home gave or took there."""
        rows = [
            (round, asked, part, slot)
            for round, asked, part in self._made
            for slot in np.flatnonzero(part.change).tolist()
        ]
        amounts = np.array([float(part.change[slot]) for _, _, part, slot in rows])
        return Trace(
            rounds=tuple(round for round, _, _, _ in rows),
            slots=tuple(slot for _, _, _, slot in rows),
            partners=tuple(part.partner.name for _, _, part, _ in rows),
            leases=tuple(part.lease for _, _, part, _ in rows),
            asked=tuple(asked for _, asked, _, _ in rows),
            given_kwh=np.maximum(-amounts, 0.0),
            taken_kwh=np.maximum(amounts, 0.0),
            gains_kwh2=np.zeros(len(rows)),
        )


def setbacks_of(home: Home, schedules: Mapping[str, Array]) -> dict[str, float]:
    """Return what schedules of devices cost in comfort, by device, in the device's unit."""
    return {
        name: float(device.setback(schedule))
        for name, schedule in schedules.items()
        if (device := home.device(name)).unit is not None
    }


def said(change: Array) -> tuple[tuple[int, ...], Int64Array]:
    """Return a change as it is sent: its slots and the counts there."""
    slots = np.flatnonzero(change)
    return tuple(slots.tolist()), to_counts(change[slots])


def heard(slots: tuple[int, ...], amounts: Int64Array, length: int) -> Array:
    """Return the change that was sent, float64[length] kWh. Raises PeerError if it is none."""
    if len(slots) != len(amounts) or list(slots) != sorted(set(slots)):
        raise PeerError("a change whose lists do not fit together")
    if slots and not 0 <= slots[0] <= slots[-1] < length:
        raise PeerError(f"a change beyond the {length} slots")
    if int(amounts.sum()) != 0:
        raise PeerError("a change whose sum is not 0")
    change = np.zeros(length)
    change[list(slots)] = from_counts(amounts)
    return change


def held_at_start(
    home: Home, entries: Iterable[Entry], *, rule: RuleName, caps: Caps | None
) -> HeldHome | None:
    """Return a home as it was when stage 2 started, from its journal; None if that has nothing.
    `rule` and `caps` are as in HeldHome."""
    for entry in entries:
        if entry.kind == "devices":
            return HeldHome(home, read_amounts(entry.data).changed, rule=rule, caps=caps)
    return None


def held_home(
    own: PlannedHome | None, selected: int, terms: ExchangeTerms, mandate: Mandate
) -> HeldHome | None:
    """Return a home with the schedules of its selected plan, if amounts are exchanged."""
    if own is None or terms.content != "amounts":
        return None
    rule = mandate.rule or terms.rule
    return HeldHome(own.home, own.plans[selected], rule=rule, caps=mandate.device_caps)
