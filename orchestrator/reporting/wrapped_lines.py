"""Lines of text on a terminal: wrapped between words, so that no word or number is cut.

Files and pipes get every line as it is. This module imports nothing slow, because the command line
imports it first.
"""

import sys
from shutil import get_terminal_size
from textwrap import TextWrapper

_INDENT = "  "


def print_line(text: str, *, error: bool = False) -> None:
    """Print one line to stdout, or to stderr for an error."""
    stream = sys.stderr if error else sys.stdout
    if stream.isatty():
        text = wrapped(text, get_terminal_size((80, 24)).columns)
    print(text, file=stream)


def wrapped(text: str, width: int) -> str:
    """Return a line as lines of at most `width` characters, the further ones indented; only a word
    that is longer stays in one piece."""
    start = text[: len(text) - len(text.lstrip())]
    wrapper = TextWrapper(
        width,
        subsequent_indent=start + _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapper.fill(text)
