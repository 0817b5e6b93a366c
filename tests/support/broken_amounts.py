"""The third party's exchange of amounts with one thing wrong each."""

from typing import Any

import numpy as np

from tests.support.faults import Wrong, in_place_of
from tests.system.third_party.amounts import AmountExchange, Talk, Wish
from tests.system.third_party.planning import Array
from tests.system.third_party.tank_home import UNIT, Counts
from tests.system.third_party.wire import Address

Fields = dict[str, Any]


def name_of(sender: Address, said: Fields) -> tuple[str, tuple[int, ...]]:
    """Return the name under which the household remembers a talk."""
    return sender[1], tuple(said["lease"])


# -- announcements and lookups ---------------------------------------------------------------------


def announces_late(self: AmountExchange, round: int, changed: list[int], scale: float) -> None:
    """It announces nothing before round 1."""
    self.news = False
    self.agenda = ["part", "part", "whole"] if round > 0 else []
    super(AmountExchange, self).begin(round, changed, scale)


def announces_exactly(self: AmountExchange, amounts: Counts) -> Array:
    """It does not round what it announces."""
    return amounts / UNIT * 0.9


def announces_once(self: AmountExchange) -> None:
    """It does not announce again after a change."""
    AmountExchange.changed_now(self)
    self.news = False


def ignores_a_new_matchmaker(self: AmountExchange, sender: Address, match: Fields) -> None:
    """It does not announce to a matchmaker that does not know it."""
    AmountExchange.on_amount_match(self, sender, {**match, "anew": False})
    if match["anew"]:
        self.epoch = 0


def looks_up_once(self: AmountExchange) -> None:
    """It does not repeat a lookup."""
    AmountExchange.tell_maker(self)
    self.voice.settled("lookup")


def believes_any_match(self: AmountExchange, sender: Address, match: Fields) -> None:
    """Any answer answers its lookup."""
    match = {**match, "session": self.session, "number": self.number}
    AmountExchange.on_amount_match(self, self.maker, match)


# -- as requester ----------------------------------------------------------------------------------


def asks_for_more(
    self: AmountExchange, lease: list[int], partner: Address, gives: Any, change: Counts,
    sequence: int = 1,
) -> None:  # fmt: skip
    """It asks for twice of what it wants."""
    AmountExchange.propose(self, lease, partner, gives, 2 * change, sequence)


def proposes_once(
    self: AmountExchange, lease: list[int], partner: Address, gives: Any, change: Counts,
    sequence: int = 1,
) -> None:  # fmt: skip
    """It does not repeat a proposal."""
    AmountExchange.propose(self, lease, partner, gives, change, sequence)
    self.voice.settled("talk")


def asks_for_a_share(
    self: AmountExchange, lease: list[int], partner: Address, gives: Any, change: Counts,
    sequence: int = 1,
) -> None:  # fmt: skip
    """It asks the second partner for less than is missing."""
    if self.wish is not None and len(self.wish.asked) > 1:
        first, last = np.flatnonzero(change)[[0, -1]]
        change = np.zeros_like(change)
        change[first], change[last] = (1, -1) if self.wish.rest[first] > 0 else (-1, 1)
    AmountExchange.propose(self, lease, partner, gives, change, sequence)


def reserves_while_asking(self: AmountExchange, sender: Address, proposal: Fields) -> None:
    """It talks with others while its own wish is open."""
    wish, self.wish = self.wish, None
    AmountExchange.on_amount_proposal(self, sender, proposal)
    self.wish = wish


def believes_any_answer(self: AmountExchange, sender: Address, answer: Fields) -> None:
    """Anybody may answer its proposal."""
    sender = sender if self.talk is None else self.talk.partner
    AmountExchange.on_amount_answer(self, sender, answer)


def takes_nonsense_for_a_refusal(self: AmountExchange, sender: Address, answer: Fields) -> None:
    """It gives up when it hears nonsense."""
    if self.addition.get("given up") == answer["lease"]:
        return
    try:
        AmountExchange.on_amount_answer(self, sender, answer)
    except ValueError:
        self.agenda, self.addition = [], {"given up": answer["lease"]}
        self.decide()


def reports_no_pieces(self: AmountExchange, *talk: Any) -> list[Any]:
    """It does not report what its partner did not do."""
    return [*AmountExchange.report_of(self, *talk)[:2], [], []]


def waits_for_ever(self: AmountExchange) -> None:
    """It does not go on without a partner."""
    if self.talk is not None:
        self.talk.until = float("inf")
    AmountExchange.go_on(self)


def says_that_it_has_committed(self: AmountExchange, sender: Address, lease: list[int]) -> None:
    """It tells whoever asks that it has committed."""
    self.voice.say(sender, "AmountConfirmation", lease=lease, commit=True)


def forgets_its_decisions(self: AmountExchange, sender: Address, lease: list[int]) -> None:
    """It tells whoever asks that it has committed nothing."""
    self.voice.say(sender, "AmountConfirmation", lease=lease, commit=False)


