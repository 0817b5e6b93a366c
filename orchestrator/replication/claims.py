"""The claims of the paper: for each, its place in the paper, a measure, and the range in which the
measure lies if the claim is true.

`verdict` decides how a range becomes a verdict.
"""

from collections.abc import Sequence

from orchestrator.replication.measurements import (
    BetaSeries,
    RunMeasure,
    Runs,
    after_exchange,
    both_roles,
    by_replication,
    comfort_after_some,
    gain,
    knee,
    losing_responders,
    mean_rise,
    message_exponents,
    relative_change,
    rise,
    share_of,
    slope,
    succeeded,
    trade_off_points,
    trend,
    upper_lead,
    wants_to_trade,
    worse_off,
)
from orchestrator.replication.study_design import SETS, SUBSETS
from orchestrator.replication.verdict import ROUNDING, Claim, Criterion
from orchestrator.reporting.number_wording import counted
from orchestrator.results.run_results import RunResults

RANKS = "rank correlation"
HIGH_BETA = 0.75
"""Upper limit of the "high beta" of figure 3."""
GAINS_BY_SHARE = ((0.4, 0.04), (0.6, 0.06), (0.8, 0.065))
"""Pairs of participating share and mean gain in kWh, as read from figure 8."""
GAIN_READ_WITHIN = 0.005
"""Accuracy with which figure 8 can be read, kWh."""


def claims(runs: Runs, sized: Sequence[RunResults]) -> list[Claim]:
    """Return all claims of the paper, judged by runs under the rule `mutual`.

    `runs` are by beta, and traced at the lowest beta; `sized` are the runs of figure 8.
    """
    low = runs[min(runs)]
    return [*_over_beta(runs), *at_beta_0(low), *_over_size(sized), *_subsets(low)]


def at_beta_0(runs: Sequence[RunResults]) -> list[Claim]:
    """Return the claims about exchanges at beta 0; `runs` are traced, with any acceptance rule."""
    after = [after_exchange(run, "mean_comfort") for run in runs]
    return [
        Claim(
            where="figures 6, 9",
            says="average comfort is 0.79 to 0.82",
            criteria=[
                Criterion(
                    "before", [run.planned.mean_comfort for run in runs], low=0.785, high=0.825
                ),
                Criterion("after", after, low=0.785, high=0.825),
            ],
            why="comfort is 1 - RMSE in kWh: it depends on the households, and on how many "
            "partners a rule of exchange admits",
        ),
        Claim(
            where="section V-B",
            says="more than 80 % of agents want to trade",
            criteria=[_share("share", runs, wants_to_trade, low=0.8, high=1.0)],
        ),
        Claim(
            where="section V-B",
            says="about 60 % of agents gain",
            criteria=[_share("share", runs, succeeded, low=0.55, high=0.65)],
            why="each household has 144 slots to exchange, of which one that succeeds is enough",
        ),
        Claim(
            where="figure 5",
            says="30 to 40 % both request and accept",
            criteria=[_share("share", runs, both_roles, low=0.3, high=0.4)],
            why="households that want to trade also offer slots; with hundreds of exchanges each, "
            "nearly all do both",
        ),
        Claim(
            where="section IV-C",
            says="a responder never loses",
            criteria=[_share("responders who lose", runs, losing_responders, low=0, high=0)],
            why="the paper's rule asks only that the responder's slot is not as it prefers; the "
            "value that it receives may be further away",
        ),
        Claim(
            where="section IV-C",
            says="nobody is worse off in the end",
            criteria=[_share("worse off", runs, worse_off, low=0, high=0)],
            why="responders who lose may lose more than they gain elsewhere",
        ),
        Claim(
            where="figure 7",
            says="the exchange does not change inefficiency",
            criteria=[
                Criterion(
                    "relative change", _each(runs, relative_change), low=0, high=0, form=".0e"
                )
            ],
        ),
    ]


