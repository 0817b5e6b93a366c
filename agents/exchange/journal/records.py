"""Records: the place and terms of a household in stage 2, and their form in its journal."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import msgpack
import numpy as np
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
    """The matchmakers. A single slot i is looked up at number i modulo their number."""
    terms: ExchangeTerms
    attempt: int = 1
    """The attempt at stage 1, as in Place."""
    position: int = 0
    """The position in the tree, as in Place."""
    households: int = 1
    """Number of households in the run."""
    roster: tuple[Address, ...] = ()
    """All households by position; empty if there are matchmakers."""
    matchmaker_keys: tuple[str, ...] = ()
    """The public key of each matchmaker, as in Place."""
    feeder: int = 0
    """The feeder at which the household finds its partners, as in the terms."""


class Beginning(NamedTuple):
    """The information that a household needs to restart stage 2 and to explain itself
    afterwards."""

    setting: Setting
    mandate: Mandate
    schedule: Array
    """The selected plan of stage 1, float64[d], kWh."""
    preferred: Array
    """The preferred plan, float64[d], kWh."""


_SETTING = TypeAdapter(Setting)
_MANDATE = TypeAdapter(Mandate)
_NEXT = TypeAdapter(NextRound)
_DONE = TypeAdapter(RoundDone)


def write_beginning(beginning: Beginning) -> bytes:
    """Write a beginning as bytes for the journal."""
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
    """Read the bytes of `write_beginning`."""
    setting, mandate, schedule, preferred = msgpack.unpackb(data)
    return Beginning(
        setting=_SETTING.validate_json(setting),
        mandate=_MANDATE.validate_json(mandate),
        schedule=from_bytes(schedule),
        preferred=from_bytes(preferred),
    )


@lru_cache(maxsize=4)
def write_round(following: NextRound) -> bytes:
    """Write the start of a round as bytes: the same for all households of a host."""
    return _NEXT.dump_json(following)


def read_round(data: bytes) -> NextRound:
    """Read the bytes of `write_round`."""
    return _NEXT.validate_json(data)


def write_done(done: RoundDone) -> bytes:
    """Write the report of a finished round as bytes."""
    return _DONE.dump_json(done)


def read_done(data: bytes) -> RoundDone:
    """Read the bytes of `write_done`."""
    return _DONE.validate_json(data)


def write_deal(slots: tuple[int, ...], taken: Array) -> bytes:
    """Write the slots of a bundle, and the values that the household takes there, as bytes."""
    packed: bytes = msgpack.packb([slots, to_bytes(taken)])
    return packed


def read_deal(data: bytes) -> tuple[tuple[int, ...], Array]:
    """Read the bytes of `write_deal`; nothing if there are none."""
    if not data:
        return (), np.zeros(0)
    slots, taken = msgpack.unpackb(data)
    return tuple(slots), from_bytes(taken)
