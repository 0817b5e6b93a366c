"""The matchmaker of the tested household: it gives the answers that the script wants, and checks
the lookups."""

from collections.abc import Callable, Sequence

from orchestrator.validation.conformance.household_probe import HouseholdProbe, shown
from orchestrator.validation.conformance.roles import MATCHMAKER
from protocol.codec import encode_message
from protocol.messages import Address, Lookup, Match
from protocol.messages.exchange import Ending, Lease, LeaseId

SECTION = "Stage 2: lookups, proposals, rounds, Household and matchmaker"
LEASE_SECONDS = 60.0


class MatchmakerRole:
    """The matchmaker, with everything it has been told. Invariant: `open` is the lookup without an
    answer."""

    def __init__(self, probe: HouseholdProbe) -> None:
        self.probe, self.epoch = probe, 100
        self.offers: dict[int, tuple[float, float]] = {}
        """Value and limit of each offer, by slot."""
        self.closed: dict[LeaseId, Ending] = {}
        self.open: Lookup | None = None
        self.answered = 0
        self._last: Lookup | None = None
        self._next_lease = 1
        self._read = len(probe.heard)

    def read(self) -> None:
        """Handle the lookups that have arrived."""
        arrived, self._read = self.probe.heard[self._read :], len(self.probe.heard)
        for to, message in arrived:
            if to == MATCHMAKER and isinstance(message, Lookup):
                self._take(message)

    def _take(self, lookup: Lookup) -> None:
        last = self._last
        if last is not None and lookup.number == last.number:
            same = encode_message(lookup) == encode_message(last)
            self._note("repeats a lookup as it was", same, shown(last), lookup)
            return
        alone = self.open is None
        self._note("has one lookup under way at a time", alone, "none before Match", lookup)
        if last is not None:
            expected = f"session {last.session}, number {last.number + 1}"
            right = (lookup.session, lookup.number) == (last.session, last.number + 1)
            self._note("numbers its lookups one by one", right, expected, lookup)
        sizes = {len(lookup.slots), len(lookup.values_kwh), len(lookup.limits_kwh)}
        right = len(sizes) == 1 and not len(lookup.wanted_kwh) and lookup.limits_bind
        expected = (
            "a value and a limit for each slot, limits that bind, no wanted values (rule mutual)"
        )
        self._note("says in a lookup what belongs there", right, expected, lookup)
        if lookup.epoch == 0:
            self.offers = {}
        values, limits = lookup.values_kwh.tolist(), lookup.limits_kwh.tolist()
        self.offers.update(zip(lookup.slots, zip(values, limits, strict=False), strict=False))
        for slot in lookup.withdrawn:
            self.offers.pop(slot, None)
        self.closed.update((LeaseId(*closed.lease), closed.ending) for closed in lookup.closed)
        self._last = self.open = lookup

    async def lookup(
        self, check: str, expected: str, wanted: Callable[[Lookup], bool] = lambda lookup: True
    ) -> Lookup:
        """Wait for the next lookup that is `wanted`; answer others with no match."""
        while True:
            found = await self.probe.require(check, SECTION, f"Lookup: {expected}", self._found)
            if wanted(found):
                self.probe.note(check, SECTION, True, "", "")
                return found
            await self.answer()

    def _found(self) -> Lookup | None:
        self.read()
        return self.open

    async def answer(self, leases: Sequence[Lease] = (), anew: bool = False) -> Match:
        """Answer the open lookup with these leases; at its other slots there is no suitable
        offer."""
        lookup = self.open
        assert lookup is not None
        match = self.match(lookup, leases, anew)
        self.open = None
        self.answered += 1
        await self.probe.say(MATCHMAKER, match)
        return match

    def match(self, lookup: Lookup, leases: Sequence[Lease] = (), anew: bool = False) -> Match:
        """Return an answer to a lookup, without sending it."""
        found = {lease.slot for lease in leases}
        none = () if anew else tuple(slot for slot in lookup.wants if slot not in found)
        session, number = lookup.session, lookup.number
        return Match(
            session=session,
            number=number,
            epoch=self.epoch,
            anew=anew,
            engaged=False,
            leases=tuple(leases),
            none=none,
            busy=(),
        )

    def lease(
        self, slot: int, partner: Address, value: float, seconds: float = LEASE_SECONDS
    ) -> Lease:
        """Return a new lease."""
        return Lease(id=self.new_id(), slot=slot, partner=partner, value_kwh=value, seconds=seconds)

    def new_id(self) -> LeaseId:
        """Return an id that no lease has had."""
        self._next_lease += 1
        return LeaseId(self.epoch, self._next_lease)

    async def closes(self, check: str, lease: LeaseId, ending: Ending) -> None:
        """Check that the household reports this ending of a lease; the lookup with the report stays
        open."""
        self.read()
        if lease not in self.closed:
            await self.lookup(check, f"closes {lease} as {ending!r}", lambda _: self._ended(lease))
        came = self.closed[lease]
        self.probe.note(check, SECTION, came == ending, f"{ending!r} for {lease}", repr(came))

    def _ended(self, lease: LeaseId) -> bool:
        return lease in self.closed

    def _note(self, check: str, passed: bool, expected: str, came: Lookup) -> None:
        self.probe.note(check, SECTION, passed, expected, shown(came))