def beyond(runs: Runs, cooperative: Sequence[RunResults]) -> list[Claim]:
    """Return claims that the paper does not make: how an exchange under the rule `cooperative`
    after planning at beta 0 compares with planning alone at any beta."""
    ahead, dearer, lead = [], [], []
    # Pairs of runs that share a seed; there are fewer runs under the rule cooperative.
    for own, other in zip(by_replication(runs), cooperative, strict=False):
        reached, away = after_exchange(other, "mean_comfort"), other.planned.inefficiency
        points = trade_off_points(own)
        no_dearer = [comfort for _, cost, comfort in points if cost <= away * (1 + ROUNDING)]
        ahead.append(reached - max(no_dearer))
        less_comfort = [cost for _, cost, comfort in points if comfort < reached]
        dearer.append(max(less_comfort, default=0.0) / away)
        lead.append(reached - max(comfort for beta, _, comfort in points if beta <= 0.9))
    return [
        Claim(
            where="figure 4",
            says="at beta 0 with the rule cooperative, I-EPOS alone is never better in comfort and "
            "inefficiency, at any beta",
            criteria=[
                Criterion("comfort ahead of all that is no less efficient", ahead, low=0),
                Criterion("comfort ahead of all beta up to 0.9", lead, low=0),
                Criterion(
                    "times the inefficiency, and still less comfort", dearer, low=1, form=".0f"
                ),
            ],
        ),
        Claim(
            where="figure 11",
            says="with the rule cooperative discomfort is more equal after the exchange",
            criteria=[
                Criterion(f"change of {name}", [rise(run, name) for run in cooperative], high=0)
                for name in ("gini", "unfairness")
            ],
        ),
    ]


def _over_beta(runs: Runs) -> list[Claim]:
    replications = by_replication(runs)
    below_1 = [beta for beta in sorted(runs) if beta < 1]
    return [
        *_gains_over_beta(replications, below_1),
        *_trade_off_over_beta(replications),
        *_fairness_over_beta(replications, below_1),
    ]


def _gains_over_beta(replications: Sequence[BetaSeries], below_1: Sequence[float]) -> list[Claim]:
    """Return the claims about gains at each beta and level."""
    betas = sorted(replications[0])
    low = betas[0]
    high = max((beta for beta in betas if beta <= HIGH_BETA), default=low)
    lead = [gain(own[low]) - max(gain(own[beta]) for beta in betas[1:]) for own in replications]
    least = [min(gain(own[beta]) for beta in below_1) for own in replications]
    return [
        Claim(
            where="figure 3",
            says="the gain is largest at beta 0",
            criteria=[Criterion("ahead of the next best beta by", lead, low=0)],
            why="as long as comfort weighs little, planning selects nearly the same at every beta",
        ),
        Claim(
            where="figure 3",
            says="comfort rises by the exchange at every beta",
            criteria=[Criterion("least gain below beta 1", least, low=0)],
        ),
        Claim(
            where="figure 3",
            says=f"the upper levels gain most at high beta (here {high:g})",
            criteria=[
                Criterion(
                    "upper half less lower half",
                    [upper_lead(own[high]) for own in replications],
                    low=0,
                )
            ],
            why="the place in the tree hardly affects comfort here, since plans are reconsidered "
            "in every iteration at every level",
        ),
    ]


def _trade_off_over_beta(replications: Sequence[BetaSeries]) -> list[Claim]:
    """Return the claims about comfort and inefficiency."""
    lowest, highest = min(replications[0]), max(replications[0])
    knees = [at for own in replications if (at := knee(trade_off_points(own))) is not None]
    rises = [
        own[highest].planned.inefficiency - own[lowest].planned.inefficiency for own in replications
    ]
    return [
        Claim(
            where="figure 4",
            says="the trade-off has its knee at beta 0.3",
            criteria=[
                Criterion(
                    f"knee, in {counted(len(knees), 'run')}",
                    knees or [float("nan")],
                    low=0.25,
                    high=0.35,
                )
            ],
            why="beta weighs mean discomfort in kWh against inefficiency in kWh², which grows with "
            "the households: where it counts depends on units and on their number, here close to 1",
        ),
        Claim(
            where="figure 6",
            says="the gain falls with beta",
            criteria=[
                Criterion(
                    RANKS,
                    [trend(own, gain, sorted(replications[0])) for own in replications],
                    high=0,
                    form=".2f",
                )
            ],
        ),
        Claim(
            where="figure 7",
            says="inefficiency rises with beta",
            criteria=[Criterion("rise", rises, low=0, form=".3g")],
        ),
    ]