def tells_too_early(self: AmountExchange, sender: Address, lease: list[int]) -> None:
    """It tells its decision before it has decided."""
    wish, self.wish = self.wish, None
    AmountExchange.tell_decision(self, sender, lease)
    self.wish = wish


def drops_a_part(self: AmountExchange, wish: Wish, *talk: Any) -> None:
    """It gives up when it does not get all, and tells nobody."""


def asks_again_for_all(
    self: AmountExchange, wish: Wish, talk: Talk, part: Counts, report: list[Any]
) -> None:
    """It does not accept less."""
    if (part != talk.change).any() and talk.sequence == 1:
        self.propose(talk.lease, talk.partner, talk.gives, talk.change, 2)
    else:
        AmountExchange.weigh(self, wish, talk, part, report)


def commits_nothing(self: AmountExchange) -> None:
    """It commits nothing for which it needs others."""
    wish = self.wish
    if wish is not None and wish.parts:
        wish.agreed, wish.rest = False, wish.rest + 1
    AmountExchange.decide(self)


def releases_all_wholes(self: AmountExchange) -> None:
    """It commits no whole."""
    wish = self.wish
    if wish is not None and wish.kind == "whole" and wish.parts:
        wish.rest = wish.rest + 1
    AmountExchange.decide(self)


def keeps_partners_waiting(self: AmountExchange) -> None:
    """It does not decide about a whole for which room is missing."""
    wish = self.wish
    if wish is None or not (wish.kind == "whole" and wish.parts and wish.rest.any()):
        AmountExchange.decide(self)


def tells_its_decision_once(
    self: AmountExchange, lease: list[int], partner: Address, report: list[Any], *, commit: bool
) -> None:
    """It does not repeat a confirmation."""
    AmountExchange.confirm(self, lease, partner, report, commit=commit)
    self.voice.settled(("confirmation", tuple(lease)))


def reports_all_as_void(
    self: AmountExchange, lease: list[int], partner: Address, report: list[Any], *, commit: bool
) -> None:
    """It does not report what it has committed."""
    report[1] = "void"
    AmountExchange.confirm(self, lease, partner, report, commit=commit)


def hears_any_done(self: AmountExchange, sender: Address, done: Fields) -> None:
    """Anybody may end its talk."""
    closing = self.closing.get(tuple(done["lease"]))
    AmountExchange.on_amount_done(self, sender if closing is None else closing[0], done)


def names_nobody(self: AmountExchange) -> None:
    """It does not say whom it has asked already."""
    wish = self.wish
    asked = [] if wish is None else wish.asked
    if wish is not None and wish.kind == "whole":
        wish.asked = []
    AmountExchange.tell_maker(self)
    if wish is not None:
        wish.asked = asked


# -- as partner ------------------------------------------------------------------------------------


def answers_a_nonsense_change(self: AmountExchange, sender: Address, proposal: Fields) -> None:
    """It refuses what it ought to drop."""
    try:
        AmountExchange.on_amount_proposal(self, sender, proposal)
    except ValueError:
        fields = {"lease": proposal["lease"], "sequence": proposal["sequence"], "slots": []}
        none = np.zeros(0, np.int64)
        self.voice.say(sender, "AmountAnswer", **fields, amounts=none, reason="loss")


def reserves_everything(
    self: AmountExchange, sender: Address, proposal: Fields, part: Counts, reason: str
) -> None:
    """It promises what it was asked for."""
    if reason != "busy":
        part, reason = self.change_of(proposal), ""
    AmountExchange.answer(self, sender, proposal, part, reason)


def answers_with_more(
    self: AmountExchange, sender: Address, proposal: Fields, part: Counts, reason: str
) -> None:
    """It promises twice of what it was asked for, if that is little."""
    asked = self.change_of(proposal)
    if part.any() and abs(asked).max() < UNIT * 100:
        part = 2 * asked
    AmountExchange.answer(self, sender, proposal, part, reason)


def keeps_its_reservation(
    self: AmountExchange, sender: Address, proposal: Fields, part: Counts, reason: str
) -> None:
    """It answers what it was asked first, whatever it is asked later."""
    last = self.answers_said.get(name_of(sender, proposal))
    if last is not None and reason != "busy":
        part = self.change_of(last)
    AmountExchange.answer(self, sender, proposal, part, reason)


def answers_a_change_once(self: AmountExchange, sender: Address, proposal: Fields) -> None:
    """It does not answer a repeated proposal."""
    said = self.answers_said.get(name_of(sender, proposal))
    if said is None or said["sequence"] != proposal["sequence"]:
        AmountExchange.on_amount_proposal(self, sender, proposal)


def answers_any_sequence(self: AmountExchange, sender: Address, proposal: Fields) -> None:
    """It answers a proposal that another one has replaced."""
    said = self.answers_said.get(name_of(sender, proposal))
    if said is not None and proposal["sequence"] < said["sequence"]:
        self.voice.say(sender, "AmountAnswer", **{**said, "sequence": proposal["sequence"]})
    AmountExchange.on_amount_proposal(self, sender, proposal)


