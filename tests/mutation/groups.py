"""The modules to mutate, and the fast tests that must notice: no bus, no processes."""

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


GROUPS = (
    Group("matchmaker", ("matchmaker/*.py",), ("tests/matchmaker", "-m", "not nats")),
    Group(
        "agents/planning",
        ("agents/planning/*.py",),
        ("tests/agents/planning", "--ignore=tests/agents/planning/test_paper.py"),
    ),
    Group(
        "agents/exchange",
        ("agents/exchange/*.py",),
        ("tests/agents/exchange", "-m", "not slow and not nats"),
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
QUICK_S = 0.3
"""Each mutant meets the tests that take at most this long first; survivors meet all of them."""
TEST_AT_MOST_S = 60
"""Time limit of one test against a mutant, which may run forever."""
SURVIVORS_AT_MOST = 0.1
"""Share of a group's mutants that may survive, each with a reason."""