def _fairness_over_beta(
    replications: Sequence[BetaSeries], below_1: Sequence[float]
) -> list[Claim]:
    """Return the claims about how evenly discomfort is spread."""

    def ranks(measure: RunMeasure) -> list[float]:
        return [trend(own, measure, below_1) for own in replications]

    def changes(measure: str) -> list[float]:
        return [mean_rise(own, below_1, measure) for own in replications]

    label = f"{RANKS}, below beta 1"
    return [
        Claim(
            where="figure 10",
            says="unfairness falls with beta",
            criteria=[
                Criterion(label, ranks(lambda run: run.planned.unfairness), high=0, form=".2f")
            ],
            why="the more comfort weighs, the more some households have what they prefer while "
            "others still make up for it; only at beta 1, where nobody does, unfairness is 0",
        ),
        Claim(
            where="figure 10",
            says="unfairness is lower with the exchange",
            criteria=[Criterion("mean change", changes("unfairness"), high=0)],
        ),
        Claim(
            where="figure 11",
            says="Gini rises with beta",
            criteria=[Criterion(label, ranks(lambda run: run.planned.gini), low=0, form=".2f")],
        ),
        Claim(
            where="figure 11",
            says="Gini is lower with the exchange",
            criteria=[Criterion("mean change", changes("gini"), high=0)],
            why="it is relative: if the discomfort of many vanishes, few bear what is left",
        ),
    ]


def _over_size(runs: Sequence[RunResults]) -> list[Claim]:
    gains: dict[tuple[int, float], list[float]] = {}
    for run in runs:
        gains.setdefault((run.households, share_of(run)), []).append(gain(run))
    sizes = sorted({size for size, _ in gains})
    shares = sorted({share for _, share in gains})
    largest, all_of_them = sizes[-1], shares[-1]
    by_size = list(zip(*(gains[size, all_of_them] for size in sizes), strict=True))
    by_share = list(zip(*(gains[largest, share] for share in shares), strict=True))
    exponents = message_exponents([run for run in runs if share_of(run) == all_of_them])
    return [
        Claim(
            where="figure 8",
            says="gain 0.04, 0.06, 0.065 with 40, 60, 80 % of 1,000 agents",
            criteria=[
                Criterion(
                    f"{share:.0%} of {largest:,}",
                    gains[largest, share],
                    low=at - GAIN_READ_WITHIN,
                    high=at + GAIN_READ_WITHIN,
                )
                for share, at in GAINS_BY_SHARE
            ],
            why="the mean is over all households, also those that do not take part; it depends on "
            "the households and the rule",
        ),
        Claim(
            where="figure 8",
            says="the gain grows with the population",
            criteria=[
                Criterion(
                    "slope, by 1,000 households",
                    [slope(sizes, own) * 1_000 for own in by_size],
                    low=0,
                )
            ],
        ),
        Claim(
            where="figure 8",
            says="the gain grows with the share that takes part",
            criteria=[
                Criterion(
                    "slope, from none to all", [slope(shares, own) for own in by_share], low=0
                )
            ],
        ),
        Claim(
            where="Table III",
            says="messages of the exchange grow linearly with the agents",
            criteria=[Criterion("exponent", exponents, low=0.8, high=1.2, form=".2f")],
        ),
    ]


def _subsets(runs: Sequence[RunResults]) -> list[Claim]:
    slopes = []
    for run in runs:
        sets = comfort_after_some(run, SUBSETS, SETS)
        widths = [max(own) - min(own) for own in sets.values()]
        slopes.append(slope(SUBSETS, widths) * 1_000)
    return [
        Claim(
            where="figure 9",
            says="with more exchanges, sets of them differ more in comfort",
            criteria=[Criterion("spread, by 1,000 exchanges", slopes, low=0, form=".1e")],
            why="a set is a small part of all exchanges here, and a sum of many small gains varies "
            "little",
        )
    ]


def _each(runs: Sequence[RunResults], measure: RunMeasure) -> list[float]:
    return [measure(run) for run in runs]


def _share(
    what: str, runs: Sequence[RunResults], measure: RunMeasure, *, low: float, high: float
) -> Criterion:
    """Return a criterion on a share, shown in percent."""
    return Criterion(what, _each(runs, measure), low=low, high=high, form=".1%")
