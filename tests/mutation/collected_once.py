"""mutmut with tests that are collected once: `python collected_once.py WORKERS [MUTANTS]`.

mutmut starts pytest anew for each mutant, which takes several times as long as most tests do. Here
one process imports and collects all tests. For each mutant, a fork of it runs the tests that reach
the mutant, until one fails: first those that take least and have killed most, of mutants of the
same function above all. Which mutants have an error of types is told by the lines that mutmut has
noted, where mutmut would parse all mutants once more. What it makes and stores is its own.
"""

import gc
import os
import resource
import sys
import traceback
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from time import process_time
from unittest.mock import patch

import mutmut.__main__ as mutmut
import pytest
from _pytest.config import _prepareconfig
from mutmut.configuration import config
from mutmut.mutation.data import MutantLineSpans
from mutmut.mutation.file_mutation import (
    FailedTypeCheckMutant,
    MutatedMethodLocation,
    group_by_path,
)
from mutmut.runners.harness import ListAllTestsResult, PytestRunner
from mutmut.state import state
from mutmut.type_checking import run_type_checker
from mutmut.utils.file_utils import change_cwd
from mutmut.utils.format_utils import get_mutant_name
from mutmut.workers.isolation import ForkRunner

LEAST_CPU_S, TIMES_AS_LONG = 3, 5
"""Processor seconds that a test may take with a mutant, beyond so many times what it took without.
Seconds by the clock would depend on how busy the machine is."""

KILLERS = Path("killers.txt")
"""The function and the test that failed, one line for each mutant, in the folder `mutants`."""
NEIGHBOUR = 100
"""Weight of a kill in the same function, where another counts 1."""
PROFILE = "mutants"
"""Hypothesis's settings, which the configuration of pytest names."""
SUSPICIOUS = 35
"""mutmut's exit status for what is neither a kill nor a survival."""


class CollectedTests(PytestRunner):
    """The tests of a group, ready to be run in this process or in a fork of it."""

    def __init__(self) -> None:
        super().__init__()
        self._failures: list[str] = []
        self._clean = False
        arguments = [
            *("--rootdir=.", "--tb=short", "--capture=no", "-q"),
            *self._pytest_add_cli_args,
            *self._pytest_add_cli_args_test_selection,
        ]
        with change_cwd("mutants"):
            # As pytest.main() does, which would end the session.
            configuration = _prepareconfig(arguments, plugins=[self])
            configuration._do_configure()
            self._session = pytest.Session.from_config(configuration)
            configuration.hook.pytest_sessionstart(session=self._session)
            configuration.hook.pytest_collection(session=self._session)
        self._items = {item.nodeid: item for item in self._session.items}

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self) -> None:
        """Have Hypothesis look for a failing case, and not for a smaller one; called by pytest."""
        from hypothesis import Phase, settings  # pytest asks to be first

        searching = [Phase.explicit, Phase.generate]
        settings.register_profile(PROFILE, settings.get_profile("ci"), phases=searching)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take note of a failure; called by pytest."""
        if report.failed:
            self._failures.append(f"{report.nodeid}\n{report.longreprtext}")
        if report.when == "call":
            state().duration_by_test[report.nodeid] = report.duration

    def _run(self, name: str) -> bool:
        """Run one test; whether it passed."""
        item = self._items[name]
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        return not self._failures

    def run_stats(self, *, tests: Iterable[str]) -> int:
        """Find the functions that each test reaches, and its duration."""
        with change_cwd("mutants"):
            for name in list(tests) or list(self._items):
                if not self._run(name):
                    print(*self._failures, sep="\n")
                    return 1
                for function in state()._stats:
                    state().tests_by_mangled_function_name[function].add(name)
                state()._stats.clear()
        self._clean = True
        gc.freeze()  # so that the forks share what has been imported and collected
        return 0

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        """Run tests until one fails: 1 if one does, else 0."""
        if not tests and self._clean and os.environ["MUTANT_UNDER_TEST"] == "":
            return 0  # All have passed just now.
        self._failures.clear()
        with change_cwd("mutants"):
            function = (mutant_name or "").rpartition("__mutmut_")[0]
            for name in self._most_likely_first(list(tests) or list(self._items), function):
                if mutant_name is not None:
                    usual_s = state().duration_by_test[name]
                    limit = int(process_time() + LEAST_CPU_S + TIMES_AS_LONG * usual_s) + 1
                    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
                    resource.setrlimit(resource.RLIMIT_CPU, (min(limit, hard), hard))
                if not self._run(name):
                    with KILLERS.open("a") as killers:
                        killers.write(f"{function}\t{name}\n")
                    return 1
        return 0

    def _most_likely_first(self, names: list[str], function: str) -> list[str]:
        """Sort tests by the seconds that one takes for each mutant that it has killed yet."""
        killed = Counter[str]()
        for line in KILLERS.read_text().splitlines() if KILLERS.exists() else ():
            where, _, name = line.rpartition("\t")
            killed[name] += NEIGHBOUR if where == function else 1
        durations = state().duration_by_test
        return sorted(names, key=lambda name: durations[name] / (1 + killed[name]))

    def list_all_tests(self) -> ListAllTestsResult:
        """Return the names of all tests."""
        return ListAllTestsResult(ids=set(self._items))


class MutantForks(ForkRunner):
    """A process for each mutant, limited by `CollectedTests` and not by the clock."""

    def submit(
        self, mutant_name: str, tests: list[str], cpu_time_limit: int, estimated_time: float
    ) -> None:
        """Try one mutant."""
        # Limits that are out of reach.
        super().submit(mutant_name, tests, 100 * cpu_time_limit, 100 * estimated_time + 1_000)


def refused_by_types() -> dict[str, FailedTypeCheckMutant]:
    """Return the mutants in whose lines the type checker finds an error, by name.

    An error that it finds in the function as it was, too, comes from what mutmut adds to it.
    """
    with change_cwd("mutants"):
        errors = run_type_checker(config().type_check_command)
        top = Path.cwd()
    found = {}
    for file, of_file in group_by_path(errors).items():
        path = file.relative_to(top)
        index = MutantLineSpans.load(path)
        functions = {
            line: MutatedMethodLocation(file, name, span.start, span.end)
            for name, span in (index.span_by_function_name if index else {}).items()
            for line in range(span.start, span.end + 1)
        }
        placed = [(functions.get(error.line_number), error) for error in of_file]
        added = {
            error.error_description
            for function, error in placed
            if function and function.function_name.endswith("__mutmut_orig")
        }
        for function, error in placed:
            if error.error_description in added:
                continue
            if function is None:
                raise ValueError(f"{file}:{error.line_number}: {error.error_description}")
            name = get_mutant_name(path, function.function_name)
            found[name] = FailedTypeCheckMutant(function, name, error)
    return found


def main() -> None:
    """Run mutmut."""
    workers = int(sys.argv[1])

    def runner(max_workers: int = 1) -> MutantForks:
        return MutantForks(max_workers=max_workers, test_runner=CollectedTests())

    parent = os.getpid()
    try:
        with (
            patch.object(mutmut, "get_mutant_runner", runner),
            patch.object(mutmut, "filter_mutants_with_type_checker", refused_by_types),
        ):
            mutmut._run(sys.argv[2:], workers)
    finally:
        if os.getpid() != parent:
            # A fork that fails by itself has not killed its mutant.
            traceback.print_exc(file=sys.__stderr__)
            os._exit(SUSPICIOUS)


if __name__ == "__main__":
    main()
