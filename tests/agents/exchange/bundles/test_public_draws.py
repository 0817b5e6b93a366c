"""The public draws of a round: everybody gets the same, all parts are even, all pairs occur."""

from collections import Counter

import pytest

from agents.exchange.bundles.public_draws import asks, partner_of, shard_of


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


def test_draws_are_those_of_the_protocol_page() -> None:
    """Households written by others repeat them, so that they never change."""
    shards = [shard_of(position, 1, households=7, shards=3, seed=3).number for position in range(7)]
    assert shards == [2, 0, 0, 1, 2, 1, 0]
    shards = [
        shard_of(position, 2, households=40, shards=40, seed=0).number for position in range(40)
    ]
    assert shards[:20] == [
        *(30, 0, 39, 3, 15, 36, 33, 17, 11, 23),
        *(14, 7, 26, 29, 10, 31, 21, 28, 20, 13),
    ]
    partners = [partner_of(0, round, households=50, seed=1) for round in range(1, 7)]
    assert partners == [17, 7, 13, 28, 10, 9]
    assert [asks(0, 1, round) for round in (1, 2, 3)] == [True, False, True]
    assert shard_of(4, 1, households=7, shards=1, seed=3) == (0, 7)
    orders = {
        households: [
            shard_of(position, 1, households=households, shards=households, seed=0).number
            for position in range(households)
        ]
        for households in (2, 3, 4, 5, 17)
    }
    assert orders == {
        2: [1, 0],
        3: [1, 2, 0],
        4: [1, 2, 3, 0],
        5: [2, 4, 0, 3, 1],
        17: [6, 3, 9, 14, 12, 4, 2, 10, 7, 1, 0, 16, 13, 11, 8, 15, 5],
    }
