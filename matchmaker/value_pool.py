"""The pool of one slot under the rule `ttc`: finds the top trading cycles by asking households.

Each household points to the holder of the value that it would rather have than all others left in
the pool; households on a cycle take the values they point to and leave the pool (Shapley and Scarf
1974). A household wants a value the more, the nearer it is to its preferred one. So where it
points follows from comparisons of two neighbouring values, which it answers; the preferred value
itself is never named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Question(NamedTuple):
    """A question to one household: which of two values it would rather have."""

    household: str
    lower_kwh: float
    upper_kwh: float


@dataclass(slots=True)
class _Member:
    """A household that is still in the pool.

    Its most wanted value is in one of the groups from `low` to `high`. Once they are the same group
    and that group has become empty, it is in one of the two nearest groups that are not.
    """

    group: int
    """The group of its own value."""
    low: int
    high: int
    asked: tuple[int, int] | None = None
    """The two groups that it is asked to compare."""


class ValuePool:
    """The values at one slot, in groups of equal values.

    Invariant: a group has a member for each household in the pool that holds its value.
    """

    def __init__(self, values: Mapping[str, float], precedence: Sequence[str]) -> None:
        """Set up a pool: the value of each household, kWh. Of the holders of equal values, the
        first in `precedence` is pointed to first, by all but themselves."""
        self._values = sorted(set(values.values()))
        group_of = {value: group for group, value in enumerate(self._values)}
        self._holders: list[list[str]] = [[] for _ in self._values]
        self._members: dict[str, _Member] = {}
        for name in precedence:
            if name in values:
                group = group_of[values[name]]
                self._holders[group].append(name)
                self._members[name] = _Member(group, 0, len(self._values) - 1)
        self.taken_kwh: dict[str, float] = {}
        """Values that households take, once their cycles are found."""

    def questions(self) -> list[Question]:
        """Find all cycles that the answers so far allow, and return the questions to ask next; none
        when everybody has left. Call it again only when all of them are answered."""
        while self._members:
            asked = [name for name, member in self._members.items() if self._compare(member)]
            if asked:
                return [self._question(name) for name in asked]
            for cycle in self._cycles():
                self._trade(cycle)
        return []

    def answer(self, household: str, upper: bool) -> None:
        """Take the answer to a household's question."""
        member = self._members[household]
        assert member.asked is not None
        low, high = member.asked
        if member.low < member.high:
            member.low, member.high = (high, member.high) if upper else (member.low, low)
        else:
            member.low = member.high = high if upper else low
        member.asked = None

    def _question(self, household: str) -> Question:
        asked = self._members[household].asked
        assert asked is not None
        return Question(household, self._values[asked[0]], self._values[asked[1]])

    def _compare(self, member: _Member) -> bool:
        """Return True if the member has to compare two groups before it is known where it points;
        these are then in `asked`."""
        if member.low < member.high:
            middle = (member.low + member.high) // 2
            member.asked = middle, middle + 1
            return True
        if self._holders[member.low]:
            return False
        low = high = member.low
        while low >= 0 and not self._holders[low]:
            low -= 1
        while high < len(self._values) and not self._holders[high]:
            high += 1
        if low >= 0 and high < len(self._values):
            member.asked = low, high
            return True
        member.low = member.high = high if low < 0 else low
        return False

    def _target(self, household: str) -> str:
        member = self._members[household]
        return household if member.low == member.group else self._holders[member.low][0]

    def _cycles(self) -> list[list[str]]:
        """Return the cycles among the members, each of whom points to one."""
        target = {name: self._target(name) for name in self._members}
        cycles = []
        seen: dict[str, str] = {}
        for start in target:
            path = []
            name = start
            while name not in seen:
                seen[name] = start
                path.append(name)
                name = target[name]
            if seen[name] == start and path:
                cycles.append(path[path.index(name) :])
        return cycles

    def _trade(self, cycle: list[str]) -> None:
        """Let the members of a cycle take the values that they point to, and leave."""
        groups = [self._members.pop(name).group for name in cycle]
        for index, (name, group) in enumerate(zip(cycle, groups, strict=True)):
            self.taken_kwh[name] = self._values[groups[(index + 1) % len(groups)]]
            self._holders[group].remove(name)
