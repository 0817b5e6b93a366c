"""Runs with chosen numbers, for claims whose verdict is known in advance; they never took place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.results.run_results import ExchangeRow, RunResults
from tests.support.sample_results import sample_results

HOUSEHOLDS = 20
"""Households of a run at beta 0, so that shares are multiples of 5 %."""
MESSAGES = 10**12
"""Messages of the smaller population, so many that rounding makes no difference."""
RUNS = 3
"""Equal runs of each kind: as many as a verdict needs."""
TREE = 7
"""Households of a run over betas: levels 1 (the root), 2, 2, 3, 3, 3, 3."""


def run_with(
    *,
    beta: float = 0.0,
    participation: float = 1.0,
    gains: Sequence[float],
    households: int | None = None,
    planned: Mapping[str, float] | None = None,
    exchanged: Mapping[str, float] | None = None,
    messages: int = 100,
    worse: int = 0,
    inefficiency_change: float = 0.0,
    discomforts: Sequence[float] | None = None,
    exchanges: tuple[ExchangeRow, ...] = (),
) -> RunResults:
    """Return a run of one household for each of `gains` (of comfort).

    `households` is the number that the run reports, and `discomforts` are those after stage 1.
    """
    base = sample_results(len(gains), 4, 2, exchange=True)
    assert base.exchanged is not None
    assert base.exchange is not None
    before = discomforts or [1.0] * len(gains)
    rows = tuple(
        replace(row, comfort_gain=gain, discomfort_planned=away, discomfort_exchanged=away - gain)
        for row, gain, away in zip(base.rows, gains, before, strict=True)
    )
    return replace(
        base,
        households=households or len(gains),
        config={**base.config, "beta": beta, "participation": participation},
        rows=rows,
        planned=replace(base.planned, **(planned or {})),
        exchanged=replace(base.exchanged, **(exchanged or {})),
        exchange=replace(
            base.exchange,
            messages=messages,
            households_worse=worse,
            inefficiency_change=inefficiency_change,
        ),
        exchanges=exchanges,
    )


def traced(exchanges: int) -> tuple[ExchangeRow, ...]:
    """Return exchanges between two households, of which every second one has a gain."""
    return tuple(
        ExchangeRow(
            round=1,
            slot=0,
            requester="h0",
            responder="h1",
            given=1.0,
            taken=2.0,
            requester_gain=1e-5 * (number % 2),
            responder_gain=0.0,
        )
        for number in range(exchanges)
    )


@dataclass(frozen=True)
class AtBeta0:
    """Runs for which every claim about beta 0 holds, except for changed fields."""

    before: float = 0.80
    after: float = 0.81
    wanting: int = 18
    gaining: int = 12
    both_roles: int = 7
    losing_responders: int = 0
    worse: int = 0
    inefficiency_change: float = 0.0

    def runs(self) -> list[RunResults]:
        """Return equal runs, so that means are known.

        All households take part, at least as requesters.
        """
        names = [f"h{number}" for number in range(HOUSEHOLDS)]
        pairs = [(name, names[0]) for name in names[1:]]
        pairs += [(names[0], name) for name in names[1 : self.both_roles]]
        # Requesters lose too, to show that only the losses of responders count.
        rows = tuple(
            ExchangeRow(
                round=1,
                slot=0,
                requester=asked,
                responder=agreed,
                given=1.0,
                taken=2.0,
                requester_gain=-1.0,
                responder_gain=self._gain(number),
            )
            for number, (asked, agreed) in enumerate(pairs)
        )
        made = run_with(
            gains=[0.1] * self.gaining + [-0.1] * (HOUSEHOLDS - self.gaining),
            planned={"mean_comfort": self.before, "inefficiency": 4.0},
            exchanged={"mean_comfort": self.after, "inefficiency": 400.0},
            discomforts=[0.3] * self.wanting + [0.0] * (HOUSEHOLDS - self.wanting),
            worse=self.worse,
            inefficiency_change=self.inefficiency_change,
            exchanges=rows,
        )
        return [made] * RUNS

    def _gain(self, number: int) -> float:
        return -1.0 if number < self.losing_responders else 1.0


@dataclass(frozen=True)
class OverBeta:
    """Runs for which every claim about several betas holds, except for changed fields.

    Each list has one value for each beta. At beta 1 everything differs, so that tests notice if it
    counts.
    """

    knee: float = 0.3
    gains: Sequence[float] = (0.07, 0.06, 0.05, 0.04, -0.01)
    root_leads: float = 0.06
    """How far the root's gain is above the mean at beta 0.75; at all other betas it is below."""
    inefficiency: Sequence[float] = (10, 12, 30, 60, 100)
    comfort: Sequence[float] = (0.80, 0.90, 0.92, 0.93, 0.94)
    unfairness: Sequence[float] = (0.10, 0.09, 0.08, 0.07, 0.5)
    unfairness_rise: Sequence[float] = (-0.03, -0.01, -0.02, -0.02, 1.0)
    gini: Sequence[float] = (0.20, 0.25, 0.30, 0.35, 0.0)
    gini_rise: Sequence[float] = (-0.03, -0.01, -0.02, -0.02, 1.0)
    exchanges: int = 1_000
    """Exchanges of each run at beta 0. With many, larger subsets differ more; with two, none do."""

    @property
    def betas(self) -> tuple[float, ...]:
        return (0.0, self.knee, 0.75, 0.9, 1.0)

    def runs(self) -> dict[float, list[RunResults]]:
        """Return equal runs at each beta."""
        return {beta: [self._run(place, beta)] * RUNS for place, beta in enumerate(self.betas)}

    def _run(self, place: int, beta: float) -> RunResults:
        lead = self.root_leads if beta == 0.75 else -self.root_leads
        mean = self.gains[place]
        return run_with(
            beta=beta,
            gains=[mean + lead, *([mean - lead / (TREE - 1)] * (TREE - 1))],
            planned={
                "inefficiency": self.inefficiency[place],
                "mean_comfort": self.comfort[place],
                "unfairness": self.unfairness[place],
                "gini": self.gini[place],
            },
            exchanged={
                "unfairness": self.unfairness[place] + self.unfairness_rise[place],
                "gini": self.gini[place] + self.gini_rise[place],
            },
            exchanges=traced(self.exchanges) if beta == 0 else (),
        )


