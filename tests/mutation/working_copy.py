"""A group's working copy, in which mutmut makes its mutants and keeps its results between runs.

Results are kept by function, and a changed function is tried again. After any change of source or
tests, survivors are tried again too, since a test may notice them now. Kills are kept: to try
everything again, remove the folder `.mutants`.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

from tests.mutation.groups import EXAMPLES, SEEDS, UNTOUCHED_LINES, Group
from tests.mutation.survivors import Survivor, mutation_of
from tests.support.paths import ROOT, SHARED

PLACE = ROOT / ".mutants"
MUTMUT = Path(__file__).with_name("collected_once.py")
PACKAGES = ("agents", "matchmaker", "orchestrator", "protocol")
CORES = len(os.sched_getaffinity(0))
MYPY = (
    # A cache for each group, which has other mutants of the same modules.
    *("--output", "json", "--cache-dir", "../.mypy_cache"),
    # What mutmut adds has superfluous comments for mypy, and defines every attribute many times.
    *("--no-warn-unused-ignores", "--disable-error-code", "no-redef"),
)
KINDS = {"survived": "survived", "no tests": "survived", "caught by type check": "by types",
         "timeout": "timed out", "segfault": "timed out", "not checked": "unfinished",
         "suspicious": "unfinished", "check was interrupted by user": "unfinished"}  # fmt: skip
"""mutmut's words for the fate of a mutant, and ours; whatever else it says is a kill."""


class MutationError(Exception):
    """mutmut could not do its work: the tests fail without a mutant, for one."""


@dataclass(slots=True)
class ModuleResult:
    """The fates of the mutants of one module."""

    module: str
    fates: Counter[str] = field(default_factory=Counter)
    """killed, by types (mypy refuses the mutant), timed out, survived, unfinished."""
    survivors: list[Survivor] = field(default_factory=list)


class WorkingCopy:
    """The folder `.mutants/<group>`."""

    def __init__(self, group: Group, only: str = "") -> None:
        """`only` is one module of the group, empty for all of them."""
        self.group, self.only = group, only
        self.path = PLACE / group.folder
        self.log = self.path / "log.txt"

    def prepare(self) -> None:
        """Copy source and tests, write the configuration, and drop results that are no longer
        certain."""
        self.path.mkdir(parents=True, exist_ok=True)
        for name in (*PACKAGES, "tests"):
            shutil.rmtree(self.path / name, ignore_errors=True)
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, self.path / name, ignore=ignored)
        shutil.rmtree(self.path / "mutants" / "tests", ignore_errors=True)
        beside = self.path / SHARED.name
        if SHARED.is_dir() and not beside.exists():
            beside.symlink_to(SHARED)
        project = (ROOT / "pyproject.toml").read_text()
        (self.path / "pyproject.toml").write_text(f"{project}\n{self._configuration()}")
        state, seen = self._state(), self.path / "state.txt"
        if not seen.exists() or seen.read_text() != state:
            # Which tests reach a function is to be found anew.
            (self.path / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)
            self._forget_survivors()
            seen.write_text(state)

    def _state(self) -> str:
        """Return a hash of source and tests, but for those of this package."""
        state = hashlib.sha256()
        for name in (*PACKAGES, "tests"):
            for file in sorted((self.path / name).rglob("*")):
                if file.is_file() and file.parent != self.path / "tests" / "mutation":
                    state.update(file.read_bytes())
        return state.hexdigest()

    def run(self) -> None:
        """Let mutmut try every mutant without a result. Raises MutationError if mutmut fails."""
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            **{"COFLEX_SEEDS": str(SEEDS), "COFLEX_EXAMPLES": str(EXAMPLES)},
            **{"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"},
            "PYTHONUNBUFFERED": "1",
        }
        command = [sys.executable, str(MUTMUT), str(CORES)]
        if self.only:
            command.append(self.only.removesuffix(".py").replace("/", ".") + ".*")
        with self.log.open("w") as log:
            done = subprocess.run(
                command, cwd=self.path, env=environment, stdout=log, stderr=log, check=False
            )
        if done.returncode:
            end = self.log.read_text().replace("\r", "\n").splitlines()[-20:]
            raise MutationError("\n".join([*end, f"mutmut failed; see {self.log}"]))

    def results(self) -> list[ModuleResult]:
        """Return the fates of the mutants by module; raises MutationError if not all were tried."""
        found = []
        with contextlib.chdir(self.path):
            for path in [self.only] if self.only else self.group.files():
                data, result = SourceFileMutationData(path=path), ModuleResult(path)
                data.load()
                for name, code in data.exit_code_by_key.items():
                    kind = KINDS.get(status_by_exit_code[code], "killed")
                    result.fates[kind] += 1
                    if kind == "survived":
                        function = ".".join(
                            part
                            for part in reversed(orig_function_and_class_names_from_key(name))
                            if part
                        )
                        mutation = mutation_of(get_diff_for_mutant(name, path=path))
                        result.survivors.append(Survivor(path, function, mutation))
                if result.fates["unfinished"]:
                    raise MutationError(f"{path}: not all mutants were tried; see {self.log}")
                if result.fates:
                    found.append(result)
        return found

    def _configuration(self) -> str:
        settings: dict[str, object] = {
            "source_paths": PACKAGES,
            "only_mutate": self.group.files(),
            "do_not_mutate_patterns": UNTOUCHED_LINES,
            "pytest_add_cli_args": (
                *("-p", "no:cacheprovider", "-p", "no:unraisableexception"),
                "--hypothesis-profile=mutants",
            ),
            "pytest_add_cli_args_test_selection": self.group.tests,
            "type_check_command": (sys.executable, "-m", "mypy", *MYPY, *self.group.files()),
            "on_dependency_change": "ignore",
        }
        lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
        switches = ("use_git_change_detection", "use_setproctitle")
        return "\n".join(["[tool.mutmut]", *lines, *(f"{name} = false" for name in switches), ""])

    def _forget_survivors(self) -> None:
        """Remove the results of all mutants that were not killed, so that they are tried again."""
        with contextlib.chdir(self.path):
            for path in self.group.files():
                data = SourceFileMutationData(path=path)
                data.load()
                for name, code in data.exit_code_by_key.items():
                    if status_by_exit_code[code] != "killed":
                        data.exit_code_by_key[name] = None
                if data.exit_code_by_key:
                    data.save()
