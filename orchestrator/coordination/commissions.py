"""Commissions: what the matchmakers of a run are given, so that they can serve it.

A matchmaker keeps no journal. It applies whenever it starts, and is given the roster, its key, and
an epoch that counts how often it has started: no clock decides which leases are newer. Pure.
"""

from collections.abc import Sequence
from hashlib import blake2b

from protocol.lease_seal import LeaseSigner
from protocol.messages import Address, Application, Commission, Residents

SECRET_BYTES = 32
"""Length of the secret of a run."""
LIVES_MAX = 1024
"""Number of lives of one matchmaker that are told apart; an older one gets a new epoch."""


class Commissions:
    """The commissions of one run.

    `secret` are SECRET_BYTES random bytes from which the key of each matchmaker follows, in any
    life of it or of the orchestrator. Without a secret, leases are not sealed: in a simulation
    nobody lies.
    """

    def __init__(self, secret: bytes | None = None) -> None:
        """Set up a run in which no matchmaker has started."""
        self.epochs: dict[str, dict[int, int]] = {}
        """The epoch of each life, by name of the matchmaker, in the order in which they began."""
        self._secret = secret

    def give(
        self, matchmaker: str, application: Application, residents: tuple[Residents, ...]
    ) -> Commission:
        """Return the commission of a matchmaker; an application that is repeated changes
        nothing."""
        epochs, life = self.epochs.setdefault(matchmaker, {}), application.life
        if life not in epochs:
            epochs[life] = 1 + max(epochs.values(), default=0)
            if len(epochs) > LIVES_MAX:
                del epochs[next(iter(epochs))]
        return Commission(
            life=life,
            epoch=epochs[life],
            residents=residents,
            signing_key=self._signing_key(matchmaker),
        )

    def public_keys(self, matchmakers: Sequence[Address]) -> tuple[str, ...]:
        """Return the public key of each matchmaker; nothing if leases are not sealed."""
        keys = [self._signing_key(address.name) for address in matchmakers]
        return tuple(LeaseSigner(key).public_key for key in keys if key is not None)

    def _signing_key(self, matchmaker: str) -> str | None:
        if self._secret is None:
            return None
        return blake2b(matchmaker.encode(), key=self._secret, digest_size=32).hexdigest()
