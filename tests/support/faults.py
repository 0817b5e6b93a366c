"""What a fault of a household is, for households with one fault each."""

from collections.abc import Callable
from typing import Any

Fault = Callable[..., Any]
Wrong = tuple[Fault, type, str]
"""A function, and the method of a class in whose place it is."""


def in_place_of(where: type, faults: dict[Fault, str]) -> dict[str, Wrong]:
    """Return the faults of one class by name; `faults` has the method of each."""
    return {fault.__name__: (fault, where, method) for fault, method in faults.items()}
