"""What people ask of the daemon, and its answers."""

from __future__ import annotations

import time

from watcherd.ledger.rows import Request
from watcherd.ledger.store import Store


class RequestTable(Store):
    """The table `request`."""

    def ask(self, verb: str, target: str) -> int:
        """File a request to the daemon; return its number."""
        with self._write() as db:
            cursor = db.execute(
                "INSERT INTO request (verb, target, at) VALUES (?, ?, ?)",
                (verb, target, time.time()),
            )
            return int(cursor.lastrowid or 0)

    def open_requests(self) -> list[Request]:
        """Return what nobody has answered yet, in order."""
        return [
            Request(number, verb, target, None, None)
            for number, verb, target in self._rows(
                "SELECT id, verb, target FROM request WHERE answered IS NULL ORDER BY id"
            )
        ]

    def answer(self, request: int, answer: str, *, ok: bool) -> None:
        """Answer a request."""
        with self._write() as db:
            db.execute(
                "UPDATE request SET answered = ?, ok = ?, answer = ? WHERE id = ?",
                (time.time(), int(ok), answer, request),
            )

    def request(self, number: int) -> Request:
        """Return a request and, once it is given, its answer."""
        row = self._rows("SELECT id, verb, target, ok, answer FROM request WHERE id = ?", number)[0]
        return Request(row[0], row[1], row[2], None if row[3] is None else bool(row[3]), row[4])

    def changes(self) -> int:
        """Return a number that differs when another connection has written."""
        return int(self._rows("PRAGMA data_version")[0][0])
