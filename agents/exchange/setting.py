"""Where and how a household takes part in stage 2, and how that stands in its journal."""

from dataclasses import dataclass

import msgpack
from pydantic import TypeAdapter

from protocol.exchange_terms import ExchangeTerms
from protocol.messages import Address, NextRound, RoundDone
from protocol.vectors import Array, from_bytes, to_bytes


@dataclass(frozen=True, slots=True)
class Setting:
    """A household's place in the tree, the matchmakers, and the terms of the exchange."""

    parent: Address | None
    children: tuple[Address, ...]
    matchmakers: tuple[Address, ...]
    """Slot i is looked up at number i modulo their number."""
    terms: ExchangeTerms
    attempt: int = 1
    """Of stage 1, as in Place."""


_SETTING = TypeAdapter(Setting)
_NEXT = TypeAdapter(NextRound)
_DONE = TypeAdapter(RoundDone)


def write_beginning(setting: Setting, schedule: Array, preferred: Array) -> bytes:
    """What a household needs to begin stage 2 again; the plans are float64[d], kWh."""
    packed: bytes = msgpack.packb(
        [_SETTING.dump_json(setting), to_bytes(schedule), to_bytes(preferred)]
    )
    return packed


def read_beginning(data: bytes) -> tuple[Setting, Array, Array]:
    """What `write_beginning` wrote."""
    setting, schedule, preferred = msgpack.unpackb(data)
    return _SETTING.validate_json(setting), from_bytes(schedule), from_bytes(preferred)


def write_round(following: NextRound) -> bytes:
    """A round that begins."""
    return _NEXT.dump_json(following)


def read_round(data: bytes) -> NextRound:
    """What `write_round` wrote."""
    return _NEXT.validate_json(data)


def write_done(done: RoundDone) -> bytes:
    """A round that is done in the subtree."""
    return _DONE.dump_json(done)


def read_done(data: bytes) -> RoundDone:
    """What `write_done` wrote."""
    return _DONE.validate_json(data)
