"""Every message on the bus. A new one is a class in one of these modules and in the union."""

from protocol.messages.enrolment import (
    Abort,
    Address,
    Enrol,
    Failure,
    Go,
    Left,
    Place,
    Ready,
    Release,
    Tally,
)
from protocol.messages.planning import Course, Down, Iteration, Progress, Result, Up, Waiting

Message = (
    Enrol
    | Place
    | Ready
    | Go
    | Up
    | Down
    | Progress
    | Waiting
    | Result
    | Release
    | Left
    | Tally
    | Failure
    | Abort
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
    "Left",
    "Message",
    "Place",
    "Progress",
    "Ready",
    "Release",
    "Result",
    "Tally",
    "Up",
    "Waiting",
]
