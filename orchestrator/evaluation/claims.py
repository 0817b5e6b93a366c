"""The source's claims, one by one, against what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.evaluation.evidence import (
    both_roles,
    by_beta,
    gain,
    knee,
    point,
    succeeded,
    wants_to_trade,
)
from orchestrator.evaluation.figures import Runs, pairs
from orchestrator.results import RunResults

NOTHING = 1e-9
"""Below this a change is rounding."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the source says, what was measured, and whether that is the same."""

    where: str
    says: str
    measured: str
    holds: bool
    why: str = ""
    """Where they differ."""


def claims(runs: Runs, sized: Sequence[RunResults], traced: RunResults) -> list[Claim]:
    """All of them; `runs` by beta under one rule, `sized` those of figure 8."""
    gains = {beta: point(beta, [gain(run) for run in own]) for beta, own in runs.items()}
    betas, low = list(runs), min(runs)
    everyone = [run for own in runs.values() for run in own]
    change = max(abs(run.exchange.inefficiency_change) for run in everyone if run.exchange)
    relative = max(
        abs(run.exchange.inefficiency_change) / max(run.planned.inefficiency, NOTHING)
        for run in everyone
        if run.exchange
    )
    worse = sum(run.exchange.households_worse for run in everyone if run.exchange)
    want = point(low, [wants_to_trade(run) for run in runs[low]])
    won = point(low, [succeeded(run) for run in runs[low]])
    best = max(gains.values(), key=lambda p: p.mean)
    at = knee(pairs(runs, "planned"))
    found = [
        Claim(
            "figure 4",
            "the trade-off has its knee at beta 0.3",
            "no knee" if at is None else f"at beta {at:g}",
            at is not None and abs(at - 0.3) < 0.051,
            "Where the knee lies depends on the scale of inefficiency; here it is logarithmic.",
        ),
        Claim(
            "figure 3",
            "the gain is largest at beta 0",
            f"{best.mean:.3f} at beta {best.x:g}, {gains[low].mean:.3f} at beta {low:g}",
            best.x == low,
        ),
        Claim(
            "figure 6",
            "average comfort is 0.79 to 0.82",
            f"before {_range(runs, 'planned')}, after {_range(runs, 'exchanged')}",
            _within(runs, 0.78, 0.83),
            "Comfort is 1 - RMSE in kWh, so it depends on the data; exchanges here do not need "
            "equal values, and bring far more.",
        ),
        Claim(
            "section V-B",
            "more than 80 % of agents want to trade at low beta",
            f"{want.mean:.1%} at beta {low:g}",
            want.mean > 0.8,
        ),
        Claim(
            "section V-B",
            "about 60 % succeed",
            f"{won.mean:.1%} gain at beta {low:g}",
            0.5 <= won.mean <= 0.7,
            "A lookup here takes any value that brings both closer, not only the preferred one, so "
            "that more find a partner.",
        ),
        Claim(
            "figure 5",
            "30 to 40 % both request and accept",
            f"{both_roles(traced):.1%} in one run at beta {float(str(traced.config['beta'])):g}",
            0.3 <= both_roles(traced) <= 0.4,
            "Everybody who wants to trade also offers; with so many exchanges nearly all do both.",
        ),
        Claim(
            "figure 7",
            "the exchange does not change inefficiency",
            f"at most {change:.1e}, {relative:.1e} of it",
            relative < NOTHING,
        ),
        Claim(
            "figure 10",
            "unfairness falls with beta",
            _trend(runs, "planned", "unfairness"),
            _slope(runs, "planned", "unfairness") < 0,
        ),
        Claim(
            "figure 10",
            "unfairness is lower with the exchange",
            _lower(runs, "unfairness"),
            _always_lower(runs, "unfairness"),
        ),
        Claim(
            "figure 11",
            "Gini rises with beta",
            _trend(runs, "planned", "gini"),
            _slope(runs, "planned", "gini") > 0,
        ),
        Claim(
            "figure 11",
            "Gini is lower with the exchange",
            _lower(runs, "gini"),
            _always_lower(runs, "gini"),
            "Under `mutual` those who can trade are rid of discomfort; what is left is less, but "
            "less equal in proportion.",
        ),
        Claim(
            "figure 3",
            "at high beta the upper levels gain most",
            _by_level(runs[betas[-2] if len(betas) > 1 else low]),
            _upper_gain_most(runs[betas[-2] if len(betas) > 1 else low]),
            "The upper levels are few households: whether they gain more differs from run to run.",
        ),
        Claim(
            "section III",
            "a responder never loses",
            f"{worse} households worse off in {len(everyone)} runs",
            worse == 0,
        ),
    ]
    return found + _participation(sized)


