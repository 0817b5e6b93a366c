"""The compact file of many homes: plans, a selection, and the one clear error."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.devices.home_file import read_homes
from protocol.errors import InputError


def compact(**changes: object) -> dict[str, Any]:
    """Return a compact file of one home with a washer and a battery."""
    home = {
        "id": "h0",
        "selected": 1,
        "base": {"kwh": [0.5] * 24, "essential_share": 0.5},
        "devices": [
            {
                "name": "washer",
                "kind": "cycle",
                "profile": [0.5],
                "earliest": 3,
                "preferred": 4,
                "latest": 9,
                "tolerance_min": 60,
            },
            {
                "name": "battery",
                "kind": "store",
                "what": "battery",
                "max_in": 1,
                "max_out": 1,
                "level": 2,
                "high": 4,
            },
        ],
        "plans": [
            {"starts": {"washer": 4}, "stores": {"battery": {"in": {"0": 0.5}, "out": {"1": 0.5}}}},
            {"starts": {"washer": 5}, "stores": {"battery": {"in": {"0": 0.5}, "out": {"2": 0.5}}}},
        ],
    }
    home.update(changes)
    return {"slots": 24, "slot_minutes": 60, "homes": [home]}


def test_a_compact_file_has_plans_and_a_selection(tmp_path: Path) -> None:
    path = tmp_path / "homes.json"
    path.write_text(json.dumps(compact()))
    own = read_homes(path).homes["h0"]
    assert (own.selected, own.home.essential_share) == (1, 0.5)
    assert [int(np.argmax(plan["washer"])) for plan in own.plans] == [4, 5]
    assert own.plans[0]["battery"][:3].tolist() == [0.5, -0.5, 0.0]


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"selected": 2}, "h0.selected", "there are 2 plans"),
        ({"plans": [{"starts": {}}]}, "h0.plans.0", "no possible start of washer"),
        ({"plans": [{"starts": {"washer": 10}}]}, "h0.plans.0", "no possible start of washer"),
        ({"plans": [{"starts": {"washer": 4}}]}, "h0.plans.0", "no schedule of battery"),
        (
            {"plans": [{"starts": {"washer": 4}, "stores": {"battery": {"in": {"24": 1}}}}]},
            "h0.plans.0",
            "battery: there is no slot 24",
        ),
        (
            {
                "plans": [
                    {
                        "starts": {"washer": 4},
                        "stores": {"battery": {"in": {"1": 1}, "out": {"1": 1}}},
                    }
                ]
            },
            "h0.plans.0",
            "battery takes and gives in slot 1",
        ),
        (
            {"plans": [{"starts": {"washer": 4}, "stores": {"battery": {"in": {"1": 2}}}}]},
            "h0.plans.0",
            "battery: takes more than 1 kWh in slot 1",
        ),
        ({"plans": [{"start": {}}]}, "h0.plans.0.start", "not permitted"),
        ({"devices": [{"name": "x"}]}, "h0.x.kind", "is missing"),
    ],
)
def test_a_compact_file_must_be_possible(
    tmp_path: Path, changes: dict[str, object], field: str, reason: str
) -> None:
    path = tmp_path / "homes.json"
    path.write_text(json.dumps(compact(**changes)))
    with pytest.raises(InputError) as caught:
        read_homes(path)
    assert (caught.value.file, caught.value.field) == (path, field)
    assert reason in caught.value.reason
