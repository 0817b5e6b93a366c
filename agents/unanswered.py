"""The one message of a household that waits for an answer: when to send it again, and when to
report that nothing arrives."""

from agents.retransmission import MAX_WAIT_SECONDS, NEVER, Retransmission
from protocol.runtime.machine import Envelope


class Unanswered:
    """The unanswered message of a household, if there is one, with its timers."""

    def __init__(self) -> None:
        self.message: Envelope | None = None
        self.patience_s = MAX_WAIT_SECONDS
        """Seconds without an answer after which the household reports what is missing."""
        self._retransmission = Retransmission()
        self._complaint_due = NEVER

    @property
    def deadline(self) -> float:
        """Time at which to look again; NEVER if nothing is waited for."""
        return min(self._retransmission.deadline, self._complaint_due)

    def put(self, message: Envelope | None, now: float) -> None:
        """Treat the last message as answered, and repeat this one from now on, if given."""
        self._retransmission.answered(now)
        self.message = message
        if message is not None:
            self._retransmission.sent(now)
        self.expect(now)

    def expect(self, now: float) -> None:
        """Begin to wait for a sign of the others."""
        self._complaint_due = now + self.patience_s

    def again(self, now: float) -> list[Envelope]:
        """Return the message if it is time to send it again."""
        due = self._retransmission.due(now)
        return [self.message] if due and self.message is not None else []

    def too_long(self, now: float) -> bool:
        """Return True once each time that the household has waited for `patience_s`."""
        if now < self._complaint_due:
            return False
        self.expect(now)
        return True

    def stop(self) -> None:
        """Wait for nothing any more."""
        self.message, self._complaint_due = None, NEVER
        self._retransmission.stop()
