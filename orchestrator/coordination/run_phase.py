"""The phases of a run, as its coordinator goes through them."""

from enum import Enum


class RunPhase(Enum):
    """A phase of a run; the values are shown to people."""

    ENROLLING = "enrolling households"
    PLACING = "placing households"
    PLANNING = "planning"
    EXCHANGING = "exchanging"
    RELEASING = "releasing"
    DONE = "done"
    FAILED = "failed"
