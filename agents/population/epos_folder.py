"""EPOS folders: files `agent_<N>.plans` with one plan `score:v1,...,vd` per line, and optional
`*.target` files.

The household of `agent_17.plans` has the id `h17`; households are in the order of their numbers.
docs/data.md describes the format. Any deviation from it raises InputError with file and line.
"""

import math
import re
from pathlib import Path

import numpy as np

from agents.plans import Plans, Population, ScoreMeaning
from agents.population.atomic_write import drafted
from agents.population.description_file import write_description
from protocol.errors import InputError
from protocol.vectors import Array

_PLANS_FILE = re.compile(r"agent_([0-9]+)\.plans")


def read(
    folder: Path, *, households: int | None = None, meaning: ScoreMeaning = "preference"
) -> Population:
    """Read all households of a folder, or the first `households` of them.

    Reads the target if there is exactly one; its length is checked when it is used. Raises
    InputError, which names file and line.
    """
    if not folder.is_dir():
        raise InputError("no such folder", file=folder)
    files = _plan_files(folder)
    if households is not None and households > len(files):
        raise InputError(
            f"{households} is not possible: the folder has {len(files)}",
            file=folder,
            field="--households",
        )
    members: dict[str, Plans] = {}
    slots: tuple[int, Path] | None = None
    for number, path in list(enumerate(files))[:households]:
        plans = read_agent(path, meaning=meaning)
        if slots is not None and plans.slots != slots[0]:
            reason = f"plans of {plans.slots} slots, but {slots[1].name} has {slots[0]}"
            raise InputError(reason, file=path, line=1)
        slots = slots or (plans.slots, path)
        members[f"h{number}"] = plans
    targets = target_files(folder)
    target = read_target(targets[0]) if len(targets) == 1 else None
    return Population(members, str(folder), target)


def read_agent(
    path: Path,
    *,
    limit: int | None = None,
    meaning: ScoreMeaning = "preference",
    allow_nan_scores: bool = False,
) -> Plans:
    """Read the plans of one household; with `limit`, only the first lines, as EPOS does.

    Raises InputError, which names file and line.
    """
    lines = _lines(path)
    if not lines:
        raise InputError("no plans: the file is empty", file=path)
    scores: list[float] = []
    rows: list[list[float]] = []
    for number, line in enumerate(lines[:limit], start=1):
        before, colon, values = line.partition(":")
        if not colon:
            reason = "empty line" if not line.strip() else "expected score:value,value,..."
            raise InputError(reason, file=path, line=number)
        score, *more = _numbers(before, path, number, "score")
        if more:
            raise InputError("more than one score", file=path, line=number, field="score")
        if not math.isfinite(score) and not (allow_nan_scores and math.isnan(score)):
            raise InputError("the score is NaN or infinite", file=path, line=number, field="score")
        row = _numbers(values, path, number, "value")
        _refuse_infinite(row, path, number)
        if rows and len(row) != len(rows[0]):
            reason = f"{len(row)} slots, but line 1 has {len(rows[0])}"
            raise InputError(reason, file=path, line=number)
        scores.append(score)
        rows.append(row)
    return Plans(np.array(rows), np.array(scores), meaning)


def target_files(folder: Path) -> list[Path]:
    """Return the files with targets in a folder, sorted by name."""
    return sorted(folder.glob("*.target"))


def read_target(path: Path, slots: int | None = None) -> Array:
    """Read a target, float64[slots]: comma-separated values on the first line.

    Raises InputError if it is not valid, or does not have `slots` values if given.
    """
    lines = _lines(path)
    if not lines or not lines[0].strip():
        raise InputError("no target: the first line is empty", file=path, line=1)
    target = _numbers(lines[0], path, 1, "value")
    _refuse_infinite(target, path, 1)
    if slots is not None and len(target) != slots:
        raise InputError(f"{len(target)} values, but plans have {slots} slots", file=path, line=1)
    return np.array(target)


def write(population: Population, folder: Path) -> None:
    """Write an EPOS folder; numbers read back exactly.

    Households are numbered in their order, so ids other than h0, h1, ... change. Raises InputError
    if the folder exists and is not empty.
    """
    with drafted(folder) as draft:
        draft.mkdir()
        for number, plans in enumerate(population.households.values()):
            lines = (
                f"{score!r}:{','.join(map(repr, row))}\n"
                for score, row in zip(plans.scores.tolist(), plans.values.tolist(), strict=True)
            )
            Path(draft, f"agent_{number}.plans").write_text("".join(lines), encoding="ascii")
        if population.target is not None:
            text = ",".join(map(repr, population.target.tolist()))
            Path(draft, "population.target").write_text(text + "\n", encoding="ascii")
        write_description(population, draft, _names_to_keep(population))


def _names_to_keep(population: Population) -> dict[str, str]:
    """Return the original names that differ from the ids in the folder, by these ids."""
    names = {
        f"h{number}": population.names.get(household, household)
        for number, household in enumerate(population.households)
    }
    return {household: name for household, name in names.items() if household != name}


def keeps_ids(population: Population) -> bool:
    """Return True if a folder keeps the ids of the households: h0, h1, ... in this order."""
    return list(population.households) == [f"h{n}" for n in range(len(population.households))]


def has_plan_files(folder: Path) -> bool:
    """Return True if a folder has a file of plans."""
    return any(_PLANS_FILE.fullmatch(file.name) for file in folder.iterdir())


def _plan_files(folder: Path) -> list[Path]:
    """Return the plan files by number.

    Raises InputError if a number is missing or occurs twice.
    """
    files: dict[int, Path] = {}
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot be listed: {error.strerror}", file=folder) from None
    for path in entries:
        match = _PLANS_FILE.fullmatch(path.name)
        if match is None:
            continue
        number = int(match[1])
        if number in files:
            raise InputError(f"household h{number} is already in {files[number].name}", file=path)
        files[number] = path
    if not files:
        raise InputError("no households: there is no agent_0.plans", file=folder)
    for number in range(len(files)):
        if number not in files:
            raise InputError(
                f"agent_{number}.plans is missing; numbers must go from 0 without gaps",
                file=folder,
            )
    return [files[number] for number in range(len(files))]


def _lines(path: Path) -> list[str]:
    """Return the lines of a text file, without empty ones at its end."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError("no such file", file=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read as text: {error}", file=path) from None
    # Not splitlines, which also breaks at form feeds and other characters that end no line.
    lines = text.split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _numbers(text: str, path: Path, line: int, what: str) -> list[float]:
    """Return comma-separated numbers, each as the nearest float64."""
    cells = text.split(",")
    try:
        if _is_plain(text):
            return list(map(float, cells))
    except ValueError:
        pass  # the search below finds the wrong cell
    position, cell = next(
        (n, cell) for n, cell in enumerate(cells, start=1) if not _is_number(cell)
    )
    shown = cell.strip()[:40]
    raise InputError(f"not a number: {what} {position} is {shown!r}", file=path, line=line)


def _is_plain(text: str) -> bool:
    """Return False for texts such as 1_000 or digits of other scripts, which Python accepts."""
    return text.isascii() and "_" not in text


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return _is_plain(cell)


def _refuse_infinite(row: list[float], path: Path, line: int) -> None:
    if not all(map(math.isfinite, row)):
        position = next(n for n, value in enumerate(row, start=1) if not math.isfinite(value))
        reason = f"a value is NaN or infinite: value {position} is {row[position - 1]}"
        raise InputError(reason, file=path, line=line)
