"""The rows that whole households have in the arrays of a book. Pure."""

from dataclasses import dataclass, field

from protocol.messages import Address


@dataclass(slots=True)
class HouseholdRows:
    """The row of each household that has entered; what the rows hold is decided by the books.

    Invariant: row i of every array belongs to the household at `where[i]`.
    """

    rows: dict[str, int] = field(init=False, default_factory=dict)
    where: list[Address] = field(init=False, default_factory=list)
    """Address of the household in each row."""
    _versions: list[int] = field(init=False, default_factory=list)
    """Rises with each change of what a household has told."""

    def knows(self, household: Address) -> bool:
        """Return True if this household has entered from this address."""
        row = self.rows.get(household.name)
        return row is not None and self.where[row] == household

    def _entered(self, household: Address) -> int:
        """Return the row of a household that enters, the next one for a new household."""
        row = self.rows.setdefault(household.name, len(self.where))
        if row == len(self.where):
            self.where.append(household)
            self._versions.append(0)
        self.where[row] = household
        return row
