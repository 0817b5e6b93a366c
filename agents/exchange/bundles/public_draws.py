"""The draws of a round that everybody can repeat: which matchmaker a household looks up at, and,
where there is no matchmaker, which two households talk.

Both follow from the seed, the round and positions in the tree alone, and cost the same for any
number of households. Pure arithmetic.
"""

from hashlib import blake2b
from typing import NamedTuple

FEISTEL_STEPS = 4


class Shard(NamedTuple):
    """The matchmaker of a household in one round."""

    number: int
    """Which of the matchmakers, from 0."""
    households: int
    """Number of households that look up there in this round."""


def shard_of(position: int, round: int, *, households: int, shards: int, seed: int) -> Shard:
    """Return the matchmaker of the household at this position: the households are shuffled anew in
    each round, and then divided into parts of nearly the same size."""
    if shards == 1:
        return Shard(0, households)
    place = _shuffled(position, f"{seed}:{round}", households)
    number = place * shards // households
    first, after = (-(-edge * households // shards) for edge in (number, number + 1))
    return Shard(number, after - first)


def partner_of(position: int, round: int, *, households: int, seed: int) -> int | None:
    """Return the position of the partner, or None: two households talk if their positions add up to
    the sum drawn for this round, modulo the number of households. So any two meet with the same
    probability."""
    partner = (_hashed(f"{seed}:{round}") - position) % households
    return None if partner == position else partner


def asks(position: int, partner: int, round: int) -> bool:
    """Return True if the household proposes, not its partner: the lower position in odd rounds."""
    return (position < partner) == (round % 2 == 1)


def _shuffled(position: int, key: str, households: int) -> int:
    """Return the place of a position among all households in the order that `key` gives: a Feistel
    network, applied again until the place is one of theirs."""
    bits = max(1, -(-(households - 1).bit_length() // 2))
    place = position
    while True:
        left, right = divmod(place, 1 << bits)
        for step in range(FEISTEL_STEPS):
            left, right = right, left ^ _hashed(f"{key}:{step}:{right}") % (1 << bits)
        place = (left << bits) + right
        if place < households:
            return place


def _hashed(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=16).digest(), "big")
