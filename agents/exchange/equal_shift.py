"""The equal shift: stage 2 as one sum up and down the tree, instead of exchanges between pairs.

At each slot, everybody ends with the preferred value plus an equal share of the excess: the energy
that stage 1 has planned beyond what all prefer. It needs loads that can be divided at will. A
household whose mandate restricts exchanges (a rule, a cap) stays out, because nobody can promise it
anything; at a slot that it never trades it stays out as well. Excess and shares are whole numbers
of UNIT_KWH, so the amounts that change hands cancel out exactly.

A child repeats its Excess until Shares arrives. Before Shares leaves, the household has journaled
it, so after a crash it gives each child the same answer again.
"""

from collections.abc import Sequence

import numpy as np

from agents.exchange.journal import records
from agents.exchange.journal.division import Division, read_division, write_division
from agents.exchange.journal.entries import Entry, Journal, Kind
from agents.exchange.journal.records import Setting
from agents.exchange.negotiations import ExchangeCounts
from agents.exchange.rounds import ENTER, GATHER
from agents.mandate import FREE, Mandate
from agents.plans import rmse
from agents.retransmission import NEVER, Retransmission
from protocol.errors import PeerError
from protocol.messages import Address, Excess, Shares, Trace
from protocol.messages.equal_shift import UNIT_KWH
from protocol.messages.exchange import RoundCount
from protocol.runtime.machine import Envelope
from protocol.vectors import AMOUNT_MAX, Array, Int64Array


def taking(mandate: Mandate, slots: int) -> Int64Array:
    """Return, for each slot, 1 if a household with this mandate takes part, else 0."""
    restricted = mandate.rule or mandate.discomfort is not None or mandate.energy_drift is not None
    takes = np.full(slots, mandate.exchange and not restricted, np.int64)
    takes[list(mandate.never)] = 0
    return takes


def excess_of(schedule: Array, preferred: Array, takes: Int64Array) -> Int64Array:
    """Return a household's excess, int64[d], in UNIT_KWH. Raises OverflowError if it is too large
    to be added up."""
    units = np.rint((schedule - preferred) / UNIT_KWH)
    if (np.abs(units) > AMOUNT_MAX).any():
        raise OverflowError("a plan is too far from the preferred one for an equal shift")
    return np.asarray(units.astype(np.int64) * takes)


def divide(shares: Int64Array, takers: Sequence[Int64Array]) -> list[Int64Array]:
    """Divide the shares of a subtree among its parts, so that all who take part get equal shares.

    `takers` has, by slot, the number of takers in each part. Where the division leaves a remainder,
    the first takers get one unit more. Nobody may hold shares at a slot without takers.
    """
    everybody = np.maximum(np.sum(takers, axis=0), 1)
    least, left = np.divmod(shares, everybody)
    parts = []
    for number in takers:
        more = np.minimum(left, number)
        parts.append(least * number + more)
        left = left - more
    return parts


def count_rounds(households: int, slots: int) -> list[RoundCount]:
    """Return the equal shift as rounds: the start of the stage, and one round of messages.

    Repetitions are not counted. The bytes are those of the vectors alone.
    """
    start = RoundCount(
        households=households,
        lookups=0,
        matches=0,
        proposals=0,
        accepted=0,
        refused=0,
        discomfort_kwh=0.0,
        deviation_kwh2=0.0,
        messages=0,
        answers=0,
        frames=0,
        bytes=0,
    )
    sent = 2 * (households - 1)
    vectors = 3  # two in Excess, one in Shares
    size = 8 * slots * vectors * (households - 1)
    return [start, start._replace(messages=sent, frames=sent, bytes=size)]


