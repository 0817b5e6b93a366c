"""The public draws of a round: everybody gets the same, all parts are even, all pairs occur."""

from collections import Counter

import pytest

from agents.exchange.public_draws import asks, partner_of, shard_of


@pytest.mark.parametrize(("households", "shards"), [(1, 1), (2, 3), (7, 3), (60, 4), (200, 7)])
def test_shards_have_as_many_households_as_they_say(households: int, shards: int) -> None:
    for round in range(1, 6):
        found = [
            shard_of(position, round, households=households, shards=shards, seed=3)
            for position in range(households)
        ]
        counted = Counter(shard.number for shard in found)
        assert max(counted.values()) - households // shards <= 1
        assert all(counted[shard.number] == shard.households for shard in found)
        assert all(0 <= shard.number < shards for shard in found)


def test_households_meet_in_other_shards_in_other_rounds() -> None:
    together = Counter(
        shard_of(0, round, households=100, shards=4, seed=0).number
        == shard_of(50, round, households=100, shards=4, seed=0).number
        for round in range(200)
    )
    assert 0 < together[True] < 200


@pytest.mark.parametrize("households", [1, 2, 9, 50])
def test_partners_are_each_other_s_and_one_of_them_proposes(households: int) -> None:
    met = set()
    for round in range(1, 600):
        for position in range(households):
            partner = partner_of(position, round, households=households, seed=1)
            if partner is None:
                continue
            assert partner_of(partner, round, households=households, seed=1) == position
            assert asks(position, partner, round) != asks(partner, position, round)
            met.add((position, partner))
    assert len(met) == households * (households - 1)
