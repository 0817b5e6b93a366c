"""Limits on the size of a population: the memory of this machine, and the largest sensible value.

They are checked before anything is made, so that typing errors end at once and not after minutes.
"""

import os
from pathlib import Path

import numpy as np

from agents.plans import Population
from protocol.errors import InputError
from protocol.messages.equal_shift import UNIT_KWH
from protocol.vectors import AMOUNT_MAX, Array

LARGEST_VALUE = 1e12
"""Largest magnitude of a value of a plan or a target, kWh per slot. Squares of sums of such values
over any number of households stay far inside the range of a float."""
PLANS_PER_HOUSEHOLD = 10
"""Number of plans of a generated household with the default scheme."""
_COPIES = 2
"""At least this many copies of a population are in memory while it is made and passed on."""
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def check_memory(households: int, slots: int, plans: int = PLANS_PER_HOUSEHOLD) -> None:
    """Raise InputError if the plans of a population do not fit into this machine's memory."""
    needed = households * slots * plans * 8 * _COPIES
    available = memory_bytes()
    if needed > available:
        raise InputError(
            f"{households:,} households with {plans} plans of {slots:,} slots need about "
            f"{as_size(needed)} of memory, and this machine has {as_size(available)}: "
            "use fewer households or slots",
            field="--households",
        )


def check_magnitudes(population: Population, target: Array | None) -> None:
    """Raise InputError if the magnitude of a value is above LARGEST_VALUE."""
    for household, plans in population.households.items():
        largest = float(np.abs(plans.values).max())
        if largest > LARGEST_VALUE:
            raise InputError(
                f"household {household} has a plan with a value of {largest:.3g} kWh: "
                f"at most {LARGEST_VALUE:.0e} makes sense",
                file=population.source,
            )
    if target is not None and float(np.abs(target).max()) > LARGEST_VALUE:
        raise InputError(
            f"a value of the target is {float(np.abs(target).max()):.3g} kWh: "
            f"at most {LARGEST_VALUE:.0e} makes sense",
            field="--target",
        )


def check_sums(population: Population) -> None:
    """Raise InputError if the values of all households may sum to more than an equal shift can add
    up exactly, in UNIT_KWH."""
    largest = sum(float(np.abs(plans.values).max()) for plans in population.households.values())
    most = AMOUNT_MAX * UNIT_KWH / 2  # an excess is the difference of two plans
    if largest > most:
        raise InputError(
            f"all households together may reach {largest:.3g} kWh in a slot: an equal shift adds "
            f"up to {most:.3g} exactly",
            field="--exchange",
        )


def memory_bytes() -> int:
    """Return the memory of this machine, or of the container around this process, in bytes."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(physical, int(_CGROUP_LIMIT.read_text()))
    except (OSError, ValueError):  # no such limit, or "max"
        return physical


def as_size(count: float) -> str:
    """Return a number of bytes as text with a unit."""
    for unit in ("B", "kB", "MB", "GB", "TB", "PB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if count >= 100 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.0f} EB"
