"""A host's journal in one SQLite file: write-ahead log, one transaction per commit.

A killed process loses nothing that was committed. A journal in a temporary folder is gone after a
power failure anyway, so it never waits for the disk: creating it is twenty times as fast.
"""

import sqlite3
from pathlib import Path

from agents.exchange.journal.entries import Entry, by_household
from protocol.errors import InputError, RunError

_COLUMNS = ", ".join(Entry._fields)
_INSERT = f"INSERT INTO entries ({_COLUMNS}) VALUES ({', '.join('?' * len(Entry._fields))})"


class SqliteJournal:
    """A journal in `file`, which is created with the first entry. A host without stage 2 never
    creates it."""

    def __init__(self, file: Path, *, temporary: bool = False) -> None:
        self._file, self._temporary = file, temporary
        self._pending: list[Entry] = []
        self._opened: sqlite3.Connection | None = None

    def append(self, entry: Entry) -> None:
        """Add an entry; it is durable after the next `commit`."""
        self._pending.append(entry)

    def commit(self) -> None:
        """Make all entries added so far durable. Raises RunError if the disk fails."""
        if not self._pending:
            return
        try:
            store = self._store()
            store.execute("BEGIN IMMEDIATE")
            store.executemany(_INSERT, self._pending)
            store.execute("COMMIT")
        except sqlite3.Error as error:
            raise RunError(f"{self._file}: the journal cannot be kept: {error}") from error
        self._pending.clear()

    def entries(self) -> dict[str, list[Entry]]:
        """Return the durable entries by household, in the order in which they were written."""
        if self._opened is None and not self._file.exists():
            return {}
        try:
            rows = self._store().execute(f"SELECT {_COLUMNS} FROM entries ORDER BY place")
            return by_household(map(Entry._make, rows))
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def of(self, household: str) -> list[Entry]:
        """Return the durable entries of one household, without reading the others."""
        query = f"SELECT {_COLUMNS} FROM entries WHERE household = ? ORDER BY place"
        try:
            return [Entry._make(row) for row in self._store().execute(query, (household,))]
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def households(self) -> list[str]:
        """Return the households that have written something."""
        try:
            rows = self._store().execute("SELECT DISTINCT household FROM entries")
            return [row[0] for row in rows]
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def close(self) -> None:
        """Commit and close the file."""
        self.commit()
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _store(self) -> sqlite3.Connection:
        if self._opened is None:
            store = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
            # First of all, since the next pragma writes already.
            store.execute(f"PRAGMA synchronous = {'OFF' if self._temporary else 'NORMAL'}")
            store.execute("PRAGMA journal_mode = WAL")
            store.execute(
                f"CREATE TABLE IF NOT EXISTS entries (place INTEGER PRIMARY KEY, {_COLUMNS})"
            )
            self._opened = store
        return self._opened

    def _unusable(self, error: sqlite3.Error) -> InputError:
        return InputError(f"no journal can be kept or read there: {error}", file=self._file)
