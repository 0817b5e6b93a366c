"""The real households of the energy data, as stage 1 leaves them."""

import json
from pathlib import Path

import numpy as np

from protocol.vectors import Array


def energy_households(shared: Path) -> tuple[Array, Array]:
    """Return what stage 1 chose for 200 households with beta 0, and what they prefer, kWh."""
    golden = json.loads((shared / "golden" / "energy200_VAR_DISC_b0.json").read_text())
    chosen = golden["iterations"][-1]["selected"]
    plans = [
        np.array(
            [
                [float(value) for value in line.split(":")[1].split(",")]
                for line in (shared / "data" / "energy" / f"agent_{file}.plans")
                .read_text()
                .splitlines()
            ]
        )
        for file in golden["agent_ids"]
    ]
    schedules = [own[plan] for own, plan in zip(plans, chosen, strict=True)]
    return np.array(schedules), np.array([own[0] for own in plans])
