"""The seal of a lease (docs/protocol.md, Leases and seals)."""

from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.system.third_party.wire import Address


def has_lease(
    key: str, proposal: dict[str, Any], content: str, slot: int, requester: Address, own: Address
) -> bool:
    """Say whether the matchmaker with this public key has given the lease of a proposal."""
    epoch, number = proposal["lease"]
    fields = [epoch, number, content, slot, proposal["round"], *requester, *own]
    line = " ".join(["coflex-lease", *map(str, fields)])
    node, path = sha256(b"\0" + line.encode()).digest(), proposal["seal"][64:]
    for place in range(0, len(path), 32):
        pair = sorted((node, path[place : place + 32]))
        node = sha256(b"\1" + pair[0] + pair[1]).digest()
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(proposal["seal"][:64], node)
    except InvalidSignature:
        return False
    return True
