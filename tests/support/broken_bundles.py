"""The third party's exchange of bundles with one thing wrong each."""

from typing import Any

from tests.support.faults import Wrong, in_place_of
from tests.system.third_party.bundles import BundleExchange
from tests.system.third_party.exchange import Exchange
from tests.system.third_party.planning import Array
from tests.system.third_party.wire import Address

Fields = dict[str, Any]
Found = tuple[list[int], Array] | None


def name_of(sender: Address, said: Fields) -> tuple[str, tuple[int, ...]]:
    """Return the name under which the household remembers a talk."""
    return sender[1], tuple(said["lease"])


# -- lookups ---------------------------------------------------------------------------------------


def looks_up_early(self: BundleExchange, round: int, changed: list[int], scale: float) -> None:
    """It looks up in round 0."""
    self.due = round >= 0
    Exchange.begin(self, round, changed, scale)


def hides_a_slot(self: BundleExchange, **known: Any) -> None:
    """It does not offer its first slot."""
    BundleExchange.__init__(self, **known)
    for maker in self.makers:
        maker.slots = maker.slots[1:]


def names_no_households(self: BundleExchange, maker: Any) -> None:
    """It does not say how many look up."""
    self.addition = {}
    Exchange.look_up(self, maker)


def closes_all_as_done(self: BundleExchange, ending: str) -> None:
    """It says that it has exchanged, whatever happened."""
    BundleExchange.over_with(self, "done")


def closes_all_as_refused(self: BundleExchange, ending: str) -> None:
    """It says that it was refused, whatever happened."""
    BundleExchange.over_with(self, "refused")


def forgets_void_leases(self: BundleExchange, sender: Address, match: Fields) -> None:
    """It does not close a lease that it cannot use."""
    BundleExchange.on_match(self, sender, match)
    for maker in self.makers:
        maker.closed = [each for each in maker.closed if each[1] != "void"]


# -- as requester ----------------------------------------------------------------------------------


def names_no_room(self: BundleExchange) -> tuple[None, None]:
    """It lets others move its energy at will."""
    return None, None


def asks_once(self: BundleExchange, lease: list[int], partner: Address, sealed: list[Any]) -> None:
    """It does not repeat a proposal."""
    BundleExchange.propose(self, lease, partner, sealed)
    self.voice.settled("talk")


def hides_its_seal(
    self: BundleExchange, lease: list[int], partner: Address, sealed: list[Any]
) -> None:
    """It does not show the seal of its lease."""
    BundleExchange.propose(self, lease, partner, [sealed[0], b""])


def needs_no_lease(self: BundleExchange, *proposal: Any) -> None:
    """It takes a proposal under any lease."""


def tires_of_asking(self: BundleExchange) -> None:
    """It repeats a proposal once, and then no more."""
    if self.talk is not None and self.talk[2] == "proposed" and self.voice.repeated("talk"):
        self.voice.settled("talk")
    BundleExchange.go_on(self)


def counters_while_asking(self: BundleExchange, sender: Address, proposal: Fields) -> None:
    """It talks with others while its own proposal is open."""
    talk, self.talk = self.talk, None
    BundleExchange.on_bundle_proposal(self, sender, proposal)
    self.talk = talk


def believes_any_counter(self: BundleExchange, sender: Address, counter: Fields) -> None:
    """Any counter answers its proposal."""
    if self.talk is not None:
        lease, sender, _ = self.talk
        BundleExchange.on_counter(self, sender, {**counter, "lease": lease})


def takes_any_acceptance(self: BundleExchange, sender: Address, outcome: Fields) -> None:
    """A talk is over when somebody accepts nothing in particular."""
    BundleExchange.on_outcome(self, sender, {**outcome, "accepted": False})


def confirms_a_loss(self: BundleExchange, slots: list[int], values: Array) -> str:
    """It takes what it loses by."""
    return BundleExchange.suits(self, slots, values).replace("loss", "")


def confirms_a_drift(self: BundleExchange, slots: list[int], values: Array) -> str:
    """It takes what moves its energy too far."""
    return BundleExchange.suits(self, slots, values).replace("drift", "")


def releases_everything(self: BundleExchange, slots: list[int], values: Array) -> str:
    """It confirms no bundle."""
    return BundleExchange.suits(self, slots, values) or "loss"


def confirms_once(self: BundleExchange, sender: Address, counter: Fields) -> None:
    """It does not repeat a confirmation."""
    BundleExchange.on_counter(self, sender, counter)
    if self.talk is not None and self.talk[2] != "proposed":
        self.voice.settled("talk")


def changes_its_mind(self: BundleExchange, sender: Address, counter: Fields) -> None:
    """It decides about each counter anew."""
    if self.talk is not None and self.talk[:2] == (counter["lease"], sender):
        self.talk = (*self.talk[:2], "proposed")
    BundleExchange.on_counter(self, sender, counter)


def hears_any_settled(self: BundleExchange, sender: Address, settled: Fields) -> None:
    """Anybody may end its talk."""
    if self.talk is not None:
        BundleExchange.on_settled(self, self.talk[1], {"lease": self.talk[0]})


# -- as responder ----------------------------------------------------------------------------------


def answers_nonsense(self: BundleExchange, sender: Address, proposal: Fields) -> None:
    """It refuses what it ought to drop."""
    try:
        BundleExchange.on_bundle_proposal(self, sender, proposal)
    except ValueError:
        fields = {"lease": proposal["lease"], "slot": -1, "accepted": False, "reason": "loss"}
        self.voice.say(sender, "Outcome", **fields)


