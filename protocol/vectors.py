"""Vectors of float64 and of int64: the types, and their forms in a message (raw little-endian
bytes). Numbers that are added up the tree must be finite, or the sums could not be compared."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainValidator, ValidationInfo

from protocol.domains import LARGEST_VALUE

Array = NDArray[np.float64]


def to_bytes(vector: Array) -> bytes:
    """Return a float64[d] as 8*d little-endian bytes."""
    return vector.astype("<f8", copy=False).tobytes()


def from_bytes(data: Any) -> Array:
    """Return 8*d little-endian bytes as a read-only float64[d]. Raises ValueError for anything
    else."""
    if not isinstance(data, bytes) or len(data) % 8:
        raise ValueError("a vector is a byte string of whole float64 values")
    vector = np.frombuffer(data, "<f8")
    if not (np.abs(vector) <= LARGEST_VALUE).all():  # nor is NaN
        raise ValueError(f"a number of a vector is at most {LARGEST_VALUE:g}")
    return vector


def from_frame(place: Any, info: ValidationInfo) -> Array:
    """Return the vector with this number in the frame; the frame's vectors are the validation
    context."""
    vectors: list[Array] = info.context or []
    if type(place) is not int or not 0 <= place < len(vectors):
        raise ValueError("a vector field is the number of a vector of the frame")
    return vectors[place]


Vector = Annotated[Array, PlainValidator(from_frame)]
"""A float64[d] field of a message."""

Int64Array = NDArray[np.int64]

AMOUNT_MAX = 2**53
"""Largest magnitude of a number in a vector of int64. Sums of a thousand of them do not overflow.
"""


def int_bytes(vector: Int64Array) -> bytes:
    """Return an int64[d] as 8*d little-endian bytes."""
    return vector.astype("<i8", copy=False).tobytes()


def ints_from_bytes(data: Any) -> Int64Array:
    """Return 8*d little-endian bytes as a read-only int64[d]. Raises ValueError for anything else,
    and for a magnitude above AMOUNT_MAX."""
    if not isinstance(data, bytes) or len(data) % 8:
        raise ValueError("a vector of integers is a byte string of whole int64 values")
    vector = np.frombuffer(data, "<i8")
    if ((vector > AMOUNT_MAX) | (vector < -AMOUNT_MAX)).any():
        raise ValueError(f"an integer of a vector is at most {AMOUNT_MAX}")
    return vector


Int64Vector = Annotated[Int64Array, PlainValidator(ints_from_bytes)]
"""An int64[d] field of a message."""
