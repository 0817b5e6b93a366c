"""Populations from arrays, mappings and frames."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import coflex
from agents.population.arrays import population_of
from agents.population.loader import load
from tests.support.paths import ROOT

PLANS = np.arange(24.0).reshape(3, 2, 4)


def test_an_array_has_households_plans_and_slots(tmp_path: Path) -> None:
    file = coflex.save_population(tmp_path / "x.npz", PLANS, ids=["a", "b", "c"], preferred=1)
    households = load(file).households
    assert list(households) == ["a", "b", "c"]
    for own, plans in zip(PLANS, households.values(), strict=True):
        np.testing.assert_array_equal(plans.values, own)
        assert plans.preferred_index == 1


def test_one_plan_each_and_plans_by_id() -> None:
    alone = population_of(PLANS[:, 0])
    assert [plans.values.shape for plans in alone.households.values()] == [(1, 4)] * 3
    uneven = population_of({"a": PLANS[0], "b": PLANS[1, :1]}, preferred={"a": 1, "b": 0})
    assert [plans.preferred_index for plans in uneven.households.values()] == [1, 0]


def test_a_frame_has_a_row_for_each_plan() -> None:
    pd = pytest.importorskip("pandas", reason="frames are part of the extra `report`")
    flat = pd.DataFrame(PLANS.reshape(6, 4), index=["x", "x", "y", "y", "z", "z"])
    levels = pd.MultiIndex.from_product([["x", "y", "z"], [0, 1]])
    for frame in (flat, flat.set_axis(levels)):
        households = population_of(frame).households
        np.testing.assert_array_equal(households["y"].values, PLANS[1])


def test_plans_may_be_made_from_the_preferred_one() -> None:
    made = population_of(PLANS, preferred=1, alternatives=lambda own: [own[::-1], own * 0])
    plans = made.households["h2"]
    np.testing.assert_array_equal(plans.values, [PLANS[2, 1], PLANS[2, 1, ::-1], np.zeros(4)])
    assert plans.preferred_index == 0


CHANCE = np.random.default_rng(0)


def changing(own: Any) -> Any:
    own[0] = 1.0
    return [own]


@pytest.mark.parametrize(
    ("data", "options", "complaint"),
    [
        (np.zeros(4), {}, "an array of 1 dimensions"),
        (np.zeros((0, 4)), {}, "no households"),
        ([["a"]], {}, "not an array of numbers"),
        (PLANS, {"ids": ["a", "a", "b"]}, "ids: 2 different ids for 3 households"),
        (PLANS, {"ids": ["a", "b", "c d"]}, "household id"),
        (PLANS, {"preferred": 2}, "h0 has 2 plans, none has the number 2"),
        (PLANS, {"preferred": [0]}, "1 numbers for 3 households"),
        (PLANS, {"preferred": {"h0": 0}}, "for h1"),
        (np.full((1, 1, 2), np.nan), {}, "NaN or infinite"),
        ({"a": PLANS[0], "b": PLANS[0, :, :3]}, {}, "plans of 3 and of 4 slots"),
        ({"a": PLANS[0]}, {"ids": ["a"]}, "leave ids out"),
        (PLANS, {"alternatives": lambda own: own}, "returned the shape .4,."),
        (
            PLANS,
            {"alternatives": lambda own: CHANCE.random((1, 4))},
            "something else when it was called again",
        ),
        (PLANS, {"alternatives": changing}, "changes the array that it is given"),
    ],
)
def test_wrong_arguments_are_named(data: Any, options: Any, complaint: str) -> None:
    with pytest.raises(coflex.InputError, match=complaint):
        population_of(data, **options)


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    coflex.save_population(tmp_path / "x.npz", PLANS)
    for name in ("x.npz", "x.csv"):
        with pytest.raises(coflex.InputError, match=re.escape(name)):
            coflex.save_population(tmp_path / name, PLANS)


def test_the_examples_on_the_page_work() -> None:
    page = ROOT / "docs" / "python.md"
    code = page.read_text().split("```python\n")[2].split("```")[0]
    shown: dict[str, Any] = {}
    exec(compile(code, page, "exec"), shown)
    assert shown["outcome"].results.households == 20
