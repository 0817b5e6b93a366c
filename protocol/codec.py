"""The codec: bytes to messages and back. A frame carries one or more envelopes between two hosts of
one run.

Layout (msgpack): `[version, run, [[to, sender, kind, {field: value}], ...], [vector, ...]]`. `to`
and `sender` are names; the hosts are in the bus subject. Vectors are raw little-endian float64.
Each vector is written once per frame, however many messages hold it (the answers to hundreds of
children hold the same one); a field contains the vector's number. Vectors of integers are raw
little-endian int64, in the field itself. docs/protocol.md has every field and test vectors.
"""

from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple, get_args

import msgpack
import numpy as np
from pydantic import TypeAdapter, ValidationError

from protocol.errors import DecodeError
from protocol.messages import Address, Message
from protocol.subjects import is_name
from protocol.vectors import from_bytes, int_bytes, to_bytes

VERSION = 3
FRAME_MAX = 512 * 1024
"""Size of the largest frame with several messages, bytes: half of a NATS server's default limit."""

_CLASSES: dict[str, type[Any]] = {cls.__name__: cls for cls in get_args(Message)}
_VALIDATE: dict[str, Callable[..., Message]] = {
    # The validator itself: the adapter's own method only adds options that are not used here.
    name: TypeAdapter(cls).validator.validate_python
    for name, cls in _CLASSES.items()
}
_FIELDS: dict[type[Any], tuple[str, ...]] = {
    cls: tuple(f.name for f in fields(cls)) for cls in _CLASSES.values()
}


class Item(NamedTuple):
    """One message of a frame, with the names of its receiver and its sender (without hosts)."""

    to: str
    sender: str
    message: Message


class _Writer:
    """A writer of frames, one after another. It knows which vectors the present frame already
    has."""

    def __init__(self) -> None:
        self._vectors: dict[bytes, int] = {}
        self._pack: Callable[[Any], bytes] = msgpack.Packer(
            autoreset=True, default=self._plain
        ).pack

    def write(self, start: list[Any], messages: Any) -> bytes:
        """Return the bytes of `[*start, messages, vectors]`."""
        self._vectors = {}
        # Packed in this order: all messages have numbered their vectors before the vectors are
        # written.
        return self._pack([*start, messages, _VECTORS])

    def _plain(self, value: Any) -> Any:
        """Return `value` as msgpack can write it, one level down; called only for unknown types."""
        if isinstance(value, np.ndarray):
            if value.dtype.kind == "i":
                return int_bytes(value)
            return self._vectors.setdefault(to_bytes(value), len(self._vectors))
        if is_dataclass(value):
            names = _FIELDS.get(type(value)) or tuple(f.name for f in fields(value))
            return {name: getattr(value, name) for name in names}
        if value is _VECTORS:
            return list(self._vectors)
        raise TypeError(f"cannot be sent: {type(value).__name__}")


_VECTORS = object()
"""A placeholder for the vectors of a frame, which are not known yet when the packing begins."""
_WRITER = _Writer()


def encode_message(message: Message) -> bytes:
    """Return one message as `[kind, {field: value or number of a vector}, vectors]`."""
    return _WRITER.write([type(message).__name__], message)


def decode_message(data: bytes) -> Message:
    """Read the bytes of `encode_message`. Raises DecodeError for anything else."""
    try:
        kind, body, vectors = msgpack.unpackb(data)
        return _VALIDATE[kind](body, context=[from_bytes(vector) for vector in vectors])
    except (ValueError, TypeError, KeyError, ValidationError, msgpack.UnpackException) as error:
        raise DecodeError(f"not a message ({type(error).__name__}): {data[:40]!r}") from error


def encode_frame(run: str, items: Iterable[Item]) -> bytes:
    """Return the bytes of a frame."""
    return _WRITER.write([VERSION, run], [[to, by, type(m).__name__, m] for to, by, m in items])


def run_of(data: bytes) -> str:
    """Return the run that a frame belongs to. Raises DecodeError if the bytes are not a frame of
    ours."""
    try:
        _, run, _, _ = msgpack.unpackb(data)
        return _name(run)
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise DecodeError(f"not a frame ({type(error).__name__}): {data[:40]!r}") from error


def decode_frame(data: bytes, run: str) -> list[Item]:
    """Return the messages of a frame of this run, all validated. Raises DecodeError."""
    try:
        version, of_run, items, vectors = msgpack.unpackb(data)
        if version != VERSION:
            raise DecodeError(f"protocol version {version!r}, not {VERSION}")
        if of_run != run:
            raise DecodeError(f"of run {of_run!r}, not {run!r}")
        if len(data) > FRAME_MAX and len(items) > 1:
            raise DecodeError(f"{len(items)} messages in a frame of {len(data)} bytes")
        known = [from_bytes(vector) for vector in vectors]
        return [
            Item(_name(to), _name(sender), _VALIDATE[kind](body, context=known))
            for to, sender, kind, body in items
        ]
    except (ValueError, TypeError, KeyError, ValidationError, msgpack.UnpackException) as error:
        raise DecodeError(f"not a frame ({type(error).__name__}): {data[:40]!r}") from error


def _name(value: Any) -> str:
    if not isinstance(value, str) or not is_name(value):
        raise TypeError("a name is a string of 1 to 64 letters, digits, '-' or '_'")
    return value


__all__ = [
    "FRAME_MAX",
    "VERSION",
    "Address",
    "Item",
    "decode_frame",
    "decode_message",
    "encode_frame",
    "encode_message",
    "run_of",
]
