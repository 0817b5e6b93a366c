"""Generated households: the scheme of the paper, its statistics, and independence of their
number."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.plans import Population
from agents.population.plan_alternatives import (
    SOURCE_SCHEME,
    Alternatives,
    parse_scheme,
    portfolio,
    scaled_scheme,
)
from agents.population.synthetic import (
    baselines,
    from_preferred,
    generate,
    generate_household,
    rhythm,
)
from protocol.errors import InputError
from protocol.vectors import Array


def energy_data(shared: Path) -> Array:
    """Return the plans of the paper, float64[200, 10, 144]."""
    files = [shared / "data" / "energy" / f"agent_{index}.plans" for index in range(200)]
    return np.array(
        [
            [
                [float(cell) for cell in line.split(":")[1].split(",")]
                for line in file.read_text().split()
            ]
            for file in files
        ]
    )


def values(population: Population) -> Array:
    return np.stack([plans.values for plans in population.households.values()])


def statistics(curves: Array) -> dict[str, float]:
    """Return the statistics in docs/data.md for float64[n, d]."""
    means, spreads = curves.mean(1), curves.std(1)
    deviation = curves - curves.mean(1, keepdims=True)
    n = len(curves)
    return {
        "mean": curves.mean(),
        "median household": float(np.median(means)),
        "between households": means.std(),
        "skewness between": (((means - means.mean()) / means.std()) ** 3).mean(),
        "within a household": spreads.mean(),
        "relative within": (spreads / means).mean(),
        "range within": np.ptp(curves, axis=1).mean(),
        "next slot": ((deviation[:, 1:] * deviation[:, :-1]).sum(1) / (deviation**2).sum(1)).mean(),
        "two households": (np.corrcoef(curves).sum() - n) / (n * n - n),
        "step": np.abs(np.diff(curves, axis=1)).mean(),
        "largest": curves.max(),
        "total curve": curves.sum(0).std() / curves.sum(0).mean(),
    }


TOLERANCES = {
    "mean": 0.02,
    "median household": 0.02,
    "between households": 0.04,
    "skewness between": 0.06,
    "within a household": 0.02,
    "relative within": 0.01,
    "range within": 0.05,
    "next slot": 0.05,
    "two households": 0.03,
    "step": 0.02,
    "largest": 0.03,
    "total curve": 0.01,
}


def test_statistics_are_near_the_energy_data_as_documented(shared: Path) -> None:
    reference = statistics(energy_data(shared)[:, 0])
    generated = statistics(baselines(1000, 144, 0))
    off = {name: generated[name] / reference[name] - 1.0 for name in reference}
    assert {name for name, by in off.items() if abs(by) > TOLERANCES[name]} == set(), off


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_other_seeds_are_equally_near(shared: Path, seed: int) -> None:
    reference = statistics(energy_data(shared)[:, 0])
    generated = statistics(baselines(1000, 144, seed))
    for name in ("mean", "within a household", "relative within", "two households", "step"):
        assert generated[name] == pytest.approx(reference[name], rel=0.05), name


def test_alternatives_move_as_many_slots_as_in_the_energy_data(shared: Path) -> None:
    def moved(plans: Array) -> Array:
        return np.asarray((plans != plans[:, :1]).sum(2).mean(0))

    np.testing.assert_allclose(
        moved(values(generate(households=500, seed=3))), moved(energy_data(shared)), rtol=0.015
    )


def test_scores_and_order_are_those_of_the_energy_data(shared: Path) -> None:
    lines = (shared / "data" / "energy" / "agent_0.plans").read_text().split()
    plans = generate_household(0)
    assert plans.scores.tolist() == [float(line.split(":")[0]) for line in lines]
    assert plans.preferred_index == 0
    assert plans.meaning == "preference"


@given(
    slots=st.integers(30, 200),
    seed=st.integers(0, 2**63),
    index=st.integers(0, 10**6),
)
@settings(max_examples=40, deadline=None)
def test_every_plan_holds_the_same_values(slots: int, seed: int, index: int) -> None:
    plans = generate_household(index, slots=slots, seed=seed)
    assert plans.values.shape == (10, slots)
    assert (plans.values > 0.0).all()
    assert (np.sort(plans.values, axis=1) == np.sort(plans.preferred)).all()


@given(swaps=st.integers(1, 40), seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_swaps_exchange_two_different_slots_each(swaps: int, seed: int) -> None:
    """An odd number of true swaps is an odd permutation, so no slot was swapped with itself."""
    scheme = (Alternatives("swap", 1, swaps),)
    preferred = np.arange(40.0)
    made = portfolio(preferred, scheme, np.random.default_rng(seed)).values[1].astype(int)
    inversions = sum(int((made[:at] > value).sum()) for at, value in enumerate(made))
    assert inversions % 2 == swaps % 2
    assert (made != preferred).sum() <= 2 * swaps


def test_one_swap_moves_two_slots() -> None:
    made = portfolio(np.arange(9.0), parse_scheme("swap-1:50"), np.random.default_rng(0)).values
    assert set((made[1:] != made[0]).sum(1).tolist()) == {2}


def test_a_household_does_not_depend_on_the_others() -> None:
    few, many = generate(households=3, seed=5), generate(households=20, seed=5)
    assert list(many.households) == [f"h{index}" for index in range(20)]
    assert many.source == "generated"
    for household in few.households:
        assert np.array_equal(few.households[household].values, many.households[household].values)
    alone = generate_household(17, seed=5)
    assert np.array_equal(alone.values, many.households["h17"].values)
    assert np.array_equal(baselines(20, 144, 5), values(many)[:, 0])


def test_the_scheme_does_not_change_the_baseline() -> None:
    other = generate_household(4, scheme=parse_scheme("swap-5:1"))
    assert np.array_equal(other.preferred, generate_household(4).preferred)


def test_seeds_and_households_differ() -> None:
    curves = np.concatenate([baselines(5, 144, seed) for seed in (0, 1)])
    assert len(np.unique(curves[:, 0])) == 10
    plans = generate_household(0).values
    assert len(np.unique(plans, axis=0)) == 10


@pytest.mark.parametrize("slots", [24, 48, 96, 288])
def test_a_period_holds_the_same_energy_for_any_number_of_slots(slots: int) -> None:
    totals, reference = baselines(300, slots, 0).sum(1), baselines(300, 144, 0).sum(1)
    np.testing.assert_allclose(totals, reference, rtol=0.12)
    assert totals.mean() == pytest.approx(reference.mean(), rel=0.005)
    assert statistics(baselines(300, slots, 0))["relative within"] == pytest.approx(0.107, rel=0.04)


def test_shared_rhythm_cannot_be_changed_by_a_caller() -> None:
    with pytest.raises(ValueError, match="read-only"):
        rhythm(144, 0)[0] = 1.0


def test_a_single_slot_works_without_swaps() -> None:
    assert generate_household(0, slots=1, scheme=parse_scheme("shuffle:2")).values.shape == (3, 1)


def test_given_curves_get_the_same_portfolio() -> None:
    curves = baselines(3, 144, 0)
    given_curves = from_preferred(["a", "b", "c"], curves, source="meters.csv")
    assert list(given_curves.households) == ["a", "b", "c"]
    assert given_curves.source == "meters.csv"
    assert np.array_equal(values(given_curves), values(generate(households=3)))


def test_schemes_read_and_print() -> None:
    assert parse_scheme("shuffle:3, swap-15:3,swap-30:3") == SOURCE_SCHEME
    assert ",".join(map(str, SOURCE_SCHEME)) == "shuffle:3,swap-15:3,swap-30:3"
    assert parse_scheme("") == ()
    assert generate_household(0, scheme=()).values.shape == (1, 144)


@pytest.mark.parametrize(
    "text", ["shuffle", "swap:3", "swap-x:3", "swap-3:-1", "shuffle:3,,", "shuffle:0", "swap-0:2"]
)
def test_a_scheme_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="field --scheme"):
        parse_scheme(text)


def test_too_many_plans_are_refused() -> None:
    assert len(parse_scheme("shuffle:999")) == 1
    with pytest.raises(InputError, match="at most 1000 plans"):
        parse_scheme("shuffle:500,swap-2:500")


def test_too_few_slots_for_a_swap_are_refused_with_a_scheme_that_fits() -> None:
    with pytest.raises(InputError, match=r"swap-30:3 needs plans of at least 30 slots") as caught:
        generate(households=2, slots=24, scheme=SOURCE_SCHEME)
    fitting = str(caught.value).split("--scheme ")[1]
    assert fitting == "shuffle:3,swap-2:3,swap-5:3"
    assert generate(households=2, slots=24, scheme=parse_scheme(fitting)).slots == 24
    with pytest.raises(InputError, match="at least 2 slots"):
        generate(households=2, slots=1, scheme=parse_scheme("swap-1:1"))


@pytest.mark.parametrize(
    ("slots", "scheme"),
    [
        (1, "shuffle:3"),
        (2, "shuffle:3,swap-1:3,swap-1:3"),
        (24, "shuffle:3,swap-2:3,swap-5:3"),
        (96, "shuffle:3,swap-10:3,swap-20:3"),
        (144, "shuffle:3,swap-15:3,swap-30:3"),
        (288, "shuffle:3,swap-30:3,swap-60:3"),
    ],
)
def test_the_scheme_scales_with_the_slots(slots: int, scheme: str) -> None:
    assert ",".join(map(str, scaled_scheme(slots))) == scheme
    made = generate(households=2, slots=slots)
    assert np.array_equal(
        values(made), values(generate(households=2, slots=slots, scheme=parse_scheme(scheme)))
    )


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match="field --households: must be at least 1, not 0"):
        generate(households=0)
    with pytest.raises(InputError, match="field --slots: must be at least 1, not 0"):
        generate(slots=0)
    with pytest.raises(InputError, match="field --seed: must be at least 0, not -1"):
        generate(seed=-1)