def answers_when_done(self: AmountExchange, sender: Address, proposal: Fields) -> None:
    """It answers under a lease that is done."""
    name = name_of(sender, proposal)
    if self.answers_said.get(name, {}) is None:
        del self.answers_said[name]
    AmountExchange.on_amount_proposal(self, sender, proposal)


def is_never_reserved(self: AmountExchange, sender: Address, proposal: Fields) -> None:
    """It talks with others although it is reserved."""
    kept = self.reserved
    if kept is not None and kept[0] != name_of(sender, proposal):
        self.reserved = None
    AmountExchange.on_amount_proposal(self, sender, proposal)
    self.reserved = self.reserved or kept


def never_asks(self: AmountExchange, sender: Address, proposal: Fields) -> None:
    """It waits for ever for the confirmation."""
    AmountExchange.on_amount_proposal(self, sender, proposal)
    self.asks_at = float("inf")


def confirms_anything(self: AmountExchange, sender: Address, confirmation: Fields) -> None:
    """It confirms what it never reserved."""
    try:
        AmountExchange.on_amount_confirmation(self, sender, confirmation)
    except ValueError:
        self.voice.say(sender, "AmountDone", lease=confirmation["lease"])


def settles_a_release_once(self: AmountExchange, sender: Address, confirmation: Fields) -> None:
    """It does not answer a repeated release."""
    name = name_of(sender, confirmation)
    if confirmation["commit"] or self.answers_said.get(name, {}) is not None:
        AmountExchange.on_amount_confirmation(self, sender, confirmation)


def settles_a_commit_once(self: AmountExchange, sender: Address, confirmation: Fields) -> None:
    """It does not answer a repeated commit."""
    name = name_of(sender, confirmation)
    if not confirmation["commit"] or self.answers_said.get(name, {}) is not None:
        AmountExchange.on_amount_confirmation(self, sender, confirmation)


def stays_reserved_when_released(
    self: AmountExchange, sender: Address, confirmation: Fields
) -> None:
    """It stays reserved after a release, if it has reserved less meanwhile."""
    kept, said = self.reserved, self.answers_said.get(name_of(sender, confirmation), {})
    AmountExchange.on_amount_confirmation(self, sender, confirmation)
    if not confirmation["commit"] and (said is None or said.get("sequence") == 2):
        self.reserved, self.asks_at = kept, float("inf")


def reserves_without_lease(self: AmountExchange, *proposal: Any) -> None:
    """It reserves its part for anybody."""


def keeps_what_it_held(self: AmountExchange) -> None:
    """It agrees, and forgets to change what it holds."""
    self.news = True


def undoes_a_commit(self: AmountExchange, sender: Address, confirmation: Fields) -> None:
    """A release ends even what was committed."""
    for _, slot, _, lease, _, given, taken, _ in self.trace:
        if not confirmation["commit"] and lease == confirmation["lease"]:
            self.holding.held[slot] += given - taken
    AmountExchange.on_amount_confirmation(self, sender, confirmation)


WRONG_AMOUNTS: dict[str, Wrong] = in_place_of(
    AmountExchange,
    {
        **{reserves_without_lease: "check_lease"},
        **{announces_late: "begin", announces_exactly: "on_ladder", announces_once: "changed_now"},
        **{looks_up_once: "tell_maker", names_nobody: "tell_maker", waits_for_ever: "go_on"},
        **dict.fromkeys((ignores_a_new_matchmaker, believes_any_match), "on_amount_match"),
        **dict.fromkeys((asks_for_more, proposes_once, asks_for_a_share), "propose"),
        **dict.fromkeys((believes_any_answer, takes_nonsense_for_a_refusal), "on_amount_answer"),
        **dict.fromkeys(
            (says_that_it_has_committed, forgets_its_decisions, tells_too_early), "tell_decision"
        ),
        **{reports_no_pieces: "report_of", drops_a_part: "weigh", asks_again_for_all: "weigh"},
        **dict.fromkeys((commits_nothing, releases_all_wholes, keeps_partners_waiting), "decide"),
        **{tells_its_decision_once: "confirm", reports_all_as_void: "confirm"},
        **{hears_any_done: "on_amount_done", keeps_what_it_held: "changed_now"},
        **dict.fromkeys((reserves_everything, answers_with_more, keeps_its_reservation), "answer"),
        **dict.fromkeys(
            (
                reserves_while_asking, answers_a_nonsense_change, answers_a_change_once,
                answers_any_sequence, answers_when_done, is_never_reserved, never_asks,
            ),
            "on_amount_proposal",
        ),
        **dict.fromkeys(
            (
                confirms_anything, settles_a_release_once, settles_a_commit_once,
                stays_reserved_when_released, undoes_a_commit,
            ),
            "on_amount_confirmation",
        ),
    },
)  # fmt: skip
