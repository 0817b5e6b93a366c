"""The content bundle: what a household proposes, which part suits it, and whether a counter is
right.

It decides one household's own side, with its holding. A responder knows its own changes exactly,
and the requester's by what the proposal discloses. The limits are rounded so that a requester
cannot lose by a bundle that seems to suit it; it checks the bundle with its own numbers all the
same. What is said and recorded when is decided in bundle_talks.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray

from agents.exchange.bundles.bundle_choice import BundleBounds, PairChanges, choose_bundles
from agents.exchange.disclosure import FLOOR, LADDER, limit_named
from agents.exchange.holding import Holding
from protocol.errors import PeerError
from protocol.messages import BundleProposal, Counter
from protocol.messages.exchange import LeaseId, Refusal
from protocol.terms import DisclosureName
from protocol.vectors import Array

EXPECTED = (1 + LADDER) / 2
"""Factor from a disclosed limit to the middle of the range of true limits behind it."""
LEAST_SHARE = 1 / 21
"""Least share of a side in the choice of a bundle under `cooperative`."""
MARGIN = 1e-9
"""Gain that both sides keep as a reserve for rounding, as a share of the mean squared deviation
over all households and slots."""


@dataclass(frozen=True, slots=True)
class Deal:
    """A bundle as one side sees it."""

    slots: tuple[int, ...]
    given_kwh: tuple[float, ...]
    """Values that the household holds at these slots before the exchange."""
    taken_kwh: tuple[float, ...]
    """Values that it holds there afterwards."""
    changes_kwh2: tuple[float, ...]
    """Changes of its squared deviation, slot by slot."""

    @property
    def change_kwh2(self) -> float:
        """Change of the squared deviation over the whole bundle, kWh^2."""
        return fsum(self.changes_kwh2)


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleQuestion:
    """The question which bundle suits a responder and a proposal best."""

    state: tuple[object, ...]
    """The state of the responder that the question depends on."""
    disclosure: DisclosureName
    theirs_kwh: Array
    """The requester's values, float64[d]; NaN at slots that are not traded."""
    limits_kwh: Array
    """Its disclosed limits, float64[d]; 0 where there is none."""
    held_kwh: Array
    """The responder's values, float64[d]."""
    preferred_kwh: Array
    scale_kwh: float
    """Root mean squared deviation over all households and slots."""
    requester_weight: float
    bounds: tuple[float, float, float, float, float]
    """As the fields of BundleBounds."""


NO_DEAL = Deal(slots=(), given_kwh=(), taken_kwh=(), changes_kwh2=())


