"""A ledger of four households, and questions that tests put to it."""

from matchmaker.leases import Found, Leases
from matchmaker.offer_book import Wish
from protocol.messages.exchange import Closed, LeaseId
from tests.support.lookups import offered

SECONDS = 10.0


def four(per_slot: bool = False, slots: int = 2) -> Leases:
    """Return a ledger with a at 0 going up, and b, c and d at 1, 2 and 2.5 going down; a gains most
    with c."""
    made = Leases(slots, epoch=7, lease_seconds=SECONDS, per_slot=per_slot)
    known = (("a", 0.0, 3.0), ("b", 1.0, -1.5), ("c", 2.0, -2.5), ("d", 2.5, -2.6))
    for name, value, limit in known:
        offered(made, name, *[(value, limit)] * slots)
    return made


def look_up(
    made: Leases, name: str, *slots: int, now: float = 0.0, leases_max: int = 1, round: int = 1
) -> Found:
    wishes = [Wish(slot) for slot in slots]
    return made.look_up(name, wishes, now, leases_max=leases_max, round=round)


def lease(made: Leases, name: str, slot: int = 0, now: float = 0.0) -> LeaseId:
    (only,) = look_up(made, name, slot, now=now).leases
    return only.id


def partner(made: Leases, name: str, slot: int = 0, round: int = 1) -> str:
    """Return the partner with which `name` is matched; the lease is closed at once."""
    (only,) = look_up(made, name, slot, round=round).leases
    made.close(name, Closed(only.id, "void"), round)
    return only.partner.name


def free(made: Leases, name: str, slot: int = 0) -> bool:
    """Return True if the household's offer may be part of a new lease."""
    return bool(made._offers.free[slot, made._offers.columns[name]])
