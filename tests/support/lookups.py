"""Lookups of households, with defaults for everything that a test does not need."""

from typing import Any

import numpy as np

from matchmaker.leases import Leases
from matchmaker.matchmaker import Matchmaker
from protocol.messages import Address, Lookup, Match
from protocol.runtime.machine import Envelope

MAKER = Address("maker-host", "maker")


def home(name: str) -> Address:
    """Return the address of a household on its own host."""
    return Address(f"host-{name}", name)


def lookup(number: int = 1, **fields: Any) -> Lookup:
    """Return a lookup that is empty except for `fields`; lists become vectors."""
    everything: dict[str, Any] = {
        **{"session": 1, "number": number, "epoch": 0, "round": 1, "limits_bind": True},
        **{"disclosure": "value", "slots": (), "values_kwh": [], "limits_kwh": [], "withdrawn": ()},
        **{"closed": (), "wants": (), "wanted_kwh": [], "tolerance_kwh": [], "min_gain_kwh2": 0.0},
        **{"leases_max": 1, **fields},
    }
    for name in ("values_kwh", "limits_kwh", "wanted_kwh", "tolerance_kwh"):
        everything[name] = np.array(everything[name], dtype=np.float64)
    return Lookup(**everything)


def ask(maker: Matchmaker, name: str, message: Lookup, now: float = 0.0) -> Match:
    """Pass a lookup of household `name` to the matchmaker and return the answer."""
    (answer,) = maker.handle(Envelope(home(name), maker.address, message), now)
    assert (answer.sender, answer.to) == (maker.address, home(name))
    assert isinstance(answer.message, Match)
    return answer.message


def offered(
    leases: Leases, name: str, *offers: tuple[float, float | None], limits_bind: bool = True
) -> None:
    """Enter household `name` with one offer per slot: value and limit, kWh."""
    leases.enter(home(name))
    leases.bind(name, limits_bind=limits_bind)
    for slot, (value, limit) in enumerate(offers):
        leases.offer(name, slot, value, limit)
