"""The domains of the numbers and lists in messages: ranges that hold for every run.

A number outside its domain is refused with the frame that carries it. The domains are wide: they
only keep out what no run can mean, and what a receiver could not store, add up or square. What one
run allows, such as its number of slots, is checked by the machine that it is for; who may say what,
in runtime/gate.py.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

LARGEST_VALUE = 2.0**80
"""Largest magnitude of a number of a message. Sums of squares of very many are still finite."""
SLOTS_MAX = 2**20
"""Largest number of slots."""
_STORABLE = 2**63 - 1
"""Largest integer that a journal can hold."""

Count = Annotated[int, Field(ge=0, le=2**53)]
"""A number of things."""
Positive = Annotated[int, Field(ge=1, le=2**53)]
"""A number of things of which there is at least one, or a number that counts from 1."""
Ordinal = Annotated[int, Field(ge=0, le=_STORABLE)]
"""A session, an epoch, or another number that only rises."""
Seed = Annotated[int, Field(ge=-_STORABLE, le=_STORABLE)]
"""A seed of a random generator."""
Step = Annotated[int, Field(ge=-1, le=2**31 - 1)]
"""An iteration or a round; -1 before the first."""
SlotCount = Annotated[int, Field(ge=1, le=SLOTS_MAX)]
"""The number of slots of a day."""
Slot = Annotated[int, Field(ge=0, lt=SLOTS_MAX)]
"""A slot, counted from 0."""
SlotOrWhole = Annotated[int, Field(ge=-1, lt=SLOTS_MAX)]
"""A slot, or WHOLE (-1) for all slots of a household."""
Digest = Annotated[int, Field(ge=0, lt=2**64)]
"""A number of 64 bits that is compared, never counted."""
Finite = Annotated[float, Field(ge=-LARGEST_VALUE, le=LARGEST_VALUE, allow_inf_nan=False)]
"""A number that is neither infinite nor NaN."""
NotNegative = Annotated[float, Field(ge=0, le=LARGEST_VALUE, allow_inf_nan=False)]
"""A number that is not below zero, such as a sum of squares."""
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
"""A duration, seconds."""
Reason = Annotated[str, Field(max_length=2**14)]
"""A text for people."""
Key = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A public or private key of ed25519: 32 bytes, in hexadecimal digits."""
Seal = Annotated[bytes, Field(strict=True, max_length=64 + 32 * 32)]
"""A matchmaker's seal on a lease (lease_seal.py); empty where leases are not sealed."""
