"""A household's schedule in stage 2, with its distance from the preferred plan and the limits of
its mandate. Decides the household's own side of an exchange; knows nothing of messages."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from agents.exchange import acceptance_rules as rules
from agents.exchange.disclosure import limit_named, tell
from agents.mandate import Mandate
from agents.own_functions import AcceptanceRule, ProposedExchange, read_only
from protocol.messages.exchange import Refusal
from protocol.terms import PAPER_TOLERANCE, ExchangeTerms
from protocol.vectors import Array


class Holding:
    """The holding of a household: its schedule during stage 2.

    Invariant: `values` and `_held` are the same numbers. `_deviation` is the sum of squared
    deviations up to rounding, and `_drift` the sum of all changes of value. `pending` has the
    changes of value, by slot, that were proposed and may still happen; until then those slots do
    not change in any other way.
    """

    def __init__(
        self,
        schedule: Array,
        preferred: Array,
        terms: ExchangeTerms,
        mandate: Mandate,
        accepts: AcceptanceRule | None = None,
    ) -> None:
        """Start with a schedule. `accepts` decides instead of the run's rule, on both sides, unless
        the mandate names one."""
        self.values: list[float] = schedule.tolist()
        """The values held, as a list: single ones are read faster from it than from an array."""
        self._held = schedule.copy()
        self.version = 0
        """Rises with every change of the holding."""
        self._squares: float | None = None
        """The sum of squared deviations; None if it is not computed yet."""
        self.preferred: list[float] = preferred.tolist()
        self._preference = preferred.copy()
        self.rule = mandate.rule or terms.rule
        self._accepts = accepts if mandate.rule is None else None
        self.disclosure = (
            "value" if self.rule == "paper" else mandate.disclosure or terms.disclosure
        )
        self.tolerance = terms.tolerance_kwh if mandate.tolerance is None else mandate.tolerance
        if self.rule == "paper" and self.tolerance is None:
            self.tolerance = PAPER_TOLERANCE
        self.slots = len(self.values)
        self.gain_before_losses_kwh2 = 0.0
        """Gain that the household must have reached before others may ask it to lose, kWh^2."""
        self.pending: dict[int, float] = {}
        self._never = frozenset(range(self.slots)) if not mandate.exchange else mandate.never
        self._deviation = self._start = self.squares()
        self._most = (
            float("inf") if mandate.discomfort is None else mandate.discomfort**2 * self.slots
        )
        self._drift = 0.0
        caps = [cap for cap in (terms.energy_drift_kwh, mandate.energy_drift) if cap is not None]
        self._drift_cap = min(caps, default=None)
        self._told = np.zeros(self.slots)
        """The number to disclose at each slot, except for those in `_untold`."""
        self._told_lowest, self._untold = -1.0, set(range(self.slots))
        self._offers_all = self.rule == "cooperative" or terms.content != "slot"

    @property
    def schedule(self) -> Array:
        """The schedule held now, float64[d], kWh."""
        return self._held.copy()

    def held_at(self, slots: Sequence[int]) -> Array:
        """Return the values held at these slots, kWh, in the same order."""
        held: Array = self._held[list(slots)]
        return held

    @property
    def preference(self) -> Array:
        """The preferred plan, float64[d], kWh."""
        return self._preference

    def squares(self) -> float:
        """Return the sum of squared deviations from the preferred plan, kWh^2."""
        if self._squares is None:
            away = self._held - self._preference
            self._squares = float((away * away).sum())
        return self._squares

    def discomfort(self) -> float:
        """Return the RMSE against the preferred plan, kWh (source, eq. 1)."""
        return float((self.squares() / self.slots) ** 0.5)

    @property
    def drift_kwh(self) -> float:
        """Change of the household's own energy through exchanges, kWh."""
        return self._drift

    def replan(self, schedule: Array, drift_kwh: float) -> None:
        """Take another schedule after planning again; exchanges have moved its energy by
        `drift_kwh`."""
        self.values, self._held = schedule.tolist(), schedule.copy()
        self._changed()
        self._deviation = self._start = self.squares()
        self._drift, self._untold = drift_kwh, set(range(self.slots))

    def told(self, slots: Sequence[int], lowest: float) -> Array:
        """Return the numbers to disclose with the offers at these slots; none at all if the
        household discloses values only. Limits below `lowest`, kWh, are disclosed as 0."""
        if self.disclosure == "value":
            return np.zeros(0)
        if lowest != self._told_lowest:
            self._told_lowest, self._untold = lowest, set(range(self.slots))
        if self._untold:
            untold = list(self._untold)
            self._told[untold] = tell(
                self.disclosure, self._held[untold], self._preference[untold], lowest
            )
            self._untold.clear()
        return self._told[list(slots)]

    # -- what to offer and where to ask -----------------------------------------------------------

    def offered(self, slot: int) -> bool:
        """Return True if the value at this slot is offered: if it is not the preferred one. Under
        the rule `cooperative` it always is, since others may gain more than this household loses;
        with content bundle too, since another slot may make up for the loss."""
        if slot in self._never:
            return False
        return self._offers_all or self.values[slot] != self.preferred[slot]

    def offering(self, slots: Collection[int]) -> list[int]:
        """Return those of the slots that are offered, rising."""
        if self._offers_all and not self._never:
            return sorted(slots)
        return sorted(filter(self.offered, slots))

    @property
    def limits_bind(self) -> bool:
        """True while nobody may ask this household for a loss: its rule forbids it, or it has not
        gained enough yet."""
        return (
            self.rule != "cooperative"
            or self._start - self._deviation <= self.gain_before_losses_kwh2
        )

    def wants(self, slot: int) -> bool:
        """Return True if the household wants another value at this slot and is free to ask for
        it."""
        return (
            self.values[slot] != self.preferred[slot]
            and slot not in self.pending
            and slot not in self._never
        )

    def wanting(self, slots: Iterable[int]) -> list[int]:
        """Return those of the slots where the household wants another value, farthest from it
        first."""
        values, preferred = self.values, self.preferred
        away = [(-abs(values[slot] - preferred[slot]), slot) for slot in slots if self.wants(slot)]
        away.sort()
        return [slot for _, slot in away]

    @property
    def aims(self) -> bool:
        """True if a lookup must state the values it wants, because offers alone do not say
        enough."""
        return self.disclosure != "limit" or self.tolerance is not None

    def aim(self, slot: int, lowest: float) -> tuple[float, float]:
        """Return the value to ask for at this slot, and the distance from it that is still useful,
        kWh.

        With a tolerance this is the preferred value; without one, the middle of the range up to the
        disclosed limit.
        """
        held, wanted = self.values[slot], self.preferred[slot]
        if self.tolerance is not None:
            return wanted, min(abs(held - wanted), self.tolerance)
        half = limit_named(held, wanted, lowest) / 2
        return held + half, abs(half)

    # -- decisions --------------------------------------------------------------------------------

    def change(self, slot: int, value: float) -> float:
        """Return the change of the squared deviation, kWh^2, if `value` replaced the value held at
        this slot.

        Both squares are rounded before they are compared, so a change that is not positive cannot
        raise a sum of squares, in whatever order it is summed.
        """
        new, old = value - self.preferred[slot], self.values[slot] - self.preferred[slot]
        return new * new - old * old

    def would_ask(self, slot: int, value: float, min_gain_kwh2: float) -> Refusal:
        """Decide whether to propose taking `value` at this slot. Returns "" for yes, else the
        reason."""
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
        if self._accepts and not self._accepts(self._proposed(slot, value, min_gain_kwh2)):
            return "rule"
        return self._within_drift(value - self.values[slot])

    def would_accept(
        self, slot: int, held: float, value: float, named: float, min_gain_kwh2: float
    ) -> Refusal:
        """Decide whether to give the value held at this slot, which the requester believes to be
        `held`, for `value`. Returns "" for yes, else the reason."""
        if slot in self._never:
            return "never"
        if slot in self.pending:
            return "busy"
        if self.values[slot] != held:
            return "stale"
        change = self.change(slot, value)
        refusal: Refusal
        match self.rule:
            case _ if self._accepts is not None:
                exchange = self._proposed(slot, value, min_gain_kwh2, named=named)
                refusal = "" if self._accepts(exchange) else self._own_refusal(change, exchange)
            case "mutual":
                refusal = rules.answer_mutual(change)
            case "cooperative":
                refusal = rules.answer_cooperative(
                    change, named, self._deviation, self._start, min_gain_kwh2
                )
            case "paper":
                refusal = rules.answer_paper(held, self.preferred[slot])
            case "ttc":
                refusal = "rule"  # trades are found for all households together
        if refusal:
            return refusal
        if change > 0 and self._deviation + change > self._most * (1 - rules.MARGIN):
            return "cap"
        return self._within_drift(value - held)

    @property
    def deviation_kwh2(self) -> float:
        """The present sum of squared deviations, kWh^2."""
        return self._deviation

    @property
    def loss_room_kwh2(self) -> float:
        """Rise of the sum of squared deviations that the rule and the mandate allow in one
        exchange, kWh^2; negative if the household must gain that much."""
        if self.rule != "cooperative":
            return min(0.0, self._most * (1 - rules.MARGIN) - self._deviation)
        return min(self._start, self._most) * (1 - rules.MARGIN) - self._deviation

    @property
    def energy_room_kwh(self) -> tuple[float, float] | None:
        """Decrease and increase of its own energy that the household may still accept, kWh; None
        if there is no bound."""
        cap = self._drift_cap
        if cap is None:
            return None
        margin = cap * (1 - rules.MARGIN)
        return margin + self._drift, margin - self._drift

    def _own_refusal(self, change: float, exchange: ProposedExchange) -> Refusal:
        """Return the reason why an own rule said no: "cap" where the rule `cooperative` would stop
        at its cap. That answer may change with other slots, so it holds for one round only."""
        if self.rule != "cooperative":
            return "rule"
        named, least = exchange.partner_change_kwh2, exchange.min_gain_kwh2
        built_in = rules.answer_cooperative(change, named, self._deviation, self._start, least)
        return "cap" if built_in == "cap" else "rule"

    def _proposed(
        self, slot: int, value: float, min_gain_kwh2: float, *, named: float | None = None
    ) -> ProposedExchange:
        """Return an exchange as an own rule sees it; `named` is the change that the requester
        states, None if this household is the requester."""
        return ProposedExchange(
            requester=named is None,
            slot=slot,
            held_kwh=self.values[slot],
            offered_kwh=value,
            schedule=read_only(self.schedule),
            preferred=read_only(self.preference),
            change_kwh2=self.change(slot, value),
            partner_change_kwh2=named or 0.0,
            deviation_kwh2=self._deviation,
            deviation_at_start_kwh2=self._start,
            min_gain_kwh2=min_gain_kwh2,
        )

    def _within_drift(self, change: float) -> Refusal:
        cap = self._drift_cap
        if cap is None:
            return ""
        # The cap must hold for every combination of pending changes that happen.
        up = sum(step for step in self.pending.values() if step > 0)
        down = sum(step for step in self.pending.values() if step < 0)
        margin = cap * (1 - rules.MARGIN)
        high, low = self._drift + up + change, self._drift + down + change
        return "drift" if max(high, -low) > margin else ""

    # -- changes ----------------------------------------------------------------------------------

    def take(self, slot: int, value: float) -> None:
        """Replace the value held at this slot by `value`."""
        self._deviation += self.change(slot, value)
        self._drift += value - self.values[slot]
        self.values[slot] = self._held[slot] = value
        self._changed()
        self._untold.add(slot)

    def changes(self, slots: Sequence[int], values: Array) -> Array:
        """Return the change of the squared deviation at each of these slots, kWh^2, if these values
        replaced those held there: the numbers of `change`."""
        places = list(slots)
        preferred = self._preference[places]
        new, old = values - preferred, self._held[places] - preferred
        return np.asarray(new * new - old * old)

    def take_all(
        self, slots: Sequence[int], values: Sequence[float], changes: Iterable[float]
    ) -> None:
        """Replace the values held at these slots, with the result of one `take` after another.
        `changes` are those of the squared deviation, as `changes` returns them."""
        for change in changes:
            self._deviation += change
        for slot, value in zip(slots, values, strict=True):
            self._drift += value - self.values[slot]
            self.values[slot] = value
        self._held[list(slots)] = values
        self._changed()
        self._untold.update(slots)

    def _changed(self) -> None:
        self.version += 1
        self._squares = None

    def settle(self) -> None:
        """Recompute the running sum, to remove its rounding error; called once per round."""
        squares = self.squares()
        if squares != self._deviation:
            self._deviation = squares
            self.version += 1
