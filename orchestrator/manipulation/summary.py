"""The summary of all trials: what each lie brings and costs under each case, and the figure of the
price of truth.

Means are over households and replications; intervals need at least three of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.experiments.statistics import FEWEST_SHOWN, Interval, interval
from orchestrator.manipulation.lies import Case
from orchestrator.manipulation.trials import Trial, Tried
from orchestrator.reporting.figures.chart import Chart, Panel, Series
from orchestrator.reporting.figures.data_table import Table

LEAST_GAIN_KWH = 1e-9
"""Smaller gains and losses of discomfort are rounding."""
LINEAR_PERCENT = 5.0
"""Gains above are drawn on a logarithmic scale: they differ by a factor of hundred."""


@dataclass(frozen=True, slots=True)
class LieSummary:
    """One lie under one case."""

    case: Case
    lie: str
    tried: int
    profitable: int
    """Number of trials in which it paid."""
    gain_kwh: float
    """Mean gain of the liar; discomfort, as are all gains and costs."""
    gain_kwh_interval: Interval | None
    gain_share: float
    """Mean gain as a share of the liar's discomfort had it been honest."""
    gain_share_interval: Interval | None
    cost_kwh: float
    """Mean cost to all others together."""
    cost_kwh_interval: Interval | None


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """All lies under one case."""

    case: Case
    comfort: float
    """Mean comfort if everybody is honest."""
    comfort_interval: Interval | None
    tried: int
    profitable: int
    best: LieSummary
    """The lie that pays best on average."""
    hindsight_share: float
    """Mean over households of what each one's best lie would have gained, as a share of its
    discomfort; a household for which no lie pays counts as 0."""
    hindsight_share_interval: Interval | None


def summarise(all_tried: Sequence[Tried]) -> tuple[list[CaseSummary], list[LieSummary]]:
    """Return the summaries of all cases and of all lies, in the order in which they were tried."""
    cases, lies = [], []
    for case in dict.fromkeys(tried.case for tried in all_tried):
        mine = [tried for tried in all_tried if tried.case == case]
        own = _lies(case, [trial for tried in mine for trial in tried.trials])
        lies += own
        comfort = {tried.replication: tried.comfort for tried in mine}
        hindsight = [
            max(0.0, *(_share(trial, trial.gain_kwh) for trial in tried.trials)) for tried in mine
        ]
        cases.append(
            CaseSummary(
                case=case,
                comfort=float(np.mean(list(comfort.values()))),
                comfort_interval=_interval(list(comfort.values())),
                tried=sum(lie.tried for lie in own),
                profitable=sum(lie.profitable for lie in own),
                best=max(own, key=lambda lie: lie.gain_share),
                hindsight_share=float(np.mean(hindsight)),
                hindsight_share_interval=_interval(hindsight),
            )
        )
    return cases, lies


def _lies(case: Case, trials: Sequence[Trial]) -> list[LieSummary]:
    found = []
    for lie in dict.fromkeys(trial.lie for trial in trials):
        mine = [trial for trial in trials if trial.lie == lie]
        gains = [trial.gain_kwh for trial in mine]
        shares = [_share(trial, trial.gain_kwh) for trial in mine]
        costs = [trial.cost_to_others_kwh for trial in mine]
        found.append(
            LieSummary(
                case=case,
                lie=lie,
                tried=len(mine),
                profitable=sum(gain > LEAST_GAIN_KWH for gain in gains),
                gain_kwh=float(np.mean(gains)),
                gain_kwh_interval=_interval(gains),
                gain_share=float(np.mean(shares)),
                gain_share_interval=_interval(shares),
                cost_kwh=float(np.mean(costs)),
                cost_kwh_interval=_interval(costs),
            )
        )
    return found


def _share(trial: Trial, amount_kwh: float) -> float:
    honest = trial.honest_discomfort_kwh
    return amount_kwh / honest if honest > LEAST_GAIN_KWH else 0.0


def _interval(values: Sequence[float]) -> Interval | None:
    return interval(values) if len(values) >= FEWEST_SHOWN else None


# -- tables and figure ----------------------------------------------------------------------------

