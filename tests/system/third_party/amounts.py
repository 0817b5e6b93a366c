"""Stage 2 with content amounts (docs/protocol.md, Content amounts), for a home with a tank and one
run of a machine. In each round it looks for parts that fill its tank earlier, and for room for the
run at its preferred start."""

from dataclasses import dataclass, field
from math import floor, log2
from typing import Any

import numpy as np

from tests.system.third_party.amount_partner import AmountPartner, Fields, Name
from tests.system.third_party.exchange import Handlers
from tests.system.third_party.maker import REST, REST_AT_MOST
from tests.system.third_party.planning import Array
from tests.system.third_party.tank_home import UNIT, Counts, Setting, TankHome
from tests.system.third_party.voice import Voice
from tests.system.third_party.wire import Address

PARTNERS, IDLE, TRIES, COUNTERS, PIECES = 12, 4, 4, 2, 24


@dataclass
class Talk:
    """What it asks of one partner."""

    lease: list[int]
    partner: Address
    gives: tuple[Counts, Counts]
    """What the partner has announced: more, and less."""
    change: Counts
    sequence: int
    until: float


@dataclass
class Wish:
    """A change for which it needs partners."""

    kind: str
    new: Setting
    """The setting that it would have."""
    rest: Counts
    """Whole: the change for which room is missing."""
    asked: list[str] = field(default_factory=list)
    parts: list[tuple[list[int], Address, Counts, list[Any]]] = field(default_factory=list)
    """Lease, partner, part, and how the lease is to be reported."""
    idle: int = 0
    counters: int = 0
    tries: int = 0
    agreed: bool = False


