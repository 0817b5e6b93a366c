"""EPOS folders: `agent_<N>.plans`, a plan a line `score:v1,...,vd`; optional `*.target` files.

The household of `agent_17.plans` has the id `h17`; households stand in the order of their numbers.
docs/data.md describes the format; every departure from it is refused with file and line.
"""

import math
import re
import shutil
import tempfile
from pathlib import Path

import numpy as np

from agents.plans import Plans, Population, ScoreMeaning
from protocol.errors import InputError
from protocol.vectors import Array

_PLANS_FILE = re.compile(r"agent_(\d+)\.plans")


def read(
    folder: Path, *, households: int | None = None, meaning: ScoreMeaning = "preference"
) -> Population:
    """All households of a folder, or the first `households` of them."""
    if not folder.is_dir():
        raise InputError("no such folder", file=folder)
    files = _plan_files(folder)
    if households is not None and households > len(files):
        raise InputError(
            f"{households} households are asked for, the folder has {len(files)}",
            file=folder,
            field="households",
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
    targets = sorted(folder.glob("*.target"))
    target = read_target(targets[0]) if len(targets) == 1 else None
    return Population(members, str(folder), target)


def read_agent(
    path: Path,
    *,
    limit: int | None = None,
    meaning: ScoreMeaning = "preference",
    allow_nan_scores: bool = False,
) -> Plans:
    """The plans of one household; only the first `limit` lines, as EPOS reads them."""
    lines = _text(path).splitlines()
    if not lines:
        raise InputError("no plans: the file is empty", file=path)
    scores: list[float] = []
    rows: list[list[float]] = []
    for number, line in enumerate(lines[:limit], start=1):
        score, colon, values = line.partition(":")
        if not colon:
            reason = "empty line" if not line.strip() else "expected score:value,value,..."
            raise InputError(reason, file=path, line=number)
        try:
            scores.append(float(score))
            row = [float(value) for value in values.split(",")]
        except ValueError as error:
            raise InputError(f"not a number: {error}", file=path, line=number) from None
        if not all(map(math.isfinite, row)):
            raise InputError("a value is NaN or infinite", file=path, line=number)
        if not math.isfinite(scores[-1]) and not (allow_nan_scores and math.isnan(scores[-1])):
            raise InputError("the score is NaN or infinite", file=path, line=number, field="score")
        if rows and len(row) != len(rows[0]):
            reason = f"{len(row)} slots, but line 1 has {len(rows[0])}"
            raise InputError(reason, file=path, line=number)
        rows.append(row)
    return Plans(np.array(rows), np.array(scores), meaning)


def read_target(path: Path, slots: int | None = None) -> Array:
    """A target, float64[slots]: comma separated values on the first line."""
    lines = _text(path).splitlines()
    if not lines or not lines[0].strip():
        raise InputError("no target: the first line is empty", file=path, line=1)
    try:
        target = np.array([float(value) for value in lines[0].split(",")])
    except ValueError as error:
        raise InputError(f"not a number: {error}", file=path, line=1) from None
    if not np.isfinite(target).all():
        raise InputError("a value is NaN or infinite", file=path, line=1)
    if slots is not None and len(target) != slots:
        raise InputError(f"{len(target)} values, but plans have {slots} slots", file=path, line=1)
    return target


def write(population: Population, folder: Path) -> None:
    """Write an EPOS folder; numbers read back exactly. The folder must not exist yet, or be empty.

    Households are numbered in their order, so ids other than h0, h1, ... change.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("exists already: name a new folder", file=folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as draft:
        for number, plans in enumerate(population.households.values()):
            lines = (
                f"{score!r}:{','.join(map(repr, row))}\n"
                for score, row in zip(plans.scores.tolist(), plans.values.tolist(), strict=True)
            )
            Path(draft, f"agent_{number}.plans").write_text("".join(lines), encoding="ascii")
        if population.target is not None:
            text = ",".join(map(repr, population.target.tolist()))
            Path(draft, "population.target").write_text(text + "\n", encoding="ascii")
        if folder.exists():
            folder.rmdir()
        shutil.copytree(draft, f"{draft}-done")
        Path(f"{draft}-done").rename(folder)


def _plan_files(folder: Path) -> list[Path]:
    """The plan files by number; all numbers from 0 must be there, each once."""
    files: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        match = _PLANS_FILE.fullmatch(path.name)
        if match is None:
            continue
        number = int(match[1])
        if number in files:
            raise InputError(
                f"household h{number} stands in {files[number].name} already", file=path
            )
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


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError("no such file", file=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read as text: {error}", file=path) from None
