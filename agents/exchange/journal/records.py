"""Where and how a household takes part in stage 2, and how that stands in its journal."""

from dataclasses import dataclass
from typing import NamedTuple

import msgpack
from pydantic import TypeAdapter

from agents.mandate import Mandate
from protocol.messages import Address, NextRound, RoundDone
from protocol.terms import ExchangeTerms
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


class Beginning(NamedTuple):
    """What a household needs to begin stage 2 again, and to explain itself afterwards."""

    setting: Setting
    mandate: Mandate
    schedule: Array
    """What stage 1 chose, float64[d], kWh."""
    preferred: Array
    """float64[d], kWh."""


_SETTING = TypeAdapter(Setting)
_MANDATE = TypeAdapter(Mandate)
_NEXT = TypeAdapter(NextRound)
_DONE = TypeAdapter(RoundDone)


def write_beginning(beginning: Beginning) -> bytes:
    """As it stands in the journal."""
    setting, mandate, schedule, preferred = beginning
    packed: bytes = msgpack.packb(
        [
            _SETTING.dump_json(setting),
            _MANDATE.dump_json(mandate),
            to_bytes(schedule),
            to_bytes(preferred),
        ]
    )
    return packed


def read_beginning(data: bytes) -> Beginning:
    """What `write_beginning` wrote."""
    setting, mandate, schedule, preferred = msgpack.unpackb(data)
    return Beginning(
        setting=_SETTING.validate_json(setting),
        mandate=_MANDATE.validate_json(mandate),
        schedule=from_bytes(schedule),
        preferred=from_bytes(preferred),
    )


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