class AmountExchange(AmountPartner):
    """One household's part in stage 2, if amounts are exchanged."""

    def __init__(
        self,
        voice: Voice,
        place: Fields,
        schedule: Array,
        preferred: Array,
        session: int,
        *,
        home: TankHome,
        setting: Setting,
    ) -> None:
        self.maker: Address = place["matchmakers"][0]
        self.number = self.epoch = 0
        self.asking: bool | None = None
        """Whether the lookup that is not answered yet seeks a partner; None if there is none."""
        self.ended: list[list[Any]] = []
        self.rest, self.rests_until = REST, 0.0
        self.agenda: list[str] = []
        self.wish: Wish | None = None
        self.sealed: list[Any] = []
        """Round and seal of the last lease."""
        self.talk: Talk | None = None
        self.closing: dict[tuple[int, ...], tuple[Address, list[Any]]] = {}
        """Partners that have not answered a confirmation, and how the lease is to be reported."""
        self.committed: set[Name] = set()
        super().__init__(voice, place, schedule, preferred, session, home=home, setting=setting)
        self.makers = []

    def resume(self, session: int) -> None:
        self.number, self.asking, self.rests_until = 0, None, 0.0
        self.voice.settled("lookup")
        if self.round >= 0 and not self.over:
            self.epoch, self.news = 0, True
        if self.reserved is not None:
            self.asks_at = 0.0
        super().resume(session)

    @property
    def handlers(self) -> Handlers:
        handlers = super().handlers
        return {kind: handlers[kind] for kind in ("RoundDone", "NextRound", "End")} | {
            "AmountMatch": self.on_amount_match,
            "AmountProposal": self.on_amount_proposal,
            "AmountAnswer": self.on_amount_answer,
            "AmountConfirmation": self.on_amount_confirmation,
            "AmountDone": self.on_amount_done,
        }

    def wants(self, slot: int) -> bool:
        return False

    # -- a round ----------------------------------------------------------------------------------

    def begin(self, round: int, changed: list[int], scale: float) -> None:
        if round == 0:
            self.epoch, self.news = 0, True
        self.agenda = ["part", "part", "whole"] if round > 0 else []
        super().begin(round, changed, scale)

    def quiet(self, count: list[float]) -> bool:
        return count[4] <= 0.1 * count[0]

    @property
    def busy(self) -> bool:
        """Whether a wish is open, or a decision is not known to all partners."""
        return self.wish is not None or bool(self.closing)

    @property
    def wakes(self) -> float:
        resting = self.rests_until if self.rests_until > 0 else float("inf")
        talking = float("inf") if self.talk is None else self.talk.until
        return min(resting, talking, self.asks_at)

    def go_on(self) -> None:
        now = self.voice.now
        if self.talk is not None and now >= self.talk.until:
            self.ended.append([self.talk.lease, "void", [], []])
            self.decide()
        if self.reserved is not None and now >= self.asks_at:
            self.asks_at = now + self.terms["lease_seconds"]
            name, partner = self.reserved[:2]
            self.voice.say(partner, "AmountAnswer", **(self.answers_said[name] or {}))
        if now >= self.rests_until:
            self.rests_until = 0.0
        free = self.reserved is None and self.in_pass
        while free and self.agenda and self.wish is None and not self.closing:
            self.wish = self.new_wish(self.agenda.pop(0))
            if self.wish is not None and not self.wanted(self.wish):
                self.decide()
        self.tell_maker()
        quiet = self.asking is None and self.wish is None and not self.closing
        if self.in_pass and quiet and not (self.agenda or self.news or self.ended):
            self.finish()

    def new_wish(self, kind: str) -> Wish | None:
        home, start = self.home, self.home.preferred
        if kind == "part":
            return Wish(kind, self.setting, np.zeros_like(home.base)) if self.seeks_part() else None
        if self.setting[0] == start:
            return None
        moved = home.total((start, self.setting[1])) - home.total(self.setting)
        new = home.serves((start, self.setting[1]), -moved)
        return Wish(kind, new, home.total(new) - home.total(self.setting))

    def seeks_part(self) -> bool:
        up, down = map(self.on_ladder, self.home.wants(self.setting))
        return bool(up.any() and down.any())

    def wanted(self, wish: Wish) -> bool:
        """Say whether a wish needs one more partner."""
        if wish.kind == "part":
            return not wish.asked
        return bool(wish.rest.any()) and len(wish.asked) < PARTNERS and wish.idle < IDLE

    def on_ladder(self, amounts: Counts) -> Array:
        """Return the powers of the square root of 2 that are not above the amounts, kWh."""
        told = np.zeros(len(amounts))
        for slot, kwh in enumerate((amounts / UNIT).tolist()):
            if kwh >= 2.0**-8:
                rung = floor(2 * log2(kwh))
                high = 2.0 ** (rung / 2) > kwh
                told[slot] = 2.0 ** ((rung - high) / 2)
        return told

    # -- the matchmaker ---------------------------------------------------------------------------

    def tell_maker(self) -> None:
        if self.asking is not None or self.rests_until or not self.in_pass:
            return
        wish = self.wish
        seeks = wish is not None and self.talk is None and self.wanted(wish)
        waits = wish is not None or bool(self.closing) or not (self.news or self.ended)
        if not seeks and waits:
            return
        up = down = more = less = np.zeros(0)
        if seeks and wish is not None:
            up, down = self.asks_for(wish)
        if self.news:
            room = self.home.room(self.setting)
            more, less = self.on_ladder(room.max(axis=0)), self.on_ladder(room.max(axis=1))
        self.number += 1
        self.voice.insist(
            "lookup", self.maker, "AmountLookup",
            session=self.session, number=self.number, epoch=self.epoch, round=self.round,
            up_kwh=more, down_kwh=less, ended=self.ended,
            want_up_kwh=up, want_down_kwh=down,
            whole=seeks and wish is not None and wish.kind == "whole",
            without=wish.asked if seeks and wish is not None else [],
        )  # fmt: skip
        self.news, self.ended, self.asking = False, [], seeks

    def asks_for(self, wish: Wish) -> tuple[Array, Array]:
        """Return how much more and less it wants to take, kWh."""
        if wish.kind == "part":
            up, down = self.home.wants(self.setting)
            return self.on_ladder(up), self.on_ladder(down)
        return np.maximum(wish.rest, 0) / UNIT, np.maximum(-wish.rest, 0) / UNIT

    def on_amount_match(self, sender: Address, match: Fields) -> None:
        if sender != self.maker or self.asking is None:
            return
        if (match["session"], match["number"]) != (self.session, self.number):
            return
        self.voice.settled("lookup")
        sought, self.asking = self.asking, None
        self.answered += 1
        self.epoch = 0 if match["anew"] else match["epoch"]
        self.news = self.news or match["anew"]
        wish = self.wish
        if sought and wish is not None and not match["anew"]:
            self.tally["lookups"] += 1
            if match["found"] == "match":
                self.tally["matches"] += 1
                lease, _slot, (host, name), _value, _seconds, *self.sealed = match["lease"]
                self.rest = REST
                self.on_lease(wish, list(lease), (host, name), match)
            elif match["found"] == "none":
                self.decide()
            else:
                wish.tries += 1
                if wish.asked or wish.tries == TRIES:
                    self.decide()
                else:
                    self.rests_until = self.voice.now + self.rest
                    self.rest = min(2 * self.rest, REST_AT_MOST)
        self.go_on()

    # -- as requester -----------------------------------------------------------------------------

    def on_lease(self, wish: Wish, lease: list[int], partner: Address, match: Fields) -> None:
        wish.asked.append(partner[1])
        up, down = (
            np.floor(match[name] * UNIT).astype(np.int64) for name in ("up_kwh", "down_kwh")
        )
        change = wish.rest
        if wish.kind == "part":
            change = self.plans_part(wish, down=up, up=down)
        if change.any():
            self.propose(lease, partner, (up, down), change)
        else:
            self.ended.append([lease, "declined", [], []])
            self.decide_if_over()

    def plans_part(self, wish: Wish, *, down: Counts, up: Counts) -> Counts:
        wish.new = self.home.gains(self.setting, down, up)
        return np.asarray(wish.new[1] - self.setting[1])

    def propose(
        self,
        lease: list[int],
        partner: Address,
        gives: tuple[Counts, Counts],
        change: Counts,
        sequence: int = 1,
    ) -> None:
        assert self.wish is not None
        until = self.voice.now + self.terms["lease_seconds"]
        self.talk = Talk(lease, partner, gives, change, sequence, until)
        self.tally["proposals"] += 1
        slots = np.flatnonzero(change)
        self.voice.insist(
            "talk", partner, "AmountProposal",
            lease=lease, sequence=sequence, kind=self.wish.kind,
            slots=slots.tolist(), amounts=change[slots],
            round=self.sealed[0], seal=self.sealed[1],
        )  # fmt: skip

    def on_amount_answer(self, sender: Address, answer: Fields) -> None:
        talk, wish, lease = self.talk, self.wish, list(answer["lease"])
        if talk is None or wish is None or talk.lease != lease:
            return self.tell_decision(sender, lease)
        if sender != talk.partner:
            raise ValueError("another was asked")
        if answer["sequence"] != talk.sequence:
            return None
        part = self.change_of(answer)
        if (part * np.sign(talk.change) < 0).any() or (abs(part) > abs(talk.change)).any():
            raise ValueError("beyond what was asked")
        self.voice.settled("talk")
        self.talk = None
        report = self.report_of(talk, part, answer["reason"])
        if not part.any():
            self.ended.append(report)
            wish.idle += 1
        elif wish.kind == "whole":
            wish.parts.append((lease, sender, part, report))
            wish.rest, wish.idle = wish.rest - part, 0
        else:
            self.weigh(wish, talk, part, report)
        self.decide_if_over()
        return self.go_on()

    def weigh(self, wish: Wish, talk: Talk, part: Counts, report: list[Any]) -> None:
        """Agree to a partner's part, ask for less, or release it."""
        wish.agreed = bool((part == talk.change).all())
        if not wish.agreed:
            plan = self.plans_part(wish, down=np.maximum(-part, 0), up=np.maximum(part, 0))
            wish.agreed = bool((plan == part).all())
            wish.counters += 1
            if not wish.agreed and plan.any() and wish.counters <= COUNTERS:
                self.propose(talk.lease, talk.partner, talk.gives, plan, talk.sequence + 1)
                return
        wish.parts.append((talk.lease, talk.partner, part, report))

    def report_of(self, talk: Talk, part: Counts, reason: str) -> list[Any]:
        """Return how a lease is to be reported if nothing comes of it."""
        if reason == "busy":
            return [talk.lease, "void", [], []]
        rest, (up, down) = talk.change - part, talk.gives
        pieces = np.arange(len(rest)) * PIECES // len(rest)
        left = sorted(set(pieces[(rest > 0) & (down > 0)].tolist()))
        entered = sorted(set(pieces[(rest < 0) & (up > 0)].tolist()))
        return [talk.lease, "refused", left, entered]

    def decide_if_over(self) -> None:
        if self.wish is not None and self.talk is None and not self.wanted(self.wish):
            self.decide()

    def decide(self) -> None:
        """Commit the wish with all its partners, or release them."""
        wish = self.wish
        assert wish is not None
        self.wish, self.talk = None, None
        self.voice.settled("talk")
        before, after = self.home.squares(self.setting), self.home.squares(wish.new)
        enough = wish.agreed if wish.kind == "part" else not wish.rest.any()
        commit = enough and after < before and self.home.can(wish.new)
        if commit:
            self.setting = wish.new
            self.tally["accepted"] += bool(wish.parts)
            for lease, partner, part, _ in wish.parts:
                self.committed.add((partner[1], tuple(lease)))
                self.note(partner[1], lease, part, asked=True)
            self.changed_now()
        elif wish.asked:
            self.tally["refused"] += 1
        for lease, partner, _, report in wish.parts:
            report[1] = "done" if commit else "void"
            self.confirm(lease, partner, report, commit=commit)

    def confirm(
        self, lease: list[int], partner: Address, report: list[Any], *, commit: bool
    ) -> None:
        self.closing[tuple(lease)] = (partner, report)
        what = ("confirmation", tuple(lease))
        self.voice.insist(what, partner, "AmountConfirmation", lease=lease, commit=commit)

    def tell_decision(self, sender: Address, lease: list[int]) -> None:
        """Answer a partner that asks what was decided; not while that is open."""
        if self.wish is not None and any(part[0] == lease for part in self.wish.parts):
            return
        commit = (sender[1], tuple(lease)) in self.committed
        self.voice.say(sender, "AmountConfirmation", lease=lease, commit=commit)

    def on_amount_done(self, sender: Address, done: Fields) -> None:
        lease = tuple(done["lease"])
        if lease in self.closing and self.closing[lease][0] == sender:
            self.voice.settled(("confirmation", lease))
            self.ended.append(self.closing.pop(lease)[1])
            self.go_on()
