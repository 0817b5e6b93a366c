"""Text from files and people, made safe to print on a terminal or as one line of an error.

This module imports nothing slow, because the command line imports it first.
"""

import json
import unicodedata

_BIDIRECTIONAL = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the order in which a terminal shows the others."""


def printable(text: str) -> str:
    """Return `text` as one line, with control characters as escapes such as `\\x1b`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(character) if _unsafe(character) else character for character in text)


def json_text(value: object) -> str:
    """Return a JSON document for a terminal or a program; letters of all scripts are kept.

    Raises ValueError if a number is not finite.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    return "".join(
        f"\\u{ord(character):04x}" if character != "\n" and _unsafe(character) else character
        for character in text
    )


def _unsafe(character: str) -> bool:
    category = unicodedata.category(character)
    return category in ("Cc", "Cs", "Zl", "Zp") or character in _BIDIRECTIONAL


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