def _participation(sized: Sequence[RunResults]) -> list[Claim]:
    largest = max(run.households for run in sized)
    shares: dict[float, list[float]] = {}
    for run in (run for run in sized if run.households == largest):
        shares.setdefault(float(str(run.config["participation"])), []).append(gain(run))
    told = {0.4: 0.04, 0.6: 0.06, 0.8: 0.065}
    means = {share: float(np.mean(shares[share])) for share in told if share in shares}
    near = all(abs(means[share] - told[share]) <= 0.01 for share in means)
    return [
        Claim(
            "figure 8",
            "gain 0.04, 0.06, 0.065 with 40, 60, 80 % of 1,000 agents",
            ", ".join(f"{mean:.3f} ({share:.0%})" for share, mean in means.items())
            + f" of {largest:,}",
            near and largest == 1_000,
            "The gain is averaged over all households, also those that do not take part.",
        )
    ]


def _mean(runs: Sequence[RunResults], state: str, measure: str) -> float:
    return float(np.mean([getattr(run.states()[state], measure) for run in runs]))


def _range(runs: Runs, state: str) -> str:
    means = [_mean(own, state, "mean_comfort") for own in runs.values()]
    return f"{min(means):.3f} to {max(means):.3f}"


def _within(runs: Runs, low: float, high: float) -> bool:
    means = [
        _mean(own, s, "mean_comfort") for own in runs.values() for s in ("planned", "exchanged")
    ]
    return all(low <= mean <= high for mean in means)


def _slope(runs: Runs, state: str, measure: str) -> float:
    means = [_mean(own, state, measure) for own in runs.values()]
    return float(np.polyfit(list(runs), means, 1)[0]) if len(runs) > 1 else 0.0


def _trend(runs: Runs, state: str, measure: str) -> str:
    first, last = min(runs), max(runs)
    ends = (_mean(runs[beta], state, measure) for beta in (first, last))
    from_, to = ends
    return f"{from_:.4f} at beta {first:g}, {to:.4f} at beta {last:g}"


def _lower(runs: Runs, measure: str) -> str:
    lower = sum(
        _mean(own, "exchanged", measure) <= _mean(own, "planned", measure) + NOTHING
        for own in runs.values()
    )
    return f"at {lower} of {len(runs)} betas"


def _always_lower(runs: Runs, measure: str) -> bool:
    return all(
        _mean(own, "exchanged", measure) <= _mean(own, "planned", measure) + NOTHING
        for own in runs.values()
    )


def _levels(runs: Sequence[RunResults]) -> dict[int, float]:
    found: dict[int, list[float]] = {}
    for run in runs:
        for row in run.rows:
            found.setdefault(row.level, []).append(row.comfort_gain or 0.0)
    return {level: float(np.mean(values)) for level, values in sorted(found.items())}


def _by_level(runs: Sequence[RunResults]) -> str:
    beta = next(iter(by_beta(runs)))
    told = ", ".join(f"{level}: {mean:.3f}" for level, mean in _levels(runs).items())
    return f"beta {beta:g}, mean gain by level: {told}"


def _upper_gain_most(runs: Sequence[RunResults]) -> bool:
    means = list(_levels(runs).values())
    half = len(means) // 2
    return bool(np.mean(means[:half]) > np.mean(means[half:])) if half else False
