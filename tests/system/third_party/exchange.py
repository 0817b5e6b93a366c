"""Stage 2: offers, lookups, proposals and rounds (docs/protocol.md, Stage 2)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.system.third_party.holding import Holding, as_columns
from tests.system.third_party.maker import REST, REST_AT_MOST, Maker
from tests.system.third_party.planning import Array
from tests.system.third_party.seal import has_lease
from tests.system.third_party.voice import Voice
from tests.system.third_party.wire import Address

ENDINGS = {"": "done", "cap": "for now", "drift": "for now", "stale": "void", "busy": "void"}
Handlers = dict[str, Callable[[Address, dict[str, Any]], None]]


class Exchange:
    """One household's part in stage 2."""

    def __init__(
        self, voice: Voice, place: dict[str, Any], schedule: Array, preferred: Array, session: int
    ) -> None:
        self.voice, self.session = voice, session
        self.terms, self.attempt = place["terms"]["exchange"], place["attempt"]
        self.parent, self.children = place["parent"], place["children"]
        self.address, self.keys = place["own"], place["matchmaker_keys"]
        self.start = schedule
        self.holding = Holding(schedule, preferred, self.terms["tolerance_kwh"])
        makers, slots = place["matchmakers"], range(len(schedule))
        self.makers = [Maker(m, slots[n :: len(makers)]) for n, m in enumerate(makers)]
        self.sequential = self.terms["order"] == "sequential"
        self.waves = self.terms["order"] == "waves"
        self.outcomes: dict[int, dict[str, Any]] = {}
        """Waves: outcomes by slot, until all proposals are answered."""
        self.round, self.over, self.in_pass = -1, False, True
        self.asked: dict[int, tuple[list[int], Address, float, float]] = {}
        """By slot: lease, partner, given, taken of a proposal that is not answered yet."""
        self.decided: dict[tuple[str, int, tuple[int, ...]], dict[str, Any]] = {}
        self.failed: dict[int, int] = {}
        self.left: set[int] = set()
        self.exchanged: set[int] = set()
        self.own: tuple[list[float], set[int]] | None = None
        self.received: dict[Address, tuple[list[float], list[int]]] = {}
        self.risen = False
        self.turns = len(self.children)
        self.told: tuple[str, dict[str, Any]] | None = None
        self.addition: dict[str, Any] = {}
        """More fields of a lookup."""
        self.counts: list[list[float]] = []
        """Of each round, at the root."""
        self.tally = dict.fromkeys(("lookups", "matches", "proposals", "accepted", "refused"), 0)
        self.answered = 0
        self.trace: list[tuple[Any, ...]] = []
        self.mark = self.marks()
        self.began = (self.holding.discomfort(), self.holding.squares() / len(self.holding.held))
        """Discomfort and mean squared deviation when the round began."""
        self.go_on()

    def resume(self, session: int) -> None:
        """Started again: the matchmakers are told everything anew."""
        self.session = session
        for maker in self.makers:
            maker.number, maker.asking, maker.rests_until = 0, None, 0.0
            self.voice.settled(("lookup", maker.address))
            if self.round >= 0 and not self.over:
                maker.announce()
        if not self.over:
            self.go_on()

    @property
    def handlers(self) -> Handlers:
        """What it does with each kind of message."""
        return {
            **{"Match": self.on_match, "Proposal": self.on_proposal, "Outcome": self.on_outcome},
            **{"RoundDone": self.on_done, "NextRound": self.on_next, "End": self.on_end},
        }

    def wants(self, slot: int) -> bool:
        return self.holding.offers(slot) and slot not in self.asked

    # -- matchmakers ------------------------------------------------------------------------------

    def look_up(self, maker: Maker) -> None:
        """Say what there is to say to a matchmaker, unless it still owes an answer; in waves, add
        news to a lookup that waits."""
        revised = maker.asking is not None
        if revised and not (self.waves and (maker.changed or maker.closed)):
            return
        if revised:
            maker.take_back()
        at_once = self.terms["at_once"] if self.terms["locks"] == "slot" else 1
        room = at_once - len(self.asked) if self.in_pass else 0
        wants: list[int] = []
        if room and self.voice.now >= maker.rests_until:
            maker.due = [slot for slot in maker.due if self.wants(slot)]
            wants = list(maker.due)
        if maker.spoken and not (wants or maker.changed or maker.closed):
            return
        holding = self.holding
        offered = sorted(filter(holding.offers, maker.changed))
        gone = sorted(maker.changed.difference(offered)) if maker.epoch else []
        disclosure, tolerance = self.terms["disclosure"], self.terms["tolerance_kwh"]
        aims = []
        if disclosure != "limit" or tolerance is not None:
            aims = [holding.aim(slot) for slot in wants]
        maker.number += 0 if revised else 1
        self.voice.insist(
            ("lookup", maker.address), maker.address, "Lookup",
            session=self.session, number=maker.number, epoch=maker.epoch, round=self.round,
            limits_bind=True, disclosure=disclosure,
            slots=offered, values_kwh=self.holding.held[offered],
            limits_kwh=np.array(holding.told(disclosure, offered)),
            withdrawn=gone, closed=maker.closed,
            wants=wants, wanted_kwh=np.array([aim[0] for aim in aims]),
            tolerance_kwh=np.array([aim[1] for aim in aims]),
            min_gain_kwh2=self.min_gain_kwh2, leases_max=room, **self.addition,
        )  # fmt: skip
        maker.reported, maker.changed, maker.closed = (maker.changed, maker.closed), set(), []
        maker.asking = [*(maker.asking or ()), *wants]
        maker.revised, maker.spoken = revised, True

    @property
    def min_gain_kwh2(self) -> float:
        return float(self.terms["min_gain"] * self.holding.scale)

    def on_match(self, sender: Address, match: dict[str, Any]) -> None:
        maker = next((maker for maker in self.makers if maker.address == sender), None)
        if maker is None or maker.asking is None:
            return
        if (match["session"], match["number"]) != (self.session, maker.number):
            return
        self.voice.settled(("lookup", sender))
        wanted, maker.asking = maker.asking, None
        if maker.revised:
            maker.take_back()  # this may answer what was sent before the news
        self.answered += 1
        if match["anew"]:
            maker.announce()
            return self.go_on()
        maker.epoch = match["epoch"]
        none, busy, leases = match["none"], match["busy"], match["leases"]
        self.tally["lookups"] += len(none) + len(busy) + len(leases)
        self.tally["matches"] += len(leases)
        found = [lease[1] for lease in leases]
        maker.due = [s for s in maker.due if s not in {*none, *busy, *found}] + busy
        maker.spoken = not (self.waves and wanted and not leases)
        if leases:
            maker.rest = REST
        elif wanted and (busy or match["engaged"]):
            maker.rests_until = self.voice.now + maker.rest
            maker.rest = min(2 * maker.rest, REST_AT_MOST)
        for lease, slot, (host, name), value, _seconds, *sealed in leases:
            if slot in wanted:
                self.consider(maker, list(lease), slot, (host, name), value, sealed)
        return self.go_on()

    # -- partners ---------------------------------------------------------------------------------

    def consider(
        self,
        maker: Maker,
        lease: list[int],
        slot: int,
        partner: Address,
        value: float,
        sealed: list[Any],
    ) -> None:
        """Propose what was found, if it is worth while."""
        gain, tolerance = -self.holding.change(slot, value), self.terms["tolerance_kwh"]
        far = tolerance is not None and abs(value - self.holding.preferred[slot]) > tolerance
        if slot in self.asked or far or gain <= 0 or gain < self.min_gain_kwh2:
            maker.closed.append((lease, "void" if slot in self.asked else "declined"))
            return self.again(maker, slot)
        given = float(self.holding.held[slot])
        self.asked[slot] = (lease, partner, given, value)
        self.tally["proposals"] += 1
        self.voice.insist(
            ("proposal", slot), partner, "Proposal",
            lease=lease, slot=slot, given_kwh=given, taken_kwh=value, change_kwh2=0.0,
            round=sealed[0], seal=sealed[1],
        )  # fmt: skip
        return None

    def again(self, maker: Maker, slot: int) -> None:
        """Nothing came of an attempt."""
        self.failed[slot] = self.failed.get(slot, 0) + 1
        if self.failed[slot] < self.terms["attempts"]:
            maker.due.append(slot)
        else:
            self.left.add(slot)

    def on_outcome(self, sender: Address, outcome: dict[str, Any]) -> None:
        slot = outcome["slot"]
        if slot not in self.asked or self.asked[slot][:2] != (outcome["lease"], sender):
            return
        self.outcomes[slot] = outcome
        if self.waves and len(self.outcomes) < len(self.asked):
            return
        outcomes, self.outcomes = sorted(self.outcomes.items()), {}
        for _, each in outcomes:
            self.conclude(each)
        self.go_on()

    def conclude(self, outcome: dict[str, Any]) -> None:
        """Act on the answer to a proposal."""
        slot = outcome["slot"]
        lease, sender, _, taken = self.asked.pop(slot)
        self.voice.settled(("proposal", slot))
        maker = self.makers[slot % len(self.makers)]
        maker.closed.append((lease, ENDINGS.get(outcome["reason"], "refused")))
        if outcome["accepted"]:
            self.take(maker, slot, taken, lease, sender[1], True)
            self.exchanged.add(slot)
            self.tally["accepted"] += 1
        else:
            self.tally["refused"] += 1
            self.again(maker, slot)

    def on_proposal(self, sender: Address, proposal: dict[str, Any]) -> None:
        slot, lease = proposal["slot"], proposal["lease"]
        if not 0 <= slot < len(self.holding.held):
            return
        maker = self.makers[slot % len(self.makers)]
        name = (sender[1], slot, tuple(lease))
        if name in self.decided:
            if (sender, self.decided[name]) not in maker.answers:
                self.voice.say(sender, "Outcome", **self.decided[name])
            return
        if self.round < 0 or self.over:
            return
        self.check_lease(sender, proposal, slot, slot % len(self.makers))
        reason = self.judge(slot, proposal["taken_kwh"], proposal["given_kwh"])
        outcome = {"lease": lease, "slot": slot, "accepted": not reason, "reason": reason}
        self.decided[name] = outcome
        maker.closed.append((lease, ENDINGS.get(reason, "refused")))
        maker.rests_until = 0.0
        if not reason:
            self.take(maker, slot, proposal["given_kwh"], lease, sender[1], False)
        if self.sequential:
            maker.answers.append((sender, outcome))
        else:
            self.voice.say(sender, "Outcome", **outcome)
        self.go_on()

    def check_lease(self, sender: Address, proposal: dict[str, Any], slot: int, maker: int) -> None:
        """Raise ValueError unless the matchmaker of this number has given the lease for now."""
        if not self.keys:
            return
        now = proposal["round"] in (self.round, self.round + 1)
        content, key = self.terms["content"], self.keys[maker]
        if not now or not has_lease(key, proposal, content, slot, sender, self.address):
            raise ValueError("a proposal without a lease")

    def judge(self, slot: int, taken: float, given: float) -> str:
        """Why it does not agree; empty if it does."""
        if slot in self.asked:
            return "busy"
        if self.holding.held[slot] != taken:
            return "stale"
        return "loss" if self.holding.change(slot, given) > 0 else ""

    def take(
        self, maker: Maker, slot: int, value: float, lease: list[int], other: str, asked: bool
    ) -> None:
        gain = -self.holding.change(slot, value)
        made = (self.round, slot, other, lease, asked, float(self.holding.held[slot]), value, gain)
        self.trace.append(made)
        self.holding.held[slot] = value
        maker.changed.add(slot)

    # -- rounds -----------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Talk to the matchmakers; when all is settled, the own part of the round is done."""
        if self.waves and self.asked:
            return  # one lookup reports the ends of all proposals
        for maker in self.makers:
            self.look_up(maker)
            if maker.asking is None and not (maker.changed or maker.closed):
                for to, outcome in maker.answers:
                    self.voice.say(to, "Outcome", **outcome)
                maker.answers = []
        quiet = all(
            m.spoken and m.asking is None and not (m.due or m.changed or m.closed)
            for m in self.makers
        )
        if self.in_pass and not self.asked and quiet:
            self.finish()

    def finish(self) -> None:
        """Finish the own part of the round."""
        self.in_pass = False
        before, self.mark = self.mark, self.marks()
        done = [now - then for now, then in zip(self.mark, before, strict=True)]
        self.own = ([1, *done[:5], *self.began, *done[5:]], self.exchanged)
        self.next_turn()
        self.complete()

    def quiet(self, count: list[float]) -> bool:
        """Say whether a round with these counts is the last."""
        return count[4] == 0

    def marks(self) -> list[int]:
        """What is counted round by round, so far."""
        voice = self.voice
        return [*self.tally.values(), voice.said, self.answered, voice.frames, voice.bytes]

    def on_done(self, sender: Address, done: dict[str, Any]) -> None:
        if sender not in self.children or done["attempt"] != self.attempt:
            return
        place = self.children.index(sender)
        if done["round"] == self.round and not self.over:
            if self.own is None and self.sequential and self.round >= 0:
                self.turns = max(self.turns, place + 1)
            self.received.setdefault(sender, (done["count"], done["changed"]))
            self.next_turn()
            self.complete()
        elif done["round"] <= self.round and self.told is not None and place < self.turns:
            self.voice.say(sender, self.told[0], **self.told[1])

    def next_turn(self) -> None:
        """In the sequential order: the next child's turn when the one before is done."""
        if self.own is None or self.told is None:
            return
        while self.turns < len(self.children):
            if any(child not in self.received for child in self.children[: self.turns]):
                return
            self.voice.say(self.children[self.turns], self.told[0], **self.told[1])
            self.turns += 1

    def complete(self) -> None:
        """Tell the parent when the subtree is done; the root goes on to the next round."""
        if self.own is None or self.risen or self.over:
            return
        if any(child not in self.received for child in self.children):
            return
        self.risen = True
        count, changed = self.own[0], set(self.own[1])
        for child in self.children:
            count = [a + b for a, b in zip(count, self.received[child][0], strict=True)]
            changed.update(self.received[child][1])
        if self.parent is not None:
            self.voice.insist(
                "round", self.parent, "RoundDone",
                round=self.round, count=count, changed=sorted(changed), attempt=self.attempt,
                balance=0,  # for the rule ttc, which this household does not know
            )  # fmt: skip
            return
        self.counts.append(count)
        if self.round == -1:
            self.begin(0, [], count[7] / count[0])
        elif self.round == 0:
            self.begin(1, list(range(len(self.holding.held))), self.holding.scale)
        elif self.quiet(count) or self.round >= self.terms["rounds"]:
            self.end(self.round)
        else:
            self.begin(self.round + 1, sorted(changed), self.holding.scale)

    def on_next(self, sender: Address, following: dict[str, Any]) -> None:
        late = following["round"] != self.round + 1 or not self.risen or self.over
        if sender == self.parent and not late:
            self.begin(following["round"], following["changed"], following["scale_kwh2"])

    def on_end(self, sender: Address, end: dict[str, Any]) -> None:
        if sender == self.parent and end["round"] == self.round and self.risen and not self.over:
            self.end(end["round"])

    def begin(self, round: int, changed: list[int], scale: float) -> None:
        self.voice.settled("round")
        self.round, self.holding.scale, self.in_pass = round, scale, True
        self.began = (self.holding.discomfort(), self.holding.squares() / len(self.holding.held))
        self.own, self.received, self.risen = None, {}, False
        self.exchanged, self.failed = set(), {}
        self.tell("NextRound", {"round": round, "changed": changed, "scale_kwh2": scale})
        if round == 0:
            for maker in self.makers:
                maker.announce()
        slots = [slot for slot in self.left.union(changed) if self.wants(slot)]
        slots.sort(
            key=lambda slot: (-abs(self.holding.held[slot] - self.holding.preferred[slot]), slot)
        )
        self.left = set()
        for maker in self.makers:
            maker.due = [slot for slot in slots if slot in maker.slots]
            maker.rest, maker.rests_until, maker.spoken = REST, 0.0, not self.waves
        self.go_on()

    def end(self, round: int) -> None:
        self.voice.settled("round")
        self.over = True
        self.tell("End", {"round": round})

    def tell(self, kind: str, fields: dict[str, Any]) -> None:
        """The children: all, or one after another."""
        self.told = (kind, fields)
        self.turns = 0 if self.sequential and kind == "NextRound" else len(self.children)
        for child in self.children[: self.turns]:
            self.voice.say(child, kind, **fields)

    # -- time, and what came out ------------------------------------------------------------------

    @property
    def wakes(self) -> float:
        """When it may ask again."""
        waiting = [m.rests_until for m in self.makers if m.due and m.asking is None]
        return min((at for at in waiting if at > 0), default=float("inf"))

    def result(self) -> dict[str, Any]:
        """What is told of it in the end."""
        return {
            "discomfort_kwh": self.holding.discomfort(),
            "energy_drift_kwh": float(self.holding.held.sum() - self.start.sum()),
            "requests": self.tally["proposals"],
            "accepted": self.tally["accepted"],
            "refused": self.tally["refused"],
            "trace": as_columns(self.trace) if self.terms["trace"] else None,
        }
