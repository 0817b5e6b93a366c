"""A household's part in the rounds of stage 2: RoundDone up, NextRound or End down the tree.

In the concurrent order a parent passes a round on as soon as it hears of it; in the sequential
order it goes through its own slots first, then each child's subtree has its turn. A child repeats
RoundDone until it hears what follows, and that answers a parent that had not heard it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from agents.exchange.cycles.trade_balance import MODULUS
from agents.retransmission import FIRST_WAIT_SECONDS, MAX_WAIT_SECONDS, Retransmission
from protocol.errors import PeerError
from protocol.messages import Address, End, NextRound, RoundDone
from protocol.messages.exchange import RoundCount
from protocol.runtime.machine import Envelope

GATHER = -1
"""The round that adds up the state at the start of the stage."""
ENTER = 0
"""The round in which all offers are made."""


@dataclass(slots=True)
class Rounds:
    """A household's state in the rounds.

    Invariant: `risen` is set if and only if the subtree has finished `round` and the parent has
    been informed.
    """

    address: Address
    parent: Address | None
    children: tuple[Address, ...]
    sequential: bool
    attempt: int = 1
    round: int = GATHER
    over: bool = False
    own: RoundDone | None = None
    """The household's own part of this round, once it is finished."""
    risen: RoundDone | None = None
    retransmission: Retransmission = field(default_factory=Retransmission)
    """The timer of RoundDone. The length of a round says nothing about the bus, so nothing is
    learned from it."""
    _received: dict[Address, RoundDone] = field(default_factory=dict)
    _told: NextRound | End | None = None
    """The last message to the children whose turn has come."""
    _turns: int = 0
    """Number of children that have had their turn in this round."""

    @property
    def missing(self) -> tuple[Address, ...]:
        """The tree neighbours whose messages are missing, once the own part is finished."""
        if self.own is None or self.over:
            return ()
        if self.risen is not None:
            return (self.parent,) if self.parent else ()
        return tuple(child for child in self.children if child not in self._received)

    def begin(self, following: NextRound) -> list[Envelope]:
        """Begin the next round."""
        self.round, self.own, self.risen = following.round, None, None
        self._received, self._told = {}, following
        self.retransmission.stop()
        self._turns = 0 if self.sequential else len(self.children)
        return self._tell(self.children[: self._turns])

    def end(self, end: End) -> list[Envelope]:
        """End the stage."""
        self.over, self.risen = True, None
        self.retransmission.stop()
        self._told, self._turns = end, len(self.children)
        return self._tell(self.children)

    def reopen(self, attempt: int) -> None:
        """Begin another exchange after planning again, with a round that only adds up. All
        households have heard of the end of the last one, or they could not have planned."""
        self.attempt, self.round, self.over = attempt, self.round + 1, False
        self.own = self.risen = self._told = None
        self._received = {}

    def withdraw(self) -> None:
        """Return to the end of the last exchange, because stage 1 begins anew."""
        self.own = None
        self.round -= 1
        self.end(End(self.round))

    def done(self, count: RoundCount, changed: tuple[int, ...], balance: int = 0) -> list[Envelope]:
        """Finish the household's own part of this round. `balance` is that of its trades."""
        self.own = RoundDone(
            round=self.round, count=count, changed=changed, attempt=self.attempt, balance=balance
        )
        return self._next_turn()

    def on_done(self, sender: Address, done: RoundDone) -> list[Envelope]:
        """Take a child's report, or repeat the answer that it has missed."""
        if sender not in self.children:
            raise PeerError(f"{sender} is not a child of {self.address.name}")
        if done.attempt != self.attempt:
            return []
        if done.round > self.round:
            raise PeerError(f"{sender} is done with round {done.round} before it began")
        if done.round == self.round and not self.over:
            if self.own is None and self.sequential and self.round != GATHER:
                # The child's parent has restarted and goes through its own slots once more.
                self._turns = max(self._turns, self.children.index(sender) + 1)
            self._received.setdefault(sender, done)
            return self._next_turn()
        # The child has missed what follows, unless its turn has not come yet.
        if self._told is not None and sender in self.children[: self._turns]:
            return [Envelope(self.address, sender, self._told)]
        return []

    def complete(self) -> RoundDone | None:
        """Return the sums over the subtree if it is done and has not been reported yet."""
        if self.own is None or self.risen is not None or self.over:
            return None
        if len(self._received) < len(self.children):
            return None
        parts = [self._received[child] for child in self.children]
        count, changed = self.own.count, set(self.own.changed)
        for part in parts:
            count = RoundCount._make(a + b for a, b in zip(count, part.count, strict=True))
            changed.update(part.changed)
        return RoundDone(
            round=self.round,
            count=count,
            changed=tuple(sorted(changed)),
            attempt=self.attempt,
            balance=(self.own.balance + sum(part.balance for part in parts)) % MODULUS,
        )

    def rise(self, done: RoundDone, now: float) -> list[Envelope]:
        """Report to the parent, and repeat that until it answers."""
        assert self.parent is not None
        self.risen = done
        # In turn, what follows comes when all others have had theirs: it is not missed soon.
        patient = self.sequential and self.round > ENTER
        self.retransmission.sent(now, MAX_WAIT_SECONDS if patient else FIRST_WAIT_SECONDS)
        return [Envelope(self.address, self.parent, done)]

    def repeat(self, now: float) -> list[Envelope]:
        """Repeat the report to the parent if its answer is late."""
        if self.risen is None or self.parent is None or not self.retransmission.due(now):
            return []
        return [Envelope(self.address, self.parent, self.risen)]

    def follows(self, sender: Address, message: NextRound | End) -> bool:
        """Return True if this message follows the finished round, False if it is a repetition.
        Raises PeerError if it comes too early, or not from the parent."""
        if sender != self.parent:
            raise PeerError(f"{sender} is not the parent of {self.address.name}")
        if self.over:
            return False
        last = self.round if isinstance(message, End) else self.round + 1
        if message.round < last:
            return False
        if message.round > last or self.risen is None:
            raise PeerError(f"{sender} goes on to round {message.round} too early")
        return True

    def _next_turn(self) -> list[Envelope]:
        """Give the next child its turn when the one before is done (sequential order)."""
        if not self.sequential or self.own is None or self._turns == len(self.children):
            return []
        if any(child not in self._received for child in self.children[: self._turns]):
            return []
        if self._told is None:
            return []
        self._turns += 1
        return self._tell(self.children[self._turns - 1 : self._turns])

    def _tell(self, children: Iterable[Address]) -> list[Envelope]:
        assert self._told is not None
        return [Envelope(self.address, child, self._told) for child in children]


def what_follows(
    done: RoundDone,
    scale_kwh2: float,
    *,
    slots: int,
    rounds_max: int,
    quiet: bool,
    gather: int = GATHER,
) -> NextRound | End:
    """Return the root's decision after a round that the whole tree has finished.

    The exchange began with the round `gather`. Its first round of lookups has all slots; each later
    one has the slots at which a value was exchanged. The exchange ends after a round if it is
    `quiet`, since few exchanges were made of late, or after `rounds_max` such rounds. Only the
    first exchange has a round for entering offers: later ones are announced with lookups.
    """
    opening = max(gather, ENTER)
    if done.round == GATHER:
        return NextRound(ENTER, (), scale_kwh2)
    if done.round == opening:
        return NextRound(opening + 1, tuple(range(slots)), scale_kwh2)
    if quiet or done.round - opening >= rounds_max:
        return End(done.round)
    return NextRound(done.round + 1, done.changed, scale_kwh2)