def settles_anything(self: BundleExchange, sender: Address, confirmation: Fields) -> None:
    """It settles what it never countered."""
    BundleExchange.on_confirmation(self, sender, confirmation)
    self.voice.say(sender, "Settled", lease=confirmation["lease"])


def counters_a_loss(self: BundleExchange, proposal: Fields) -> Found:
    """It takes any bundle of two slots that the requester gains by."""
    wanted = len(proposal["slots"]) == 2 and proposal["limits_kwh"].all()
    return (proposal["slots"], proposal["values_kwh"]) if wanted else None


def counters_a_drift(self: BundleExchange, proposal: Fields) -> Found:
    """It takes any single slot."""
    if len(proposal["slots"]) == 1:
        return proposal["slots"], proposal["values_kwh"]
    return BundleExchange.choose(self, proposal)


def counters_for_two(self: BundleExchange, proposal: Fields) -> Found:
    """It does not care whether the requester may lose."""
    if not proposal["limits_kwh"].any():
        return proposal["slots"], proposal["values_kwh"]
    return BundleExchange.choose(self, proposal)


def refuses_everything(self: BundleExchange, proposal: Fields) -> Found:
    """It finds no bundle."""
    return None


def answers_once(self: BundleExchange, sender: Address, proposal: Fields) -> None:
    """It does not answer a repeated proposal."""
    if name_of(sender, proposal) not in self.said:
        BundleExchange.on_bundle_proposal(self, sender, proposal)


def countered_and_free(self: BundleExchange, sender: Address, proposal: Fields) -> None:
    """It talks with others although it is reserved."""
    reserved, self.reserved = self.reserved, None
    BundleExchange.on_bundle_proposal(self, sender, proposal)
    self.reserved = self.reserved or reserved


def proposes_while_reserved(self: BundleExchange, sender: Address, match: Fields) -> None:
    """It opens a talk although it is reserved."""
    reserved, self.reserved = self.reserved, None
    BundleExchange.on_match(self, sender, match)
    self.reserved = reserved


def settles_once(self: BundleExchange, sender: Address, confirmation: Fields) -> None:
    """It does not answer a repeated release."""
    name = name_of(sender, confirmation)
    if not confirmation["reason"] or self.said.get(name, ("",))[0] == "Counter":
        BundleExchange.on_confirmation(self, sender, confirmation)


def settles_a_confirmation_once(
    self: BundleExchange, sender: Address, confirmation: Fields
) -> None:
    """It does not answer a repeated confirmation."""
    name = name_of(sender, confirmation)
    if confirmation["reason"] or self.said.get(name, ("",))[0] == "Counter":
        BundleExchange.on_confirmation(self, sender, confirmation)


def stays_reserved(self: BundleExchange, sender: Address, confirmation: Fields) -> None:
    """It stays reserved after a release."""
    reserved = self.reserved
    BundleExchange.on_confirmation(self, sender, confirmation)
    if confirmation["reason"]:
        self.reserved = reserved


def takes_it_back(self: BundleExchange, sender: Address, confirmation: Fields) -> None:
    """A release ends even what was confirmed."""
    kept = self.holding.held.copy()
    for _, slot, _, lease, _, given, *_ in self.trace:
        if confirmation["reason"] and lease == confirmation["lease"]:
            self.holding.held[slot] = given
    BundleExchange.on_confirmation(self, sender, confirmation)
    for maker in self.makers:
        maker.changed.update((kept != self.holding.held).nonzero()[0].tolist())


def exchanges_nothing(
    self: BundleExchange, slots: list[int], values: Array, *talk: Any, **side: Any
) -> None:
    """It agrees, and forgets to change what it holds."""
    for maker in self.makers:
        maker.changed.update(slots)


WRONG_BUNDLES: dict[str, Wrong] = in_place_of(
    BundleExchange,
    {
        **{looks_up_early: "begin", hides_a_slot: "__init__", names_no_households: "look_up"},
        **{closes_all_as_done: "over_with", closes_all_as_refused: "over_with"},
        **{forgets_void_leases: "on_match", proposes_while_reserved: "on_match"},
        **{names_no_room: "rooms", asks_once: "propose", tires_of_asking: "go_on"},
        **{hides_its_seal: "propose", needs_no_lease: "check_lease"},
        **{confirms_a_loss: "suits", confirms_a_drift: "suits", releases_everything: "suits"},
        **{believes_any_counter: "on_counter", confirms_once: "on_counter"},
        **{changes_its_mind: "on_counter", takes_any_acceptance: "on_outcome"},
        **{hears_any_settled: "on_settled", counters_while_asking: "on_bundle_proposal"},
        **{answers_nonsense: "on_bundle_proposal", answers_once: "on_bundle_proposal"},
        **{countered_and_free: "on_bundle_proposal", settles_anything: "on_confirmation"},
        **{settles_once: "on_confirmation", settles_a_confirmation_once: "on_confirmation"},
        **{stays_reserved: "on_confirmation", takes_it_back: "on_confirmation"},
        **{counters_a_loss: "choose", counters_a_drift: "choose", counters_for_two: "choose"},
        **{refuses_everything: "choose", exchanges_nothing: "take_all"},
    },
)
