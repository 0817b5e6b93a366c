"""The modules to mutate, and the fast tests that must notice: no bus, no processes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.support.paths import ROOT


@dataclass(frozen=True, slots=True)
class Group:
    """Modules that are judged together."""

    name: str
    modules: tuple[str, ...]
    """Glob patterns of files from the top of the checkout."""
    tests: tuple[str, ...]
    """Arguments for pytest: the tests that are run against each mutant of the group."""

    @property
    def folder(self) -> str:
        """The name of the group's working copy."""
        return self.name.replace("/", "-")

    def files(self) -> list[str]:
        """Return the files of the modules, relative to the checkout."""
        found = (file for pattern in self.modules for file in ROOT.glob(pattern))
        return sorted(str(file.relative_to(ROOT)) for file in found)


PLANNING_CASES = {
    "depend_on_its_batch": "[var-129]",
    "network_faults": "[True-3]",
    "sends_the_same_at_the_same_time": "[0]",
    "only_rounding_decides": "[0]",
    "without_messages_from_others": "[1-subtree]",
}
EXCHANGE_CASES = {
    "in_sequential_order_a_slow_matchmaker": "[0.3-]",
    "the_drift_cap_holds_at_every": "[0-cooperative]",
}
"""Tests in many seeds and sizes, by a part of the name: one case of each is run."""


WHOLE_RUNS = (
    "hosts_and_delays_change_nothing",
    "more_disclosure_comes_further",
    "values_only_change_hands",
    "the_same_seed_gives_the_same_course",
    "a_mandate_is_never_overstepped",
    "the_discomfort_cap_holds_at_every",
)
"""Tests of the exchange that are left out: each takes seconds for what smaller ones notice."""


def one_case_each(cases: Mapping[str, str], without: Sequence[str] = ()) -> tuple[str, str]:
    """Return arguments for pytest that leave out all other cases of these tests, and some tests."""
    left_out = [f"({test} and not {case})" for test, case in cases.items()]
    return "-k", " and ".join(f"not {each}" for each in (*left_out, *without))


GROUPS = (
    Group("matchmaker", ("matchmaker/*.py",), ("tests/matchmaker", "-m", "not nats")),
    Group(
        "agents/planning",
        ("agents/planning/*.py",),
        (
            "tests/agents/planning",
            "--ignore=tests/agents/planning/test_paper.py",
            *one_case_each(PLANNING_CASES),
        ),
    ),
    Group(
        "agents/exchange",
        (
            *("agents/exchange/*.py", "agents/exchange/bundles/*.py"),
            *("agents/exchange/cycles/*.py", "agents/planning_loop.py"),
        ),
        (
            *("tests/agents/exchange", "-m", "not slow and not nats"),
            "--ignore=tests/agents/exchange/test_explain.py",
            *one_case_each(EXCHANGE_CASES, without=WHOLE_RUNS),
        ),
    ),
    Group(
        "claims",
        ("orchestrator/replication/claims.py",),
        (
            "tests/orchestrator/replication/test_claims.py",
            "tests/orchestrator/replication/test_claim_words.py",
        ),
    ),
    Group(
        "statistics",
        ("orchestrator/experiments/statistics.py",),
        ("tests/orchestrator/experiments/test_statistics.py",),
    ),
)

UNTOUCHED_LINES = (r"raise \w+Error", r"^\s*assert ")
"""Regular expressions of lines that are not mutated: texts of errors, and what assures mypy."""
SEEDS = 6
"""Crash schedules per test run (COFLEX_SEEDS): enough for faults that the small tests miss."""
EXAMPLES = 8
"""Random cases per test (COFLEX_EXAMPLES), always the same ones."""
SURVIVORS_AT_MOST = 0.1
"""Share of a group's mutants that may survive, each with a reason."""
