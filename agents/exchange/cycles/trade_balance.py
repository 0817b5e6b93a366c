"""The balance of trades: whether, at every slot, what households take is what others give.

Each household sums up marks of the values it takes, minus marks of those it gives. Over all
households the sum is 0 if the trades only pass the values at each slot on; by chance alone it is 0
in one of 2^64 other cases. One number goes up the tree, and names no value.
"""

import struct
from collections.abc import Mapping, Sequence
from hashlib import blake2b

MODULUS = 2**64


def trade_balance(held: Sequence[float], taken: Mapping[int, float]) -> int:
    """Return the balance of one household's trades, in [0, 2^64).

    `held` are the values that it holds at all slots, `taken` those that it takes, by slot, kWh.
    """
    marks = (_mark(slot, value) - _mark(slot, held[slot]) for slot, value in taken.items())
    return sum(marks) % MODULUS


def _mark(slot: int, value: float) -> int:
    """Return a number for this value at this slot: 64 bits of BLAKE2b of the slot (4 bytes) and
    the value (a float64), both little-endian."""
    data = struct.pack("<Id", slot, value + 0.0)  # 0.0 and -0.0 are one value
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")
