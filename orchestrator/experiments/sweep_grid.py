"""The grid of a sweep: lists of options, and a run for every combination and replication."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from orchestrator.experiments.sweep_runs import Cell, seed_of
from orchestrator.scenario.meant_option import meant_option
from orchestrator.scenario.option_effects import without_effect
from orchestrator.scenario.own_functions import divided
from orchestrator.scenario.settings import RunSettings, settings_from
from protocol.errors import InputError

REPLICATIONS = "replications"
MOST = 1_000_000
"""Largest number of cells in a grid; more is surely a mistake."""
NONE = "none"
"""The value that stands for omitting an option."""
_OWN_SERVER = "every run of a sweep on the bus has its own server, without keys"
_NO_FILES = "a sweep keeps one row per run and no files: use it with `coflex run` or `simulate`"
NOT_SWEPT = {
    "out": "a sweep has one folder: give --out on the command line",
    "run": "the runs of a sweep have no ids",
    "external": "external households join a single run",
    "nats": _OWN_SERVER,
    "keys": _OWN_SERVER,
    "insecure": _OWN_SERVER,
    "trace": _NO_FILES,
    "save_schedules": _NO_FILES,
}
"""Options of a run that a sweep cannot have, with the reason."""
ONE_VALUE = dict.fromkeys(("deadline", "round_limit", "limit"), "it does not change the results")
"""Options that can have only one value in a sweep, with the reason."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The values of each option, in the order in which the options were given."""

    values: Mapping[str, Sequence[Any]]
    replications: int = 1

    @property
    def varied(self) -> list[str]:
        """The options with several values."""
        return [name for name, values in self.values.items() if len(values) > 1]

    def cells(self) -> list[Cell]:
        """Return all runs, with all replications of a combination together; the last option changes
        fastest.

        Each replication has its own seed, derived from the seed of the run and the number of the
        replication; a single replication keeps the seed of the run. Raises InputError if a
        combination is invalid.
        """
        count = self.replications
        for values in self.values.values():
            count *= len(values)
        if not 0 < count <= MOST:
            raise InputError(f"{count:,} runs: give 1 to {MOST:,} combinations of values")
        cells = list(self._cells())
        self._refuse_idle(cells)
        return cells

    def _refuse_idle(self, cells: Sequence[Cell]) -> None:
        """Raise InputError for an option that has no effect in any of the runs."""
        idle = [without_effect(cell.settings, "sweep") for cell in cells]
        for name, reason in idle[0].items() if idle else ():
            if all(name in found for found in idle):
                raise InputError(
                    f"has no effect in any run: {reason}", field="--" + name.replace("_", "-")
                )

    def _cells(self) -> Iterator[Cell]:
        for chosen in product(*self.values.values()):
            options = dict(zip(self.values, chosen, strict=True))
            try:
                own, others = divided(options)
                settings = settings_from(others)
            except InputError as error:
                if not self.varied:
                    raise
                where = ", ".join(f"{name} {options[name]}" for name in self.varied)
                raise InputError(
                    f"{error.reason} (in the run {where})", field=error.field
                ) from None
            for number in range(self.replications):
                seed = seed_of(settings.seed, number) if self.replications > 1 else settings.seed
                yield Cell(settings.model_copy(update={"seed": seed}), number, own)


def read_grid(file: Path | None, options: Mapping[str, object], replications: int | None) -> Grid:
    """Read a grid from a TOML file, where every option may be a list, and from options with
    comma-separated values, which take precedence.

    Raises InputError, which names the wrong option and its file.
    """
    values: dict[str, Sequence[Any]] = {}
    if file is not None:
        content = _toml(file)
        if replications is None and REPLICATIONS in content:
            replications = content[REPLICATIONS]
            if type(replications) is not int or replications < 1:
                reason = "must be a whole number, at least 1"
                raise InputError(reason, file=file, field=REPLICATIONS)
        content.pop(REPLICATIONS, None)
        for name, value in content.items():
            values[name] = _checked(name, value if isinstance(value, list) else [value], file)
    for name, text in options.items():
        if text is not None:
            values[name] = _checked(name, [part.strip() for part in str(text).split(",")])
    return Grid(values, replications or 1)


def _checked(name: str, listed: list[Any], file: Path | None = None) -> list[Any]:
    """Return the values of an option, or raise InputError if a sweep cannot have them."""
    field = name if file is not None else "--" + name.replace("_", "-")
    if name not in RunSettings.model_fields:
        known = [REPLICATIONS, *(n for n in RunSettings.model_fields if sweepable(n))]
        meant = meant_option(name, known)
        advice = f"did you mean {meant!r}?" if meant else f"known are {', '.join(known)}"
        raise InputError(f"no such option: {advice}", file=file, field=field)
    if name in NOT_SWEPT:
        raise InputError(f"cannot be part of a sweep: {NOT_SWEPT[name]}", file=file, field=field)
    if name in ONE_VALUE and len(listed) > 1:
        raise InputError(f"takes one value in a sweep: {ONE_VALUE[name]}", file=file, field=field)
    if "" in listed:
        raise InputError("a value is missing next to a comma", file=file, field=field)
    if len({_same(value) for value in listed}) < len(listed):
        raise InputError("a value is given twice", file=file, field=field)
    left_out = RunSettings.model_fields[name].default is None
    return [None if left_out and value == NONE else value for value in listed]


def sweepable(name: str) -> bool:
    """Return True if this option of a run may be a list."""
    return name not in NOT_SWEPT and name not in ONE_VALUE


def _same(value: Any) -> object:
    """Return a key that is equal for values that mean the same, such as 0.5 and 0.50."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value).lower() if str(value).lower() in ("true", "false") else str(value)


def _toml(file: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("no such file", file=file) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"not a TOML file: {error}", file=file) from error
    return {key.replace("-", "_"): value for key, value in content.items()}
