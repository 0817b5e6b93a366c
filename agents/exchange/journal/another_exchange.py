"""The record with which a household's journal begins another exchange, after planning again."""

from typing import NamedTuple

import msgpack

from protocol.codec import decode_message, encode_message
from protocol.messages import Result
from protocol.vectors import Array, from_bytes, to_bytes


class AnotherExchange(NamedTuple):
    """The state of a household that exchanges again after planning again."""

    planned: Result
    """The result so far: the fields of stage 1."""
    schedule: Array
    """The selected plan or schedule, float64[d], kWh."""
    drift_kwh: float
    """Energy of this schedule beyond that of the household's own plan from which it came."""
    generator_state: int
    """The state of the generator for ties."""
    attempt: int
    """The attempt, as in Place."""


def write_another(another: AnotherExchange) -> bytes:
    """Write the record as bytes for the journal."""
    planned, schedule, *numbers = another
    packed: bytes = msgpack.packb([encode_message(planned), to_bytes(schedule), *numbers])
    return packed


def read_another(data: bytes) -> AnotherExchange:
    """Read the bytes of `write_another`."""
    planned, schedule, drift_kwh, generator_state, attempt = msgpack.unpackb(data)
    result = decode_message(planned)
    assert isinstance(result, Result)
    return AnotherExchange(
        planned=result,
        schedule=from_bytes(schedule),
        drift_kwh=drift_kwh,
        generator_state=generator_state,
        attempt=attempt,
    )
