"""Growth: does a quantity that should stay the same rise over many runs? Pure."""

from collections.abc import Mapping, Sequence
from statistics import median

Sample = Mapping[str, int]
"""What is in use after a run: bytes of memory (names that end in `memory`), or counts."""
MEMORY = "memory"
MEMORY_SHARE, MEMORY_BYTES = 0.05, 4 * 2**20
"""Growth of memory that is not counted: whichever is more. Caches fill, and heaps have gaps."""


def grown(samples: Sequence[Sample]) -> list[str]:
    """Return what has grown from the second quarter of the samples to the last one; the first is
    left out, in which caches fill. Raises ValueError for fewer than eight samples."""
    if len(samples) < 8:
        raise ValueError("growth needs at least eight samples")
    quarter = len(samples) // 4
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    found = []
    for name in samples[-1]:
        before = median(sample[name] for sample in early)
        after = median(sample[name] for sample in late)
        room = max(MEMORY_SHARE * before, MEMORY_BYTES) if name.endswith(MEMORY) else 0
        if after > before + room:
            found.append(f"{name}: {before:,.0f} to {after:,.0f}")
    return found
