"""The bounds on the time of a run: as a whole, for one stretch, and for silence.

A stretch is a phase of the run, or an iteration or round as the root reports it. It is over with
the root's word alone, so that no other household can prolong it. A household that reports progress
of its own only ends a silence. What counts as what is decided in coordinator.py.
"""

STRETCH_SHARE = 10.0
"""Longest stretch, as a multiple of the longest silence, unless it is set: 10,000 households took
at most a tenth of that for a round."""


class Patience:
    """The three clocks of one run. All times are seconds."""

    def __init__(
        self, silence_s: float, *, stretch_s: float | None = None, run_s: float | None = None
    ) -> None:
        """Set the bounds: `stretch_s` is STRETCH_SHARE times `silence_s` by default, and without
        `run_s` the run as a whole has none."""
        self._silence_s, self._run_s = silence_s, run_s
        self._stretch_s = STRETCH_SHARE * silence_s if stretch_s is None else stretch_s
        self._silence_until: float | None = None
        self._stretch_until: float | None = None
        self._run_until: float | None = None

    @property
    def deadline(self) -> float | None:
        """Time at which the first of the bounds is reached; None before the start and after the
        end."""
        ends = (self._silence_until, self._stretch_until, self._run_until)
        return min((end for end in ends if end is not None), default=None)

    def stretch(self, now: float) -> None:
        """Begin a stretch, and with the first one the run."""
        if self._run_until is None and self._run_s is not None:
            self._run_until = now + self._run_s
        self._stretch_until = now + self._stretch_s
        self.sign(now)

    def sign(self, now: float) -> None:
        """Take a sign that something happens within the stretch."""
        self._silence_until = now + self._silence_s

    def farewell(self, until: float) -> None:
        """Wait only until this time from now on: the results are there."""
        self._silence_until, self._stretch_until, self._run_until = until, None, None

    def stop(self) -> None:
        """Wait for nothing any more."""
        self._silence_until = self._stretch_until = self._run_until = None

    def reached(self, now: float) -> str:
        """Return the bound that is reached, for people; empty if none is."""
        if self._run_until is not None and now >= self._run_until:
            return f"not over after {self._run_s:g} s (--limit)"
        if self._silence_until is not None and now >= self._silence_until:
            return f"no progress for {self._silence_s:g} s"
        if self._stretch_until is not None and now >= self._stretch_until:
            return f"nothing is finished for {self._stretch_s:g} s (--round-limit)"
        return ""