LIE_COLUMNS = (
    *("rule", "content", "lie", "tried", "profitable"),
    *("gain_kwh", "gain_kwh_low", "gain_kwh_high"),
    *("gain_share", "gain_share_low", "gain_share_high"),
    *("cost_to_others_kwh", "cost_to_others_kwh_low", "cost_to_others_kwh_high"),
)
TRIAL_COLUMNS = (
    *("rule", "content", "replication", "household", "lie"),
    *("gain_kwh", "cost_to_others_kwh", "honest_discomfort_kwh"),
)


def lie_row(lie: LieSummary) -> list[object]:
    """Return the cells of LIE_COLUMNS; an interval that is missing is empty."""
    return [
        *(lie.case.rule, lie.case.content, lie.lie, lie.tried, lie.profitable),
        *(lie.gain_kwh, *_ends(lie.gain_kwh_interval)),
        *(lie.gain_share, *_ends(lie.gain_share_interval)),
        *(lie.cost_kwh, *_ends(lie.cost_kwh_interval)),
    ]


def trial_row(trial: Trial) -> list[object]:
    """Return the cells of TRIAL_COLUMNS."""
    return [
        *(trial.case.rule, trial.case.content, trial.replication, trial.household, trial.lie),
        *(trial.gain_kwh, trial.cost_to_others_kwh, trial.honest_discomfort_kwh),
    ]


def case_record(case: CaseSummary) -> dict[str, object]:
    """Return the summary of a case as JSON values."""
    return {
        "rule": case.case.rule,
        "content": case.case.content,
        "comfort": case.comfort,
        "comfort_interval": _ends_or_none(case.comfort_interval),
        "lies_tried": case.tried,
        "lies_profitable": case.profitable,
        "best_lie": case.best.lie,
        "best_lie_gain_kwh": case.best.gain_kwh,
        "best_lie_gain_share": case.best.gain_share,
        "best_lie_gain_share_interval": _ends_or_none(case.best.gain_share_interval),
        "best_lie_cost_to_others_kwh": case.best.cost_kwh,
        "best_lie_cost_to_others_kwh_interval": _ends_or_none(case.best.cost_kwh_interval),
        "best_in_hindsight_share": case.hindsight_share,
        "best_in_hindsight_share_interval": _ends_or_none(case.hindsight_share_interval),
    }


def price_of_truth(cases: Sequence[CaseSummary]) -> Chart:
    """Return the figure: mean comfort against the gain of the best lie, for each case."""
    best = [
        _point(case, case.best.gain_share, case.best.gain_share_interval, number=number)
        for number, case in enumerate(cases)
    ]
    hindsight = [
        _point(case, case.hindsight_share, case.hindsight_share_interval, number=number)
        for number, case in enumerate(cases)
    ]
    return Chart(
        name="price_of_truth",
        title="The price of truth",
        caption="What a lie gains, against the mean comfort if everybody is honest, by rule and "
        "content: the lie that pays best on average, and each household's best lie, which it "
        "cannot know before. Lines are 95 % intervals over households and replications. The scale "
        f"is logarithmic above {LINEAR_PERCENT:g} %.",
        panels=[
            Panel(
                title=title,
                x_label="mean comfort (1: as preferred)",
                y_label=y_label,
                series=series,
                linear_within=LINEAR_PERCENT,
            )
            for title, y_label, series in (
                ("best lie on average", "gain of a lie (% of own discomfort)", best),
                ("best lie in hindsight", "", hindsight),
            )
        ],
        columns=2,
        height=3.4,
        legend="beside",
        data=Table(
            {
                "case": [case.case.name for case in cases],
                "comfort": [case.comfort for case in cases],
                "best_lie": [case.best.lie for case in cases],
                "gain_share": [case.best.gain_share for case in cases],
                "hindsight_share": [case.hindsight_share for case in cases],
            }
        ),
    )


def _point(case: CaseSummary, gain: float, found: Interval | None, *, number: int) -> Series:
    """Return a case as a point with an interval; `number` is that of its colour and mark."""
    low, high = (gain, gain) if found is None else (found.low, found.high)
    return Series(
        name=case.case.name,
        x=[case.comfort],
        y=[100 * gain],
        mark="dots",
        low=[100 * low],
        high=[100 * high],
        ink=number,
    )


def _ends(found: Interval | None) -> tuple[object, object]:
    return ("", "") if found is None else (found.low, found.high)


def _ends_or_none(found: Interval | None) -> list[float] | None:
    return None if found is None else [found.low, found.high]
