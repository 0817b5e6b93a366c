"""Suggestions for options and commands that do not exist: the one that was probably meant."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches

_OTHER_OPTIONS = {
    "replications": ("runs", "repeat", "repeats", "repetitions", "replicas", "times"),
    "households": ("agents", "homes", "houses", "number", "users", "n"),
    "slots": ("timesteps", "steps", "time-steps", "length", "periods"),
    "out": ("output", "out-dir", "outdir", "directory", "folder", "results", "save", "to"),
    "dataset": ("data", "input", "plans", "file", "source"),
    "from": ("data", "dataset", "input", "file", "source", "csv", "meters", "readings"),
    "workers": ("jobs", "threads", "cores", "parallel", "processes"),
    "hosts": ("jobs", "workers", "processes", "threads", "cores"),
    "iterations": ("epochs", "generations"),
    "exchange": ("rule", "strategy", "acceptance", "stage2"),
    "nats": ("server", "url", "broker", "address", "bus"),
    "timezone": ("tz", "zone"),
    "household": ("agent", "id", "home", "name"),
    "slot": ("time", "hour"),
    "json": ("as-json", "format"),
    "force": ("overwrite", "replace"),
    "hard-plans": ("constraints", "limits", "feeder"),
    "patience": ("timeout", "wait"),
    "wait": ("timeout", "patience"),
    "deadline": ("timeout",),
    "log-level": ("verbose", "quiet", "debug"),
}
"""Other words for options; of options that mean the same, a command has only one."""
_OTHER_COMMANDS = {
    "run": ("start", "go", "launch", "execute"),
    "generate": ("create", "make", "import", "new"),
    "show": ("view", "print", "results", "summary", "display", "list"),
    "report": ("page", "html", "plot", "figures"),
    "explain": ("why",),
    "compare": ("diff",),
    "abort": ("stop", "kill", "cancel", "end"),
    "doctor": ("check", "diagnose", "test"),
    "status": ("ps", "info"),
    "sweep": ("grid", "experiment", "experiments"),
    "paper": ("replicate", "reproduce"),
}
"""Other words for commands."""


def meant_option(typed: str, known: Collection[str]) -> str | None:
    """Return the option of `known` that is meant: one that goes on as typed, one with the same
    meaning, or the most similar one; None if there is none.

    Names are as on the command line (--min-gain) or in a file (min_gain), and returned as given.
    """
    return _meant(typed, known, _OTHER_OPTIONS)


def meant_command(typed: str, known: Collection[str]) -> str | None:
    """Return the command of `known` that is meant, found as `meant_option` finds an option."""
    return _meant(typed, known, _OTHER_COMMANDS)


def _meant(
    typed: str, known: Collection[str], synonyms: Mapping[str, Collection[str]]
) -> str | None:
    # Without the dashes, which all options share and which would count as similarity.
    word, plain = _plain(typed), {_plain(name): name for name in known}
    longer = [name for name in plain if word and name.startswith(word)]
    alike = [name for name, others in synonyms.items() if name in plain and word in others]
    near = longer or alike or get_close_matches(word, plain, n=1, cutoff=0.7)
    return plain[near[0]] if near else None


def _plain(name: str) -> str:
    return name.lstrip("-").lower().replace("_", "-")
