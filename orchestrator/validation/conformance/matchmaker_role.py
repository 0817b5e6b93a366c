"""The matchmaker of the tested household: it gives the answers that the script wants, and checks
the lookups."""

from collections.abc import Callable, Sequence

from orchestrator.validation.conformance.household_probe import HouseholdProbe
from orchestrator.validation.conformance.lookup_role import LEASE_SECONDS, SECTION, LookupRole
from orchestrator.validation.conformance.roles import MATCHMAKER
from protocol.messages import Address, Lookup, Match
from protocol.messages.exchange import Ending, Lease, LeaseId


class MatchmakerRole(LookupRole[Lookup]):
    """The matchmaker of single slots and bundles, with everything it has been told."""

    def __init__(self, probe: HouseholdProbe) -> None:
        super().__init__(probe, Lookup, answer="Match")
        self.offers: dict[int, tuple[float, float]] = {}
        """Value and limit of each offer, by slot."""
        self.closed: dict[LeaseId, Ending] = {}
        self.answered = 0

    def take(self, lookup: Lookup) -> None:
        """Check what a new lookup says, and remember it."""
        sizes = {len(lookup.slots), len(lookup.values_kwh), len(lookup.limits_kwh)}
        right = len(sizes) == 1 and not len(lookup.wanted_kwh) and lookup.limits_bind
        expected = (
            "a value and a limit for each slot, limits that bind, no wanted values (rule mutual)"
        )
        self.note("says in a lookup what belongs there", right, expected, lookup)
        if lookup.epoch == 0:
            self.offers = {}
        values, limits = lookup.values_kwh.tolist(), lookup.limits_kwh.tolist()
        self.offers.update(zip(lookup.slots, zip(values, limits, strict=False), strict=False))
        for slot in lookup.withdrawn:
            self.offers.pop(slot, None)
        self.closed.update((LeaseId(*closed.lease), closed.ending) for closed in lookup.closed)

    async def lookup(
        self, check: str, expected: str, wanted: Callable[[Lookup], bool] = lambda lookup: True
    ) -> Lookup:
        """Wait for the next lookup that is `wanted`; answer others with no match."""
        while True:
            found = await self.probe.require(check, SECTION, f"Lookup: {expected}", self.found)
            if wanted(found):
                self.probe.note(check, SECTION, True, "", "")
                return found
            await self.answer()

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
