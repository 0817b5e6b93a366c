"""Changes that partners of the tested household propose, answer with, or get wrong. All amounts are
counts of 2^-20 kWh."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from agents.devices.energy_grid import from_counts
from protocol.messages import AmountAnswer, AmountProposal
from protocol.messages.exchange import LeaseId
from protocol.vectors import Array, Int64Array

COUNTS_PER_KWH = 2**20
MUCH = 2**30
"""More than any home can move in a slot: 1024 kWh."""


def spread(slots: tuple[int, ...], amounts: Int64Array, length: int) -> Int64Array:
    """Return a change slot by slot, int64[length]."""
    change = np.zeros(length, np.int64)
    change[list(slots)] = amounts
    return change


def limits_of(change: Int64Array) -> tuple[Array, Array]:
    """Return by how much parts of a change may rise and fall at each slot, counts."""
    return np.maximum(change, 0).astype(np.float64), np.maximum(-change, 0).astype(np.float64)


def is_part(slots: tuple[int, ...], amounts: Int64Array, up: Array, down: Array) -> bool:
    """Return True if these amounts at these slots sum to 0, and rise and fall no further than
    these limits."""
    if len(slots) != len(amounts) or list(slots) != sorted(set(slots)):
        return False
    if slots and not 0 <= slots[0] <= slots[-1] < len(up):
        return False
    part = spread(slots, amounts, len(up))
    return bool(((part <= up) & (-part <= down)).all()) and int(part.sum()) == 0


def part_of(change: Int64Array, share: float) -> Int64Array:
    """Return about a share of a change, with sum 0."""
    rises = np.floor(np.maximum(change, 0) * share).astype(np.int64)
    return rises - _filled(np.maximum(-change, 0), int(rises.sum()))


def _filled(most: Int64Array, total: int) -> Int64Array:
    """Return amounts of this sum, as much as possible in the first slots."""
    before = np.concatenate([[0], np.cumsum(most)[:-1]])
    return np.asarray(np.clip(total - before, 0, most))


def wishes_for(up_kwh: Array, down_kwh: Array) -> Iterator[Int64Array]:
    """Yield changes with which a home that announces this might help: it moves energy later, or
    earlier, beyond a slot."""
    length = len(up_kwh)
    up, down = (np.floor(kwh * COUNTS_PER_KWH).astype(np.int64) for kwh in (up_kwh, down_kwh))
    slots = np.arange(length)
    for border in sorted(range(1, length), key=lambda slot: abs(2 * slot - length)):
        for late in (slots >= border, slots < border):
            rises, falls = up * late, down * ~late
            total = min(int(rises.sum()), int(falls.sum()))
            if total > 0:
                yield _filled(falls, total) - _filled(rises, total)


def proposal(lease: LeaseId, change: Int64Array, sequence: int = 1) -> AmountProposal:
    """Return a proposal of this change of the requester."""
    slots = np.flatnonzero(change)
    return AmountProposal(
        lease=lease,
        sequence=sequence,
        kind="part",
        slots=tuple(slots.tolist()),
        amounts=change[slots],
    )


def answer(lease: LeaseId, part: Int64Array, sequence: int = 1) -> AmountAnswer:
    """Return a partner's answer with this part, in the requester's signs; empty: a refusal."""
    slots = np.flatnonzero(part)
    return AmountAnswer(
        lease=lease,
        sequence=sequence,
        slots=tuple(slots.tolist()),
        amounts=part[slots],
        reason="" if len(slots) else "loss",
    )


def bad_proposals(good: AmountProposal, length: int) -> tuple[AmountProposal, ...]:
    """Return proposals that make no sense: slots that do not exist or do not rise, lists that do
    not fit, a sum that is not 0."""
    first, last = good.slots[0], good.slots[-1]
    pair = np.array([1, -1])
    return (
        replace(good, slots=(first, length), amounts=pair),
        replace(good, slots=(-1, last), amounts=pair),
        replace(good, slots=(last, first), amounts=pair),
        replace(good, slots=(first, last), amounts=np.array([1])),
        replace(good, slots=(first, last), amounts=np.array([2, -1])),
    )


def bad_answers(good: AmountAnswer, asked: Int64Array) -> tuple[AmountAnswer, ...]:
    """Return answers that make no sense: more than was asked, the other direction, slots that do
    not exist, a sum that is not 0."""
    first, last = good.slots[0], good.slots[-1]
    return (
        replace(good, amounts=2 * good.amounts),
        replace(good, amounts=-good.amounts),
        replace(good, slots=(first, len(asked)), amounts=np.array([1, -1])),
        replace(good, slots=(last, first), amounts=good.amounts[:2]),
        replace(good, slots=good.slots[:1], amounts=good.amounts[:1]),
    )


def kwh(change: Int64Array) -> Array:
    """Return a change in kWh."""
    return from_counts(change)
