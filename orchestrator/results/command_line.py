"""The command line of a run, as its results keep it: ready to be repeated, without secrets."""

import shlex
from collections.abc import Sequence

URL_OPTION = "--nats"


def command_line(arguments: Sequence[str]) -> str:
    """Return the shell command that runs `coflex` with these arguments, without the logins in URLs
    of servers."""
    shown, before = ["coflex"], ""
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if before == URL_OPTION:
            shown.append(_without_logins(argument))
        elif equals and option == URL_OPTION:
            shown.append(f"{option}={_without_logins(value)}")
        else:
            shown.append(argument)
        before = argument
    return shlex.join(shown)


def _without_logins(urls: str) -> str:
    """Return comma-separated URLs without the part before an @: user and password, or a token."""
    shown = []
    for url in urls.split(","):
        scheme, separator, place = url.rpartition("://")
        shown.append(f"{scheme}{separator}{place.rpartition('@')[2]}")
    return ",".join(shown)
