"""Runs mutation tests and judges them: `python -m tests.mutation [GROUP or MODULE]`.

Prints one line per module, the survivors that `survivors.toml` does not defend, then one line per
group. Exits with status 1 if a survivor is undefended, or more than a tenth of a group survives.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter

from tests.mutation.groups import GROUPS, SURVIVORS_AT_MOST, Group
from tests.mutation.survivors import Survivor, as_toml, defended
from tests.mutation.working_copy import ModuleResult, MutationError, WorkingCopy

FATES = ("killed", "by types", "timed out", "survived")


def row(name: str, cells: Iterable[object]) -> str:
    """Return one row of a table."""
    return f"{name:44}" + "".join(f" {cell:>10}" for cell in cells)


def share(fates: Counter[str]) -> str:
    """Return the percentage that survives."""
    return f"{fates['survived'] / fates.total():.1%}" if fates else ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of the mutants of one group."""

    group: str
    fates: Counter[str]
    new: list[Survivor]
    """Survivors that `survivors.toml` does not defend."""

    @property
    def wrong(self) -> list[str]:
        """What is to be mended."""
        found = []
        if self.fates["survived"] > SURVIVORS_AT_MOST * self.fates.total():
            found.append(f"{self.group}: more than {SURVIVORS_AT_MOST:.0%} survive")
        if self.new:
            undefended = as_toml(self.new)
            found.append(f"{self.group}: survivors that are not in survivors.toml:\n{undefended}")
        return found

    def cells(self) -> tuple[object, ...]:
        """Return the group's row of the last table; whatever does not survive is killed."""
        total, survived = self.fates.total(), self.fates["survived"]
        return total, total - survived, survived, share(self.fates), len(self.new)


def judged(group: Group, results: list[ModuleResult], known: set[Survivor]) -> Judgement:
    """Print a row for each module of the group; judge the group."""
    together: Counter[str] = Counter()
    for result in results:
        cells = [result.fates.total(), *(result.fates[fate] for fate in FATES), share(result.fates)]
        print(row(result.module, cells), flush=True)
        together.update(result.fates)
    found = [survivor for result in results for survivor in result.survivors]
    seen = {result.module for result in results}
    for survivor in sorted(known.difference(found)):
        if survivor.module in seen:
            print(f"  no longer survives, remove it from survivors.toml: {survivor}")
    new = dict.fromkeys(survivor for survivor in found if survivor not in known)
    return Judgement(group.name, together, list(new))


def chosen(only: str) -> list[tuple[Group, str]]:
    """Return the groups to run, each with the one module to run or nothing.

    Raises MutationError if `only` names neither a group nor a module.
    """
    if not only:
        return [(group, "") for group in GROUPS]
    for group in GROUPS:
        if only == group.name:
            return [(group, "")]
        if only in group.files():
            return [(group, only)]
    names = ", ".join(group.name for group in GROUPS)
    raise MutationError(f"{only} is neither a group ({names}) nor a file of one")


def main() -> int:
    """Run mutation tests; return the exit status."""
    known = set(defended())
    judgements = []
    print(row("module", ("mutants", *FATES, "percent")))
    try:
        for group, only in chosen(" ".join(sys.argv[1:])):
            began = perf_counter()
            copy = WorkingCopy(group, only)
            copy.prepare()
            copy.run()
            judgements.append(judged(group, copy.results(), known))
            print(f"  {perf_counter() - began:,.0f} s", flush=True)
    except MutationError as error:
        print(error, file=sys.stderr)
        return 2
    wrong = [line for judgement in judgements for line in judgement.wrong]
    print("\n".join(wrong))
    print(row("group", ("mutants", "killed", "survived", "percent", "undefended")))
    for judgement in judgements:
        print(row(judgement.group, judgement.cells()))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
