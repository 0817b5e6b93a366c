"""Frames: messages as bytes and back (docs/protocol.md, Frames)."""

from typing import Any, NamedTuple

import msgpack
import numpy as np

VERSION = 3
Address = tuple[str, str]
NUMBER = (int, float)
BOUND = (int, float, type(None))
"""A number, or none if there is no bound."""
ADDRESS, VECTOR, INTEGERS = "address", "vector", "integers"
SEALED = {"round": int, "seal": bytes}
"""What every proposal says of its lease."""

HEARD: dict[str, dict[str, Any]] = {
    "Place": {
        **{"position": int, "households": int, "parent": (ADDRESS, None), "children": [ADDRESS]},
        **{
            "terms": dict,
            "matchmakers": [ADDRESS],
            "roster": [ADDRESS],
            "attempt": int,
            "loop": int,
            "matchmaker_keys": [str],
        },
    },
    "Go": {"attempt": int},
    "Release": {},
    "Abort": {"reason": str},
    "Up": {
        **{"iteration": int, "size": int, "response_kwh": VECTOR, "discomfort": NUMBER},
        **{"discomfort_squares": NUMBER, "attempt": int},
    },
    "Down": {
        **{"iteration": int, "response_kwh": VECTOR, "discomfort": NUMBER},
        **{"discomfort_squares": NUMBER, "approved": bool, "reorganise": bool, "attempt": int},
    },
    "Match": {
        **{"session": int, "number": int, "epoch": int, "anew": bool, "engaged": bool},
        **{"leases": list, "none": [int], "busy": [int]},
    },
    "Proposal": {
        "lease": [int],
        "slot": int,
        "given_kwh": NUMBER,
        "taken_kwh": NUMBER,
        "change_kwh2": NUMBER,
        **SEALED,
    },
    "Outcome": {"lease": [int], "slot": int, "accepted": bool, "reason": str},
    "BundleProposal": {
        **{"lease": [int], "disclosure": str, "slots": [int], "values_kwh": VECTOR},
        **{"limits_kwh": VECTOR, "loss_kwh2": NUMBER, "less_kwh": BOUND, "more_kwh": BOUND},
        **SEALED,
    },
    "Counter": {"lease": [int], "slots": [int], "values_kwh": VECTOR, "change_kwh2": NUMBER},
    "Confirmation": {"lease": [int], "reason": str},
    "Settled": {"lease": [int]},
    "AmountMatch": {
        **{"session": int, "number": int, "epoch": int, "anew": bool, "found": str},
        **{"lease": (list, type(None)), "up_kwh": VECTOR, "down_kwh": VECTOR},
    },
    "AmountProposal": {
        **{"lease": [int], "sequence": int, "kind": str, "slots": [int], "amounts": INTEGERS},
        **SEALED,
    },
    "AmountAnswer": {
        **{"lease": [int], "sequence": int, "slots": [int], "amounts": INTEGERS, "reason": str},
    },
    "AmountConfirmation": {"lease": [int], "commit": bool},
    "AmountDone": {"lease": [int]},
    "RoundDone": {
        **{"round": int, "count": list, "changed": [int], "attempt": int},
        **{"balance": int},
    },
    "NextRound": {"round": int, "changed": [int], "scale_kwh2": NUMBER},
    "End": {"round": int},
    "Excess": {"households": int, "takers": INTEGERS, "excess": INTEGERS, "attempt": int},
    "Shares": {"shares": INTEGERS, "attempt": int},
}
"""What a household may be told: the fields of each kind, and what they are."""


class Heard(NamedTuple):
    """One message that has arrived."""

    to: str
    sender: str
    kind: str
    fields: dict[str, Any]


def write(run: str, said: list[tuple[str, str, str, dict[str, Any]]]) -> bytes:
    """Return a frame of messages (to, sender, kind, fields); numpy arrays in the fields are
    vectors, of float64 or of int64."""
    vectors: list[bytes] = []

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.dtype == np.int64:
            return value.astype("<i8").tobytes()
        if isinstance(value, np.ndarray):
            vectors.append(value.astype("<f8").tobytes())
            return len(vectors) - 1
        if isinstance(value, dict):
            return {key: plain(part) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(part) for part in value]
        return value

    messages = [[to, sender, kind, plain(fields)] for to, sender, kind, fields in said]
    data: bytes = msgpack.packb([VERSION, run, messages, vectors])
    return data


def read(run: str, data: bytes) -> list[Heard]:
    """Return the messages in a frame that are for households; raises ValueError for a frame to be
    dropped."""
    try:
        version, of_run, messages, raw = msgpack.unpackb(data)
        if version != VERSION or of_run != run:
            raise ValueError("of another version or run")
        vectors = [_vector(part) for part in raw]
        return [
            Heard(to=to, sender=sender, kind=kind, fields=_checked(HEARD[kind], fields, vectors))
            for to, sender, kind, fields in messages
            if kind in HEARD
        ]
    except (TypeError, KeyError, IndexError, msgpack.UnpackException) as error:
        raise ValueError("not a frame") from error


def _vector(raw: bytes) -> Any:
    vector = np.frombuffer(raw, "<f8")
    if not np.isfinite(vector).all():
        raise ValueError("a vector that is not finite")
    return vector


def _integers(raw: Any) -> Any:
    if not isinstance(raw, bytes):
        raise ValueError("not a vector of integers")
    vector = np.frombuffer(raw, "<i8")
    if (np.abs(vector) > 2**53).any():
        raise ValueError("an integer that is too large")
    return vector


def _checked(wanted: dict[str, Any], fields: dict[str, Any], vectors: list[Any]) -> dict[str, Any]:
    if set(fields) != set(wanted):
        raise ValueError("other fields than these")
    return {name: _one(kind, fields[name], vectors) for name, kind in wanted.items()}


def _one(kind: Any, value: Any, vectors: list[Any]) -> Any:
    if kind == VECTOR:
        if type(value) is not int or value < 0:
            raise ValueError("not the number of a vector")
        return vectors[value]
    if kind == INTEGERS:
        return _integers(value)
    if kind == ADDRESS:
        host, name = value
        return str(host), str(name)
    if kind == (ADDRESS, None):
        return None if value is None else _one(ADDRESS, value, vectors)
    if isinstance(kind, list):
        return [_one(kind[0], part, vectors) for part in value]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError("a field of another type")
    if kind in (NUMBER, BOUND) and value is not None and not np.isfinite(value):
        raise ValueError("a number that is not finite")
    return value
