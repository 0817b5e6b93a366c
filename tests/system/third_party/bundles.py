"""Stage 2 with content bundle (docs/protocol.md, Content bundle). The search for a bundle is a
simple one: the best pair of slots."""

from hashlib import blake2b
from math import sqrt
from typing import Any

import numpy as np

from tests.system.third_party.exchange import ENDINGS, Exchange, Handlers
from tests.system.third_party.holding import Holding
from tests.system.third_party.maker import Maker
from tests.system.third_party.planning import Array
from tests.system.third_party.voice import Voice
from tests.system.third_party.wire import Address

MARGIN = 1e-9
"""kWh and kWh^2 that it keeps as a reserve for rounding."""


def drawn(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=16).digest(), "big")


def shuffled(position: int, seed: int, round: int, households: int) -> int:
    """Return the place of a position in the order of a round."""
    bits = max(1, -(-(households - 1).bit_length() // 2))
    side = 1 << bits
    place = position
    while True:
        left, right = divmod(place, side)
        for step in range(4):
            left, right = right, left ^ drawn(f"{seed}:{round}:{step}:{right}") % side
        place = left * side + right
        if place < households:
            return place


class Whole(Holding):
    """A holding that offers every slot."""

    def offers(self, slot: int) -> bool:
        return True


class BundleExchange(Exchange):
    """One household's part in stage 2, if bundles are exchanged."""

    def __init__(
        self, voice: Voice, place: dict[str, Any], schedule: Array, preferred: Array, session: int
    ) -> None:
        self.position, self.households = place["position"], place["households"]
        self.roster = [tuple(address) for address in place["roster"]]
        self.due = False
        self.talk: tuple[list[int], Address, str] | None = None
        """Lease, partner and state of the talk that it opened: proposed, or how it will end."""
        self.reserved: tuple[tuple[str, tuple[int, ...]], list[int], Array] | None = None
        """Talk in which it has countered, with slots and the values that it would get."""
        self.said: dict[tuple[str, tuple[int, ...]], tuple[str, dict[str, Any]]] = {}
        """The last answer in each talk that others opened."""
        self.early: tuple[Address, dict[str, Any]] | None = None
        super().__init__(voice, place, schedule, preferred, session)
        self.holding = Whole(schedule, preferred, None)
        self.makers = [Maker(address, range(len(schedule))) for address in place["matchmakers"]]

    def resume(self, session: int) -> None:
        self.due = self.round >= 1 and self.in_pass and self.talk is None
        super().resume(session)

    @property
    def handlers(self) -> Handlers:
        handlers = super().handlers
        del handlers["Proposal"]
        return handlers | {
            "BundleProposal": self.on_bundle_proposal,
            "Counter": self.on_counter,
            "Confirmation": self.on_confirmation,
            "Settled": self.on_settled,
        }

    def wants(self, slot: int) -> bool:
        return False

    def check_slots(self, slots: list[int], *lists: Any) -> None:
        """Raise ValueError if this is no bundle: slots that do not rise or do not exist, or lists
        of other lengths."""
        known = range(len(self.start))
        if slots != sorted(set(slots)) or not all(slot in known for slot in slots):
            raise ValueError("no bundle of slots")
        if any(len(each) != len(slots) for each in lists):
            raise ValueError("lists of other lengths")

    # -- a round ----------------------------------------------------------------------------------

    def begin(self, round: int, changed: list[int], scale: float) -> None:
        self.due = round >= 1
        super().begin(round, changed, scale)

    def go_on(self) -> None:
        """Look for a partner once; the own part of the round is done when the talk is over."""
        if self.early is not None and self.early[1]["lease"][1] <= self.round:
            early, self.early = self.early, None
            self.on_bundle_proposal(*early)
        if self.due:
            self.due = False
            self.find_partner()
        waits = any(maker.asking is not None for maker in self.makers)
        if self.in_pass and not waits and self.talk is None:
            self.finish()

    def find_partner(self) -> None:
        seed, round, n = self.terms["seed"], self.round, self.households
        if self.makers:
            shards, number = len(self.makers), self.maker_of(round)
            self.addition = {"households": sum(p * shards // n == number for p in range(n))}
            maker = self.makers[number]
            maker.spoken = False
            return self.look_up(maker)
        partner = (drawn(f"{seed}:{round}") - self.position) % n
        if partner != self.position and (self.position < partner) == (round % 2 == 1):
            self.tally["lookups"] += 1
            self.tally["matches"] += 1
            self.propose([0, round], self.roster[partner], [round, b""])
        return None

    def maker_of(self, round: int) -> int:
        """Return the number of the matchmaker of a round."""
        seed, n, shards = self.terms["seed"], self.households, len(self.makers)
        return shuffled(self.position, seed, round, n) * shards // n if shards > 1 else 0

    def quiet(self, count: list[float]) -> bool:
        rounds, share = (2, 0.26) if self.makers else (4, 0.1)
        recent = self.counts[2:][-rounds:]
        everybody = sum(each[1] if self.makers else each[0] for each in recent)
        return len(recent) == rounds and sum(each[4] for each in recent) <= share * everybody

    def on_match(self, sender: Address, match: dict[str, Any]) -> None:
        maker = next((maker for maker in self.makers if maker.address == sender), None)
        if maker is None or maker.asking is None:
            return
        if (match["session"], match["number"]) != (self.session, maker.number):
            return
        self.voice.settled(("lookup", sender))
        maker.asking = None
        self.answered += 1
        if match["anew"]:
            maker.announce()
            self.due = True
            return self.go_on()
        maker.epoch = match["epoch"]
        self.tally["lookups"] += 1
        for lease, _slot, (host, name), _value, _seconds, *sealed in match["leases"]:
            self.tally["matches"] += 1
            if self.reserved is not None:
                maker.closed.append((list(lease), "void"))
            else:
                self.propose(list(lease), (host, name), sealed)
        return self.go_on()

    # -- as requester -----------------------------------------------------------------------------

    def propose(self, lease: list[int], partner: Address, sealed: list[Any]) -> None:
        self.talk = (lease, partner, "proposed")
        self.tally["proposals"] += 1
        slots = list(range(len(self.start)))
        less, more = self.rooms()
        self.voice.insist(
            "talk", partner, "BundleProposal",
            lease=lease, disclosure=self.terms["disclosure"], slots=slots,
            values_kwh=self.holding.held.copy(),
            limits_kwh=np.array(self.holding.told(self.terms["disclosure"], slots)),
            loss_kwh2=0.0, less_kwh=less, more_kwh=more,
            round=sealed[0], seal=sealed[1],
        )  # fmt: skip

    def rooms(self) -> tuple[float | None, float | None]:
        """Return by how much its energy may still fall and rise."""
        cap = self.terms["energy_drift_kwh"]
        if cap is None:
            return None, None
        drift = float((self.holding.held - self.start).sum())
        return cap - MARGIN + drift, cap - MARGIN - drift

    def suits(self, slots: list[int], values: Array) -> str:
        """Why it does not want these values; empty if it does."""
        if sum(map(self.holding.change, slots, values)) > -MARGIN:
            return "loss"
        less, more = self.rooms()
        moved = float((values - self.holding.held[slots]).sum())
        if less is not None and more is not None and not -less <= moved <= more:
            return "drift"
        return ""

    def on_counter(self, sender: Address, counter: dict[str, Any]) -> None:
        if self.talk is None or self.talk != (counter["lease"], sender, "proposed"):
            return
        slots, values = list(counter["slots"]), counter["values_kwh"]
        self.check_slots(slots, values)
        if not slots:
            raise ValueError("a counter without slots")
        reason = self.suits(slots, values)
        if not reason:
            self.take_all(slots, values, counter["lease"], sender[1], asked=True)
        self.tally["refused" if reason else "accepted"] += 1
        self.talk = (counter["lease"], sender, ENDINGS.get(reason, "refused"))
        self.voice.settled("talk")
        self.voice.insist("talk", sender, "Confirmation", lease=counter["lease"], reason=reason)

    def on_outcome(self, sender: Address, outcome: dict[str, Any]) -> None:
        if self.talk == (outcome["lease"], sender, "proposed"):
            if outcome["accepted"]:
                raise ValueError("nothing is accepted without a counter")
            self.tally["refused"] += 1
            self.over_with(ENDINGS.get(outcome["reason"], "refused"))

    def on_settled(self, sender: Address, settled: dict[str, Any]) -> None:
        talk = self.talk
        if talk is not None and talk[:2] == (settled["lease"], sender) and talk[2] != "proposed":
            self.over_with(talk[2])

    def over_with(self, ending: str) -> None:
        assert self.talk is not None
        self.voice.settled("talk")
        lease, self.talk = self.talk[0], None
        if self.makers:
            self.makers[self.maker_of(self.round)].closed.append((lease, ending))
        self.go_on()

    # -- as responder -----------------------------------------------------------------------------

    def on_bundle_proposal(self, sender: Address, proposal: dict[str, Any]) -> None:
        lease = proposal["lease"]
        name = (sender[1], tuple(lease))
        if name not in self.said:
            if self.round < 0 or self.over:
                return
            if self.makers:
                self.check_lease(sender, proposal, -1, self.maker_of(proposal["round"]))
            elif lease[1] > self.round:
                self.early = (sender, proposal)
                return
            limits = [] if proposal["disclosure"] == "value" else [proposal["limits_kwh"]]
            self.check_slots(proposal["slots"], proposal["values_kwh"], *limits)
            found, reason = None, "busy"
            if self.talk is None and self.reserved is None:
                found, reason = self.choose(proposal), "no joint gain"
            if found is None:
                fields = {"lease": lease, "slot": -1, "accepted": False, "reason": reason}
                self.said[name] = ("Outcome", fields)
            else:
                slots, values = found
                self.reserved = (name, slots, values)
                fields = {"lease": lease, "slots": slots, "change_kwh2": 0.0}
                fields["values_kwh"] = self.holding.held[slots]
                self.said[name] = ("Counter", fields)
        kind, fields = self.said[name]
        self.voice.say(sender, kind, **fields)

    def on_confirmation(self, sender: Address, confirmation: dict[str, Any]) -> None:
        name = (sender[1], tuple(confirmation["lease"]))
        if self.reserved is not None and self.reserved[0] == name:
            _, slots, values = self.reserved
            self.reserved = None
            if not confirmation["reason"]:
                self.take_all(slots, values, confirmation["lease"], sender[1], asked=False)
            self.said[name] = ("Settled", {"lease": confirmation["lease"]})
        if self.said.get(name, ("", {}))[0] == "Settled":
            self.voice.say(sender, "Settled", lease=confirmation["lease"])

    def choose(self, proposal: dict[str, Any]) -> tuple[list[int], Array] | None:
        """Return the pair of slots that both gain most by, and the requester's values there."""
        if proposal["disclosure"] != "limit":
            return None
        slots, theirs = list(proposal["slots"]), proposal["values_kwh"]
        limits, held = proposal["limits_kwh"], self.holding.held[slots]
        moved = held - theirs
        highest = np.where(limits == 0, sqrt(self.holding.scale) / 4, np.abs(limits) * sqrt(2))
        towards = moved * limits > 0
        most = moved**2 + np.where(towards, -moved * limits, np.abs(moved) * highest)
        own = np.array([self.holding.change(s, v) for s, v in zip(slots, theirs, strict=True)])
        less, more = self.rooms()
        bounds = [(proposal["less_kwh"], -1), (proposal["more_kwh"], 1), (less, 1), (more, -1)]
        sums = [part[:, None] + part for part in (moved, most, own)]
        fits = (sums[1] <= proposal["loss_kwh2"] - MARGIN) & (sums[2] <= -MARGIN)
        fits &= ~np.eye(len(slots), dtype=bool)
        for bound, sign in bounds:
            fits &= True if bound is None else sign * sums[0] <= bound - MARGIN
        gain = np.where(fits, -(sums[1] + sums[2]), 0.0)
        pair = sorted(int(place) for place in np.unravel_index(gain.argmax(), gain.shape))
        if gain.max() <= 0 or gain.max() < self.min_gain_kwh2:
            return None
        return [slots[place] for place in pair], theirs[pair]

    def take_all(
        self, slots: list[int], values: Array, lease: list[int], other: str, *, asked: bool
    ) -> None:
        for slot, value in zip(slots, values.tolist(), strict=True):
            gain, held = -self.holding.change(slot, value), float(self.holding.held[slot])
            self.trace.append((self.round, slot, other, lease, asked, held, value, gain))
            self.holding.held[slot] = value
        for maker in self.makers:
            maker.changed.update(slots)
