"""Waves: what the next one waits for, when it no longer waits, and whom it serves first."""

import pytest

from matchmaker.offer_book import Wish
from matchmaker.waves import Waiting, Waves
from protocol.messages import Lookup
from protocol.messages.exchange import Closed, Ending, Lease, LeaseId
from tests.support.lookups import home, lookup

PATIENCE = 15.0
EPOCH = 7
LEASE = LeaseId(EPOCH, 1)


def waves(*names: str, seed: int = 0) -> Waves:
    """Waves of these households, none of which has spoken in a round."""
    made = Waves(seed, PATIENCE)
    for name in names:
        made.enter(name)
    return made


def later(round: int = 1, *ends: Ending, wants: tuple[int, ...] = ()) -> Lookup:
    """A lookup of a household that is known; `ends` are those of LEASE that it reports."""
    closed = tuple(Closed(LEASE, end) for end in ends)
    return lookup(epoch=EPOCH, round=round, closed=closed, wants=wants)


def ask(made: Waves, *names: str, round: int = 1, now: float = 0.0) -> None:
    """Let these households look up slot 0, and wait."""
    for name in names:
        found = later(round, wants=(0,))
        made.hear(name, found, now)
        made.waiting[name] = Waiting(home(name), found, [Wish(0)])


def order(made: Waves, now: float = 0.0) -> list[str]:
    return [waiting.household.name for waiting in made.begin(now)]


def talk(made: Waves) -> None:
    """Begin a wave that opens a lease between a and b, at a's request."""
    made.begin(0.0)
    made.grant("a", [Lease(LEASE, 0, home("b"), 1.0, PATIENCE)])


class TestAWaveBegins:
    def test_when_everybody_has_spoken(self) -> None:
        made = waves("a", "b", "c")
        ask(made, "a", "b")
        assert not made.due
        made.hear("c", later(), 0.0)
        assert made.due

    def test_not_as_long_as_nothing_waits(self) -> None:
        assert not waves("a").due

    def test_when_all_have_spoken_in_the_new_round(self) -> None:
        made = waves("a", "b")
        ask(made, "a", "b")
        made.begin(0.0)
        ask(made, "a", round=2)
        assert not made.due
        ask(made, "b", round=2)
        assert made.due

    def test_with_a_word_of_an_earlier_round_only_for_those_who_spoke_in_this(self) -> None:
        made = waves("a", "b")
        ask(made, "a", round=2)
        made.hear("b", later(1), 0.0)
        assert not made.due

    def test_after_an_answer_without_a_lease_only_when_that_household_has_spoken_again(
        self,
    ) -> None:
        made = waves("a", "b")
        ask(made, "a", "b")
        made.begin(0.0)
        made.grant("a", [])
        assert not made.due
        made.hear("a", later(), 0.0)
        assert made.due


class TestATalkOfTheWaveBefore:
    @pytest.mark.parametrize("end", ["done", "refused", "for now"])
    @pytest.mark.parametrize(("first", "second"), [("a", "b"), ("b", "a")])
    def test_is_over_when_both_sides_have_reported_it(
        self, first: str, second: str, end: Ending
    ) -> None:
        made = waves("a", "b", "c")
        ask(made, "a", "b", "c")
        talk(made)
        made.hear(first, later(1, end), 0.0)
        assert made.talking
        assert not made.due
        made.hear(second, later(1, end), 0.0)
        assert not made.talking
        assert made.due

    @pytest.mark.parametrize("end", ["declined", "void"])
    def test_is_over_when_one_side_says_that_it_came_to_nothing(self, end: Ending) -> None:
        made = waves("a", "b")
        ask(made, "a", "b")
        talk(made)
        made.hear("a", later(1, end), 0.0)
        assert not made.talking

    @pytest.mark.parametrize("end", ["done", "refused", "for now", "declined", "void"])
    def test_of_which_nothing_is_known_changes_nothing(self, end: Ending) -> None:
        """A matchmaker that has started again hears of leases of its earlier life."""
        made = waves("a")
        made.hear("a", later(1, end), 0.0)
        assert not made.talking
        assert made.due

    def test_counts_one_side_once(self) -> None:
        made = waves("a", "b")
        ask(made, "a", "b")
        talk(made)
        made.hear("a", later(1, "done"), 0.0)
        made.hear("a", later(1, "done"), 0.0)
        assert made.talking

    def test_may_be_reported_by_a_lookup_that_waits(self) -> None:
        made = waves("a", "b")
        ask(made, "a", "b")
        talk(made)
        made.hear("a", later(1, "done"), 0.0)
        before, more = made.news["b"][-1], later(1, "done", wants=(0,))
        made.hear_more(before, "b", more, 0.0)
        assert made.news["b"] == [more]
        assert made.due

    def test_is_over_for_a_household_that_has_started_again(self) -> None:
        made = waves("a", "b")
        ask(made, "a", "b")
        talk(made)
        made.hear("a", later(1, "done"), 0.0)
        made.enter("b")
        assert not made.talking
        assert "b" not in made.news