class BundleContent:
    """Bundles as one household decides about them."""

    def __init__(self, holding: Holding) -> None:
        self._holding = holding
        self._slots = tuple(filter(holding.offered, range(holding.slots)))
        """The slots that the household trades; in an exchange of bundles they never change."""
        self._traded = np.isin(np.arange(holding.slots), self._slots)
        self._scale_kwh2 = self._min_gain_kwh2 = 0.0
        self._foreseen: tuple[BundleProposal, BundleQuestion, NDArray[np.bool_]] | None = None

    @property
    def trades(self) -> bool:
        """True if the household trades at any slot."""
        return bool(self._slots)

    def share(self, scale_kwh2: float, min_gain_kwh2: float) -> None:
        """Take the mean squared deviation over all households and slots, and the least joint gain
        that is worth an exchange."""
        self._scale_kwh2, self._min_gain_kwh2 = scale_kwh2, min_gain_kwh2

    @property
    def _least_limit_kwh(self) -> float:
        return float(FLOOR * self._scale_kwh2**0.5)

    @property
    def _margin_kwh2(self) -> float:
        return MARGIN * self._scale_kwh2

    # -- as requester -----------------------------------------------------------------------------

    def propose(self, lease: LeaseId) -> BundleProposal:
        """Return the proposal for a lease: the same as long as the holding does not change."""
        holding = self._holding
        loss = holding.loss_room_kwh2
        if loss > 0:
            # Rounded down like any limit; the argument is the distance that has this limit.
            loss = limit_named(0.0, loss / 2, 0.0)
        room = holding.energy_room_kwh
        return BundleProposal(
            lease=lease,
            disclosure=holding.disclosure,
            slots=self._slots,
            values_kwh=holding.schedule[self._traded],
            limits_kwh=holding.told(self._slots, self._least_limit_kwh),
            loss_kwh2=loss,
            less_kwh=None if room is None else room[0],
            more_kwh=None if room is None else room[1],
        )

    def check(self, counter: Counter) -> tuple[Deal, Refusal]:
        """Return the deal of a counter, and why the requester does not want it, if so.

        Raises PeerError if the counter answers no proposal of this household.
        """
        values = self._values(counter.slots, counter.values_kwh)
        if not counter.slots or not self._traded[list(counter.slots)].all():
            raise PeerError("a counter beyond the slots that were proposed")
        deal = self._deal(counter.slots, values)
        change = deal.change_kwh2
        if self._holding.rule == "cooperative":
            together = change + counter.change_kwh2
            if together >= 0 or -together < self._min_gain_kwh2:
                return deal, "no joint gain"
        return deal, self._own_refusal(deal)

    # -- as responder -----------------------------------------------------------------------------

    def question(self, proposal: BundleProposal) -> "BundleQuestion":
        """Return what has to be known to choose a bundle for this proposal.

        Raises PeerError if the proposal makes no sense.
        """
        theirs = np.full(self._holding.slots, np.nan)
        theirs[list(proposal.slots)] = self._values(proposal.slots, proposal.values_kwh)
        theirs[~self._traded] = np.nan
        limits, holding = self._limits(proposal), self._holding
        low, high = self._energy_bounds(proposal)
        return BundleQuestion(
            state=self._state,
            disclosure=proposal.disclosure,
            theirs_kwh=theirs,
            limits_kwh=limits,
            held_kwh=holding.schedule,
            preferred_kwh=holding.preference,
            scale_kwh=self._scale_kwh2**0.5,
            requester_weight=self._requester_weight(limits, proposal.disclosure),
            bounds=(
                -self._min_gain_kwh2,
                proposal.loss_kwh2 - 2 * self._margin_kwh2,
                holding.loss_room_kwh2 - 2 * self._margin_kwh2,
                low,
                high,
            ),
        )

    def foresee(
        self, proposal: BundleProposal, question: "BundleQuestion", slots: NDArray[np.bool_]
    ) -> None:
        """Take the bundle chosen for a proposal that is about to be handled, bool[d].

        It counts only while the household is as it was when the question was asked.
        """
        self._foreseen = proposal, question, slots

    def answer(self, proposal: BundleProposal) -> tuple[Deal, Refusal]:
        """Return the bundle to counter with, or the reason to refuse.

        Raises PeerError if the proposal makes no sense.
        """
        foreseen, self._foreseen = self._foreseen, None
        if foreseen is not None and foreseen[0] is proposal and foreseen[1].state == self._state:
            _, question, chosen = foreseen
        else:
            question = self.question(proposal)
            (chosen,) = best_bundles([question])
        slots = tuple(np.flatnonzero(chosen).tolist())
        if not slots:
            return NO_DEAL, "no joint gain"
        deal = self._deal(slots, question.theirs_kwh[list(slots)])
        return deal, self._own_refusal(deal)

    @property
    def _state(self) -> tuple[object, ...]:
        """What stands for everything of the household on which a choice depends."""
        return self._holding.version, self._scale_kwh2, self._min_gain_kwh2

    def counter(self, lease: LeaseId, deal: Deal) -> Counter:
        """Return the counter that says this deal."""
        named = deal.change_kwh2 if self._holding.rule == "cooperative" else 0.0
        return Counter(
            lease=lease,
            slots=deal.slots,
            values_kwh=np.array(deal.given_kwh),
            change_kwh2=named,
        )

    # -- the parts --------------------------------------------------------------------------------

    def apply(self, deal: Deal) -> None:
        """Exchange the values."""
        self._holding.take_all(deal.slots, deal.taken_kwh, deal.changes_kwh2)

    def restore(self, slots: tuple[int, ...], taken: Array) -> Deal:
        """Return a deal as it was recorded, while the holding is what it was then."""
        return self._deal(slots, taken)

    def _deal(self, slots: tuple[int, ...], taken: Array) -> Deal:
        holding = self._holding
        return Deal(
            slots=slots,
            given_kwh=tuple(holding.held_at(slots).tolist()),
            taken_kwh=tuple(taken.tolist()),
            changes_kwh2=tuple(holding.changes(slots, taken).tolist()),
        )

    def _own_refusal(self, deal: Deal) -> Refusal:
        """Return why this household may not make this deal; empty if it may."""
        room = self._holding.loss_room_kwh2
        if deal.change_kwh2 > room - self._margin_kwh2:
            return "cap" if self._holding.rule == "cooperative" or room < 0 else "loss"
        energy = self._holding.energy_room_kwh
        moved = fsum(deal.taken_kwh) - fsum(deal.given_kwh)
        if energy is not None and not -energy[0] <= moved <= energy[1]:
            return "drift"
        return ""

    def _requester_weight(self, limits: Array, disclosure: DisclosureName) -> float:
        """Return the weight of the requester's change, between 0 and 2.

        Under `cooperative` each side counts in proportion to its squared deviation, so that those
        far from their preferred plans gain most; the requester's follows from its limits.
        """
        if self._holding.rule != "cooperative" or disclosure != "limit":
            return 1.0
        theirs, own = fsum((limits * (EXPECTED / 2)) ** 2), self._holding.deviation_kwh2
        share = theirs / (theirs + own) if theirs + own > 0 else 0.5
        return 2 * min(max(share, LEAST_SHARE), 1 - LEAST_SHARE)

    def _energy_bounds(self, proposal: BundleProposal) -> tuple[float, float]:
        """Return the bounds on the energy that the requester takes over, kWh."""
        low = -np.inf if proposal.less_kwh is None else -proposal.less_kwh
        high = np.inf if proposal.more_kwh is None else proposal.more_kwh
        own = self._holding.energy_room_kwh
        if own is not None:
            low, high = max(low, -own[1]), min(high, own[0])
        # Finite, since the search aims at the middle between them.
        reach = float(np.abs(self._holding.schedule).sum()) + float(
            np.abs(proposal.values_kwh).sum()
        )
        low, high = max(low, -reach), min(high, reach)
        reserve = MARGIN * (high - low)
        return low + reserve, high - reserve

    def _limits(self, proposal: BundleProposal) -> Array:
        """Return the disclosed limits over all slots, kWh; 0 where there is none."""
        limits = np.zeros(self._holding.slots)
        if proposal.disclosure != "value":
            if len(proposal.limits_kwh) != len(proposal.slots):
                raise PeerError("a proposal whose lists do not fit together")
            limits[list(proposal.slots)] = proposal.limits_kwh
        return limits

    def _values(self, slots: tuple[int, ...], values: Array) -> Array:
        if len(slots) != len(values) or list(slots) != sorted(set(slots)):
            raise PeerError("a bundle whose lists do not fit together")
        if slots and not 0 <= slots[0] <= slots[-1] < self._holding.slots:
            raise PeerError(f"a bundle beyond the {self._holding.slots} slots")
        return values


