"""What the daemon shows of itself: waiting files, the health of inboxes, its own life."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from watcherd.ledger.rows import DaemonRow, InboxRow, Waiting
from watcherd.ledger.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence


class SnapshotTable(Store):
    """The tables `waiting`, `inbox` and `daemon`."""

    def set_waiting(
        self, inbox: str, rows: Sequence[Waiting], count: int, watch: str, trouble: str | None
    ) -> None:
        """Replace what is shown of an inbox: its first waiting files, their number, its health."""
        oldest = min((r.since for r in rows), default=None)
        with self._write() as db:
            db.execute("DELETE FROM waiting WHERE inbox = ?", (inbox,))
            db.executemany(
                "INSERT OR REPLACE INTO waiting VALUES (?, ?, ?, ?, ?, ?)",
                [(r.inbox, r.source, r.size, r.since, r.why, r.says) for r in rows],
            )
            db.execute(
                "INSERT INTO inbox (name, watch, waiting, oldest, trouble, updated) "
                "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (name) DO UPDATE SET "
                "watch = ?2, waiting = ?3, oldest = ?4, trouble = ?5, updated = ?6",
                (inbox, watch, count, oldest, trouble, time.time()),
            )

    def waiting(self, inbox: str | None = None) -> list[Waiting]:
        """Return the snapshot of files not yet claimed, the oldest first."""
        return [
            Waiting(*r)
            for r in self._rows(
                "SELECT inbox, source, size, since, why, says FROM waiting "
                "WHERE ?1 IS NULL OR inbox = ?1 ORDER BY since, source",
                inbox,
            )
        ]

    def pause(self, inbox: str, *, paused: bool) -> None:
        """Remember that an inbox is paused, or no longer."""
        with self._write() as db:
            db.execute(
                "INSERT INTO inbox (name, paused) VALUES (?1, ?2) "
                "ON CONFLICT (name) DO UPDATE SET paused = ?2",
                (inbox, int(paused)),
            )

    def inboxes(self) -> dict[str, InboxRow]:
        """Return how every inbox is doing, by name."""
        return {
            r[0]: InboxRow(r[0], bool(r[1]), *r[2:])
            for r in self._rows(
                "SELECT name, paused, watch, waiting, oldest, trouble, updated FROM inbox"
            )
        }

    def beat(self, pid: int, started: float, trouble: str | None) -> None:
        """Say that the daemon lives."""
        with self._write() as db:
            db.execute(
                "INSERT OR REPLACE INTO daemon VALUES (1, ?, ?, ?, ?)",
                (pid, started, time.time(), trouble),
            )

    def daemon(self) -> DaemonRow | None:
        """Return the daemon that is or was running."""
        rows = self._rows("SELECT pid, started, beat, trouble FROM daemon")
        return DaemonRow(*rows[0]) if rows else None