class TestAHouseholdThatIsMissing:
    def test_is_waited_for_until_the_patience_is_over(self) -> None:
        made = waves("a", "b")
        assert made.deadline is None
        ask(made, "a", now=3.0)
        assert made.deadline == 3.0 + PATIENCE
        assert order(made, 18.0) == ["a"]

    def test_is_not_waited_for_again_until_it_speaks(self) -> None:
        made = waves("a", "b")
        ask(made, "a")
        made.begin(PATIENCE)
        ask(made, "a", round=2, now=20.0)
        assert made.due
        made.begin(20.0)
        ask(made, "a", "b", round=3, now=21.0)
        made.begin(21.0)
        ask(made, "a", round=4, now=22.0)
        assert not made.due

    def test_is_not_waited_for_after_several_waves_without_it(self) -> None:
        made = waves("a", "b")
        for _ in range(2):
            ask(made, "a")
            made.begin(PATIENCE)
        ask(made, "a", round=2, now=20.0)
        assert made.due

    def test_lets_the_patience_begin_again_with_each_word_of_another(self) -> None:
        made = waves("a", "b", "c")
        ask(made, "a", now=1.0)
        ask(made, "c", now=9.0)
        assert made.deadline == 9.0 + PATIENCE

    def test_ends_no_wave_by_its_silence_about_a_talk(self) -> None:
        made = waves("a", "b")
        ask(made, "a", "b")
        talk(made)
        made.hear("a", later(1, "done"), 2.0)
        assert made.deadline == 2.0 + PATIENCE
        made.begin(made.deadline)
        assert not made.talking


class TestTheOrder:
    NAMES = ("a", "b", "c", "d", "e", "f")

    def test_does_not_depend_on_who_came_first(self) -> None:
        found = []
        for names in (self.NAMES, self.NAMES[::-1]):
            made = waves(*names)
            ask(made, *names)
            found.append(order(made))
        assert found[0] == found[1]
        assert sorted(found[0]) == list(self.NAMES)

    def test_changes_with_the_wave_the_round_and_the_seed(self) -> None:
        found: set[tuple[str, ...]] = set()
        for seed in (0, 1):
            made = waves(*self.NAMES, seed=seed)
            for round in (1, 2):
                ask(made, *self.NAMES, round=round)
                found.update(tuple(order(made)) for _ in range(2))
        assert len(found) == 8

    def test_is_that_of_the_protocol_page(self) -> None:
        """BLAKE2b of `<seed>:<round>:<wave>:<household>`: `printf 0:1:1:h0 | b2sum -l 64` and so on
        give 96b0, 4213, aa57, 33ab, db17 and 7b5b."""
        names = ("h0", "h1", "h2", "h3", "h4", "h5")
        made = waves(*names)
        ask(made, *names)
        assert order(made) == ["h3", "h1", "h5", "h0", "h2", "h4"]
