"""The matchmaker of a tested household that exchanges amounts: it finds the partners that the
script wants, and checks the lookups."""

from collections.abc import Callable

import numpy as np

from orchestrator.validation.conformance.household_probe import HouseholdProbe, shown
from orchestrator.validation.conformance.matchmaker_role import LEASE_SECONDS
from orchestrator.validation.conformance.matchmaker_role import SECTION as LOOKUPS
from orchestrator.validation.conformance.roles import MATCHMAKER
from protocol.codec import encode_message
from protocol.messages import Address, AmountLookup, AmountMatch
from protocol.messages.amounts import Found, LeaseEnd
from protocol.messages.exchange import WHOLE, Lease, LeaseId
from protocol.vectors import Array

SECTION = "Content amounts"
ANNOUNCEMENTS, WISHES = f"{SECTION}, Announcements", f"{SECTION}, Wishes"
LEAST_KWH = 2.0**-8
NOTHING: Array = np.zeros(0)


class AmountMatchmakerRole:
    """The matchmaker, with everything it has been told. Invariant: `open` is the lookup without an
    answer."""

    def __init__(self, probe: HouseholdProbe, slots: int) -> None:
        self.probe, self.slots, self.epoch = probe, slots, 100
        self.up_kwh, self.down_kwh = np.zeros((2, slots))
        self.announced = 0
        """Number of announcements."""
        self.ended: dict[LeaseId, LeaseEnd] = {}
        self.open: AmountLookup | None = None
        self._anew = True
        """True if the next lookup must enter the household anew."""
        self._last: AmountLookup | None = None
        self._next_lease = 1
        self._read = len(probe.heard)

    def read(self) -> None:
        """Handle the lookups that have arrived."""
        arrived, self._read = self.probe.heard[self._read :], len(self.probe.heard)
        for to, message in arrived:
            if to == MATCHMAKER and isinstance(message, AmountLookup):
                self._take(message)

    def _take(self, lookup: AmountLookup) -> None:
        last = self._last
        if last is not None and lookup.number == last.number:
            same = encode_message(lookup) == encode_message(last)
            self._note("repeats a lookup as it was", same, shown(last), lookup)
            return
        alone = self.open is None
        self._note("has one lookup under way at a time", alone, "none before AmountMatch", lookup)
        if last is not None:
            expected = f"session {last.session}, number {last.number + 1}"
            right = (lookup.session, lookup.number) == (last.session, last.number + 1)
            self._note("numbers its lookups one by one", right, expected, lookup)
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
        self._note("says in a lookup what belongs there", right, expected, lookup)
        if len(lookup.up_kwh) == len(lookup.down_kwh) == self.slots:
            self._hear(lookup)
        self.ended.update((LeaseId(*end.lease), end) for end in lookup.ended)
        self._last = self.open = lookup

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
        found = await self.probe.require(check, section, f"AmountLookup: {expected}", self._found)
        self.probe.note(check, section, right(found), expected, shown(found))
        return found

    def _found(self) -> AmountLookup | None:
        self.read()
        return self.open

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

    def new_id(self) -> LeaseId:
        """Return an id that no lease has had."""
        self._next_lease += 1
        return LeaseId(self.epoch, self._next_lease)

    def _note(self, check: str, passed: bool, expected: str, came: AmountLookup) -> None:
        self.probe.note(check, LOOKUPS, passed, expected, shown(came))
