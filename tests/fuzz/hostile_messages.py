"""Hostile messages: well-formed, within the domains of every number, and wrong in any other way."""

import dataclasses
import types
import typing
from collections.abc import Sequence
from random import Random
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
from pydantic.fields import FieldInfo

from protocol.domains import LARGEST_VALUE
from protocol.messages import Address, Message
from protocol.vectors import AMOUNT_MAX, Int64Array

KEY_DIGITS = 64
KINDS: tuple[type[Any], ...] = get_args(Message)
_HINTS: dict[type[Any], dict[str, Any]] = {}


def _hints(cls: type[Any]) -> dict[str, Any]:
    if cls not in _HINTS:
        _HINTS[cls] = get_type_hints(cls, include_extras=True)
    return _HINTS[cls]


class _NoSuchTermsError(ValueError):
    """Values that do not make an object of this class."""


class Liar:
    """A liar, with a random source of its own: it changes messages that it has seen, or makes some
    up. The names are those of parts that exist."""

    def __init__(self, chance: Random, addresses: Sequence[Address], slots: int) -> None:
        self._chance, self._addresses, self._slots = chance, addresses, slots

    def changed(self, message: Message) -> Message:
        """Return the message with another value in some of its fields."""
        chance, hints = self._chance, _hints(type(message))
        if not hints:
            return self.made_up(chance.choice(KINDS))
        names = chance.sample(list(hints), min(len(hints), chance.choice((1, 1, 1, 2, 3))))
        try:
            values = {name: self._value(hints[name], getattr(message, name)) for name in names}
            return dataclasses.replace(message, **values)
        except ValueError:  # terms that no run can have
            return message

    def made_up(self, kind: type[Any]) -> Message:
        """Return a message of this kind without a model."""
        while True:
            try:
                made: Message = self._value(kind, None)
            except _NoSuchTermsError:
                continue
            return made

    def _value(self, hint: Any, model: Any) -> Any:
        """Return a value of this type; `model` is what an honest part would have said, or None."""
        chance, origin, parts = self._chance, get_origin(hint), get_args(hint)
        if origin is typing.Annotated:
            return self._in_domain(parts[0], parts[1:], model)
        if origin is typing.Literal:
            return chance.choice(parts)
        if origin in (types.UnionType, typing.Union):
            return self._value(chance.choice(parts), model)
        if origin is tuple:
            return self._list(parts[0], model)
        if hint is type(None):
            return None
        if hint is bool:
            return chance.random() < 0.5
        if hint is str:
            return chance.choice(("", "h0", "\x1b[2J", "x" * 300))
        if hint is Address:
            return chance.choice(self._addresses)
        return self._fields(hint, model)

    def _fields(self, cls: type[Any], model: Any) -> Any:
        """Return an instance of a class with fields, like its model but for some of them."""
        hints, chance = _hints(cls), self._chance
        keeps = isinstance(model, cls)
        values = {
            name: getattr(model, name)
            if keeps and chance.random() < 0.7
            else self._value(hint, getattr(model, name) if keeps else None)
            for name, hint in hints.items()
        }
        try:
            return cls(**values)
        except ValueError:
            if keeps:
                return model
            try:
                return cls()
            except TypeError:  # not all of its fields have a default
                raise _NoSuchTermsError from None

    def _list(self, hint: Any, model: Any) -> tuple[Any, ...]:
        chance, given = self._chance, list(model) if isinstance(model, tuple) else []
        match chance.randrange(6):
            case 0:
                return ()
            case 1:
                return tuple(given + given)
            case 2:
                return tuple(reversed(given))
            case 3 if given:
                place = chance.randrange(len(given))
                given[place] = self._value(hint, given[place])
                return tuple(given)
            case 4:
                return tuple(range(self._slots)) if hint is int else tuple(given[:-1])
            case _:
                return (*given, *(self._value(hint, None) for _ in range(chance.randint(1, 3))))

    def _in_domain(self, kind: Any, domain: Sequence[Any], model: Any) -> Any:
        if kind is bytes:
            return self._seal(model)
        if kind is str and isinstance(model, str) and len(model) == KEY_DIGITS:
            return self._chance.choice((model, KEY_DIGITS * "0"))
        if kind is str:
            return self._chance.choice(("h0", "h1", "host-0", "orchestrator", "nobody"))
        if kind in (int, float):
            field: FieldInfo = domain[0]
            bounds = {name: getattr(c, name) for c in field.metadata for name in c.__slots__}
            low = bounds["ge"]
            high = bounds["le"] if "le" in bounds else bounds["lt"] - 1
            return self._number(kind, low, high, model)
        return self._vector(model, whole=kind == Int64Array)

    def _seal(self, model: Any) -> bytes:
        """Return a seal: none, one of noise, or the model with a bit changed."""
        given = bytearray(model if isinstance(model, bytes) else b"")
        if given:
            given[self._chance.randrange(len(given))] ^= 1
        return self._chance.choice((b"", bytes(64), self._chance.randbytes(96), bytes(given)))

    def _number(self, kind: Any, low: Any, high: Any, model: Any) -> Any:
        near = model if isinstance(model, int | float) else 0
        choices: tuple[Any, ...] = (
            low,
            high,
            near - 1,
            near + 1,
            -near,
            0,
            1,
            self._slots,
            2**31,
            2**53,
        )
        if kind is float:
            choices = (*choices, 5e-324, -5e-324, near * (1 + 1e-9), near + 0.25, 1e9)
        value = self._chance.choice(choices)
        return kind(min(max(value, low), high))

    def _vector(self, model: Any, *, whole: bool) -> Any:
        chance = self._chance
        largest = AMOUNT_MAX if whole else LARGEST_VALUE
        kind = np.int64 if whole else np.float64
        given = model if isinstance(model, np.ndarray) else np.zeros(self._slots, kind)
        match chance.randrange(8):
            case 0:
                return np.zeros(0, kind)
            case 1:
                return given[:-1]
            case 2:
                return np.append(given, given[:1]).astype(kind)
            case 3:
                return np.full(len(given), chance.choice((largest, -largest)), kind)
            case 4:
                return -given
            case 5:
                return np.zeros(self._slots, kind)
            case 6 if len(given):
                changed = given.copy()
                changed[chance.randrange(len(given))] += chance.choice((1, -1, 3))
                return changed
            case _:
                return np.full(chance.choice((1, self._slots, 7)), chance.choice((1, -1)), kind)
