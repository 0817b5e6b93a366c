"""Placement: divides the tree of households among the hosts.

Pure. `scenario/scenario.py` decides the number of hosts; `nodes.py` builds the node of each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.planning.tree import children_of, level_of
from agents.plans import Plans
from orchestrator.scenario.scenario import Isolation, Scenario

SLACK = 0.05
"""How far a cut may move to keep more subtrees whole, as a fraction of a fair share."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a scenario: its id on the bus, and its households by host."""

    id: str
    scenario: Scenario
    instance: int = 0
    """Tells the run from any other with the same id; 0 if nobody need know."""
    hosts: Mapping[str, tuple[str, ...]] = field(init=False)
    """Ids of the households that live on each host, in tree order."""

    def __post_init__(self) -> None:
        scenario = self.scenario
        shares = layout(
            scenario.members,
            isolation=scenario.isolation,
            hosts=scenario.host_count,
            arity=scenario.common_terms.arity,
            externals=scenario.externals,
        )
        object.__setattr__(self, "hosts", shares)

    @property
    def roster(self) -> dict[str, str]:
        """The host of each household."""
        own = {name: host for host, share in self.hosts.items() for name in share}
        others = self.scenario.settings.external_hosts
        return {**{name: others[name] for name in self.scenario.externals}, **own}

    def plans_of(self, host: str) -> dict[str, Plans]:
        """Return the plans of the households that live on a host, by id."""
        return {name: self.scenario.population.households[name] for name in self.hosts[host]}


def layout(
    members: Sequence[str],
    *,
    isolation: Isolation,
    hosts: int,
    arity: int,
    externals: Sequence[str] = (),
) -> dict[str, tuple[str, ...]]:
    """Return the members that live on each host, by host name.

    In isolation `process`, each member has its own host, named after it. Otherwise a host gets
    whole subtrees: hosts then rarely wait for one another, and answers to many children share
    frames. `externals` are run by other people, so no host gets them; a host without any household
    is dropped.
    """
    if isolation == "process":
        shares = {member: [member] for member in members}
    else:
        parts = partition(len(members), arity, hosts)
        shares = {
            f"host-{number}": [members[position] for position in part]
            for number, part in enumerate(parts, 1)
        }
    others = set(externals)
    own = {host: [name for name in share if name not in others] for host, share in shares.items()}
    return {host: tuple(share) for host, share in own.items() if share}


def host_of(household: str, members: Sequence[str], config: Mapping[str, Any]) -> str | None:
    """Return the host that a household of a finished run lived on.

    `members` are the households of the run in tree order, and `config` is its recorded
    configuration. Returns None if that does not tell, or if other people ran the household.
    """
    entries = (config.get("external") or "").split(",")
    externals = [entry.strip().partition("@")[0] for entry in entries]
    try:
        hosts = layout(
            members,
            isolation=config["isolation"],
            hosts=config["hosts"],
            arity=config["children"],
            externals=externals,
        )
    except (KeyError, TypeError):  # results of another version
        return None
    if len(hosts) != config["hosts"]:  # some had external households only
        return None
    return next((host for host, share in hosts.items() if household in share), None)


def partition(n: int, arity: int, hosts: int) -> list[list[int]]:
    """Divide the positions 0..n-1 of a k-ary heap among `hosts` hosts, at most one per position.

    The positions are listed children first, and the list is cut into stretches of about equal
    length. So a host has whole subtrees, and those of their ancestors that fall into its stretch.
    The positions of each host are in ascending order.
    """
    hosts = min(hosts, n)
    order = _children_first(n, arity)
    slack = int(SLACK * n / hosts)
    cuts = [0]
    for host in range(1, hosts):
        fair = host * n // hosts
        window = range(fair - slack, fair + slack + 1)
        # Cut after the largest subtree that ends near here: its root has the lowest level.
        cuts.append(min(window, key=lambda cut: (level_of(order[cut - 1], arity), abs(cut - fair))))
    return [sorted(order[start:end]) for start, end in zip(cuts, [*cuts[1:], n], strict=True)]


def _children_first(n: int, arity: int) -> list[int]:
    """Return all positions, each after its descendants; every subtree is contiguous."""
    order, waiting = [], [0]
    while waiting:
        position = waiting.pop()
        order.append(position)
        waiting.extend(children_of(position, arity, n))
    return order[::-1]
