"""What counts as growth over many runs."""

import pytest

from tests.soak.growth import MEMORY_BYTES, grown

STEADY = [{"host memory": 10 * MEMORY_BYTES, "descriptors": 12}] * 16


def changed(**values: int) -> list[dict[str, int]]:
    """Return samples that rise by these values with each run."""
    return [
        {name.replace("_", " "): 10 * MEMORY_BYTES + rise * run for name, rise in values.items()}
        for run in range(16)
    ]


def test_what_stays_the_same_has_not_grown() -> None:
    assert grown(STEADY) == []


def test_a_little_memory_is_a_cache() -> None:
    assert grown(changed(host_memory=MEMORY_BYTES // 20)) == []


@pytest.mark.parametrize("values", [{"host_memory": MEMORY_BYTES}, {"descriptors": 1}])
def test_what_rises_with_every_run_has_grown(values: dict[str, int]) -> None:
    found = grown(changed(**values))
    assert len(found) == 1
    assert next(iter(values)).replace("_", " ") in found[0]


def test_what_only_rises_at_the_start_has_not_grown() -> None:
    assert grown([{"descriptors": 4}, *([{"descriptors": 9}] * 15)]) == []


def test_few_samples_say_nothing() -> None:
    with pytest.raises(ValueError, match="eight"):
        grown(STEADY[:7])
