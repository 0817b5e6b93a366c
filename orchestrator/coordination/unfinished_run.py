"""The files of a run that has not ended: what another orchestrator needs to go on with it.

They are in a folder inside that of the results, and go when these are written. Only their owner may
read them. What the orchestrator was told is in a journal (run_journal.py); the journals of hosts
are there as well if the run keeps them.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import randbits, token_bytes
from shutil import rmtree
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from agents.exchange.journal.sqlite import SqliteJournal
from orchestrator.coordination.commissions import SECRET_BYTES
from orchestrator.coordination.placement import Run
from orchestrator.results.result_files import UNFINISHED_FOLDER
from orchestrator.scenario.scenario import Scenario
from orchestrator.scenario.settings import RunSettings, settings_from
from protocol.checked_input import invalid
from protocol.errors import InputError

RECORD, JOURNAL, LOCK = "run.json", "orchestrator.sqlite", "lock"
CHANGEABLE = frozenset({"nats", "keys", "insecure", "deadline", "round_limit", "limit"})
"""Options that may differ when a run is resumed."""
END_SECONDS = 10.0
"""Seconds in which the hosts of a killed orchestrator end."""
LOOK_SECONDS = 0.1
"""Seconds between two looks at a lock."""
_NOT_KEPT = {"out", "run"}
_INSTANCE_BITS = 63

CommandName = Literal["run", "orchestrate"]


@dataclass(frozen=True, slots=True)
class _Record:
    """The content of RECORD."""

    run: str
    command: CommandName
    instance: int
    data_sha256: str
    secret: str
    """In hexadecimal."""
    made_out: bool
    """Whether the folder of the results was made for the run."""
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class UnfinishedRun:
    """A run that has begun and not ended."""

    folder: Path
    """The folder of its files."""
    run: str
    command: CommandName
    """The command that began it."""
    instance: int
    """Tells the run from any other with the same id."""
    data_sha256: str
    secret: bytes
    """SECRET_BYTES random bytes, from which the keys of the run's matchmakers follow."""
    settings: RunSettings
    made_out: bool
    """True if the folder of the results was made for the run."""

    @property
    def has_begun(self) -> bool:
        """True once there is something to go on with."""
        return (self.folder / JOURNAL).exists()

    @property
    def journal(self) -> SqliteJournal:
        """Return the journal of its orchestrator."""
        return SqliteJournal(self.folder / JOURNAL)

    def check_data(self, scenario: Scenario) -> None:
        """Raise InputError if the data are not those with which the run began."""
        if scenario.data_sha256 != self.data_sha256:
            reason = f"the data of run {self.run} have changed since it began"
            raise InputError(reason, file=self.folder)

    def remove(self) -> None:
        """Remove its files, since it has ended; and the folder of the results, if it was made for
        them and has none."""
        rmtree(self.folder, ignore_errors=True)
        if self.made_out:
            with suppress(OSError):  # it has results, or is gone already
                self.folder.parent.rmdir()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep any other orchestrator from the run. Raises InputError if there is one.

        Hosts that were forked hold the lock as well. If their orchestrator is killed they end by
        themselves, which takes a moment.
        """
        lock = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        until = time.monotonic() + END_SECONDS
        try:
            while not _try_lock(lock):
                if time.monotonic() > until:
                    reason = f"another process is busy with run {self.run}"
                    raise InputError(reason, file=self.folder)
                time.sleep(LOOK_SECONDS)
            yield
        finally:
            os.close(lock)


def begin(run: str, scenario: Scenario, command: CommandName) -> UnfinishedRun:
    """Create the files of a run that begins, in place of any that have been left there.

    A login in the URL of a server is not kept. Raises InputError if they cannot be written.
    """
    settings, folder = scenario.resolved_settings(), scenario.settings.out / UNFINISHED_FOLDER
    secret = {"nats"} if "@" in (settings.nats or "") else set()
    options = settings.model_dump(mode="json", exclude=_NOT_KEPT | secret, exclude_none=True)
    record = _Record(
        run=run,
        command=command,
        instance=randbits(_INSTANCE_BITS),
        data_sha256=scenario.data_sha256,
        secret=token_bytes(SECRET_BYTES).hex(),
        made_out=not folder.parent.exists(),
        settings=options,
    )
    rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700, parents=True)
        with open(folder / RECORD, "xb", opener=_for_owner) as file:
            file.write(TypeAdapter(_Record).dump_json(record, indent=2))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=folder) from error
    return _unfinished(folder, record, settings)


def read(out: Path, changes: Mapping[str, Any], command: CommandName) -> UnfinishedRun:
    """Return the unfinished run in the folder `out`, with some of its options changed.

    Raises InputError if there is none, if it is of another command, or if an option may not change.
    """
    for name in changes:
        if name not in CHANGEABLE:
            reason = "cannot change: a run goes on with the options with which it began"
            raise InputError(reason, field="--" + name.replace("_", "-"))
    folder = out / UNFINISHED_FOLDER
    try:
        content = json.loads((folder / RECORD).read_bytes())
        record = TypeAdapter(_Record).validate_python(content)
    except FileNotFoundError:
        reason = "has no unfinished run (coflex run has one with --keep, coflex orchestrate always)"
        raise InputError(reason, file=out) from None
    except ValidationError as error:
        raise invalid(error, file=folder / RECORD) from error
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", file=folder / RECORD) from error
    if record.command != command:
        reason = f"run {record.run} was begun by coflex {record.command}: resume it with that"
        raise InputError(reason, file=out)
    settings = settings_from({**record.settings, **changes, "out": out, "run": record.run})
    return _unfinished(folder, record, settings)


def claim_run(kept: Path, run: Run, host: str) -> None:
    """Let a host use the folder `kept` for this run, or go on with it there.

    Raises InputError if another run had the same id, because its journal would be taken for that of
    this one.
    """
    if not run.instance:
        return
    file, draft = kept / f"{host}.instance", kept / f".{host}.instance"
    try:
        kept.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            with open(draft, "w", opener=_for_owner) as new:
                new.write(f"{run.instance}\n")
            draft.rename(file)
        known = file.read_text()
    except OSError as error:
        raise InputError(f"cannot be used: {error.strerror}", file=kept) from error
    if known.strip() != str(run.instance):
        reason = f"the run id {run.id!r} was used before: choose another with --run"
        raise InputError(reason, file=kept)


def _unfinished(folder: Path, record: _Record, settings: RunSettings) -> UnfinishedRun:
    return UnfinishedRun(
        folder=folder,
        run=record.run,
        command=record.command,
        instance=record.instance,
        data_sha256=record.data_sha256,
        secret=bytes.fromhex(record.secret),
        settings=settings,
        made_out=record.made_out,
    )


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
