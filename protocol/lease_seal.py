"""The seal of a lease: how a matchmaker signs that it has given it, and how a responder checks it.

A responder hears a lease from the requester alone, which could have invented it. So the matchmaker
signs with ed25519: not each lease, but the root of a hash tree over all leases that it gives at the
same moment. A seal is that signature and the hashes that lead from the lease to the root. A round
of thousands of leases then costs one signature, and each host checks it once.

The keys are made for one run, so a seal is worth nothing in another one.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from protocol.errors import PeerError
from protocol.messages.exchange import LeaseId
from protocol.messages.lifecycle import Address
from protocol.terms import ContentName

SIGNATURE_BYTES, HASH_BYTES = 64, 32
_LEAF, _INNER = b"\0", b"\1"
"""What a hash begins with, so that no lease can be taken for a pair of hashes."""


class SealedLease(NamedTuple):
    """Everything that a seal vouches for."""

    id: LeaseId
    content: ContentName
    slot: int
    """The slot, or WHOLE."""
    round: int
    """The only round in which the lease is good."""
    requester: Address
    responder: Address

    @property
    def digest(self) -> bytes:
        """The hash of the lease: its fields as one line of text. Names have no spaces."""
        fields = (*self.id, self.content, self.slot, self.round, *self.requester, *self.responder)
        line = " ".join(("coflex-lease", *map(str, fields)))
        return sha256(_LEAF + line.encode()).digest()


class LeaseSigner:
    """A matchmaker's private key."""

    def __init__(self, key: str) -> None:
        """Take the private key in hexadecimal digits."""
        self._key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key))

    @property
    def public_key(self) -> str:
        """The public key, with which its seals are checked, in hexadecimal digits."""
        return self._key.public_key().public_bytes_raw().hex()

    def seals(self, leases: Sequence[SealedLease]) -> list[bytes]:
        """Return the seal of each lease; all share one signature."""
        if not leases:
            return []
        levels = _hash_tree([lease.digest for lease in leases])
        signature = self._key.sign(levels[-1][0])
        return [b"".join((signature, *_path(levels, leaf))) for leaf in range(len(leases))]


def check_seal(key: str, seal: bytes, lease: SealedLease) -> None:
    """Raise PeerError unless the matchmaker with this public key has given this lease."""
    signature, path = seal[:SIGNATURE_BYTES], seal[SIGNATURE_BYTES:]
    root = lease.digest
    for place in range(0, len(path), HASH_BYTES):
        root = _joined(root, path[place : place + HASH_BYTES])
    try:
        _check_signature(key, signature, root)
    except InvalidSignature:
        raise PeerError(f"{lease.requester.name} proposes without a lease") from None


@lru_cache(maxsize=1024)  # a failure is not kept: nobody can push a good one out
def _check_signature(key: str, signature: bytes, root: bytes) -> None:
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature, root)


def _hash_tree(digests: Sequence[bytes]) -> list[list[bytes]]:
    """Return the levels of a hash tree over these hashes, from the leaves to the root. A hash
    without a sibling goes up as it is."""
    levels = [list(digests)]
    while len(level := levels[-1]) > 1:
        pairs = (level[left : left + 2] for left in range(0, len(level), 2))
        levels.append([_joined(*pair) if len(pair) == 2 else pair[0] for pair in pairs])
    return levels


def _path(levels: Sequence[Sequence[bytes]], leaf: int) -> Iterator[bytes]:
    """Yield the siblings on the way from a leaf to the root."""
    place = leaf
    for level in levels:
        sibling = place ^ 1
        if sibling < len(level):
            yield level[sibling]
        place //= 2


def _joined(one: bytes, other: bytes) -> bytes:
    """Return the hash of two hashes, whichever comes first."""
    low, high = sorted((one, other))
    return sha256(_INNER + low + high).digest()
