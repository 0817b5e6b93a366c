"""The source's claims, one by one, against what was measured."""

from collections.abc import Callable, Sequence

import numpy as np

from orchestrator.evaluation.growth import message_exponents
from orchestrator.replication.figures import SETS, SUBSETS, Runs
from orchestrator.replication.measurements import (
    both_roles,
    comfort_after_some,
    gain,
    knee,
    losing_responders,
    share_of,
    succeeded,
    wants_to_trade,
)
from orchestrator.replication.verdict import ROUNDING, Claim, Finding
from orchestrator.results.run_results import RunResults

RANKS = "rank correlation"
Measure = Callable[[RunResults], float]


def claims(runs: Runs, sized: Sequence[RunResults]) -> list[Claim]:
    """All that is said of several betas or sizes; `runs` by beta, those at beta 0 traced; `sized`
    those of figure 8."""
    low = runs[min(runs)]
    return [*_over_beta(runs), *at_beta_0(low), *_over_size(sized), *_subsets(low)]


def at_beta_0(runs: Sequence[RunResults]) -> list[Claim]:
    """What is said of exchanges at beta 0; `runs` traced, by any rule."""
    return [
        Claim(
            "figures 6, 9",
            "average comfort is 0.79 to 0.82",
            [
                Finding("before", [run.planned.mean_comfort for run in runs], 0.785, 0.825),
                Finding("after", [_measure(run, "mean_comfort") for run in runs], 0.785, 0.825),
            ],
            "comfort is 1 - RMSE in kWh: it depends on the households, and on how many partners "
            "a rule of exchange admits",
        ),
        Claim(
            "section V-B",
            "more than 80 % of agents want to trade",
            [Finding("share", _each(runs, wants_to_trade), 0.8, 1.0, ".1%")],
        ),
        Claim(
            "section V-B",
            "about 60 % of agents gain",
            [Finding("share", _each(runs, succeeded), 0.55, 0.65, ".1%")],
            "each household has 144 slots to exchange, of which one that succeeds is enough",
        ),
        Claim(
            "figure 5",
            "30 to 40 % both request and accept",
            [Finding("share", _each(runs, both_roles), 0.3, 0.4, ".1%")],
            "whoever wants to trade offers slots, too; with hundreds of exchanges a household "
            "nearly all do both",
        ),
        Claim(
            "section IV-C",
            "a responder never loses",
            [Finding("responders who lose", _each(runs, losing_responders), 0, 0, ".1%")],
            "the source's rule asks only that the responder's slot is not as it prefers; the value "
            "that it receives may be further away",
        ),
        Claim(
            "section IV-C",
            "nobody is worse off in the end",
            [Finding("worse off", [_worse(run) / run.households for run in runs], 0, 0, ".1%")],
            "responders who lose may lose more than they gain elsewhere",
        ),
        Claim(
            "figure 7",
            "the exchange does not change inefficiency",
            [Finding("relative change", _each(runs, _change), 0, 0, ".0e")],
        ),
    ]


def beyond(runs: Runs, cooperative: Sequence[RunResults]) -> list[Claim]:
    """What the source does not say: how planning at beta 0 with an exchange by the rule
    `cooperative` stands to all that planning alone reaches at any beta."""
    by_run = [dict(zip(runs, own, strict=True)) for own in zip(*runs.values(), strict=True)]
    ahead, dearer, lead = [], [], []
    for own, other in zip(by_run, cooperative, strict=False):  # those that share a seed
        at, away = _measure(other, "mean_comfort"), other.planned.inefficiency
        front = [(cost, comfort) for _, cost, comfort in _front(own)]
        ahead.append(at - max(comfort for cost, comfort in front if cost <= away * (1 + ROUNDING)))
        dearer.append(max(cost for cost, comfort in front if comfort < at) / away)
        lead.append(at - max(comfort for beta, _, comfort in _front(own) if beta <= 0.9))
    return [
        Claim(
            "figure 4",
            "at beta 0 with the rule cooperative, I-EPOS alone is never better in comfort and "
            "inefficiency, at any beta",
            [
                Finding("comfort ahead of all that is no less efficient", ahead, 0),
                Finding("comfort ahead of all beta up to 0.9", lead, 0),
                Finding("times the inefficiency, and still less comfort", dearer, 1, form=".0f"),
            ],
        ),
        Claim(
            "figure 11",
            "with the rule cooperative discomfort is more equal after the exchange",
            [
                Finding(f"change of {name}", _risen(cooperative, name), high=0)
                for name in ("gini", "unfairness")
            ],
        ),
    ]


