"""The study of announcements: its scores, its levels, and its table."""

import numpy as np
import pytest

from agents.exchange.amounts.held_home import HeldHome
from tests.bench.announcements import LEVELS, Told, auc, measured, owns, table
from tests.support.random_homes import random_home


def test_the_auc_is_the_share_of_pairs_in_order() -> None:
    assert auc([3.0, 2.0, 1.0], [True, False, False]) == 1.0
    assert auc([1.0, 2.0, 3.0], [True, False, False]) == 0.0
    assert auc([1.0, 1.0], [True, False]) == 0.5
    assert auc([2.0, 1.0, 3.0], [True, True, False]) == 0.0
    assert np.isnan(auc([1.0, 2.0], [True, True]))


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_says_where_there_is_something(level: str) -> None:
    amounts = 2.0 ** (np.arange(-16, 7) / 2.0)
    said = LEVELS[level](np.concatenate([[0.0], amounts]))
    assert len(set(said.round(9).tolist())) <= len(amounts) + 1
    if not level.startswith("nothing"):
        assert said[0] == 0.0
        assert (said[1:] > 0.0).all()


def test_a_battery_shows_and_a_silent_home_does_not() -> None:
    def homes() -> list[HeldHome]:
        return [random_home(seed) for seed in range(30)]

    as_it_is = measured(homes, next(iter(LEVELS)), rounds=1, seed=1)
    silent = measured(homes, list(LEVELS)[-1], rounds=1, seed=1)
    assert as_it_is.auc["battery"] > 0.7
    assert silent.auc["battery"] == 0.5
    assert as_it_is.discomfort <= silent.discomfort
    assert any(owns(held.home, "battery") for held in homes())


def test_the_table_has_a_row_for_each_level() -> None:
    told = Told("powers", {"battery": 0.9, "ev": 1.0, "heatpump": 0.8}, 0.25, 1234)
    assert table([told], 0.5).splitlines()[-1] == "| powers | 0.90 | 1.00 | 0.80 | 0.250 | 1,234 |"
