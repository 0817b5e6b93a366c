"""Feeders: limits on what groups of homes take together, in both stages."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import coflex
from orchestrator.reporting.limit_wording import feeder_heads, feeder_rows
from protocol.errors import InputError
from protocol.vectors import Array
from tests.support.printed_summary import printed

SLOTS = 24
WASHER: dict[str, Any] = {
    **{"name": "washer", "kind": "cycle", "profile": [1.0], "tolerance_min": 60},
    **{"earliest": 0, "preferred": 8, "latest": 23},
}
AT_TWO = "household,feeder\nh0,north\nh1,north\nh2,south\nh3,south\n"
ALL_DAY = "feeder,max_kw\nnorth,1.5\n"


@pytest.fixture
def homes(tmp_path: Path) -> Path:
    """Five homes with a washer each; a plan for each hour, and 8:00 preferred."""
    hours = [8, *(hour for hour in range(SLOTS) if hour != 8)]
    plans = [{"starts": {"washer": hour}} for hour in hours]
    own = {"base": [0.25] * SLOTS, "devices": [WASHER], "plans": plans}
    path = tmp_path / "homes.json"
    each = [{"id": f"h{number}", **own} for number in range(5)]
    path.write_text(json.dumps({"slots": SLOTS, "slot_minutes": 60, "homes": each}))
    return path


def files(folder: Path, places: str, limits: str) -> dict[str, Path]:
    (folder / "feeders.csv").write_text(places)
    (folder / "limits.csv").write_text(limits)
    return {"feeders": folder / "feeders.csv", "feeder_limits": folder / "limits.csv"}


def by_hour(*limits: tuple[str, float, range]) -> str:
    """Return limits of feeders, kWh in these hours, and none in the others."""
    lines = [
        f"{hour:02}:00,{feeder},{kwh if hour in hours else ''}"
        for feeder, kwh, hours in limits
        for hour in range(SLOTS)
    ]
    return "\n".join(["time,feeder,max_kwh", *lines]) + "\n"


def run(homes: Path, **options: Any) -> Any:
    return coflex.simulate(dataset=homes, **{"exchange": "off", **options}).results


def test_the_homes_at_a_feeder_keep_its_limit_and_others_need_not(
    homes: Path, tmp_path: Path
) -> None:
    limits = by_hour(("north", 0.5, range(22)), ("south", 1.5, range(24)))
    results = run(homes, **files(tmp_path, AT_TWO, limits))
    north, south = (results.feeder_days[name] for name in ("north", "south"))
    assert north.planned[:22].tolist() == [0.5] * 22
    assert north.planned.sum() == 14.0
    assert south.planned.max() == 1.5
    assert north.preferred[8] == south.preferred[8] == 2.5
    assert north.limit[:22].tolist() == [0.5] * 22
    assert np.isnan(north.limit[22:]).all()
    rest = results.demand.planned - north.planned - south.planned  # h4, at no feeder
    assert sorted(rest.tolist()) == [0.25] * 23 + [1.25]
    assert results.limits is None
    assert results.demand.limit is None
    assert results.feeders["north"].households == 2
    assert results.feeders["north"].limits["preferred"].slots == 1
    assert results.feeders["north"].limits["preferred"].kwh == 2.0
    assert results.feeders["north"].limits["preferred"].worst_slot == 8
    assert {feeder.limits["planned"].slots for feeder in results.feeders.values()} == {0}


def test_limits_of_all_and_of_feeders_hold_together(homes: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.csv"
    lines = [f"{hour:02}:00,{1.25 if hour < 4 else 10},0" for hour in range(SLOTS)]
    whole.write_text("\n".join(["time,max_kw,min_kw", *lines]))
    limits = by_hour(("north", 0.5, range(4, 24)))
    results = run(homes, hard_plans=whole, **files(tmp_path, AT_TWO, limits))
    # North may run before 4:00 only, and all together nothing at all then: one must give way.
    assert results.limits["planned"].kwh + results.feeders["north"].limits["planned"].kwh == 2.0
    assert results.demand.limit[0] == 1.25


def test_a_limit_that_nobody_can_keep_is_named(homes: Path, tmp_path: Path) -> None:
    results = run(homes, **files(tmp_path, AT_TWO, "feeder,max_kw\nnorth,0.25\nsouth,9\n"))
    beyond = results.feeders["north"].limits["planned"]
    assert beyond.slots == SLOTS
    assert beyond.kwh == 0.25 * SLOTS + 2.0
    assert results.feeders["south"].limits["planned"].slots == 0


def test_feeders_without_limits_are_none(homes: Path, tmp_path: Path) -> None:
    limits = by_hour(("north", 0.5, range(22)), ("south", 0.0, range(0)))
    results = run(homes, **files(tmp_path, AT_TWO, limits))
    assert list(results.feeders) == ["north"]


def same_as(planned: Array, exchanged: Array) -> bool:
    return planned.tobytes() == exchanged.tobytes()


@pytest.mark.parametrize("iterations", [0, 5])
def test_an_exchange_leaves_the_sum_at_each_feeder_as_it_was(
    tmp_path: Path, iterations: int
) -> None:
    places = "".join(f"h{number},{'nsw'[number % 3]}\n" for number in range(24))
    chosen: Any = files(tmp_path, places, "feeder,max_kw\nn,8\ns,8\n")
    outcome: Any = coflex.simulate(homes=24, seed=3, iterations=iterations, trace=True, **chosen)
    results = outcome.results
    assert results.exchange.conserved
    assert all(same_as(day.planned, day.exchanged) for day in results.feeder_days.values())
    assert same_as(results.demand.planned, results.demand.exchanged)
    pairs = {(row.requester, row.responder) for row in results.exchanges}
    kinds = {tuple(int(name[1:]) % 3 for name in pair) for pair in pairs}
    if iterations:
        assert kinds == {(0, 0), (1, 1), (2, 2)}
    else:
        assert kinds <= {(0, 0), (1, 1), (2, 2)}
    outcome.save(tmp_path / "out")
    found: Any = coflex.load_results(tmp_path / "out").results
    assert found.feeders == results.feeders
    for name, day in results.feeder_days.items():
        for curve, values in day.columns().items():
            again = found.feeder_days[name].columns()[curve]
            assert np.array_equal(again, values, equal_nan=True)


def test_people_see_how_limits_are_kept(homes: Path, tmp_path: Path) -> None:
    limits = by_hour(("north", 0.25, range(8, 9)), ("south", 1.5, range(24)))
    results = run(homes, **files(tmp_path, AT_TWO, limits))
    text = printed(results, width=140)
    said = "limits kept at 1 of 2 (as preferred: 0); north is beyond them in 1 slot, most at 08:00"
    assert f"{said}, by 0.25 kWh in all" in " ".join(text.split())
    assert "preferred peak, kW" in feeder_heads(results)
    assert feeder_heads(results)[0] in text
    north, south = feeder_rows(results)
    assert north == ("north", "2", "2.5", "1.5", "-", "2.25", "0.25", "08:00")
    assert south == ("south", "2", "2.5", "1.5", "1.5", "1", "0", "-")


@pytest.mark.parametrize(
    ("places", "limits", "reason"),
    [
        ("h0\n", ALL_DAY, "feeders.csv, line 1: expected household,feeder"),
        ("h0,\n", ALL_DAY, "feeders.csv, line 1: expected household,feeder"),
        ("h9,north\n", ALL_DAY, "feeders.csv, line 1: no household 'h9' in the data"),
        ("h0,north\nh0,south\n", ALL_DAY, "feeders.csv, line 2: h0 has a feeder already"),
        (AT_TWO, "feeder,max_kw\nnorht,1\n", "no household is at the feeder 'norht': did you mean"),
        (AT_TWO, "feeder,max_kw\n", "no feeder has a limit"),
        (AT_TWO, "feeder,max_kw\nnorth,\n", "no feeder has a limit"),
        (AT_TWO, "feeder,max_kw\nnorth,1\nnorth,2\n", "limits.csv, line 3: north has limits"),
        (AT_TWO, "feeder,max_kw\nnorth,much\n", "limits.csv, line 2, field max_kw: 'much' is not"),
        (AT_TWO, "feeder,max_kw\nnorth\n", "limits.csv, line 2: 1 cells, but the header has 2"),
        (AT_TWO, "feeder,kw\nnorth,1\n", "field kw: is no unit that is known here"),
        (AT_TWO, "time,max_kw\n00:00,1\n", "the columns begin with time,feeder"),
        (AT_TWO, "", "limits.csv: is empty"),
        (AT_TWO, "time,feeder,max_kw\n00:00,north,1\n00:30,north,1\n", "'00:30' is not the time"),
        (AT_TWO, "time,feeder,max_kw\n" + "00:00,north,1\n" * 7, "7 lines of times for 24 slots"),
        (AT_TWO, "feeder,max_kw,min_kw\nnorth,1,2\n", "the least is above the most at the feeder"),
    ],
)
def test_what_does_not_fit_is_refused(
    homes: Path, tmp_path: Path, places: str, limits: str, reason: str
) -> None:
    with pytest.raises(InputError) as caught:
        run(homes, **files(tmp_path, places, limits))
    assert reason in str(caught.value)


def test_more_feeders_than_sums_can_have_are_refused(homes: Path, tmp_path: Path) -> None:
    content = json.loads(homes.read_text())
    content["homes"] = [{**content["homes"][0], "id": f"h{number}"} for number in range(33)]
    homes.write_text(json.dumps(content))
    places = "".join(f"h{number},f{number}\n" for number in range(33))
    limits = "feeder,max_kw\n" + "".join(f"f{number},9\n" for number in range(33))
    with pytest.raises(InputError, match="33 feeders with limits, but at most 32 are possible"):
        run(homes, **files(tmp_path, places, limits))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"exchange": "mutual", "content": "bundle"}, "only homes that exchange amounts keep"),
        ({"exchange": "equal"}, "only homes that exchange amounts keep"),
        ({"hard_costs": "costs.csv"}, "with feeders, limits are by slot"),
        ({"feeder_limits": None}, "--feeders: has no effect: it needs --feeder-limits"),
        ({"feeders": None}, "--feeder-limits: has no effect: it needs --feeders"),
        ({"iterations": 0}, "--feeders: has no effect: neither stage takes place"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    homes: Path, tmp_path: Path, options: dict[str, Any], reason: str
) -> None:
    (tmp_path / "costs.csv").write_text("1,1,1,1\n1,1,1,1\n")
    if "hard_costs" in options:
        options = {"hard_costs": tmp_path / "costs.csv"}
    with pytest.raises(InputError, match=reason):
        run(homes, **{**files(tmp_path, AT_TWO, ALL_DAY), **options})
