"""Bytes and messages: every message survives the round trip, and any bytes decode or are
refused."""

import contextlib
import dataclasses
import math
import typing
from typing import Any, get_args, get_origin, get_type_hints

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import StringConstraints
from pydantic.fields import FieldInfo

from protocol.codec import FRAME_MAX, VERSION, Item, decode_frame, encode_frame
from protocol.domains import LARGEST_VALUE
from protocol.errors import DecodeError, InputError
from protocol.messages import (
    Address,
    Down,
    Exchanged,
    Go,
    Message,
    Proposal,
    Result,
    RoundCount,
    RoundDone,
    Up,
    Waiting,
)
from protocol.messages.equal_shift import Shares
from protocol.messages.exchange import LeaseId
from protocol.subjects import check_name, direct, inbox, sender_of
from protocol.terms import ExchangeTerms, HardConstraint, Limit, Reorganisation, Terms
from protocol.vectors import AMOUNT_MAX, Int64Array

finite = st.floats(-LARGEST_VALUE, LARGEST_VALUE)
vectors = st.lists(finite, max_size=5).map(np.array)
whole = st.integers(-(2**31), 2**31)

integers = st.lists(st.integers(-AMOUNT_MAX, AMOUNT_MAX), max_size=5).map(
    lambda values: np.array(values, np.int64)
)
limits = st.lists(st.tuples(st.floats(-9, 9), st.integers(0, 3)), min_size=4, max_size=4).map(
    lambda rows: Limit(np.array([b for b, _ in rows]), tuple(m for _, m in rows))
)
terms = st.builds(
    Terms,
    iterations=st.integers(1, 99),
    arity=st.integers(1, 10),
    cost=st.sampled_from(["var", "rss", "max"]),
    target=vectors,
    alpha=st.floats(0, 0.5),
    beta=st.floats(0, 0.5),
    reorganisation=st.builds(
        Reorganisation, strategy=st.just("convergence"), offset=st.integers(0, 5)
    ),
    constraint=st.none()
    | st.builds(HardConstraint, st.just("costs"), limits.map(lambda limit: (limit,))),
)
AGREED = {
    Terms: terms,
    ExchangeTerms: st.builds(
        ExchangeTerms,
        tolerance_kwh=st.none() | st.floats(0, 9),
        min_gain=st.floats(0, 1),
        rounds=st.integers(1, 99),
        trace=st.booleans(),
    ),
}
"""Whatever else is checked when it is built."""


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for values of this type, which also covers messages that are added
    later."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint in AGREED:
        return AGREED[hint]
    if origin is typing.Annotated:
        patterns = [c.pattern for c in parts[1:] if isinstance(c, StringConstraints)]
        if patterns:
            return st.from_regex(str(patterns[0]).strip("^$"), fullmatch=True)
        if parts[0] in (int, float, str, bytes):
            return within(parts[0], *parts[1:])
        return integers if parts[0] == Int64Array else vectors
    if origin is typing.Literal:
        return st.sampled_from(parts)
    if origin is tuple:
        return st.lists(values(parts[0]), max_size=3).map(tuple)
    if parts:  # a union with None
        return st.one_of([values(part) for part in parts])
    if hint is type(None):
        return st.none()
    if dataclasses.is_dataclass(hint):
        return messages(hint)
    if hasattr(hint, "_fields"):
        hints = get_type_hints(hint, include_extras=True)
        return st.builds(hint, *(values(hints[name]) for name in hint._fields))
    return {int: whole, float: finite, str: st.text(max_size=8), bool: st.booleans()}[hint]


def within(kind: type, *domain: FieldInfo) -> st.SearchStrategy[Any]:
    """Return a strategy for what is in a domain; the ends of numbers are included."""
    if kind is str:
        return st.text(max_size=8)
    if kind is bytes:
        return st.binary(max_size=96)
    (field,) = domain
    bounds = {name: getattr(c, name) for c in field.metadata for name in c.__slots__}
    if kind is float:
        return st.floats(bounds["ge"], bounds["le"])
    return st.integers(bounds["ge"], bounds["le"] if "le" in bounds else bounds["lt"] - 1)