def _over_beta(runs: Runs) -> list[Claim]:
    low, betas = min(runs), sorted(runs)
    high = max((beta for beta in betas if beta <= 0.75), default=low)
    others = [beta for beta in betas if beta != low]
    fallen = [beta for beta in betas if beta < 1]
    sides = list(zip(*runs.values(), strict=True))
    by_run = [dict(zip(runs, own, strict=True)) for own in sides]
    lead = [gain(own[low]) - max(gain(own[beta]) for beta in others) for own in by_run]
    least = [min(gain(own[beta]) for beta in fallen) for own in by_run]
    knees = [found for own in by_run if (found := knee(_front(own))) is not None]
    cost = [own[betas[-1]].planned.inefficiency - own[low].planned.inefficiency for own in by_run]
    return [
        Claim(
            "figure 3",
            "the gain is largest at beta 0",
            [Finding("ahead of the next best beta by", lead, 0)],
            "as long as comfort weighs little, planning selects nearly alike at every beta",
        ),
        Claim(
            "figure 3",
            "comfort rises by the exchange at every beta",
            [Finding("least gain below beta 1", least, 0)],
        ),
        Claim(
            "figure 3",
            f"the upper levels gain most at high beta (here {high:g})",
            [Finding("upper half less lower half", [_upper(own[high]) for own in by_run], 0)],
            "the place in the tree hardly matters to comfort here, since plans are reconsidered in "
            "every iteration at every level",
        ),
        Claim(
            "figure 4",
            "the trade-off has its knee at beta 0.3",
            [Finding(f"knee, in {len(knees)} runs", knees or [float("nan")], 0.25, 0.35)],
            "beta weighs mean discomfort in kWh against inefficiency in kWh², which grows with the "
            "households: where it counts depends on units and on their number, here close to 1",
        ),
        Claim(
            "figure 6",
            "the gain falls with beta",
            [Finding(RANKS, _trend(by_run, gain, betas), high=0, form=".2f")],
        ),
        Claim("figure 7", "inefficiency rises with beta", [Finding("rise", cost, 0, form=".3g")]),
        Claim(
            "figure 10",
            "unfairness falls with beta",
            [
                Finding(
                    f"{RANKS}, below beta 1",
                    _trend(by_run, _unfairness, fallen),
                    high=0,
                    form=".2f",
                )
            ],
            "the more comfort weighs, the more some households have what they prefer while others "
            "still make up for it; only at beta 1, where nobody does, unfairness is 0",
        ),
        Claim(
            "figure 10",
            "unfairness is lower with the exchange",
            [Finding("mean change", _changes(by_run, fallen, "unfairness"), high=0)],
        ),
        Claim(
            "figure 11",
            "Gini rises with beta",
            [Finding(f"{RANKS}, below beta 1", _trend(by_run, _gini, fallen), 0, form=".2f")],
        ),
        Claim(
            "figure 11",
            "Gini is lower with the exchange",
            [Finding("mean change", _changes(by_run, fallen, "gini"), high=0)],
            "it is relative: where the discomfort of many vanishes, what is left is shared by few",
        ),
    ]


