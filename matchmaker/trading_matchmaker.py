"""The matchmaker for the rule `ttc`: it asks all households, step by step, where they point, and
tells each in the end what it takes.

All households enter with their values first, then each step has one question to every household
that has to choose, about all slots where it has. The trades follow from the values and the answers
alone, not from the bus. So a matchmaker may be lost at any time: the next one knows no household,
asks each to enter anew, and finds the same trades. Nothing changes hands here: households trade
once the whole tree has heard of its trades (agents/exchange/cycles/cycle_exchange.py).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from matchmaker.leases import Counts
from matchmaker.pairing_matchmaker import AnyMatchmaker as OfferMatchmaker
from matchmaker.pairing_matchmaker import matchmaker_of as offer_matchmaker_of
from matchmaker.value_pool import ValuePool
from protocol.errors import PeerError
from protocol.messages import Address, Choice, Comparison, PoolEntry, Reentry, Trades
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms


@dataclass(slots=True)
class PoolBook:
    """The pools of all slots.

    Invariant: `open` has the slots whose pools wait for answers or still have members.
    """

    slots: int
    seed: int
    counts: Counts = field(default_factory=Counts)
    households: int = 0
    pools: dict[int, ValuePool] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)

    def summary(self) -> dict[str, int]:
        """Return the numbers of known households and values, and the counts; no names."""
        offers = self.counts.lookups
        known = {"households": self.households, "offers": offers, "open": len(self.open)}
        return {**known, **asdict(self.counts)}

    def fill(self, entries: dict[str, PoolEntry]) -> None:
        """Put the values of all households into the pools."""
        by_slot: dict[int, dict[str, float]] = {}
        for name, entry in entries.items():
            for slot, value in zip(entry.slots, entry.values_kwh.tolist(), strict=True):
                by_slot.setdefault(slot, {})[name] = value
        names = sorted(entries)
        for slot, values in sorted(by_slot.items()):
            self.pools[slot] = ValuePool(values, precedence(names, slot, seed=self.seed))
            self.counts.lookups += len(values)
        self.open = set(self.pools)

    def questions(self) -> dict[str, list[tuple[int, float, float]]]:
        """Return the next questions by household: slot, lower and upper value, slots rising. None
        are left when all cycles are found."""
        asked: dict[str, list[tuple[int, float, float]]] = {}
        for slot in sorted(self.open):
            questions = self.pools[slot].questions()
            if not questions:
                self.open.discard(slot)
            for household, lower, upper in questions:
                asked.setdefault(household, []).append((slot, lower, upper))
        return asked


def precedence(names: Sequence[str], slot: int, *, seed: int) -> list[str]:
    """Return the order in which holders of equal values are pointed to at a slot; `names` are all
    households of the run, sorted."""
    places = np.random.default_rng((seed, slot)).permutation(len(names))
    return [names[index] for index in np.argsort(places).tolist()]


@dataclass(slots=True)
class _Entered:
    """A household that has entered."""

    address: Address
    entry: PoolEntry
    step: int = 0
    """The step of the last comparison."""
    asked: Comparison | None = None
    """The last comparison, until it is answered."""
    trades: Trades | None = None

    @property
    def conversation(self) -> tuple[int, int, int]:
        """Session and number of the entry, and the step of the last comparison."""
        return self.entry.session, self.entry.number, self.step


class TradingMatchmaker:
    """A matchmaker of a run under the rule `ttc`, for all slots or for some of them.

    Invariant: `_awaited` has the households whose answer to this step is missing.
    """

    def __init__(self, address: Address, slots: int, *, seed: int) -> None:
        """Set up a matchmaker that knows nothing yet."""
        self.address = address
        self.ledger = PoolBook(slots, seed)
        self.answered = 0
        """Number of messages to households, repeated ones included."""
        self._entered: dict[str, _Entered] = {}
        self._awaited: set[str] = set()
        self._begun = False

    def handle(self, envelope: Envelope, now: float) -> list[Envelope]:
        """Take an entry or an answer, and go on to the next step if it was the last."""
        sender, message = envelope.sender, envelope.message
        match message:
            case PoolEntry():
                out = self._on_entry(sender, message)
            case Choice():
                out = self._on_choice(sender, message)
            case _:
                raise PeerError(f"{type(message).__name__} is not for a matchmaker of cycles")
        self.answered += len(out)
        return out

    def tick(self, now: float) -> list[Envelope]:
        """Return no messages: households repeat what is unanswered."""
        return []

    def next_deadline(self) -> float | None:
        """Return None: nothing is ever due."""
        return None

    # -- entering ---------------------------------------------------------------------------------

    def _on_entry(self, sender: Address, entry: PoolEntry) -> list[Envelope]:
        self._check(entry)
        known = self._entered.get(sender.name)
        if known is None:
            if self._begun:
                raise PeerError(f"{sender} enters a pool that is closed")
            self._entered[sender.name] = _Entered(sender, entry)
            self.ledger.households += 1
            return self._begin() if len(self._entered) == entry.households else []
        if known.address != sender:
            raise PeerError(f"{sender} enters in place of {known.address}")
        if (entry.session, entry.number) < known.conversation[:2]:
            return []
        if not _same_values(entry, known.entry):
            raise PeerError(f"{sender} has entered with other values before")
        known.entry = entry
        return self._repeat(known)

    def _check(self, entry: PoolEntry) -> None:
        """Raise PeerError if the entry is not one that a correct household sends."""
        if len(entry.values_kwh) != len(entry.slots) or list(entry.slots) != sorted(
            set(entry.slots)
        ):
            raise PeerError("an entry whose lists do not fit together")
        if entry.slots and not 0 <= entry.slots[0] <= entry.slots[-1] < self.ledger.slots:
            raise PeerError(f"an entry beyond the {self.ledger.slots} slots")
        first = next(iter(self._entered.values()), None)
        if first is not None and entry.households != first.entry.households:
            raise PeerError(f"{entry.households} households, not {first.entry.households}")

    def _begin(self) -> list[Envelope]:
        self._begun = True
        self.ledger.fill({name: known.entry for name, known in self._entered.items()})
        return self._ask()

    # -- questions and answers --------------------------------------------------------------------

    def _on_choice(self, sender: Address, choice: Choice) -> list[Envelope]:
        known = self._entered.get(sender.name)
        named = (choice.session, choice.number)
        if known is not None and known.address != sender:
            raise PeerError(f"{sender} chooses in place of {known.address}")
        if known is None or (*named, choice.step) > known.conversation:
            # An earlier matchmaker has asked this, even if the entry has arrived here too.
            return [Envelope(self.address, sender, Reentry(*named))]
        if named < known.conversation[:2]:
            return []
        asked = known.asked
        if asked is None or choice.step != asked.step:
            return self._repeat(known)
        if not set(choice.upper) <= set(asked.slots):
            raise PeerError(f"{sender} chooses at slots where it was not asked")
        upper = set(choice.upper)
        for slot in asked.slots:
            self.ledger.pools[slot].answer(sender.name, slot in upper)
        known.asked = None
        self._awaited.discard(sender.name)
        return [] if self._awaited else self._ask()

    def _ask(self) -> list[Envelope]:
        """Ask the questions of the next step; if there are none, tell everybody its trades."""
        asked = self.ledger.questions()
        if not asked:
            return self._tell()
        out = []
        for name, questions in asked.items():
            known = self._entered[name]
            slots, lower, upper = zip(*questions, strict=True)
            known.step += 1
            known.asked = Comparison(
                session=known.entry.session,
                number=known.entry.number,
                step=known.step,
                slots=slots,
                lower_kwh=np.array(lower),
                upper_kwh=np.array(upper),
            )
            self._awaited.add(name)
            out.append(Envelope(self.address, known.address, known.asked))
        return out

    def _tell(self) -> list[Envelope]:
        taken: dict[str, list[tuple[int, float]]] = {name: [] for name in self._entered}
        for slot, pool in self.ledger.pools.items():
            for name, value in pool.taken_kwh.items():
                taken[name].append((slot, value))
        out = []
        for name, known in self._entered.items():
            entry = known.entry
            held = dict(zip(entry.slots, entry.values_kwh.tolist(), strict=True))
            trades = [(slot, value) for slot, value in taken[name] if value != held[slot]]
            self.ledger.counts.matches += len(trades)
            self.ledger.counts.none += len(held) - len(trades)
            known.trades = Trades(
                session=entry.session,
                number=entry.number,
                slots=tuple(slot for slot, _ in trades),
                values_kwh=np.array([value for _, value in trades]),
            )
            out.append(Envelope(self.address, known.address, known.trades))
        return out

    def _repeat(self, known: _Entered) -> list[Envelope]:
        """Return the message that a household waits for, if there is one yet."""
        message, entry = known.trades or known.asked, known.entry
        if message is None:
            return []
        again = replace(message, session=entry.session, number=entry.number)
        return [Envelope(self.address, known.address, again)]


def _same_values(one: PoolEntry, other: PoolEntry) -> bool:
    return (
        one.slots == other.slots
        and one.households == other.households
        and one.values_kwh.tolist() == other.values_kwh.tolist()
    )


AnyMatchmaker = OfferMatchmaker | TradingMatchmaker


def matchmaker_of(
    address: Address, slots: int, epoch: int, *, terms: ExchangeTerms
) -> AnyMatchmaker:
    """Return a matchmaker for these terms, which knows nothing yet. `epoch` is above 0 and differs
    from that of any earlier matchmaker of this name."""
    if terms.rule == "ttc":
        return TradingMatchmaker(address, slots, seed=terms.seed)
    return offer_matchmaker_of(address, slots, epoch, terms=terms)
