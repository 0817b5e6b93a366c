"""Names of households in a file: what is shown to people, and the ids that messages carry.

Decides how a name becomes an id; no two households get the same id, whatever their names.
"""

import re
import unicodedata
from collections.abc import Sequence

LONGEST_ID = 64


def ids_of(names: Sequence[str]) -> list[str]:
    """Return an id for each name: letters, digits, `-` and `_`; others become `-`.

    A name of which nothing remains becomes `home-` and its number, counted from 1. A name whose id
    is taken gets `-2`, `-3`, ... behind it.
    """
    ids: dict[str, None] = {}
    for number, name in enumerate(names, start=1):
        plain = re.sub(r"[^A-Za-z0-9_-]", "-", name.strip())
        plain = plain[: LONGEST_ID - 8] if len(plain) > LONGEST_ID else plain
        if not plain.strip("-"):
            plain = f"home-{number}"
        made, again = plain, 2
        while made in ids:
            made, again = f"{plain}-{again}", again + 1
        ids[made] = None
    return list(ids)


def printable(name: str) -> str:
    """Return the name with control characters written out as `\\x1b`, `\\u202e`, ..."""
    return "".join(_visible(each) for each in unicodedata.normalize("NFC", name.strip()))


def _visible(character: str) -> str:
    hidden = unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp", "Co", "Cn")
    turning = "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069"
    if not hidden and not turning:
        return character
    return (
        character.encode("ascii", "backslashreplace").decode()
        if ord(character) > 127
        else (f"\\x{ord(character):02x}")
    )
