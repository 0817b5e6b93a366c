"""The matchmaker of a tested household that exchanges amounts: it finds the partners that the
script wants, and checks the lookups."""

from collections.abc import Callable

import numpy as np

from orchestrator.validation.conformance.household_probe import HouseholdProbe, shown
from orchestrator.validation.conformance.lookup_role import LEASE_SECONDS, LookupRole
from orchestrator.validation.conformance.roles import MATCHMAKER
from protocol.messages import Address, AmountLookup, AmountMatch
from protocol.messages.amounts import Found, LeaseEnd
from protocol.messages.exchange import WHOLE, Lease, LeaseId
from protocol.vectors import Array

SECTION = "Content amounts"
ANNOUNCEMENTS, WISHES = f"{SECTION}, Announcements", f"{SECTION}, Wishes"
LEAST_KWH = 2.0**-8
NOTHING: Array = np.zeros(0)


class AmountMatchmakerRole(LookupRole[AmountLookup]):
    """The matchmaker of amounts, with everything it has been told."""

    def __init__(self, probe: HouseholdProbe, slots: int) -> None:
        super().__init__(probe, AmountLookup, answer="AmountMatch")
        self.slots = slots
        self.up_kwh, self.down_kwh = np.zeros((2, slots))
        self.announced = 0
        """Number of announcements."""
        self.ended: dict[LeaseId, LeaseEnd] = {}
        self._anew = True
        """True if the next lookup must enter the household anew."""

    def take(self, lookup: AmountLookup) -> None:
        """Check what a new lookup says, and remember it."""
        lengths = (0, self.slots)
        sizes = [
            {len(lookup.up_kwh), len(lookup.down_kwh)},
            {len(lookup.want_up_kwh), len(lookup.want_down_kwh)},
        ]
        right = all(len(size) == 1 and size <= set(lengths) for size in sizes)
        lists = (lookup.up_kwh, lookup.down_kwh, lookup.want_up_kwh, lookup.want_down_kwh)
        right = right and all((each >= 0.0).all() for each in lists)
        wants = len(lookup.want_up_kwh) == 0 or (
            lookup.want_up_kwh.any() and lookup.want_down_kwh.any()
        )
        epoch = 0 if self._anew else self.epoch
        expected = f"epoch {epoch}; two announcements and two wants, of {lengths} slots, none < 0"
        right = bool(right and wants) and lookup.epoch == epoch
        self.note("says in a lookup what belongs there", right, expected, lookup)
        if len(lookup.up_kwh) == len(lookup.down_kwh) == self.slots:
            self._hear(lookup)
        self.ended.update((LeaseId(*end.lease), end) for end in lookup.ended)

    def _hear(self, lookup: AmountLookup) -> None:
        self.up_kwh, self.down_kwh = lookup.up_kwh, lookup.down_kwh
        self.announced += 1
        told = np.concatenate([lookup.up_kwh, lookup.down_kwh])
        told = told[told != 0.0]
        rungs = np.exp2(np.rint(2.0 * np.log2(np.maximum(told, LEAST_KWH))) / 2.0)
        right = bool(np.allclose(told, rungs, rtol=1e-12, atol=0.0))
        check = "announces powers of the square root of 2, from 2^-8 kWh on, or 0"
        self.probe.note(check, ANNOUNCEMENTS, right, "such powers", shown(lookup))

    async def lookup(
        self,
        check: str,
        section: str,
        expected: str,
        right: Callable[[AmountLookup], bool] = lambda lookup: True,
    ) -> AmountLookup:
        """Wait for the next lookup, and check it."""
        found = await self.probe.require(check, section, f"AmountLookup: {expected}", self.found)
        self.probe.note(check, section, right(found), expected, shown(found))
        return found

    async def answer(self) -> AmountMatch:
        """Answer the open lookup: nobody can help."""
        return await self.tell(self.match())

    async def finds(self, partner: Address) -> AmountMatch:
        """Answer the open lookup with a lease: this partner announces all that is wanted."""
        return await self.tell(self.match(partner=partner))

    async def forgets(self) -> None:
        """Answer the open lookup as a matchmaker that has restarted and knows nobody."""
        self.epoch += 1
        await self.tell(self.match(anew=True))
        self._anew = True

    async def tell(self, match: AmountMatch) -> AmountMatch:
        """Send an answer to the open lookup."""
        self.open, self._anew = None, False
        await self.probe.say(MATCHMAKER, match)
        return match

    def match(self, *, partner: Address | None = None, anew: bool = False) -> AmountMatch:
        """Return an answer to the open lookup, without sending it."""
        lookup = self.open
        assert lookup is not None
        found: Found = "none" if len(lookup.want_up_kwh) and not anew else "nothing asked"
        lease = None
        if partner is not None:
            found = "match"
            lease = Lease(
                id=self.new_id(),
                slot=WHOLE,
                partner=partner,
                value_kwh=0.0,
                seconds=LEASE_SECONDS,
            )
        return AmountMatch(
            session=lookup.session,
            number=lookup.number,
            epoch=self.epoch,
            anew=anew,
            found=found,
            lease=lease,
            up_kwh=lookup.want_down_kwh if partner else NOTHING,
            down_kwh=lookup.want_up_kwh if partner else NOTHING,
        )
