"""Enrolment: which households take part, where they live, and the place that each one gets.

It knows the roster of the run, household -> host, and refuses a household from any other host. When
households are placed, and when the run goes on or fails, is decided in coordinator.py. Pure.
"""

from collections.abc import Callable, Mapping, Sequence

from agents.planning.tree import children_of, parent_of
from protocol.errors import PeerError
from protocol.messages import Address, Enrol, Place, Residents
from protocol.runtime.machine import Roles
from protocol.subjects import HOST, OPERATOR
from protocol.terms import Terms

_OPERATOR = Address(OPERATOR, OPERATOR)
_AS_OPERATOR: Roles = frozenset({"operator"})
_AS_MATCHMAKER: Roles = frozenset({"matchmaker"})
_AS_HOST: Roles = frozenset({"host"})
_AS_MEMBER: Roles = frozenset({"member"})


class Enrolment:
    """The households of one run, as they enrol.

    `members` are their ids in tree order. `roster` has the host of each; without one, a household
    lives where it enrols first.
    """

    def __init__(
        self,
        members: Sequence[str],
        terms: Callable[[str], Terms],
        *,
        roster: Mapping[str, str] | None = None,
        matchmakers: Sequence[Address] = (),
        matchmaker_keys: Sequence[str] = (),
    ) -> None:
        """Set up a run in which nobody has enrolled. `terms` returns the terms of a household;
        `matchmaker_keys` are as in Place."""
        self.members, self.matchmakers = tuple(members), tuple(matchmakers)
        self.addresses: dict[str, Address] = {}
        """The addresses of the households that have enrolled, by id."""
        self.sessions: dict[str, int] = {}
        """The latest session of each household that has enrolled."""
        self.slots: int | None = None
        """Number of slots of the first household's plans; None until one has enrolled."""
        self._terms, self._roster = terms, roster
        self._matchmaker_keys = tuple(matchmaker_keys)
        self._part_names = {address.host for address in matchmakers}.union((roster or {}).values())
        """The names of all hosts and matchmakers."""
        self._positions = {name: position for position, name in enumerate(members)}

    @property
    def complete(self) -> bool:
        """True when all households have enrolled."""
        return len(self.addresses) == len(self.members)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts of the households that have enrolled."""
        return tuple(dict.fromkeys(address.host for address in self.addresses.values()))

    @property
    def residents(self) -> tuple[Residents, ...]:
        """The households of each host; none while it is not known where all of them live."""
        where = {name: address.host for name, address in self.addresses.items()}
        where.update(self._roster or {})
        if any(name not in where for name in self.members):
            return ()
        shares: dict[str, list[str]] = {}
        for name in self.members:
            shares.setdefault(where[name], []).append(name)
        return tuple(Residents(host, tuple(names)) for host, names in shares.items())

    def roles_of(self, sender: Address) -> Roles:
        """Return the roles of a sender towards the orchestrator. Raises PeerError for one that is
        not of this run."""
        if sender == _OPERATOR:
            return _AS_OPERATOR
        if sender in self.matchmakers:
            return _AS_MATCHMAKER
        if sender.name == HOST:
            if sender.host not in self._part_names:
                raise PeerError(f"{sender.host} is not a host of this run")
            return _AS_HOST
        self._check(sender)
        return _AS_MEMBER

    def _check(self, sender: Address) -> None:
        """Raise PeerError if this is no household of the run, or does not live on this host."""
        name, host = sender.name, sender.host
        if name not in self._positions:
            raise PeerError(f"{name} is not expected in this run")
        registered = self._roster.get(name) if self._roster is not None else None
        known = self.addresses.get(name)
        if registered is None and known is not None:
            registered = known.host
        if registered is not None and registered != host:
            raise PeerError(f"{name} lives on {registered}, not on {host}")

    def check_enrolled(self, household: str) -> None:
        """Raise PeerError if this household has not enrolled."""
        if household not in self.addresses:
            raise PeerError(f"{household} has not enrolled")

    def enrol(self, sender: Address, enrol: Enrol) -> int:
        """Enter a household, which lives there, and return its latest session so far: the one that
        it names, if it is new."""
        self.addresses.setdefault(sender.name, sender)
        self._part_names.add(sender.host)
        before = self.sessions.get(sender.name, enrol.session)
        self.sessions[sender.name] = max(before, enrol.session)
        if self.slots is None:
            self.slots = enrol.slots
        return before

    def place(self, name: str, *, attempt: int, loop: int) -> Place:
        """Return the place of a household; all have enrolled. `attempt` and `loop` as in Place."""
        position, terms, households = self._positions[name], self._terms(name), len(self.members)
        above = parent_of(position, terms.arity)
        roster: tuple[Address, ...] = ()
        alone = terms.exchange is not None and not self.matchmakers
        if alone or terms.reorganisation.strategy != "never":
            roster = tuple(self.addresses[member] for member in self.members)
        return Place(
            position=position,
            households=households,
            parent=None if above is None else self.addresses[self.members[above]],
            children=tuple(
                self.addresses[self.members[child]]
                for child in children_of(position, terms.arity, households)
            ),
            terms=terms,
            matchmakers=self.matchmakers,
            roster=roster,
            attempt=attempt,
            loop=loop,
            matchmaker_keys=self._matchmaker_keys,
        )
