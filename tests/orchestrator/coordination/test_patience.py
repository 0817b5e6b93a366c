"""The bounds on the time of a run: nobody but the root can prolong it, and nobody without end."""

import pytest

from orchestrator.coordination.coordinator import ATTEMPTS_MAX, RunCoordinator
from orchestrator.coordination.nodes import ORCHESTRATOR_ADDRESS
from orchestrator.coordination.patience import Patience
from orchestrator.coordination.run_phase import RunPhase
from protocol.errors import PeerError
from protocol.messages import (
    Address,
    Enrol,
    Iteration,
    Message,
    Progress,
    Ready,
    RoundCount,
    RoundProgress,
    Waiting,
)
from protocol.runtime.machine import Envelope
from protocol.terms import ExchangeTerms, Terms

TERMS = Terms(iterations=3, exchange=ExchangeTerms(rounds=5))
NAMES = ("h1", "h2", "h3")
MATCHMAKER = Address("matchmaker-1", "matchmaker-1")
COUNT = RoundCount._make([3, *[0] * (len(RoundCount._fields) - 1)])


class Course:
    """A coordinator whose households say what a test lets them say."""

    def __init__(self, *, limit: float | None = None, round_limit: float | None = None) -> None:
        self.now = 0.0
        self.coordinator = RunCoordinator(
            ORCHESTRATOR_ADDRESS,
            NAMES,
            lambda _: TERMS,
            matchmakers=(MATCHMAKER,),
            deadline=10.0,
            round_limit=round_limit,
            limit=limit,
        )
        self.coordinator.tick(self.now)

    def say(self, name: str, message: Message) -> None:
        sender = Address(f"host-{name}", name)
        self.coordinator.handle(Envelope(sender, ORCHESTRATOR_ADDRESS, message), self.now)

    def placed(self) -> "Course":
        for name in NAMES:
            self.say(name, Enrol(2))
        return self

    def planning(self) -> "Course":
        self.placed()
        for name in NAMES:
            self.say(name, Ready())
        assert self.coordinator.phase is RunPhase.PLANNING
        return self

    def wait(self, seconds: float) -> bool:
        """Let time pass; return True if the run goes on."""
        self.now += seconds
        self.coordinator.tick(self.now)
        return not self.coordinator.finished

    def round(self, number: int) -> None:
        self.say("h1", RoundProgress(number, COUNT))


def iteration(number: int) -> Progress:
    return Progress(Iteration(number, 0.0, 0.0, 0.0, 0.0))


def test_the_first_bound_is_named() -> None:
    patience = Patience(10.0, stretch_s=25.0, run_s=60.0)
    assert patience.deadline is None
    patience.stretch(0.0)
    assert patience.reached(9.9) == ""
    assert patience.reached(10.0) == "no progress for 10 s"
    patience.sign(9.0)
    patience.sign(18.0)
    assert patience.deadline == 25.0
    assert patience.reached(25.0) == "nothing is finished for 25 s (--round-limit)"
    for began in (20.0, 30.0, 40.0, 50.0, 55.0):
        patience.stretch(began)
    assert patience.deadline == 60.0
    assert patience.reached(60.0) == "not over after 60 s (--limit)"
    patience.farewell(70.0)
    assert patience.deadline == 70.0
    patience.stop()
    assert (patience.deadline, patience.reached(1e9)) == (None, "")


def test_one_liar_does_not_keep_a_dead_run_alive() -> None:
    course = Course().planning()
    course.say("h1", iteration(2))
    course.round(-1)
    course.round(0)
    done = 0
    while course.wait(4.0):
        done += 1
        course.say("h2", Waiting(3, (), done))
        course.say("h1", Waiting(3, (Address("host-h3", "h3"),)))
        assert course.now < 200.0
    assert course.now == 100.0
    assert course.coordinator.reason == (
        "nothing is finished for 100 s (--round-limit) while exchanging: no answer from h3"
    )


def test_a_slow_round_in_which_something_happens_is_not_ended() -> None:
    course = Course().planning()
    course.say("h1", iteration(2))
    for number in range(-1, 6):
        course.round(number)
        for done in range(11):
            assert course.wait(8.0), course.coordinator.reason
            course.say("h2", Waiting(3, (), 20 * number + done))


def test_without_a_sign_the_run_ends_early_and_names_a_stranger_or_matchmaker() -> None:
    course = Course().planning()
    course.say("h1", iteration(2))
    course.round(0)
    stranger = Address("elsewhere", "h9")
    course.say("h2", Waiting(3, (MATCHMAKER, stranger)))
    course.say("h3", Waiting(3, (Address("host-h2", "h2"),)))
    assert not course.wait(10.0)
    assert course.coordinator.reason == (
        "no progress for 10 s while exchanging: no answer from elsewhere, matchmaker-1"
    )


def test_what_was_said_long_ago_blames_nobody() -> None:
    course = Course().planning()
    course.say("h2", Waiting(0, (Address("host-h1", "h1"),)))
    course.wait(9.0)
    course.say("h3", Waiting(0, (), 1))
    assert course.wait(9.0)
    course.say("h2", Waiting(0, (Address("host-h3", "h3"),), 2))
    assert not course.wait(10.0)
    assert "no answer from h1" not in course.coordinator.reason


def test_the_whole_run_has_a_limit() -> None:
    course = Course(limit=30.0).planning()
    for number in range(3):
        course.say("h1", iteration(number))
        assert course.wait(9.0)
    assert not course.wait(3.0)
    assert course.coordinator.reason.startswith("not over after 30 s (--limit) while planning: ")


def test_a_household_that_enrols_again_and_again_does_not_prolong_the_placing() -> None:
    course = Course(round_limit=30.0).placed()
    for session in range(1, 100):
        course.say("h2", Enrol(2, session))
        course.say("h2", Ready(1, session))
        if not course.wait(5.0):
            break
    assert course.now == 30.0
    assert course.coordinator.reason.endswith("h1, h3 did not confirm their place")


def test_a_household_that_forgets_without_end_ends_the_run() -> None:
    course = Course().planning()
    for session in range(1, ATTEMPTS_MAX + 2):
        assert not course.coordinator.finished
        course.say("h2", Enrol(2, session))
        for name in NAMES:
            course.say(name, Ready(session + 1, session if name == "h2" else 0))
    assert course.coordinator.reason == f"h2 has lost its memory {ATTEMPTS_MAX} times"


@pytest.mark.parametrize("message", [iteration(3), iteration(-1), RoundProgress(6, COUNT)])
def test_progress_beyond_the_terms_is_refused(message: Message) -> None:
    course = Course().planning()
    with pytest.raises(PeerError, match="more than the run has"):
        course.say("h1", message)
    course.say("h1", iteration(2))
    course.round(5)


def test_only_the_root_counts() -> None:
    course = Course().planning()
    with pytest.raises(PeerError, match="h2 is not the root"):
        course.say("h2", iteration(0))