class EqualShift:
    """One household's part in the equal shift, from `start` (or `resume`) until `finished`.

    Invariant: the schedule changes once, when the shares are known, and they are in the journal
    from then on.
    """

    def __init__(
        self,
        address: Address,
        setting: Setting,
        *,
        schedule: Array,
        preferred: Array,
        journal: Journal,
        mandate: Mandate = FREE,
    ) -> None:
        """Set up a household that has not sent anything yet.

        `schedule` is the selected plan of stage 1; both plans are float64[d], kWh.
        """
        self.address, self.setting = address, setting
        self.schedule, self.preferred = schedule, preferred
        self.counted: list[RoundCount] = []
        """At the root, once the shift is over: the start of the stage, and the shift as a round."""
        self.gathers = [GATHER]
        """The round in which the stage began."""
        self.counts = ExchangeCounts()
        """Counts of the household's part; it proposes nothing, so only messages are counted."""
        self._journal, self._mandate = journal, mandate
        self._takes = taking(mandate, len(schedule))
        self._excess = excess_of(schedule, preferred, self._takes)
        self._received: dict[Address, Excess] = {}
        self._risen: Excess | None = None
        """The sums over the subtree, once all of it is in."""
        self._division: Division | None = None
        self._retransmission = Retransmission()

    # -- for reading ------------------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """True when the shares are known."""
        return self._division is not None

    @property
    def round(self) -> int:
        """The present round, as the rounds of exchanges between pairs are counted."""
        return ENTER if self.finished else GATHER

    @property
    def begun(self) -> bool:
        """True once the whole tree is known to be in stage 2."""
        return self.finished

    @property
    def gathered(self) -> bool:
        """True once the whole subtree is known to be in stage 2."""
        return self.finished or self._risen is not None

    @property
    def trace(self) -> Trace:
        """No exchanges: nothing passes between two households."""
        none = np.zeros(0)
        return Trace(
            rounds=(), slots=(), partners=(), leases=(), asked=(),
            given_kwh=none, taken_kwh=none, gains_kwh2=none,
        )  # fmt: skip

    @property
    def discomfort(self) -> float:
        """RMSE against the preferred plan, kWh (source, eq. 1)."""
        return float(rmse(self.schedule[None], self.preferred[None])[0])

    @property
    def clipped(self) -> tuple[int, float]:
        """The number of slots at which the shift asks for negative consumption though none is
        preferred, and the energy below zero there, kWh."""
        below = self.finished & (self._takes > 0) & (self.schedule < 0) & (self.preferred >= 0)
        return int(below.sum()), float(-self.schedule[below].sum())

    @property
    def missing(self) -> tuple[Address, ...]:
        """The tree neighbours whose messages are missing."""
        if self.finished:
            return ()
        if self._risen is not None and self.setting.parent is not None:
            return (self.setting.parent,)
        return tuple(child for child in self.setting.children if child not in self._received)

    # -- start and restart ------------------------------------------------------------------------

    def start(self, now: float) -> list[Envelope]:
        """Begin stage 2."""
        beginning = records.Beginning(
            self.setting, self._mandate, schedule=self.schedule, preferred=self.preferred
        )
        self._note("begin", records.write_beginning(beginning))
        return self._collect(now)

    @classmethod
    def resume(
        cls, address: Address, entries: Sequence[Entry], journal: Journal, now: float
    ) -> tuple["EqualShift", list[Envelope]]:
        """Return a household restarted from its journal (`begin` first), and its first messages."""
        setting, mandate, schedule, preferred = records.read_beginning(entries[0].data)
        shift = cls(
            address,
            setting,
            schedule=schedule,
            preferred=preferred,
            journal=journal,
            mandate=mandate,
        )
        shift._note("resume")
        shared = [entry for entry in entries if entry.kind == "shared"]
        if shared:
            shift._take(read_division(shared[0].data))
            return shift, []
        return shift, shift._collect(now)

    # -- the machine ------------------------------------------------------------------------------

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Answer one message of stage 2."""
        match envelope.message:
            case Excess() as excess:
                return self._on_excess(envelope.sender, excess, now)
            case Shares() as shares:
                return self._on_shares(envelope.sender, shares)
            case other:
                raise PeerError(f"{type(other).__name__} is not for a household in an equal shift")

    def tick(self, now: float) -> list[Envelope]:
        """Repeat the sums over the subtree if the answer is late."""
        due = self._retransmission.due(now) and not self.finished
        return self._rise() if due else []

    def next_deadline(self) -> float | None:
        """Return when to call `tick`; None for never."""
        due = self._retransmission.deadline
        return None if due == NEVER else due

    # -- up ---------------------------------------------------------------------------------------

    def _on_excess(self, sender: Address, excess: Excess, now: float) -> list[Envelope]:
        """Take a child's sums, or repeat the answer that it has missed."""
        if sender not in self.setting.children:
            raise PeerError(f"{sender} is not a child of {self.address.name}")
        if excess.attempt != self.setting.attempt:
            return []
        if self._division is not None:
            return [self._answer(self.setting.children.index(sender), self._division)]
        if not len(excess.takers) == len(excess.excess) == len(self.schedule):
            raise PeerError(f"{sender} speaks of {len(excess.excess)} slots")
        if ((excess.takers < 0) | (excess.takers > excess.households)).any():
            raise PeerError(f"{sender} counts more households than it has")
        self._received.setdefault(sender, excess)
        return self._collect(now)

    def _collect(self, now: float) -> list[Envelope]:
        """Go on if all children have reported: to the parent, or at the root down the tree."""
        if self._risen is not None or len(self._received) < len(self.setting.children):
            return []
        below = [self._received[child] for child in self.setting.children]
        self._risen = Excess(
            households=1 + sum(part.households for part in below),
            takers=sum((part.takers for part in below), self._takes),
            excess=sum((part.excess for part in below), self._excess),
            attempt=self.setting.attempt,
        )
        if self.setting.parent is not None:
            self._retransmission.sent(now)
            return self._rise()
        return self._share(self._risen.excess)

    def _rise(self) -> list[Envelope]:
        assert self._risen is not None
        assert self.setting.parent is not None
        self.counts.messages += 1
        return [Envelope(self.address, self.setting.parent, self._risen)]

    # -- down -------------------------------------------------------------------------------------

    def _on_shares(self, sender: Address, message: Shares) -> list[Envelope]:
        if sender != self.setting.parent:
            raise PeerError(f"{sender} is not the parent of {self.address.name}")
        if message.attempt != self.setting.attempt or self.finished:
            return []
        if self._risen is None:
            raise PeerError(f"{sender} shares what has not been added up")
        if len(message.shares) != len(self.schedule):
            raise PeerError(f"{sender} speaks of {len(message.shares)} slots")
        return self._share(message.shares)

    def _share(self, shares: Int64Array) -> list[Envelope]:
        """Divide the shares of this subtree, journal them, take the own and pass on the others."""
        assert self._risen is not None
        below = [self._received[child].takers for child in self.setting.children]
        own, *others = divide(shares, [self._takes, *below])
        division = Division(own - self._excess, tuple(others), self._risen.households)
        self._note("shared", write_division(division))
        self._take(division)
        self._retransmission.stop()
        return [self._answer(child, division) for child in range(len(below))]

    def _take(self, division: Division) -> None:
        self._division = division
        self.schedule = self.schedule + division.moved * UNIT_KWH
        if self.setting.parent is None:
            self.counted = count_rounds(division.households, len(self.schedule))

    def _answer(self, child: int, division: Division) -> Envelope:
        """Return the answer to the child with this number."""
        self.counts.messages += 1
        shares = Shares(division.below[child], attempt=self.setting.attempt)
        return Envelope(self.address, self.setting.children[child], shares)

    def _note(self, kind: Kind, data: bytes = b"") -> None:
        self._journal.append(Entry(self.address.name, kind, GATHER, data=data))
