"""One household's exchange under the rule `ttc`: top trading cycles by slot.

In round POOL the household puts its values into the pools of their slots, answers the matchmakers'
comparisons, and hears what it takes (pool_client.py). It journals these trades and reports the
round as done. When the root has heard this from the whole tree, and what is taken is at every slot
what is given (trade_balance.py), it begins round TRADE; with it all households take their values.
So each household either makes all its trades or none, as all others do. Which rounds there are is
decided in trader.py.
"""

from collections.abc import Mapping

import numpy as np

from agents.exchange.cycles.pool_client import PoolClient
from agents.exchange.cycles.trade_balance import trade_balance
from agents.exchange.holding import Holding
from agents.exchange.journal import records
from agents.exchange.journal.entries import Entry, Journal
from agents.exchange.negotiations import ExchangeCounts
from agents.exchange.rounds import ENTER, GATHER
from agents.retransmission import NEVER
from protocol.errors import PeerError
from protocol.messages import (
    Address,
    Comparison,
    End,
    Message,
    NextRound,
    Reentry,
    RoundDone,
    Trace,
    Trades,
)
from protocol.runtime.machine import Envelope

POOL = ENTER + 1
"""The round in which the trades are found."""
TRADE = POOL + 1
"""The round that makes them."""


class CycleExchange:
    """A household's part in top trading cycles at all its slots.

    Invariant: the holding is what it was until round TRADE begins, and `_trades` changes only
    until a matchmaker has told them.
    """

    quiet_share, quiet_rounds = 0.0, 1
    quiet_among_lookups = False
    partial_rounds = 0

    def __init__(
        self,
        address: Address,
        holding: Holding,
        journal: Journal,
        *,
        matchmakers: tuple[Address, ...],
        households: int,
        session: int,
    ) -> None:
        """Set up an exchange in which nothing has been sent yet. `households` is their number in
        the run; `session` is as in PoolEntry."""
        self._address, self._holding, self._journal = address, holding, journal
        self._households = households
        every = tuple(range(holding.slots))
        self._clients = [
            PoolClient(matchmaker, session, every[place :: len(matchmakers)])
            for place, matchmaker in enumerate(matchmakers)
        ]
        self._counts = ExchangeCounts()
        self._round = GATHER
        self._trades: dict[int, float] = {}
        """Values to take in round TRADE, kWh, by slot."""
        self._entries_due = False
        """True until the entries for all matchmakers are sent."""

    @property
    def counts(self) -> ExchangeCounts:
        """Counts of the household's part so far."""
        return self._counts

    @property
    def changed(self) -> tuple[int, ...]:
        """Slots to look up again: none, since cycles are traded once."""
        return ()

    @property
    def balance(self) -> int:
        """Balance of the trades that are known and not made yet."""
        return trade_balance(self._holding.values, self._trades)

    @property
    def idle(self) -> bool:
        """True when the household knows all its trades, or has made them."""
        return self._round != POOL or all(client.told for client in self._clients)

    @property
    def missing(self) -> tuple[Address, ...]:
        """The matchmakers that have not told the trades yet."""
        if self._round != POOL:
            return ()
        return tuple(client.matchmaker for client in self._clients if not client.told)

    @property
    def wake(self) -> float:
        """Time at which to act if nothing arrives; NEVER if nothing is due."""
        return min((client.wake for client in self._clients), default=NEVER)

    def trace(self) -> Trace:
        """Return no exchanges: a trade in a cycle has no two sides."""
        nothing = np.zeros(0)
        return Trace(
            rounds=(),
            slots=(),
            partners=(),
            leases=(),
            asked=(),
            given_kwh=nothing,
            taken_kwh=nothing,
            gains_kwh2=nothing,
        )

    # -- rounds -----------------------------------------------------------------------------------

    def share(self, scale_kwh2: float, min_gain_kwh2: float, least_limit_kwh: float) -> None:
        """Take the numbers that all households share: cycles need none of them."""

    def enter(self, round: int) -> None:
        """Enter a round."""
        self._round = round

    def announce(self) -> None:
        """Enter anew, in case a matchmaker has not heard of it."""
        self._entries_due = self._round == POOL

    def ask(self, following: NextRound) -> None:
        """Enter the pools, or make the trades."""
        if following.round == POOL:
            self._entries_due = True
        elif following.round == TRADE:
            self._trade()

    def end(self) -> None:
        """Forget trades that are not to be made: the stage is over."""
        self._trades.clear()
        self._stop()

    # -- messages ---------------------------------------------------------------------------------

    def handle(self, sender: Address, message: Message, now: float) -> list[Envelope]:
        """Answer one message of a matchmaker."""
        client = self._client_at(sender)
        self._counts.answers += 1
        match message:
            case Comparison():
                choice = client.answer(message, self._holding, now)
                return [] if choice is None else [Envelope(self._address, sender, choice)]
            case Trades():
                trades = client.trades(message, self._holding)
                if trades is not None:
                    self._note(client, trades)
                return []
            case Reentry():
                return [self._enter(client, now)] if client.forgotten(message) else []
            case _:
                raise PeerError(f"{type(message).__name__} is not for an exchange in cycles")

    def go_on(self, now: float, *, asking: bool) -> list[Envelope]:
        """Send the entries if they are due."""
        if not self._entries_due:
            return []
        self._entries_due = False
        return [self._enter(client, now) for client in self._clients]

    def repeat(self, now: float) -> list[Envelope]:
        """Return the messages whose answers are late.

        A household that knows its trades goes on repeating its last answer, until they are made:
        so a matchmaker that has started anew meanwhile hears of it, and can tell the others.
        """
        said = [(client.matchmaker, client.repeat(now)) for client in self._clients]
        return [Envelope(self._address, to, message) for to, message in said if message is not None]

    def replay(self, entry: Entry, now: float) -> None:
        """Restore the state after a journal entry."""
        match entry.kind:
            case "traded":
                slots, values = records.read_deal(entry.data)
                told = self._client_at(Address(entry.host, entry.partner))
                told.told = True
                self._learn(told, dict(zip(slots, values.tolist(), strict=True)))
            case "done":
                self._take(entry.slot, entry.taken)
            case _:
                pass

    # -- the parts --------------------------------------------------------------------------------

    def _client_at(self, matchmaker: Address) -> PoolClient:
        for client in self._clients:
            if client.matchmaker == matchmaker:
                return client
        raise PeerError(f"{matchmaker} is not a matchmaker of this run")

    def _enter(self, client: PoolClient, now: float) -> Envelope:
        entry = client.enter(self._holding, self._households, now)
        return Envelope(self._address, client.matchmaker, entry)

    def _note(self, client: PoolClient, trades: Mapping[int, float]) -> None:
        """Journal the trades: from now on they are made, if all others are."""
        self._journal.append(
            Entry(
                household=self._address.name,
                kind="traded",
                round=self._round,
                host=client.matchmaker.host,
                partner=client.matchmaker.name,
                data=records.write_deal(tuple(trades), np.array(list(trades.values()))),
            )
        )
        self._learn(client, trades)

    def _learn(self, client: PoolClient, trades: Mapping[int, float]) -> None:
        self._trades.update(trades)
        self._counts.lookups += sum(map(self._holding.wants, client.slots))
        self._counts.matches += len(trades)

    def _trade(self) -> None:
        """Take all values: the commit point was the root's, when it began this round."""
        self._stop()
        for slot, value in sorted(self._trades.items()):
            self._journal.append(
                Entry(
                    household=self._address.name,
                    kind="done",
                    round=self._round,
                    slot=slot,
                    given=self._holding.values[slot],
                    taken=value,
                    change=self._holding.change(slot, value),
                )
            )
            self._take(slot, value)

    def _take(self, slot: int, value: float) -> None:
        self._holding.take(slot, value)
        self._trades.pop(slot, None)
        self._counts.proposals += 1
        self._counts.accepted += 1

    def _stop(self) -> None:
        for client in self._clients:
            client.stop()


def trades_follow(done: RoundDone, scale_kwh2: float) -> NextRound | End:
    """Return the root's decision after a round that the whole tree has finished: the trades are
    made if there are any and they balance."""
    if done.round < POOL:
        return NextRound(done.round + 1, (), scale_kwh2)
    if done.round == POOL and done.count.matches and not done.balance:
        return NextRound(TRADE, (), scale_kwh2)
    return End(done.round)
