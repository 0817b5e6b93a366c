"""Retransmission: when to send an unanswered message again.

The bus may lose messages, so every sender repeats its own until the answer arrives. This module
decides when. It knows neither the message nor the answer; the owner of the timer sends, and reports
what happened.
"""

from dataclasses import dataclass

FIRST_WAIT_SECONDS = 0.5
"""Shortest wait before the first repetition, seconds."""
ROUND_TRIPS = 3
"""The first wait is at least this multiple of the time the last answer took."""
MAX_WAIT_SECONDS = 4.0
"""Longest wait along the tree and for the orchestrator, seconds."""
EXCHANGE_MAX_WAIT_SECONDS = 8.0
"""Longest wait for a matchmaker or a partner, seconds."""
NEVER = float("inf")
"""The deadline when nothing is due."""


@dataclass(slots=True)
class Retransmission:
    """The timer of one conversation: waits double with each repetition, up to `max_wait_s`.

    Invariant: `deadline` is finite while a message is unanswered, else NEVER.
    """

    max_wait_s: float = MAX_WAIT_SECONDS
    round_trip_s: float = 0.0
    """Time that the last answer took, seconds."""
    deadline: float = NEVER
    """Time at which to send the message again."""
    _sent_at: float = 0.0
    _wait_s: float = FIRST_WAIT_SECONDS

    @classmethod
    def overdue(cls, now: float, max_wait_s: float) -> "Retransmission":
        """Return a timer that is due at once, for a message that was sent before a restart."""
        return cls(max_wait_s, deadline=now, _sent_at=now)

    def sent(self, now: float, first_wait_s: float = FIRST_WAIT_SECONDS) -> None:
        """Start waiting for the answer to a message that is being sent for the first time.

        `first_wait_s` is the shortest wait before the first repetition, seconds.
        """
        wait_s = max(first_wait_s, ROUND_TRIPS * self.round_trip_s)
        self._wait_s = min(wait_s, self.max_wait_s)
        self._sent_at, self.deadline = now, now + self._wait_s

    def answered(self, now: float) -> None:
        """Stop waiting, and remember how long the answer took."""
        if self.deadline != NEVER:
            self.round_trip_s, self.deadline = now - self._sent_at, NEVER

    def stop(self) -> None:
        """Stop waiting, but learn nothing from the delay: it says nothing about the bus."""
        self.deadline = NEVER

    def due(self, now: float) -> bool:
        """Return True when the message should be sent again, and set the next deadline."""
        if now < self.deadline:
            return False
        self._wait_s = min(2 * self._wait_s, self.max_wait_s)
        self.deadline = now + self._wait_s
        return True
