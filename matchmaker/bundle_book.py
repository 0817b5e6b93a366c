"""The bundle book: what whole households offer, and which pairs have failed. Pure.

A household is a row of arrays; its offers are compared as a whole. Which rows talk to each other is
computed in pairing.py, and when in pairing_matchmaker.py.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from matchmaker.household_rows import HouseholdRows
from matchmaker.leases import Counts
from matchmaker.offer_book import GUESS
from matchmaker.pairing import draw_candidates, pair_up
from protocol.messages import Address
from protocol.messages.exchange import Closed, LeaseId, Lookup
from protocol.terms import DisclosureName
from protocol.vectors import Array

LEASES_A_ROUND = 1 << 20
"""Numbers for the leases of one round. A household has one matchmaker a round, so it has no two
leases of the same number, whatever matchmaker gave them."""
_RANKS: dict[DisclosureName, int] = {"value": 0, "direction": 1, "limit": 2}


@dataclass(frozen=True, slots=True)
class Talk:
    """A pair of households, by name, that are to talk under a lease."""

    lease: LeaseId
    requester: str
    responder: str


@dataclass(slots=True)
class BundleBook(HouseholdRows):
    """Offers of whole households.

    Invariant: `_values` is NaN exactly where there is no offer.
    """

    slots: int
    epoch: int
    seed: int
    counts: Counts = field(default_factory=Counts)
    _values: Array = field(init=False)
    _limits: Array = field(init=False)
    _ranks: NDArray[np.intp] = field(init=False)
    """How much each household discloses: 0 values, 1 directions, 2 limits."""
    _failed: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """Rows of pairs that failed, the lower first, and their versions then."""
    _open: dict[LeaseId, tuple[int, int]] = field(default_factory=dict)
    """Rows of the pairs of the last round."""

    def __post_init__(self) -> None:
        self._values = np.full((16, self.slots), np.nan)
        self._limits = np.zeros((16, self.slots))
        self._ranks = np.zeros(16, dtype=np.intp)

    def summary(self) -> dict[str, int]:
        """Return the numbers of known households and offers, open leases, and the counts; no
        names."""
        offers = int((~np.isnan(self._values)).sum())
        known = {"households": len(self.rows), "offers": offers, "open": len(self._open)}
        return {**known, **asdict(self.counts)}

    def enter(self, household: Address) -> None:
        """Add a household that sends all its offers, and forget what was known of it."""
        row = self._entered(household)
        if row == len(self._values):
            self._grow()
        self._values[row] = np.nan
        self._versions[row] += 1

    def take(self, household: str, lookup: Lookup) -> None:
        """Take the offers and closed leases that a lookup reports."""
        row = self.rows[household]
        self._ranks[row] = _RANKS[lookup.disclosure]
        if lookup.slots or lookup.withdrawn:
            slots = list(lookup.slots)
            self._values[row, slots] = lookup.values_kwh
            self._limits[row, slots] = lookup.limits_kwh if lookup.disclosure != "value" else 0.0
            self._values[row, list(lookup.withdrawn)] = np.nan
            self._versions[row] += 1
        for closed in lookup.closed:
            self._close(closed)

    def talks(
        self, round: int, min_gain_kwh2: float, *, absent: Collection[str] = ()
    ) -> list[Talk]:
        """Return the talks of a round, between households that are not absent. They depend on the
        offers, the seed and the round, but not on the order in which households entered.

        The household that discloses more asks; else the one that considered the other.
        """
        self._open.clear()
        names = sorted(self.rows.keys() - set(absent))
        order = np.array([self.rows[name] for name in names], dtype=np.intp)
        if len(order) < 2:
            return []
        ranks = self._ranks[order]
        # A direction is +-1 kWh. Among directions the unit does not matter for who suits whom;
        # beside a household that discloses values only, it makes the pair a guess.
        wanted = self._values[order] + self._limits[order] * (GUESS / 2)
        candidates = draw_candidates(
            len(order), np.random.default_rng([self.seed, round, len(order)])
        )
        pairs = pair_up(
            self._values[order],
            wanted,
            candidates=candidates,
            excluded=self._excluded(order, candidates),
            min_gain_kwh2=min_gain_kwh2,
        )
        talks: list[Talk] = []
        for pair in pairs:
            first, second = pair.first, pair.second
            if ranks[first] < ranks[second]:
                first, second = second, first
            lease = LeaseId(self.epoch, round * LEASES_A_ROUND + len(talks) + 1)
            self._open[lease] = int(order[first]), int(order[second])
            talks.append(Talk(lease, requester=names[first], responder=names[second]))
        return talks

    def _excluded(self, order: NDArray[np.intp], candidates: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return which candidates would fail again: nothing has changed on either side."""
        versions = self._versions
        still = {
            pair
            for pair, then in self._failed.items()
            if then == (versions[pair[0]], versions[pair[1]])
        }
        self._failed = {pair: self._failed[pair] for pair in still}
        first = np.broadcast_to(order[:, None], candidates.shape)
        second = order[candidates]
        ranks = self._ranks
        unknown = (ranks[first] == 0) & (ranks[second] == 0)
        count = len(self.where)
        keys = np.minimum(first, second) * count + np.maximum(first, second)
        failed = np.array([low * count + high for low, high in still], dtype=np.intp)
        return np.asarray(unknown | np.isin(keys, failed))

    def _close(self, closed: Closed) -> None:
        pair = self._open.pop(closed.lease, None)
        if closed.ending == "done":
            self.counts.done += 1
            return
        self.counts.refused += 1
        if pair is not None and closed.ending in ("refused", "for now"):
            low, high = sorted(pair)
            self._failed[low, high] = self._versions[low], self._versions[high]

    def _grow(self) -> None:
        more = len(self._values)
        self._values = np.concatenate([self._values, np.full((more, self.slots), np.nan)])
        self._limits = np.concatenate([self._limits, np.zeros((more, self.slots))])
        self._ranks = np.concatenate([self._ranks, np.zeros(more, dtype=np.intp)])
