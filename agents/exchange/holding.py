"""What a household holds: its schedule, how far that is from what it prefers, and what its mandate
allows to change. Decides the household's own side of an exchange; knows nothing of messages.
"""

from collections.abc import Iterable

import numpy as np

from agents.exchange import acceptance_rules as rules
from agents.exchange.disclosure import limit_named
from agents.mandate import Mandate
from protocol.messages.exchange import Refusal
from protocol.terms import PAPER_TOLERANCE, ExchangeTerms
from protocol.vectors import Array


class Holding:
    """A household's schedule during stage 2.

    Invariant: `_deviation` is the sum of squared deviations up to rounding, and `_drift` the sum of
    all changes of value; `pending` are the changes of value that were proposed and may yet happen,
    by slot, and those slots do not change otherwise.
    """

    def __init__(
        self, schedule: Array, preferred: Array, terms: ExchangeTerms, mandate: Mandate
    ) -> None:
        self.values: list[float] = schedule.tolist()
        self.preferred: list[float] = preferred.tolist()
        self.rule = mandate.rule or terms.rule
        self.disclosure = (
            "value" if self.rule == "paper" else mandate.disclosure or terms.disclosure
        )
        self.tolerance = terms.tolerance_kwh if mandate.tolerance is None else mandate.tolerance
        if self.rule == "paper" and self.tolerance is None:
            self.tolerance = PAPER_TOLERANCE
        self.slots = len(self.values)
        self.gain_before_losses_kwh2 = 0.0
        """kWh^2 that it must have gained before others may ask it to lose."""
        self.pending: dict[int, float] = {}
        self._never = frozenset(range(self.slots)) if not mandate.exchange else mandate.never
        self._deviation = self._start = self.squares()
        self._most = (
            float("inf") if mandate.discomfort is None else mandate.discomfort**2 * self.slots
        )
        self._drift = 0.0
        self._drift_cap = mandate.energy_drift

    @property
    def schedule(self) -> Array:
        """float64[d], kWh."""
        return np.array(self.values)

    @property
    def preference(self) -> Array:
        """What it prefers, float64[d], kWh."""
        return np.array(self.preferred)

    def squares(self) -> float:
        """Sum of squared deviations from the preferred plan, kWh^2."""
        away = self.schedule - self.preference
        return float((away * away).sum())

    def discomfort(self) -> float:
        """RMSE against the preferred plan, kWh (source, eq. 1)."""
        return float((self.squares() / self.slots) ** 0.5)

    # -- what to offer and where to ask -----------------------------------------------------------

    def offered(self, slot: int) -> bool:
        """Whether the value there is for exchange: where it is not what is preferred; under the
        rule cooperative also where it is, since others may gain more than is lost."""
        if slot in self._never:
            return False
        return self.rule == "cooperative" or self.values[slot] != self.preferred[slot]

    @property
    def limits_bind(self) -> bool:
        """Whether it is not to be asked to lose: it never does, or has not gained enough yet."""
        return (
            self.rule != "cooperative"
            or self._start - self._deviation <= self.gain_before_losses_kwh2
        )

    def wants(self, slot: int) -> bool:
        """Whether it would have another value there and is free to ask for it."""
        return (
            self.values[slot] != self.preferred[slot]
            and slot not in self.pending
            and slot not in self._never
        )

    def wanting(self, slots: Iterable[int]) -> list[int]:
        """The slots of these where it would have another value, farthest from it first."""
        values, preferred = self.values, self.preferred
        away = [(-abs(values[slot] - preferred[slot]), slot) for slot in slots if self.wants(slot)]
        away.sort()
        return [slot for _, slot in away]

    @property
    def aims(self) -> bool:
        """Whether a lookup must name the value it wants: offers alone do not say enough."""
        return self.disclosure != "limit" or self.tolerance is not None

    def aim(self, slot: int, lowest: float) -> tuple[float, float]:
        """The value to ask for there, and how far from it one still serves, kWh: the preferred one
        if there is a tolerance, else the middle of what the limit would be, named as short."""
        held, wanted = self.values[slot], self.preferred[slot]
        if self.tolerance is not None:
            return wanted, min(abs(held - wanted), self.tolerance)
        half = limit_named(held, wanted, lowest) / 2
        return held + half, abs(half)

    # -- decisions --------------------------------------------------------------------------------

    def change(self, slot: int, value: float) -> float:
        """Change of the squared deviation if `value` replaced what is held there, kWh^2.

        Both squares are rounded before they are compared, so that a change that is not positive
        cannot raise a sum of squares, however it is summed."""
        new, old = value - self.preferred[slot], self.values[slot] - self.preferred[slot]
        return new * new - old * old

    def would_ask(self, slot: int, value: float, min_gain_kwh2: float) -> Refusal:
        """Whether to propose to take `value` there; else why not."""
        if slot in self._never:
            return "never"
        if slot in self.pending:
            return "busy"
        if self.tolerance is not None and abs(value - self.preferred[slot]) > self.tolerance:
            return "loss"
        if not rules.worth_asking(
            self.change(slot, value), 0.0 if self.rule == "paper" else min_gain_kwh2
        ):
            return "loss"
        return self._within_drift(value - self.values[slot])

    def would_accept(
        self, slot: int, held: float, value: float, named: float, min_gain_kwh2: float
    ) -> Refusal:
        """Whether to give what is held there, which a requester believes to be `held`, for `value`;
        else why not."""
        if slot in self._never:
            return "never"
        if slot in self.pending:
            return "busy"
        if self.values[slot] != held:
            return "stale"
        change = self.change(slot, value)
        match self.rule:
            case "mutual":
                refusal = rules.answer_mutual(change)
            case "cooperative":
                refusal = rules.answer_cooperative(
                    change, named, self._deviation, self._start, min_gain_kwh2
                )
            case "paper":
                refusal = rules.answer_paper(held, self.preferred[slot])
        if refusal:
            return refusal
        if change > 0 and self._deviation + change > self._most * (1 - rules.MARGIN):
            return "cap"
        return self._within_drift(value - held)

    def _within_drift(self, change: float) -> Refusal:
        cap = self._drift_cap
        if cap is None:
            return ""
        # Whatever of the pending happens and whatever does not, the cap must hold.
        up = sum(step for step in self.pending.values() if step > 0)
        down = sum(step for step in self.pending.values() if step < 0)
        margin = cap * (1 - rules.MARGIN)
        high, low = self._drift + up + change, self._drift + down + change
        return "drift" if max(high, -low) > margin else ""

    # -- changes ----------------------------------------------------------------------------------

    def take(self, slot: int, value: float) -> None:
        """Hold `value` there from now on."""
        self._deviation += self.change(slot, value)
        self._drift += value - self.values[slot]
        self.values[slot] = value

    def settle(self) -> None:
        """Forget the rounding of running sums; to be called now and then."""
        self._deviation = self.squares()
