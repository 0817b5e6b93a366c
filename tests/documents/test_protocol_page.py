"""docs/protocol.md: its test vectors are correct, and it names every message."""

import re
from typing import get_args

import numpy as np
import pytest

from agents.exchange.cycles.trade_balance import trade_balance
from agents.planning.java_random import household_chance
from protocol.codec import Item, decode_frame, encode_frame
from protocol.messages import (
    Address,
    AmountAnswer,
    AmountConfirmation,
    AmountDone,
    AmountLookup,
    AmountMatch,
    AmountProposal,
    BundleProposal,
    Choice,
    Comparison,
    Confirmation,
    Counter,
    Down,
    Enrol,
    Excess,
    Message,
    Place,
    PoolEntry,
    Reentry,
    Result,
    RoundDone,
    Settled,
    Shares,
    Trades,
    Up,
)
from protocol.messages.amounts import LeaseEnd
from protocol.messages.exchange import Lease, LeaseId, RoundCount
from protocol.terms import Terms
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "protocol.md"
HALVES = np.array([0.5, 1.0, -2.25])

VECTORS: dict[str, list[Item]] = {
    "a household enrols": [Item("orchestrator", "h7", Enrol(3))],
    "its place": [
        Item(
            "h7",
            "orchestrator",
            Place(
                position=1,
                households=3,
                parent=Address("host-1", "h0"),
                children=(),
                terms=Terms(iterations=2, beta=0.25, seed=1),
            ),
        )
    ],
    "a leaf's sum, iteration 0": [
        Item(
            "h0",
            "h7",
            Up(
                iteration=0,
                size=1,
                response_kwh=HALVES,
                discomfort=0.125,
                discomfort_squares=0.015625,
            ),
        )
    ],
    "two answers in one frame": [
        Item(
            "h7",
            "h0",
            Down(
                iteration=0,
                response_kwh=HALVES * 2,
                discomfort=0.25,
                discomfort_squares=0.03125,
                approved=True,
                reorganise=False,
            ),
        ),
        Item(
            "h8",
            "h0",
            Down(
                iteration=0,
                response_kwh=HALVES * 2,
                discomfort=0.25,
                discomfort_squares=0.03125,
                approved=False,
                reorganise=False,
            ),
        ),
    ],
    "a talk about a bundle": [
        Item(
            "h7",
            "h0",
            BundleProposal(
                lease=LeaseId(1, 2),
                disclosure="limit",
                slots=(0, 1, 2),
                values_kwh=HALVES,
                limits_kwh=HALVES * 2,
                loss_kwh2=0.0,
                less_kwh=0.0625,
                more_kwh=0.03125,
            ),
        ),
        Item("h0", "h7", Counter(LeaseId(1, 2), (0, 2), HALVES[:2], 0.0)),
        Item("h7", "h0", Confirmation(LeaseId(1, 2), "")),
        Item("h0", "h7", Settled(LeaseId(1, 2))),
    ],
    "a talk about amounts": [
        Item(
            "h7",
            "h0",
            AmountProposal(
                lease=LeaseId(1, 2),
                sequence=1,
                kind="whole",
                slots=(0, 2),
                amounts=np.array([2**19, -(2**19)]),
            ),
        ),
        Item("h0", "h7", AmountAnswer(LeaseId(1, 2), 1, (0, 2), np.array([2**18, -(2**18)]), "")),
        Item("h7", "h0", AmountConfirmation(LeaseId(1, 2), commit=True)),
        Item("h0", "h7", AmountDone(LeaseId(1, 2))),
    ],
    "a lookup for amounts and its match": [
        Item(
            "matchmaker",
            "h7",
            AmountLookup(
                session=1,
                number=3,
                epoch=5,
                round=1,
                up_kwh=np.zeros(0),
                down_kwh=np.zeros(0),
                ended=(LeaseEnd(LeaseId(5, 1), "refused", (0,), (16,)),),
                want_up_kwh=np.array([0.5, 0.0, 0.0]),
                want_down_kwh=np.array([0.0, 0.0, 0.5]),
                whole=True,
                without=("h3",),
            ),
        ),
        Item(
            "h7",
            "matchmaker",
            AmountMatch(
                session=1,
                number=3,
                epoch=5,
                anew=False,
                found="match",
                lease=Lease(LeaseId(5, 2), -1, Address("host-1", "h0"), 0.0, 15.0),
                up_kwh=np.array([0.0, 0.0, 0.25]),
                down_kwh=np.array([0.5, 0.0, 0.0]),
            ),
        ),
    ],
    "an announcement for amounts, and the answer": [
        Item(
            "matchmaker",
            "h7",
            AmountLookup(
                session=1,
                number=1,
                epoch=0,
                round=0,
                up_kwh=np.array([0.5, 0.0, 0.25]),
                down_kwh=np.array([0.0, 0.5, 0.0]),
                ended=(),
                want_up_kwh=np.zeros(0),
                want_down_kwh=np.zeros(0),
                whole=False,
                without=(),
            ),
        ),
        Item(
            "h7",
            "matchmaker",
            AmountMatch(
                session=1,
                number=1,
                epoch=5,
                anew=False,
                found="nothing asked",
                lease=None,
                up_kwh=np.zeros(0),
                down_kwh=np.zeros(0),
            ),
        ),
    ],
    "a counter about amounts, a refusal and a release": [
        Item(
            "h7",
            "h0",
            AmountProposal(
                lease=LeaseId(1, 2),
                sequence=2,
                kind="part",
                slots=(0, 2),
                amounts=np.array([2**17, -(2**17)]),
            ),
        ),
        Item("h0", "h7", AmountAnswer(LeaseId(1, 2), 2, (), np.zeros(0, np.int64), "loss")),
        Item("h7", "h8", AmountConfirmation(LeaseId(1, 3), commit=False)),
        Item("h8", "h7", AmountDone(LeaseId(1, 3))),
    ],
    "trades in cycles": [
        Item(
            "matchmaker-1",
            "h7",
            PoolEntry(session=1, number=1, households=3, slots=(0, 1, 2), values_kwh=HALVES),
        ),
        Item(
            "h7",
            "matchmaker-1",
            Comparison(
                session=1,
                number=1,
                step=1,
                slots=(0, 2),
                lower_kwh=HALVES[1:],
                upper_kwh=HALVES[1:] * 2,
            ),
        ),
        Item("matchmaker-1", "h7", Choice(session=1, number=1, step=1, upper=(2,))),
        Item("h7", "matchmaker-1", Reentry(session=1, number=1)),
        Item("h7", "matchmaker-1", Trades(session=1, number=2, slots=(2,), values_kwh=HALVES[:1])),
        Item(
            "h0",
            "h7",
            RoundDone(
                round=1,
                count=RoundCount(1, 3, 1, 0, 0, 0, 0.125, 0.015625, 3, 3, 6, 400),
                changed=(),
                balance=trade_balance(HALVES.tolist(), {2: 0.5}),
            ),
        ),
    ],
    "a result": [Item("orchestrator", "h7", Result(1, 0.25, 0.125))],
    "an equal shift, up and down": [
        Item(
            "h0",
            "h7",
            Excess(
                households=1,
                takers=np.array([1, 1, 0]),
                excess=np.array([2**19, -(2**20), 0]),
            ),
        ),
        Item("h7", "h0", Shares(np.array([2**18, -(2**18), 0]))),
    ],
}


def vectors_of(page: str) -> dict[str, bytes]:
    found = re.findall(r"^\*\*(.+?)\*\*\n\n```\n([0-9a-f\s]+?)```", page, re.MULTILINE)
    return {name: bytes.fromhex(text) for name, text in found}


def test_the_page_has_these_vectors() -> None:
    assert list(vectors_of(PAGE.read_text())) == list(VECTORS)


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_are_encoded_and_decoded_as_shown(name: str) -> None:
    data = vectors_of(PAGE.read_text())[name]
    assert encode_frame("demo", VECTORS[name]) == data
    assert encode_frame("demo", decode_frame(data, "demo")) == data


def test_the_page_names_every_message_and_its_fields() -> None:
    page = PAGE.read_text()
    for cls in get_args(Message):
        assert f"| `{cls.__name__}` |" in page, cls.__name__
        row = page.split(f"| `{cls.__name__}` |")[1].split("\n")[0]
        for field in cls.__dataclass_fields__:
            assert f"`{field}`" in row, f"{cls.__name__}.{field}"


def test_the_random_generator_for_ties_is_as_described() -> None:
    page = PAGE.read_text()
    chance = household_chance(1, "h7")
    for _ in range(3):
        assert repr(chance.next_double()) in page
