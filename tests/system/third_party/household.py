"""A household's way through a run (docs/protocol.md, Joining and leaving)."""

from typing import Any, ClassVar

import numpy as np

from tests.system.third_party.amounts import AmountExchange
from tests.system.third_party.bundles import BundleExchange
from tests.system.third_party.equal_shift import EqualShift
from tests.system.third_party.exchange import Exchange
from tests.system.third_party.planning import Array, Planning, Sums, rmse
from tests.system.third_party.tank_home import TankHome
from tests.system.third_party.voice import Voice
from tests.system.third_party.wire import Address, Heard

ORCHESTRATOR = ("orchestrator", "orchestrator")
KNOWN = {"cost": "var", "constraint": None}


class Household:
    """What one household knows and does; all of it can be pickled."""

    voices: type[Voice] = Voice
    kinds: ClassVar[dict[str, type[Exchange | EqualShift]]] = {
        "slot": Exchange,
        "bundle": BundleExchange,
        "amounts": AmountExchange,
        "equal": EqualShift,
    }
    """Its parts in stage 2, by content; `equal` without any."""

    def __init__(
        self,
        name: str,
        plans: Array,
        preferred: int,
        session: int,
        home: TankHome | None = None,
    ) -> None:
        """`home` has devices that follow the plans; without one, no amounts are exchanged."""
        self.name, self.plans, self.preferred, self.home = name, plans, plans[preferred], home
        self.session, self.voice = session, self.voices()
        self.phase, self.attempt, self.iteration = "enrolling", 0, 0
        self.place: dict[str, Any] = {}
        self.planning: Planning | None = None
        self.exchange: Exchange | EqualShift | None = None
        self.course: list[list[float]] = []
        self.received: dict[Address, dict[str, Any]] = {}
        self.answers: dict[Address, dict[str, Any]] = {}
        """To each child, of the last iteration."""
        self.closing: dict[Address, dict[str, Any]] = {}
        self.closed: dict[str, Any] | None = None
        self.risen = self.summed = False
        self.told = self.dropped = 0

    def start(self) -> None:
        fields = {"slots": self.plans.shape[1], "session": self.session}
        self.voice.insist("orchestrator", ORCHESTRATOR, "Enrol", **fields)

    def resume(self, session: int, now: float) -> None:
        """Go on from a state that was kept."""
        self.session, self.voice.now = session, now
        self.voice.hurry()
        if self.exchange is not None:
            self.exchange.resume(session)

    @property
    def gone(self) -> bool:
        return self.phase in ("released", "aborted")

    @property
    def due(self) -> float:
        """When to tick."""
        return min(self.voice.due, self.exchange.wakes if self.exchange else float("inf"))

    def tick(self) -> None:
        self.voice.repeat()
        if self.exchange is not None and not self.exchange.over:
            self.exchange.go_on()
            self.exchanged()

    def hear(self, host: str, heard: Heard) -> None:
        """Handle one message; ValueError if it is to be dropped."""
        sender, kind, fields = (host, heard.sender), heard.kind, heard.fields
        if kind in ("Place", "Go", "Release", "Abort"):
            if sender != ORCHESTRATOR:
                raise ValueError("not the orchestrator")
            getattr(self, f"on_{kind.lower()}")(fields)
        elif not self.place:
            raise ValueError("no place yet")
        elif kind in ("Up", "Down"):
            if fields["attempt"] != self.attempt:
                return
            if len(fields["response_kwh"]) != self.plans.shape[1]:
                raise ValueError("of another length")
            if fields["iteration"] == self.place["terms"]["iterations"]:
                self.on_closing(sender, kind, fields)
            else:
                getattr(self, f"on_{kind.lower()}")(sender, fields)
        elif self.exchange is None:
            raise ValueError("not in stage 2")
        else:
            handler = self.exchange.handlers.get(kind)
            if handler is None:
                raise ValueError("not in a stage 2 like this one")
            handler(sender, fields)
            self.exchanged()

    # -- joining and leaving ----------------------------------------------------------------------

    def on_place(self, place: dict[str, Any]) -> None:
        if place["attempt"] <= self.attempt:
            fields = {"attempt": place["attempt"], "session": self.session}
            return self.voice.say(ORCHESTRATOR, "Ready", **fields)
        if self.gone or (self.exchange is not None and self.exchange.round >= 0):
            raise ValueError("too late to begin anew")
        if place["loop"]:
            raise ValueError("this household has no exchange behind it")
        terms = place["terms"]
        wanted = {name: terms[name] for name in KNOWN} != KNOWN
        discomforts = None
        if terms["discomfort"] == "device" and self.home is not None:
            discomforts = [self.home.discomfort(setting) for setting in self.home.settings]
        elif terms["discomfort"] != "rmse":
            wanted = True
        exchange = terms["exchange"]
        if wanted or terms["reorganisation"]["strategy"] != "never":
            return self.fail("this household knows var, rmse and a tree that stays")
        if terms["exchange_every"]:
            return self.fail("this household exchanges once")
        if exchange is not None and exchange["rule"] != "mutual":
            return self.fail("this household knows the rule mutual")
        if exchange is not None and exchange["content"] == "amounts" and self.home is None:
            return self.fail("this household has no devices")
        self.voice.silence()
        self.place = {**place, "own": (self.name, self.name)}
        self.attempt, self.phase = place["attempt"], "placed"
        self.iteration, self.received, self.answers, self.course = 0, {}, {}, []
        self.closing, self.closed, self.exchange = {}, None, None
        self.risen, self.summed, self.told = False, False, 0
        self.planning = Planning(
            name=self.name,
            plans=self.plans,
            preferred=self.preferred,
            terms=terms,
            households=place["households"],
            discomforts=discomforts,
        )
        fields = {"attempt": self.attempt, "session": self.session}
        return self.voice.insist("orchestrator", ORCHESTRATOR, "Ready", **fields)

    def fail(self, reason: str) -> None:
        self.voice.say(ORCHESTRATOR, "Failure", reason=reason)

    def on_go(self, go: dict[str, Any]) -> None:
        if self.phase == "placed" and go["attempt"] == self.attempt:
            self.begin()

    def begin(self) -> None:
        self.voice.settled("orchestrator")
        self.phase = "planning"
        self.collect()

    def on_release(self, release: dict[str, Any]) -> None:
        if self.phase not in ("reporting", "released"):
            raise ValueError("too early")
        self.phase = "released"
        self.voice.silence()
        self.voice.say(ORCHESTRATOR, "Left")

    def on_abort(self, abort: dict[str, Any]) -> None:
        self.phase = "aborted"
        self.voice.silence()

    # -- stage 1 ----------------------------------------------------------------------------------

    def on_up(self, sender: Address, up: dict[str, Any]) -> None:
        if sender not in self.place["children"]:
            raise ValueError("not a child")
        over = self.phase not in ("placed", "planning")
        if over or up["iteration"] < self.iteration:
            answer = self.answers.get(sender)
            if answer is not None and answer["iteration"] == up["iteration"]:
                self.voice.say(sender, "Down", **answer)
        elif up["iteration"] == self.iteration and not self.risen:
            self.received.setdefault(sender, up)
            if self.phase == "placed":
                self.begin()
            else:
                self.collect()

    def collect(self) -> None:
        """Decide once all children have spoken."""
        children, planning = self.place["children"], self.planning
        assert planning is not None
        while self.phase == "planning" and not self.risen:
            if any(child not in self.received for child in children):
                return
            ups = [self.received[child] for child in children]
            size = 1 + sum(up["size"] for up in ups)
            sums = planning.rise([sums_of(up) for up in ups], size)
            self.risen = True
            if self.place["parent"] is not None:
                self.voice.insist("up", self.place["parent"], "Up", size=size, **self.telling(sums))
            else:
                planning.settle(sums, approved=True)
                self.course.append(planning.summary(self.iteration))
                self.voice.say(ORCHESTRATOR, "Progress", iteration=self.course[-1])
                self.pass_on(sums)

    def telling(self, sums: Sums) -> dict[str, Any]:
        """The fields of `Up` and `Down` that stand for sums."""
        return {
            "iteration": self.iteration,
            "response_kwh": sums.plan,
            "discomfort": sums.discomfort,
            "discomfort_squares": sums.squares,
            "attempt": self.attempt,
        }

    def on_down(self, sender: Address, down: dict[str, Any]) -> None:
        if sender != self.place["parent"]:
            raise ValueError("not the parent")
        if self.phase == "planning" and self.risen and down["iteration"] == self.iteration:
            assert self.planning is not None
            self.planning.settle(sums_of(down), down["approved"])
            self.pass_on(sums_of(down))
            self.collect()

    def pass_on(self, everybody: Sums) -> None:
        """The answer to the children; then the next iteration, or what follows."""
        planning = self.planning
        assert planning is not None
        self.voice.settled("up")
        told = {**self.telling(everybody), "reorganise": False}
        for child, flag in zip(self.place["children"], planning.flags, strict=True):
            self.answers[child] = {**told, "approved": flag}
            self.voice.say(child, "Down", **self.answers[child])
        self.iteration, self.risen, self.received = self.iteration + 1, False, {}
        if self.iteration < self.place["terms"]["iterations"]:
            return
        if self.place["terms"]["exchange"] is None:
            return self.report()
        self.phase = "exchanging"
        schedule = self.plans[planning.selected]
        terms = self.place["terms"]["exchange"]
        kind = self.kinds["equal" if terms["equal_shift"] else terms["content"]]
        devices: dict[str, Any] = {}
        if terms["content"] == "amounts" and self.home is not None:
            devices = {"home": self.home, "setting": self.home.settings[planning.selected]}
        self.exchange = kind(
            voice=self.voice,
            place=self.place,
            schedule=schedule,
            preferred=self.preferred,
            session=self.session,
            **devices,
        )
        return self.exchanged()

    # -- after stage 2 ----------------------------------------------------------------------------

    def exchanged(self) -> None:
        """After a step of stage 2: the root tells how far it is; perhaps it is over."""
        assert self.exchange is not None
        counts = self.exchange.counts
        for number in range(self.told, len(counts)):
            self.voice.say(ORCHESTRATOR, "RoundProgress", round=number - 1, count=counts[number])
        self.told = len(counts)
        self.sum_up()

    def sum_up(self) -> None:
        """The last pass, when the own exchange is over and all children have spoken."""
        exchange, children = self.exchange, self.place["children"]
        if exchange is None or not exchange.over or self.summed:
            return
        if any(child not in self.closing for child in children):
            return
        self.summed = True
        sums = Sums(np.zeros(self.plans.shape[1]), 0.0, 0.0)
        for child in children:
            sums = sums.plus(sums_of(self.closing[child]))
        discomfort = exchange.holding.discomfort()
        sums = sums.plus(Sums(exchange.holding.held, discomfort, discomfort * discomfort))
        if self.place["parent"] is None:
            return self.conclude(self.telling(sums))
        size = 1 + sum(self.closing[child]["size"] for child in children)
        parent = self.place["parent"]
        return self.voice.insist("up", parent, "Up", size=size, **self.telling(sums))

    def on_closing(self, sender: Address, kind: str, fields: dict[str, Any]) -> None:
        if kind == "Up":
            if sender not in self.place["children"]:
                raise ValueError("not a child")
            if self.closed is not None:
                return self.voice.say(sender, "Down", **self.closed)
            self.closing.setdefault(sender, fields)
            return self.sum_up()
        if sender != self.place["parent"] or not self.summed:
            raise ValueError("not the parent, or too early")
        if self.closed is None:
            self.conclude(fields)
        return None

    def conclude(self, told: dict[str, Any]) -> None:
        self.voice.settled("up")
        self.closed = {**told, "approved": True, "reorganise": False}
        for child in self.place["children"]:
            self.voice.say(child, "Down", **self.closed)
        self.report()

    def report(self) -> None:
        """What came out."""
        planning, exchange = self.planning, self.exchange
        assert planning is not None
        self.phase = "reporting"
        course = rounds = None
        if self.place["parent"] is None:
            course = {"iterations": self.course, "response_kwh": planning.all.plan}
            if exchange is not None and self.closed is not None:
                rounds = {"rounds": exchange.counts, "response_kwh": self.closed["response_kwh"]}
        self.voice.insist(
            "orchestrator",
            ORCHESTRATOR,
            "Result",
            selected_plan=planning.selected,
            beta=self.place["terms"]["beta"],
            discomfort_planned_kwh=rmse(self.plans[planning.selected], self.preferred),
            planning_history=course,
            exchanged=exchange.result() if exchange else None,
            exchange_history=rounds,
        )


def sums_of(told: dict[str, Any]) -> Sums:
    """What `Up` and `Down` carry."""
    return Sums(told["response_kwh"], told["discomfort"], told["discomfort_squares"])
