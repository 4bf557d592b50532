"""The open file: connection, transactions, schema; the only module that imports sqlite3."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager, suppress
from importlib.resources import files as resources
from typing import TYPE_CHECKING, Any

from watcherd.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from watcherd.ledger.rows import Job, Transition

_SCRIPTS = ("schema.sql", "schema-2.sql", "schema-3.sql", "schema-4.sql", "schema-5.sql")
"""What makes each version of the schema out of the one before; the first out of nothing.

Each is a transaction of its own: others that have the file open wait for `_BUSY_SECONDS`, and with
a million jobs the longest takes half of that.
"""

VERSION = len(_SCRIPTS)
_BUSY_SECONDS = 10.0


class _Connection(sqlite3.Connection):
    """A connection that takes any text: names of files in it need not be valid UTF-8."""

    def execute(self, sql: str, values: Any = (), /) -> sqlite3.Cursor:
        return super().execute(sql, _storable(values))

    def executemany(self, sql: str, rows: Any, /) -> sqlite3.Cursor:
        return super().executemany(sql, [_storable(row) for row in rows])


def _storable(values: Any) -> list[Any]:
    return [
        v.encode("utf-8", "backslashreplace").decode() if isinstance(v, str) else v for v in values
    ]


class Store:
    """An open ledger file; may be shared by threads. Raises `EnvironmentFault` if unusable."""

    def __init__(
        self, file: Path, *, told: Callable[[Job, Transition], None] | None = None
    ) -> None:
        """Open `file`, making it if need be, or bringing that of an earlier version up to date.

        `told` hears of each step after it is committed.
        """
        self._file = file
        self.told = told
        self._lock = threading.RLock()
        _make(file)
        with self._translated():
            self._db = sqlite3.connect(
                file,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                factory=_Connection,
            )
            found = self._version()  # what a later version wrote is not even opened for writing
            self._db.execute("PRAGMA journal_mode = WAL")
            # The spool is what must survive a power cut; the ledger follows from it.
            self._db.execute("PRAGMA synchronous = NORMAL")
            for version in range(found + 1, VERSION + 1):
                self._upgrade_to(version)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
            if isinstance(error, sqlite3.IntegrityError):
                raise
            raise EnvironmentFault(f"the ledger {self._file} cannot be used: {error}") from error

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        with self._lock, self._translated():
            return self._db.execute(sql, values).fetchall()

    def _version(self) -> int:
        """Return the schema version of the file, 0 for a new one; refuse a later one."""
        found: int = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found > VERSION:
            raise EnvironmentFault(
                f"the ledger {self._file} was written by a newer watcherd (schema {found}, this "
                f"one knows {VERSION}); install that version again, or move the ledger away: the "
                "work goes on from the spool, only the history starts anew"
            )
        return found

    def _upgrade_to(self, version: int) -> None:
        script = resources("watcherd.ledger").joinpath(_SCRIPTS[version - 1])
        with self._write() as db:
            # Another program that opened the file may have been first.
            if db.execute("PRAGMA user_version").fetchone()[0] == version - 1:
                for statement in _statements(script.read_text("utf-8")):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {version}")


def _make(file: Path) -> None:
    """Make an empty file: names of documents are no business of every user's.

    What the umask leaves of rw for user and group; SQLite gives its -wal and -shm the same.
    """
    try:
        file.parent.mkdir(mode=0o770, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o660))
    except OSError as error:
        raise EnvironmentFault(f"the ledger {file} cannot be made: {error.strerror}") from error


def _statements(script: str) -> Iterator[str]:
    """Split a script; `executescript` would commit before the first statement."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
