"""Suggestions for words that are not known: the nearest of those that are."""

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches

_LISTED = 8
_NUMBER = re.compile(r"\d+$")


def suggestion(word: str, known: Collection[str]) -> str:
    """Return "did you mean ...?" if a known word is near, else a list of all that are known."""
    near = get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"


def household_suggestion(household: str, known: Collection[str]) -> str:
    """Return which household may be meant: one with a similar id, or with the same number, as
    `agent_0` and `h0`; else some ids that exist."""
    number = _number_of(household)
    if number is None:
        near = get_close_matches(household, known, n=1, cutoff=0.8)
    else:  # another number is another household
        near = [name for name in known if _number_of(name) == number][:1]
    if near:
        return f"did you mean {near[0]!r}?"
    return f"there are {some(known)}"


def some(names: Iterable[str]) -> str:
    """Return the first of many names, separated by commas."""
    listed = list(names)
    return ", ".join(listed[:_LISTED]) + (" ..." if len(listed) > _LISTED else "")


def _number_of(name: str) -> int | None:
    found = _NUMBER.search(name)
    return int(found.group()) if found else None
