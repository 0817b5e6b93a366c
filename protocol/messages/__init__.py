"""Every message on the bus. A new message is a new class in one of these modules and in the union."""

from protocol.messages.enrolment import (
    Abort,
    Address,
    Enrol,
    Failure,
    Go,
    Place,
    Ready,
    Release,
)
from protocol.messages.planning import Course, Down, Iteration, Progress, Result, Up, Waiting

Message = (
    Enrol | Place | Ready | Go | Up | Down | Progress | Waiting | Result | Release | Failure | Abort
)

__all__ = [
    "Abort",
    "Address",
    "Course",
    "Down",
    "Enrol",
    "Failure",
    "Go",
    "Iteration",
    "Message",
    "Place",
    "Progress",
    "Ready",
    "Release",
    "Result",
    "Up",
    "Waiting",
]