@dataclass(frozen=True)
class OverSize:
    """Runs for which every claim about sizes and shares holds, except for changed fields."""

    gains: Mapping[float, float] = field(
        default_factory=lambda: {0.4: 0.04, 0.6: 0.06, 0.8: 0.065, 1.0: 0.08}
    )
    """Gains of the larger population, by the share that takes part."""
    smaller: float = 0.05
    """Gain of the smaller population if all take part."""
    exponent: float = 1.0
    """Exponent of the growth of messages if all take part."""

    def runs(self) -> list[RunResults]:
        """Return equal runs of each kind: 100 and 1,000 households, all or some taking part."""
        found = []
        for share, gain in self.gains.items():
            whole = share == 1.0
            grown = 10**self.exponent if whole else 1e6
            small = run_with(
                participation=share,
                gains=[self.smaller if whole else 0.09 - share / 20] * 2,
                households=100,
                messages=MESSAGES,
            )
            large = run_with(
                participation=share,
                gains=[gain + 0.01, gain - 0.01],
                households=1_000,
                messages=round(MESSAGES * grown),
            )
            found += [small] * RUNS + [large] * RUNS
        return found


def cooperative_run(
    *,
    comfort: float = 0.935,
    inefficiency: float = 10.0,
    gini_rise: float = -0.1,
    unfairness_rise: float = -0.2,
) -> RunResults:
    """Return a run at beta 0 under the rule cooperative."""
    return run_with(
        gains=[0.1] * 2,
        planned={"inefficiency": inefficiency, "mean_comfort": 0.8, "gini": 0.5, "unfairness": 0.4},
        exchanged={
            "mean_comfort": comfort,
            "inefficiency": 1e6,
            "gini": 0.5 + gini_rise,
            "unfairness": 0.4 + unfairness_rise,
        },
    )
