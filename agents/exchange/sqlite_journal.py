"""A host's journal in one SQLite file: write-ahead log, one transaction a commit.

A killed process loses nothing that was committed. Whether a machine that loses its power does not
either is the choice of `power_safe`, which waits for the disk at every commit.
"""

import sqlite3
from pathlib import Path

from agents.exchange.journal import Entry, by_household
from protocol.errors import InputError

_COLUMNS = ", ".join(Entry._fields)
_INSERT = f"INSERT INTO entries ({_COLUMNS}) VALUES ({', '.join('?' * len(Entry._fields))})"


class SqliteJournal:
    """An open journal; made if the file does not exist."""

    def __init__(self, file: Path, *, power_safe: bool = False) -> None:
        self._pending: list[Entry] = []
        try:
            self._store = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
            self._store.execute("PRAGMA journal_mode = WAL")
            self._store.execute(f"PRAGMA synchronous = {'FULL' if power_safe else 'NORMAL'}")
            self._store.execute(
                f"CREATE TABLE IF NOT EXISTS entries (place INTEGER PRIMARY KEY, {_COLUMNS})"
            )
        except sqlite3.Error as error:
            raise InputError(f"cannot keep a journal there: {error}", file=file) from error

    def append(self, entry: Entry) -> None:
        """Write down; lasts after the next `commit`."""
        self._pending.append(entry)

    def commit(self) -> None:
        """Make everything written so far last."""
        if self._pending:
            self._store.execute("BEGIN IMMEDIATE")
            self._store.executemany(_INSERT, self._pending)
            self._store.execute("COMMIT")
            self._pending.clear()

    def entries(self) -> dict[str, list[Entry]]:
        """What lasts, by household, in the order it was written."""
        rows = self._store.execute(f"SELECT {_COLUMNS} FROM entries ORDER BY place")
        return by_household(map(Entry._make, rows))

    def close(self) -> None:
        """Commit and close the file."""
        self.commit()
        self._store.close()
