"""Jobs and their history."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from watcherd.errors import NotOurs
from watcherd.ledger.rows import Job, Transition
from watcherd.ledger.store import Store
from watcherd.lifecycle import FINISHED, Event, State, path, step

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLUMNS = (
    "job, inbox, source, size, sha256, state, stage, current, total, attempts, outputs, filed, "
    "code, reason, created, updated, finished"
)


def _job(row: Sequence[Any]) -> Job:
    values = list(row)
    values[5] = State(values[5])
    values[10] = tuple(json.loads(values[10]))
    values[11] = None if values[11] is None else os.fsdecode(values[11])
    return Job(*values)


class JobTable(Store):
    """The tables `job` and `transition`."""

    def add(
        self, job: str, inbox: str, source: bytes, size: int, sha256: str, created: float
    ) -> None:
        """Enter a claimed and sealed job as `ready`; known already: nothing happens."""
        with self._write() as db:
            db.execute(
                "INSERT OR IGNORE INTO job (job, inbox, source, size, sha256, state, created, "
                "updated) VALUES (?, ?, ?, ?, ?, 'ready', ?, ?)",
                (job, inbox, source, size, sha256, created, time.time()),
            )

    def knows(self, job: str) -> bool:
        """Tell whether there is such a job."""
        return bool(self._rows("SELECT 1 FROM job WHERE job = ?", job))

    def get(self, job: str) -> Job:
        """Return the job; raise `NotOurs` if it is not known."""
        rows = self._rows(f"SELECT {_COLUMNS} FROM job WHERE job = ?", job)
        if not rows:
            raise NotOurs(f"no job {job!r}; `watcherd jobs` lists them")
        return _job(rows[0])

    def move(
        self, job: str, *events: Event, detail: dict[str, Any] | None = None, **changes: Any
    ) -> Job:
        """Take the job through `events`, in one transaction that also appends the history.

        `changes` are columns to set with it, `detail` belongs to the last step. Raises
        `IllegalEvent` (and changes nothing) where the life of a job does not allow a step.
        """
        at = time.time()
        steps: list[Transition] = []
        with self._write() as db:
            state = self.get(job).state
            for number, event in enumerate(events, 1):
                after = step(state, event)
                told = detail if detail and number == len(events) else {}
                steps.append(Transition(job, at, event, state, after, told))
                state = after
            if "outputs" in changes:
                changes["outputs"] = json.dumps(list(changes["outputs"]))
            if changes.get("filed") is not None:
                changes["filed"] = os.fsencode(changes["filed"])
            changes |= {
                "state": state.value,
                "updated": at,
            }
            if events:
                changes["finished"] = at if state in FINISHED else None
            columns = ", ".join(f"{column} = ?" for column in changes)
            db.execute(
                f"UPDATE job SET {columns} WHERE job = ?",
                (*changes.values(), job),
            )
            db.executemany(
                "INSERT INTO transition (job, at, event, before, after, detail) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                [(s.job, s.at, s.event, s.before, s.after, json.dumps(s.detail)) for s in steps],
            )
            moved = self.get(job)
        for one in steps:
            if self.told:
                self.told(moved, one)
        return moved

    def reach(
        self, job: str, goal: State, *, detail: dict[str, Any] | None = None, **changes: Any
    ) -> Job:
        """Take the job to `goal` by the shortest legal way; there already: only set `changes`."""
        with self._lock:
            events = path(self.get(job).state, goal)
            return self.move(job, *events, detail=detail, **changes)

    def jobs(
        self, *, states: Sequence[State] = (), inbox: str | None = None, limit: int | None = None
    ) -> list[Job]:
        """Return jobs, the newest first."""
        where, values = ["1"], list[Any]()
        if states:
            where.append(f"state IN ({', '.join('?' * len(states))})")
            values += [s.value for s in states]
        if inbox is not None:
            where.append("inbox = ?")
            values.append(inbox)
        values.append(-1 if limit is None else limit)
        return [
            _job(r)
            for r in self._rows(
                f"SELECT {_COLUMNS} FROM job WHERE {' AND '.join(where)} "
                "ORDER BY created DESC, job DESC LIMIT ?",
                *values,
            )
        ]

    def unfinished(self) -> list[Job]:
        """Return the jobs that are ready, queued or running, the oldest first."""
        return [
            _job(r)
            for r in self._rows(
                f"SELECT {_COLUMNS} FROM job WHERE finished IS NULL ORDER BY created, job"
            )
        ]

    def same(self, inbox: str, sha256: str, but: str) -> Job | None:
        """Return a finished good job of this inbox with the same bytes, if there is one."""
        rows = self._rows(
            f"SELECT {_COLUMNS} FROM job WHERE inbox = ? AND sha256 = ? AND job != ? "
            "AND state IN ('done', 'ready', 'queued', 'running') ORDER BY created LIMIT 1",
            inbox,
            sha256,
            but,
        )
        return _job(rows[0]) if rows else None

    def by_source(self, inbox: str, source: bytes, limit: int = 20) -> list[Job]:
        """Return the jobs that a file of this name became, the newest first."""
        return [
            _job(r)
            for r in self._rows(
                f"SELECT {_COLUMNS} FROM job WHERE inbox = ? AND source = ? "
                "ORDER BY created DESC LIMIT ?",
                inbox,
                source,
                limit,
            )
        ]

    def counts(self) -> dict[tuple[str, str], int]:
        """Return the number of jobs by inbox and state."""
        return {
            (i, s): n
            for i, s, n in self._rows(
                "SELECT inbox, state, count(*) FROM job GROUP BY inbox, state"
            )
        }

    def history(self, job: str) -> list[Transition]:
        """Return every step of the job, the first one first."""
        return [
            Transition(j, at, Event(e), State(b), State(a), json.loads(d))
            for j, at, e, b, a, d in self._rows(
                "SELECT job, at, event, before, after, detail FROM transition WHERE job = ? "
                "ORDER BY id",
                job,
            )
        ]

    def prune(self, before: float) -> int:
        """Forget finished jobs, and their history, that ended before `before`; return how many."""
        with self._write() as db:
            gone = [
                r[0]
                for r in db.execute("SELECT job FROM job WHERE finished < ? LIMIT 1000", (before,))
            ]
            db.executemany("DELETE FROM transition WHERE job = ?", [(j,) for j in gone])
            db.executemany("DELETE FROM job WHERE job = ?", [(j,) for j in gone])
            db.execute("DELETE FROM request WHERE answered < ?", (before,))
        return len(gone)
