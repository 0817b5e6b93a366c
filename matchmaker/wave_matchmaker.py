"""The matchmaker that serves lookups in waves: the same exchanges whatever bus and hosts do.

News takes effect with the next wave, household by household in the order of names. A lookup without
wishes is answered at once; one with wishes as soon as a wave has leases for it, or nobody is left
who could suit it. So nobody has to ask again because all are busy. When a wave begins is decided in
waves.py.
"""

from matchmaker.matchmaker import LEASES_MAX, Matchmaker, wishes_of
from matchmaker.waves import Waiting, Waves
from protocol.messages import Address
from protocol.messages.exchange import Lookup, Match
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms


def matchmaker_of(address: Address, slots: int, epoch: int, *, terms: ExchangeTerms) -> Matchmaker:
    """Return a matchmaker for these terms, which knows nothing yet."""
    lease, per_slot, leases_max = terms.lease_seconds, terms.locks == "slot", terms.leases_at_once
    if terms.order == "waves":
        return WaveMatchmaker(
            address,
            slots,
            epoch,
            lease=lease,
            per_slot=per_slot,
            leases_max=leases_max,
            seed=terms.seed,
        )
    return Matchmaker(address, slots, epoch, lease=lease, per_slot=per_slot, leases_max=leases_max)


class WaveMatchmaker(Matchmaker):
    """The only matchmaker of a run, serving in waves."""

    news_repeats = busy_waits = True

    def __init__(
        self,
        address: Address,
        slots: int,
        epoch: int,
        *,
        lease: float,
        per_slot: bool,
        seed: int,
        leases_max: int = LEASES_MAX,
    ) -> None:
        """Set up a matchmaker that knows nothing yet. `seed` decides who is served first."""
        super().__init__(
            address, slots, epoch, lease=lease, per_slot=per_slot, leases_max=leases_max
        )
        self._waves = Waves(seed, lease)
        self._last: dict[Address, Lookup] = {}
        """Each household's last lookup."""

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Take one lookup, and serve the waiting ones if that was the last to wait for."""
        household, lookup = envelope.sender, envelope.message
        if isinstance(lookup, Lookup) and self._revises(household, lookup):
            self._revise(household, lookup, now)
            said = []
        else:
            said = super().handle(envelope, now)
        return said + self._serve(now) if self._waves.due else said

    def tick(self, now: float) -> list[Envelope]:
        """Begin a wave that has waited too long for households that are missing."""
        deadline = self._waves.deadline
        return self._serve(now) if deadline is not None and deadline <= now else []

    def next_deadline(self) -> float | None:
        """Return when to call `tick`; None if no lookup waits."""
        return self._waves.deadline

    def _answer(self, household: Address, lookup: Lookup, now: float) -> Match | None:
        waves, name = self._waves, household.name
        if not self._enter(household, lookup):
            return self._match(lookup, anew=True)
        if lookup.epoch == 0:
            waves.enter(name)
            self._learn(name, lookup)
        waves.hear(name, lookup, now)
        self._last[household] = lookup
        if not lookup.wants:
            waves.waiting.pop(name, None)
            return self._match(lookup)
        waves.waiting[name] = Waiting(household, lookup, wishes_of(lookup))
        return None

    def _revises(self, household: Address, lookup: Lookup) -> bool:
        """Return True if this is the household's last lookup with the end of another lease."""
        last = self._last.get(household)
        return (
            last is not None
            and (lookup.session, lookup.number) == (last.session, last.number)
            and len(lookup.closed) > len(last.closed)
        )

    def _revise(self, household: Address, lookup: Lookup, now: float) -> None:
        self._check(lookup)
        waves, name = self._waves, household.name
        waves.hear_more(self._last[household], name, lookup, now)
        self._last[household] = lookup
        before = waves.waiting.get(name)
        if before is not None:
            wishes = [wish for wish in wishes_of(lookup) if wish.slot not in before.none]
            waves.waiting[name] = Waiting(household, lookup, wishes, none=before.none)

    def _serve(self, now: float) -> list[Envelope]:
        """Apply all news, then serve the waiting lookups in the order of this wave."""
        waves, ledger = self._waves, self.ledger
        for name in sorted(waves.news):
            for lookup in waves.news[name]:
                self._learn(name, lookup)
        waves.news.clear()
        ledger.expire(now)
        said = []
        for waiting in waves.begin(now):
            household, lookup = waiting.household, waiting.lookup
            if waves.talking and not ledger.any_free:
                break
            found = self._find(household.name, lookup, waiting.wishes, now)
            if found.engaged:
                continue
            waiting.none += found.none
            settled = {*found.none, *(lease.slot for lease in found.leases)}
            waiting.wishes = [wish for wish in waiting.wishes if wish.slot not in settled]
            if found.leases or not waiting.wishes:
                waves.grant(household.name, found.leases)
                answer = self._match(lookup, found._replace(none=tuple(waiting.none)))
                self._sessions[household].answer = answer
                said.append(Envelope(self.address, household, answer))
        return said
