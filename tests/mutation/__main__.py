"""Runs mutation tests and judges them: `python -m tests.mutation [GROUP or MODULE]`.

Prints one line per module, then the survivors that `survivors.toml` does not defend. Exits with
status 1 if there are any, or if more than a tenth of a group's mutants survive.
"""

import sys
from collections import Counter
from time import perf_counter

from tests.mutation.groups import GROUPS, SURVIVORS_AT_MOST, Group
from tests.mutation.survivors import Survivor, as_toml, defended
from tests.mutation.working_copy import ModuleResult, MutationError, WorkingCopy

FATES = ("killed", "by types", "timed out", "survived")


def line(name: str, fates: Counter[str]) -> str:
    """Return one row of the table."""
    total = fates.total()
    share = f"{fates['survived'] / total:.1%}" if total else ""
    return f"{name:44} {total:7,} " + " ".join(f"{fates[one]:9,}" for one in FATES) + f" {share:>7}"


def judged(group: Group, results: list[ModuleResult], known: set[Survivor]) -> list[str]:
    """Print the group's rows; return descriptions of everything that is wrong with it."""
    together: Counter[str] = Counter()
    for result in results:
        print(line(result.module, result.fates))
        together.update(result.fates)
    print(line(f"= {group.name}", together), flush=True)
    wrong = []
    if together["survived"] > SURVIVORS_AT_MOST * together.total():
        wrong.append(f"{group.name}: more than {SURVIVORS_AT_MOST:.0%} survive")
    found = [survivor for result in results for survivor in result.survivors]
    new = list(dict.fromkeys(survivor for survivor in found if survivor not in known))
    if new:
        wrong.append(
            f"{group.name}: {len(new)} survivors are not in survivors.toml:\n{as_toml(new)}"
        )
    seen = {result.module for result in results}
    for survivor in sorted(known.difference(found)):
        if survivor.module in seen:
            print(f"  no longer survives, remove it from survivors.toml: {survivor}")
    return wrong


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
    wrong = []
    print(f"{'module':44} {'mutants':>7} " + " ".join(f"{one:>9}" for one in FATES) + "   share")
    try:
        for group, only in chosen(" ".join(sys.argv[1:])):
            began = perf_counter()
            copy = WorkingCopy(group, only)
            copy.prepare()
            copy.run()
            wrong += judged(group, copy.results(), known)
            print(f"  {perf_counter() - began:,.0f} s", flush=True)
    except MutationError as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
