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
    "code, reason, created, updated, finished, notes, confidence, review"
)

PRUNED = 100
"""Jobs that are forgotten at a time: 20 ms in a ledger of a million, 1,000 took a tenth of a second
in which nothing else was entered."""


def _job(row: Sequence[Any]) -> Job:
    values = list(row)
    values[5] = State(values[5])
    values[10] = tuple(json.loads(values[10]))
    values[11] = None if values[11] is None else os.fsdecode(values[11])
    values[17] = tuple(json.loads(values[17]))
    values[19] = bool(values[19])
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

    def unknown(self, jobs: Sequence[str]) -> list[str]:
        """Return those of the jobs that are not known."""
        rows = self._rows(
            "SELECT job FROM job WHERE job IN (SELECT value FROM json_each(?))", json.dumps(jobs)
        )
        known = {row[0] for row in rows}
        return [job for job in jobs if job not in known]

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
            for column in ("outputs", "notes"):
                if column in changes:
                    changes[column] = json.dumps(list(changes[column]))
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
        self,
        *,
        states: Sequence[State] = (),
        inbox: str | None = None,
        limit: int | None = None,
        review: bool = False,
    ) -> list[Job]:
        """Return jobs, the newest first; with `review` those that somebody should look over."""
        where, values = "state = ?", list[Any]()
        if inbox is not None:
            where, values = "inbox = ? AND state = ?", [inbox]
        jobs = "job"
        if review:  # of the indexes that serve, SQLite may choose one that leads through all jobs
            jobs, where = "job INDEXED BY job_review", f"review = 1 AND {where}"
        most = -1 if limit is None else limit
        # State by state: each is read from the end of an index, however many jobs there are.
        found = [
            _job(r)
            for state in dict.fromkeys(states or State)
            for r in self._rows(
                f"SELECT {_COLUMNS} FROM {jobs} WHERE {where} "
                "ORDER BY created DESC, job DESC LIMIT ?",
                *values,
                state.value,
                most,
            )
        ]
        found.sort(key=lambda job: (job.created, job.job), reverse=True)
        return found if limit is None else found[:limit]

    def unfinished(self) -> list[Job]:
        """Return the jobs that are ready, queued or running, the oldest first."""
        return [
            _job(r)
            for r in self._rows(
                f"SELECT {_COLUMNS} FROM job WHERE finished IS NULL ORDER BY created, job"
            )
        ]

    def same(self, inbox: str, sha256: str, but: str) -> Job | None:
        """Return a job of this inbox with the same bytes that is or may become done, or None."""
        rows = self._rows(
            f"SELECT {_COLUMNS} FROM job WHERE inbox = ? AND sha256 = ? AND job != ? "
            "AND state IN ('done', 'ready', 'queued', 'running') ORDER BY job LIMIT 1",
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

    def named(self, text: str, limit: int) -> list[str]:
        """Return the ids, at most `limit` and the newest first, that begin or end with `text`.

        Of ends only those of at least three characters are found.
        """
        begin = self._rows(
            "SELECT created, job FROM job WHERE job >= ?1 AND job < ?1 || char(0x10FFFF) "
            "ORDER BY job DESC LIMIT ?2",
            text,
            limit,
        )
        end = self._rows(
            "SELECT created, job FROM job WHERE substr(job, -3) = substr(?1, -3) "
            "AND substr(job, -length(?1)) = ?1 ORDER BY created DESC LIMIT ?2",
            text,
            limit,
        )
        return [job for _, job in sorted({*begin, *end}, reverse=True)][:limit]

    def placed(self, path: str) -> Job | None:
        """Return a job of which an output, or the original, was put at this absolute path."""
        for query, place in (
            (
                "job = (SELECT job FROM output WHERE path = ?)",
                path.encode("utf-8", "surrogatepass"),
            ),
            ("filed = ?", os.fsencode(path)),
        ):
            if rows := self._rows(f"SELECT {_COLUMNS} FROM job WHERE {query} LIMIT 1", place):
                return _job(rows[0])
        return None

    def counts(self) -> dict[tuple[str, str], int]:
        """Return the number of jobs by inbox and state, where there are any."""
        return {
            (inbox, state): jobs
            for inbox, state, jobs in self._rows(
                "SELECT inbox, state, jobs FROM tally WHERE jobs > 0"
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
        """Forget some finished jobs that ended before `before`; return how many they were.

        With them goes their history; with the last of them, requests answered before `before`.
        """
        with self._write() as db:
            gone = db.execute(
                "SELECT job FROM job WHERE finished < ? LIMIT ?", (before, PRUNED)
            ).fetchall()
            db.executemany("DELETE FROM transition WHERE job = ?", gone)
            db.executemany("DELETE FROM job WHERE job = ?", gone)
            if len(gone) < PRUNED:
                db.execute("DELETE FROM request WHERE answered < ?", (before,))
        return len(gone)