def messages(cls: Any) -> st.SearchStrategy[Any]:
    hints = get_type_hints(cls, include_extras=True)
    return st.builds(cls, **{f.name: values(hints[f.name]) for f in dataclasses.fields(cls)})


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other))
    if dataclasses.is_dataclass(one):
        return type(one) is type(other) and all(
            equal(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(one)
        )
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


@pytest.mark.parametrize("cls", get_args(Message), ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_every_message_survives_the_round_trip(cls: type[Any], data: st.DataObject) -> None:
    message = data.draw(messages(cls))
    items = [Item("to", "by", message), Item("other", "by", message)]
    back = decode_frame(encode_frame("run", items), "run")
    assert [(item.to, item.sender) for item in back] == [("to", "by"), ("other", "by")]
    assert all(equal(item.message, message) for item in back)


def bounds_of(hint: Any) -> dict[str, Any]:
    """Return the bounds of the domain of a number; empty for anything else."""
    parts = get_args(hint)
    if get_origin(hint) is not typing.Annotated or parts[0] not in (int, float):
        return {}
    return {name: getattr(c, name) for c in parts[1].metadata for name in c.__slots__}


@pytest.mark.parametrize("cls", get_args(Message), ids=lambda cls: cls.__name__)
@given(data=st.data())
@settings(max_examples=5)
def test_numbers_outside_their_domain_are_refused(cls: type[Any], data: st.DataObject) -> None:
    whole = encode_frame("run", [Item("to", "by", data.draw(messages(cls)))])
    for field, hint in get_type_hints(cls, include_extras=True).items():
        bounds = bounds_of(hint)
        if not bounds:
            continue
        low, high = bounds["ge"], bounds["le"] if "le" in bounds else bounds["lt"]
        for number in (low - 1 if low > -1e20 else low * 2, high * 2 + 1):
            frame = msgpack.unpackb(whole)
            frame[2][0][3][field] = number if -(2**63) <= number < 2**64 else float(number)
            with pytest.raises(DecodeError):
                decode_frame(msgpack.packb(frame), "run")


def test_a_large_frame_holds_one_message() -> None:
    """A few frames of many megabytes would otherwise keep a part busy for long."""
    large = Down(0, np.zeros(FRAME_MAX // 8), 0.0, 0.0, approved=True, reorganise=False)
    one = [Item("to", "by", large)]
    assert len(decode_frame(encode_frame("run", one), "run")) == 1
    with pytest.raises(DecodeError, match="2 messages in a frame of"):
        decode_frame(encode_frame("run", [*one, Item("to", "by", Go())]), "run")


@given(st.binary(max_size=60))
def test_any_bytes_are_a_frame_or_are_refused(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        assert isinstance(decode_frame(data, "run"), list)


plain = st.recursive(
    st.none() | st.booleans() | whole | st.floats() | st.text(max_size=5) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(plain, st.sampled_from([cls.__name__ for cls in get_args(Message)]))
def test_any_content_is_a_message_or_is_refused(body: Any, kind: str) -> None:
    with contextlib.suppress(DecodeError):
        decode_frame(
            msgpack.packb([VERSION, "run", [["to", "by", kind, body]], [b"\0" * 8]]), "run"
        )


@pytest.mark.parametrize(
    "frame",
    [
        [VERSION + 1, "run", [], []],
        [VERSION, "other", [], []],
        [VERSION, "run", [[1, "by", "Go", {}]], []],
        [VERSION, "run", [["to", "by", "Nothing", {}]], []],
        [VERSION, "run", [["to", "by", "Enrol", {}]], []],
        [VERSION, "run", [["to", "by", "Enrol", {"slots": "many"}]], []],
        [VERSION, "run"],
        7,
    ],
)
def test_other_versions_runs_and_shapes_are_refused(frame: Any) -> None:
    with pytest.raises(DecodeError):
        decode_frame(msgpack.packb(frame), "run")


def test_vectors_are_complete_and_finite() -> None:
    good = encode_frame(
        "run",
        [
            Item(
                "a",
                "b",
                Up(
                    iteration=0,
                    size=1,
                    response_kwh=np.array([1.0, 2.0]),
                    discomfort=0.0,
                    discomfort_squares=0.0,
                ),
            )
        ],
    )
    raw = np.array([1.0, 2.0]).tobytes()
    assert raw in good
    for wrong in (np.array([1.0, np.nan]), np.array([np.inf, -np.inf]), np.array([1.0, np.inf])):
        with pytest.raises(DecodeError):
            decode_frame(good.replace(raw, wrong.tobytes()), "run")


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_numbers_are_finite(wrong: float) -> None:
    """A household that sends NaN must not bring down those that add it up or compare it."""
    x = np.array([1.0])
    for message in (
        Up(iteration=0, size=1, response_kwh=x, discomfort=wrong, discomfort_squares=0.0),
        Up(iteration=0, size=1, response_kwh=x, discomfort=0.0, discomfort_squares=wrong),
        Down(
            iteration=0,
            response_kwh=x,
            discomfort=wrong,
            discomfort_squares=0.0,
            approved=True,
            reorganise=False,
        ),
        Down(
            iteration=0,
            response_kwh=x,
            discomfort=0.0,
            discomfort_squares=wrong,
            approved=True,
            reorganise=False,
        ),
        Proposal(lease=LeaseId(1, 1), slot=0, given_kwh=wrong, taken_kwh=0.5, change_kwh2=0.0),
        Proposal(lease=LeaseId(1, 1), slot=0, given_kwh=0.5, taken_kwh=wrong, change_kwh2=0.0),
        RoundDone(
            1,
            RoundCount(
                households=1,
                lookups=0,
                matches=0,
                proposals=0,
                accepted=0,
                refused=0,
                discomfort_kwh=wrong,
                deviation_kwh2=0.0,
                messages=0,
                answers=0,
                frames=0,
                bytes=0,
            ),
            (),
        ),
        Result(0, wrong, 0.0),
        Result(
            0,
            0.0,
            0.0,
            exchanged=Exchanged(
                discomfort_kwh=wrong, energy_drift_kwh=0.0, requests=0, accepted=0, refused=0
            ),
        ),
    ):
        with pytest.raises(DecodeError, match="not a frame"):
            decode_frame(encode_frame("run", [Item("a", "b", message)]), "run")


def test_a_vector_of_integers_is_whole_and_in_range() -> None:
    for values in ([AMOUNT_MAX + 1], [0, -AMOUNT_MAX - 1], [-(2**63)]):
        frame = encode_frame("run", [Item("a", "b", Shares(np.array(values)))])
        with pytest.raises(DecodeError):
            decode_frame(frame, "run")
    for data in (b"1234567", "text", [1], None):
        frame = msgpack.packb([VERSION, "run", [["a", "b", "Shares", {"shares": data}]], []])
        with pytest.raises(DecodeError):
            decode_frame(frame, "run")


def test_a_frame_has_equal_vectors_once() -> None:
    up = Up(
        iteration=0, size=1, response_kwh=np.arange(4.0), discomfort=0.0, discomfort_squares=0.0
    )
    same = Up(
        iteration=1, size=2, response_kwh=np.arange(4.0), discomfort=0.5, discomfort_squares=0.25
    )
    frame = encode_frame("run", [Item("a", "b", up), Item("c", "d", same)])
    assert frame.count(np.arange(4.0).tobytes()) == 1
    back = [item.message for item in decode_frame(frame, "run")]
    assert equal(back[0], up)
    assert equal(back[1], same)


@pytest.mark.parametrize("number", [1, -1, True, "0", 0.0, None, b""])
def test_a_reference_to_a_missing_vector_is_refused(number: object) -> None:
    body = {"iteration": 0, "size": 1, "response_kwh": number}
    body |= {"discomfort": 0.0, "discomfort_squares": 0.0}
    vectors = [np.arange(4.0).tobytes()]
    with pytest.raises(DecodeError):
        decode_frame(msgpack.packb([VERSION, "run", [["a", "b", "Up", body]], vectors]), "run")
    body["response_kwh"] = 0
    decode_frame(msgpack.packb([VERSION, "run", [["a", "b", "Up", body]], vectors]), "run")
    with pytest.raises(DecodeError):
        decode_frame(msgpack.packb([VERSION, "run", [["a", "b", "Up", body]], [b"123"]]), "run")


def test_other_objects_cannot_be_sent() -> None:
    strange: Any = object()
    message = Up(iteration=0, size=1, response_kwh=strange, discomfort=0.0, discomfort_squares=0.0)
    with pytest.raises(TypeError, match="cannot be sent"):
        encode_frame("run", [Item("a", "b", message)])


@pytest.mark.parametrize("name", ["a b", "a.b", "*", ">", "", "a\n", "x" * 65, "\u00e4"])
def test_names_that_are_invalid_in_subjects_are_refused(name: str) -> None:
    """Otherwise a peer could make us publish on other subjects, or pass the name on to others."""
    missing = Waiting(0, (Address("host-1", "h1"),))
    for frame in (
        encode_frame("run", [Item("a", "b", Waiting(0, (Address(name, "h1"),)))]),
        encode_frame("run", [Item("a", "b", Waiting(0, (Address("host-1", name),)))]),
        encode_frame("run", [Item(name, "b", missing)]),
        encode_frame("run", [Item("a", name, missing)]),
    ):
        with pytest.raises(DecodeError, match="not a frame"):
            decode_frame(frame, "run")
    assert decode_frame(encode_frame("run", [Item("a", "b", missing)]), "run")


def test_subjects_name_the_sender_last() -> None:
    subject = direct("r1", "host-1", "host-2")
    assert subject == "coflex.r1.to.host-1.from.host-2"
    assert inbox("r1", "host-1") == "coflex.r1.to.host-1.from.*"
    assert sender_of(subject) == "host-2"
    wrongs = ("a.b", "coflex.r.from.a.to.b", "other.r1.to.a.from.b", subject + ".x", subject + "!")
    for wrong in wrongs:
        with pytest.raises(DecodeError):
            sender_of(wrong)


def test_names_stay_in_one_part_of_a_subject() -> None:
    assert check_name("h-1_A", "household id") == "h-1_A"
    for wrong in ("", "a.b", "a b", "*", ">", "x" * 65, "ä"):
        with pytest.raises(InputError, match="household id"):
            check_name(wrong, "household id")
    assert Go() == Go()
