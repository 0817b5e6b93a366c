"""Seals of leases: each one of a batch is good, and worth nothing once anything is changed."""

from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from protocol import lease_seal
from protocol.errors import PeerError
from protocol.lease_seal import LeaseSigner, SealedLease, check_seal
from protocol.messages import Address
from protocol.messages.exchange import WHOLE, LeaseId

SIGNER = LeaseSigner("5a" * 32)
OTHER = LeaseSigner("5b" * 32)


def lease(number: int = 1) -> SealedLease:
    return SealedLease(
        id=LeaseId(3, number),
        content="bundle",
        slot=WHOLE,
        round=4,
        requester=Address("host-1", f"h{number}"),
        responder=Address("host-2", f"k{number}"),
    )


CHANGED: dict[str, dict[str, Any]] = {
    "epoch": {"id": LeaseId(4, 1)},
    "number": {"id": LeaseId(3, 2)},
    "content": {"content": "amounts"},
    "slot": {"slot": 0},
    "round": {"round": 5},
    "requester": {"requester": Address("host-1", "h2")},
    "requester's host": {"requester": Address("host-9", "h1")},
    "responder": {"responder": Address("host-2", "k2")},
    "responder's host": {"responder": Address("host-1", "k1")},
}


@pytest.mark.parametrize("count", [*range(1, 18), 33])
def test_every_lease_of_a_batch_has_a_good_seal(count: int) -> None:
    leases = [lease(number) for number in range(count)]
    seals = SIGNER.seals(leases)
    assert len({seal[:64] for seal in seals}) == 1
    for each, seal in zip(leases, seals, strict=True):
        check_seal(SIGNER.public_key, seal, each)
        assert len(seal) <= 64 + 32 * (count - 1).bit_length()


@pytest.mark.parametrize("field", CHANGED)
@pytest.mark.parametrize("count", [1, 5])
def test_a_seal_is_worth_nothing_for_another_lease(field: str, count: int) -> None:
    seal = SIGNER.seals([lease(number) for number in range(1, count + 1)])[0]
    check_seal(SIGNER.public_key, seal, lease())
    with pytest.raises(PeerError, match="proposes without a lease"):
        check_seal(SIGNER.public_key, seal, lease()._replace(**CHANGED[field]))


def test_only_the_matchmaker_of_this_run_can_seal() -> None:
    (seal,) = OTHER.seals([lease()])
    with pytest.raises(PeerError, match="h1 proposes without a lease"):
        check_seal(SIGNER.public_key, seal, lease())


def test_bytes_that_are_no_seal_are_refused() -> None:
    chance = Random(1)
    good = SIGNER.seals([lease(number) for number in range(6)])[1]
    bad = [b"", good[:-1], good[:64], good + bytes(32), bytes(64), chance.randbytes(160)]
    for place in range(0, len(good), 7):
        flipped = bytearray(good)
        flipped[place] ^= 1
        bad.append(bytes(flipped))
    for seal in bad:
        with pytest.raises(PeerError):
            check_seal(SIGNER.public_key, seal, lease())


def test_an_inner_hash_is_no_lease() -> None:
    """Nobody can present a pair of hashes in place of a lease."""
    leases = [lease(1), lease(2)]
    pair = sorted(each.digest for each in leases)
    assert all(each.digest != lease_seal._joined(*pair) for each in leases)


def test_a_batch_is_verified_once(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass
    class Counting:
        key: Ed25519PublicKey
        times = 0

        def verify(self, signature: bytes, data: bytes) -> None:
            Counting.times += 1
            self.key.verify(signature, data)

        @classmethod
        def from_public_bytes(cls, data: bytes) -> "Counting":
            return cls(Ed25519PublicKey.from_public_bytes(data))

    monkeypatch.setattr(lease_seal, "Ed25519PublicKey", Counting)
    leases = [lease(number) for number in range(100, 150)]
    for each, seal in zip(leases, SIGNER.seals(leases), strict=True):
        check_seal(SIGNER.public_key, seal, each)
    assert Counting.times == 1
    (forged,) = OTHER.seals([lease()])
    for times in (2, 3):
        with pytest.raises(PeerError):
            check_seal(SIGNER.public_key, forged, lease())
        assert Counting.times == times, "a failure is never remembered"


def test_no_leases_need_no_signature() -> None:
    assert SIGNER.seals([]) == []