def _over_size(runs: Sequence[RunResults]) -> list[Claim]:
    found: dict[tuple[int, float], list[float]] = {}
    for run in runs:
        found.setdefault((run.households, share_of(run)), []).append(gain(run))
    sizes = sorted({size for size, _ in found})
    shares = sorted({share for _, share in found})
    largest, everyone = sizes[-1], [own for own in runs if share_of(own) == shares[-1]]
    told = ((0.4, 0.04, 0.005), (0.6, 0.06, 0.005), (0.8, 0.065, 0.005))
    by_size = list(zip(*(found[size, shares[-1]] for size in sizes), strict=True))
    by_share = list(zip(*(found[largest, share] for share in shares), strict=True))
    growth = message_exponents(everyone)
    return [
        Claim(
            "figure 8",
            "gain 0.04, 0.06, 0.065 with 40, 60, 80 % of 1,000 agents",
            [
                Finding(f"{share:.0%} of {largest:,}", found[largest, share], at - by, at + by)
                for share, at, by in told
            ],
            "the mean is over all households, also those that do not take part; it depends on the "
            "households and the rule",
        ),
        Claim(
            "figure 8",
            "the gain grows with the population",
            [Finding("slope, by 1,000 households", _fits(sizes, by_size, 1_000), 0)],
        ),
        Claim(
            "figure 8",
            "the gain grows with the share that takes part",
            [Finding("slope, from none to all", _fits(shares, by_share), 0)],
        ),
        Claim(
            "Table III",
            "messages of the exchange grow linearly with the agents",
            [Finding("exponent", growth, 0.8, 1.2, ".2f")],
        ),
    ]


def _subsets(runs: Sequence[RunResults]) -> list[Claim]:
    spreads = []
    for run in runs:
        sets = comfort_after_some(run, SUBSETS, SETS)
        widths = [max(own) - min(own) for own in sets.values()]
        spreads.append(float(np.polyfit(SUBSETS, widths, 1)[0]) * 1_000)
    return [
        Claim(
            "figure 9",
            "with more exchanges, sets of them differ more in comfort",
            [Finding("spread, by 1,000 exchanges", spreads, 0, form=".1e")],
            "a set is a small part of all exchanges here, and a sum of many small gains varies "
            "little",
        )
    ]


def _each(runs: Sequence[RunResults], measure: Measure) -> list[float]:
    return [measure(run) for run in runs]


def _measure(run: RunResults, measure: str) -> float:
    return float(getattr(run.states()["exchanged"], measure))


def _worse(run: RunResults) -> int:
    assert run.exchange is not None
    return run.exchange.households_worse


def _change(run: RunResults) -> float:
    assert run.exchange is not None
    return run.exchange.inefficiency_change / run.planned.inefficiency


def _unfairness(run: RunResults) -> float:
    return run.planned.unfairness


def _gini(run: RunResults) -> float:
    return run.planned.gini


def _front(own: dict[float, RunResults]) -> list[tuple[float, float, float]]:
    return [(beta, run.planned.inefficiency, run.planned.mean_comfort) for beta, run in own.items()]


def _trend(
    by_run: Sequence[dict[float, RunResults]], measure: Measure, betas: Sequence[float]
) -> list[float]:
    """Spearman's rank correlation with beta, for each run: 1 rises always, -1 falls always."""
    from scipy import stats

    lines = [[measure(own[beta]) for beta in betas] for own in by_run]
    return [float(stats.spearmanr(betas, line).statistic) for line in lines]


def _fits(x: Sequence[float], lines: Sequence[Sequence[float]], scale: float = 1.0) -> list[float]:
    return [float(np.polyfit(x, line, 1)[0]) * scale for line in lines]


def _changes(
    by_run: Sequence[dict[float, RunResults]], betas: Sequence[float], measure: str
) -> list[float]:
    """By the exchange, mean over betas, for each run."""
    return [
        float(
            np.mean([_measure(own[b], measure) - getattr(own[b].planned, measure) for b in betas])
        )
        for own in by_run
    ]


def _risen(runs: Sequence[RunResults], measure: str) -> list[float]:
    return [_measure(run, measure) - getattr(run.planned, measure) for run in runs]


def _upper(run: RunResults) -> float:
    """Mean gain of the upper half of the levels less that of the lower."""
    levels = sorted({row.level for row in run.rows})
    middle = levels[len(levels) // 2]
    halves: tuple[list[float], list[float]] = ([], [])
    for row in run.rows:
        halves[row.level >= middle].append(row.comfort_gain or 0.0)
    return float(np.mean(halves[0]) - np.mean(halves[1])) if halves[0] else 0.0
