"""The sweeps beyond the source: which runs there are, and what the figures show."""

from pathlib import Path

import pytest

from agents.population.loader import load
from agents.population.plan_alternatives import SOURCE_SCHEME
from orchestrator.replication.study_design import SHARES
from orchestrator.replication.sweeps import (
    CONTENTS,
    PLANS,
    SWAPS,
    evaluate_sweeps,
    sweeps,
    with_plans,
    with_swaps,
)


def test_schemes_have_the_number_of_plans_and_the_paper_has_ten() -> None:
    assert with_plans(10) == SOURCE_SCHEME
    for plans in PLANS:
        assert 1 + sum(part.plans for part in with_plans(plans)) == plans
    for swaps in SWAPS:
        assert sum(part.plans for part in with_swaps(swaps)) == 9


def test_every_sweep_varies_one_thing(tmp_path: Path) -> None:
    found = {sweep.name: sweep for sweep in sweeps(tmp_path, 3, quick=False)}
    assert list(found) == [
        "plans", "flexibility", "iterations", "rounds", "children", "participation",
    ]  # fmt: skip
    assert found["participation"].options(0.4, 1)["participation"] == 0.4
    assert found["children"].options(4, 1) == {"demo": True, "slots": 144, "children": 4}
    file = Path(str(found["plans"].options(5, 1)["dataset"]))
    population = load(file)
    assert len(population.households) == 3
    assert {len(own.scores) for own in population.households.values()} == {5}
    assert found["plans"].options(5, 1)["dataset"] == file


@pytest.mark.slow
def test_the_figures_have_all_values_and_both_contents(tmp_path: Path) -> None:
    pytest.importorskip("scipy", reason="intervals need the extra `report`")
    told: list[tuple[int, int]] = []
    study = evaluate_sweeps(
        tmp_path, 1, quick=True, workers=1, progress=lambda done, of: told.append((done, of))
    )
    assert study.runs == 1
    assert told[-1][0] == told[-1][1]
    *swept, loops = study.charts
    assert [swept[-1].name, loops.name] == ["beyond-participation", "beyond-loops"]
    for chart in swept:
        comfort, planning, traffic, energy = chart.panels
        assert [own.name for own in comfort.series] == ["stage 1", *CONTENTS]
        assert [own.name for own in planning.series] == ["stage 1"]
        assert [own.name for own in traffic.series] == list(CONTENTS)
        before, slot, bundle = (list(own.y) for own in comfort.series)
        assert all(high >= low for low, high in zip(before, slot, strict=True))
        assert all(high >= low for low, high in zip(before, bundle, strict=True))
        assert max(energy.series[1].y) <= 0.05 < max(energy.series[0].y)
    shares = swept[-1].panels[0].series[0].x
    assert list(shares) == [SHARES[0], SHARES[-1]]
    once, looped = loops.panels[0].series
    assert (once.name, looped.name) == ("once", "every 2")
    assert len(looped.x) == 3
    assert once.x[0] == pytest.approx(once.x[1], rel=1e-9)
    assert looped.x[-1] < once.x[-1]
    assert all(own.labels == ["0", "0.2", "0.5"] for own in loops.panels[1].series)
    for way, end in zip(*(panel.series for panel in loops.panels), strict=True):
        assert (way.x[-1], way.y[-1]) == (end.x[0], end.y[0])
