"""The random generator: java.util.Random, which EPOS uses, in a few lines.

One small generator serves ties and shuffles everywhere. Its state is one integer, and a household
in another language can repeat it exactly (docs/protocol.md).
"""

from collections.abc import MutableSequence, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocol.vectors import Array

_MULTIPLIER = 0x5DEECE66D
_MASK = (1 << 48) - 1


class JavaRandom:
    """The generator of java.util.Random: linear congruential, with 48 bits of state."""

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = (seed ^ _MULTIPLIER) & _MASK

    @classmethod
    def at(cls, state: int) -> "JavaRandom":
        """Return a generator in the given state."""
        return cls(state ^ _MULTIPLIER)

    @property
    def state(self) -> int:
        """The whole state: 48 bits."""
        return self._state

    def _next(self, bits: int) -> int:
        self._state = (self._state * _MULTIPLIER + 0xB) & _MASK
        return self._state >> (48 - bits)

    def next_double(self) -> float:
        """Return a number uniform in [0, 1), with 53 bits."""
        return ((self._next(26) << 27) + self._next(27)) * 2.0**-53

    def next_long(self) -> int:
        """Return a signed 64-bit integer."""
        high, low = self._next(32), self._next(32)
        value = ((high << 32) + low - ((low >> 31) << 32)) & (2**64 - 1)
        return value - 2**64 if value >= 2**63 else value

    def next_int(self, bound: int) -> int:
        """Return an integer uniform in 0..bound-1."""
        if bound & (bound - 1) == 0:
            return (bound * self._next(31)) >> 31
        while True:
            bits = self._next(31)
            value = bits % bound
            if bits - value + bound - 1 < 2**31:
                return value

    def shuffle(self, items: MutableSequence[Any]) -> None:
        """Shuffle in place, as java.util.Collections.shuffle does."""
        for size in range(len(items), 1, -1):
            other = self.next_int(size)
            items[size - 1], items[other] = items[other], items[size - 1]


class JavaRandoms:
    """Many generators, each starting in the state of a given one, drawn from by row."""

    __slots__ = ("_states",)

    def __init__(self, generators: Sequence[JavaRandom]) -> None:
        self._states = np.array([generator.state for generator in generators], dtype=np.uint64)

    @property
    def states(self) -> list[int]:
        """The state of each generator."""
        states: list[int] = self._states.tolist()
        return states

    def next_double(self, rows: NDArray[np.intp]) -> Array:
        """Return the next number of each generator in `rows` (all different): int[r] ->
        float64[r]."""
        multiplier, mask = np.uint64(_MULTIPLIER), np.uint64(_MASK)
        # Products wrap at 64 bits, and only the lower 48 matter.
        first = (self._states[rows] * multiplier + np.uint64(0xB)) & mask
        second = (first * multiplier + np.uint64(0xB)) & mask
        self._states[rows] = second
        drawn = ((first >> np.uint64(22)) << np.uint64(27)) + (second >> np.uint64(21))
        return drawn * 2.0**-53


def household_chance(seed: int, household: str) -> JavaRandom:
    """Return a household's own generator. It depends on the seed of the run and the household's id,
    not on where the household runs."""
    digest = blake2b(f"{seed}:{household}".encode(), digest_size=8).digest()
    return JavaRandom(int.from_bytes(digest, "little"))