def best_bundles(questions: Sequence[BundleQuestion]) -> NDArray[np.bool_]:
    """Return the slots of the best bundle for each question, bool[questions, d]; none where no
    bundle fits."""
    theirs, limits, held, preferred = (
        np.stack([getattr(question, name) for question in questions])
        for name in ("theirs_kwh", "limits_kwh", "held_kwh", "preferred_kwh")
    )
    scale = np.array([[question.scale_kwh] for question in questions])
    traded = ~np.isnan(theirs)
    energy = np.where(traded, held - theirs, 0.0)
    expected, most = np.empty_like(energy), np.empty_like(energy)
    for disclosure in {question.disclosure for question in questions}:
        rows = [row for row, each in enumerate(questions) if each.disclosure == disclosure]
        expected[rows], most[rows] = requester_changes(
            energy[rows], limits[rows], disclosure, scale_kwh=scale[rows]
        )
    own = np.where(traded, (theirs - preferred) ** 2 - (held - preferred) ** 2, np.inf)
    joint, requester, responder, low, high = np.array([each.bounds for each in questions]).T
    changes = PairChanges(
        requester_kwh2=expected,
        requester_most_kwh2=most,
        responder_kwh2=own,
        energy_kwh=energy,
        requester_weight=np.array([question.requester_weight for question in questions]),
    )
    bounds = BundleBounds(
        joint_kwh2=joint,
        requester_most_kwh2=requester,
        responder_kwh2=responder,
        energy_min_kwh=low,
        energy_max_kwh=high,
    )
    return choose_bundles(changes, bounds).slots


def requester_changes(
    energy: Array, limits: Array, disclosure: DisclosureName, *, scale_kwh: float | Array
) -> tuple[Array, Array]:
    """Return the expected and the largest possible change of a requester's squared deviation at
    each slot, float64[..., d], kWh^2, if its energy there changes by `energy`, float64[..., d] kWh.

    With the true limit t, twice the signed distance to the preferred value, the change is
    energy * (energy - t). The true limit lies between the disclosed one and the next step of the
    ladder, or below a floor. If only directions are disclosed, the distance is assumed to be half
    of `scale_kwh`, the root mean squared deviation over all households and slots. Then only the
    requester's own check keeps it from a loss.
    """
    square = energy * energy
    if disclosure != "limit":
        assumed = square - energy * np.sign(limits) * scale_kwh
        return assumed, assumed
    expected = square - energy * limits * EXPECTED
    towards = energy * limits > 0
    highest = np.where(limits == 0.0, FLOOR * scale_kwh, np.abs(limits) * LADDER)
    most = square + np.where(towards, -energy * limits, np.abs(energy) * highest)
    return expected, most
