"""A matchmaker with a commission: before it serves anybody, it asks the orchestrator for one.

The commission has the roster, the epoch of this life, and the key for the seals of leases. Until it
arrives the matchmaker knows nobody, and refuses lookups: households repeat them. After a
restart it asks again, and gets the same key and a higher epoch. Who suits whom is decided in the
matchmaker of each content.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from matchmaker.trading_matchmaker import AnyMatchmaker
from protocol.errors import PeerError
from protocol.lease_seal import LeaseSigner, SealedLease
from protocol.messages import Address, AmountMatch, Application, Commission, Match
from protocol.messages.exchange import Lease
from protocol.runtime.machine import Envelope, Roles
from protocol.terms import ContentName

APPLY_AGAIN = 0.5
"""Seconds after which an application without an answer is repeated."""
_AS_ORCHESTRATOR: Roles = frozenset({"orchestrator"})
_AS_MEMBER: Roles = frozenset({"member"})


class CommissionedMatchmaker:
    """A matchmaker that serves the households of the roster, and seals the leases that it gives."""

    def __init__(
        self,
        address: Address,
        orchestrator: Address,
        *,
        life: int,
        content: ContentName,
        make: Callable[[int], AnyMatchmaker],
    ) -> None:
        """Set up a matchmaker that has not applied yet. `life` is a number drawn at random when the
        process starts; `make` returns the matchmaker of an epoch, which knows nothing yet."""
        self.address = address
        self.serving: AnyMatchmaker | None = None
        """The matchmaker that does the work; None before the commission."""
        self._orchestrator, self._life = orchestrator, life
        self._content, self._make = content, make
        self._hosts: dict[str, str] = {}
        """The host of each household of the run."""
        self._signer: LeaseSigner | None = None
        self._apply_at = 0.0

    @property
    def answered(self) -> int:
        """Number of lookups that were answered, repeated ones included."""
        return 0 if self.serving is None else self.serving.answered

    @property
    def summary(self) -> Mapping[str, int]:
        """The numbers of known households and offers, open leases, and the counts; no names.
        Nothing before the commission."""
        return {} if self.serving is None else self.serving.ledger.summary()

    def roles_of(self, sender: Address) -> Roles:
        """Return the roles of a sender. Raises PeerError for one that is not in the roster."""
        if sender == self._orchestrator:
            return _AS_ORCHESTRATOR
        if self.serving is None:
            raise PeerError(f"{self.address.name} has no commission yet")
        if self._hosts.get(sender.name) == sender.host:
            return _AS_MEMBER
        raise PeerError(f"{sender.name} on {sender.host} is not a household of this run")

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Take the commission, or answer one message of a household."""
        message = envelope.message
        if isinstance(message, Commission):
            return self._begin(message, now)
        if self.serving is None:
            raise PeerError(f"{self.address.name} has no commission yet")
        return self._sealed(self.serving.handle(envelope, now))

    def tick(self, now: float) -> list[Envelope]:
        """Apply for the commission; once there is one, do what is due."""
        if self.serving is not None:
            return self._sealed(self.serving.tick(now))
        self._apply_at = now + APPLY_AGAIN
        return [Envelope(self.address, self._orchestrator, Application(self._life))]

    def next_deadline(self) -> float | None:
        """Return when to call `tick`; None if nothing is due."""
        return self._apply_at if self.serving is None else self.serving.next_deadline()

    def _begin(self, commission: Commission, now: float) -> list[Envelope]:
        """Begin to serve; a commission that is repeated, or that an earlier life of this matchmaker
        has asked for, changes nothing."""
        if self.serving is not None or commission.life != self._life:
            return []
        self._hosts = {
            name: resident.host for resident in commission.residents for name in resident.households
        }
        if commission.signing_key is not None:
            self._signer = LeaseSigner(commission.signing_key)
        self.serving = self._make(commission.epoch)
        return self.serving.tick(now)

    def _sealed(self, out: list[Envelope]) -> list[Envelope]:
        """Return these answers with a seal on each lease; one signature serves for all of them."""
        if self._signer is None:
            return out
        given = [
            (place, lease) for place, envelope in enumerate(out) for lease in leases_of(envelope)
        ]
        seals = self._signer.seals(
            [
                SealedLease(
                    id=lease.id,
                    content=self._content,
                    slot=lease.slot,
                    round=lease.round,
                    requester=out[place].to,
                    responder=lease.partner,
                )
                for place, lease in given
            ]
        )
        sealed: dict[int, list[Lease]] = {}
        for (place, lease), seal in zip(given, seals, strict=True):
            sealed.setdefault(place, []).append(lease._replace(seal=seal))
        return [
            _with_leases(envelope, sealed[place]) if place in sealed else envelope
            for place, envelope in enumerate(out)
        ]


def leases_of(answer: Envelope) -> tuple[Lease, ...]:
    """Return the leases that an answer of a matchmaker gives."""
    match answer.message:
        case Match(leases=leases):
            return leases
        case AmountMatch(lease=lease) if lease is not None:
            return (lease,)
        case _:
            return ()


def _with_leases(answer: Envelope, leases: list[Lease]) -> Envelope:
    match answer.message:
        case Match() as found:
            return answer._replace(message=replace(found, leases=tuple(leases)))
        case AmountMatch() as found:
            return answer._replace(message=replace(found, lease=leases[0]))
        case other:
            raise TypeError(f"{type(other).__name__} gives no leases")
