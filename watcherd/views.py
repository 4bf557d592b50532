"""What is shown of the service: the keys of `--json` and of the JSON API, which are a contract.

Everything follows from the ledger. Times are ISO 8601 in UTC; names are exact, with a `…_b64`
key beside them where they are not valid UTF-8.
"""

from __future__ import annotations

import base64
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from watcherd.errors import EnvironmentFault
from watcherd.ledger import Ledger
from watcherd.lifecycle import FINISHED, State
from watcherd.naming import display, json_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from watcherd.config import Config
    from watcherd.ledger import DaemonRow, Job, Waiting

FRESH_SECONDS = 15.0
"""A daemon whose last sign of life is older does not answer any more; it gives one every 2 s."""

STATES = ("waiting", *(state.value for state in State))
"""All words of the key `state`: a file waits before it is a job."""

_BUSY_FIRST = (State.RUNNING, State.QUEUED, State.READY)


def iso(at: float | None) -> str | None:
    """Return seconds since the epoch as text."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def open_ledger(config: Config) -> Ledger | None:
    """Open the ledger for somebody who looks; None where the daemon has never run.

    Makes nothing: a ledger that a stranger made could not be written by the daemon. Raises
    `EnvironmentFault` where it cannot be used by us.
    """
    file = config.state_dir / "ledger.db"
    try:
        found = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise _not_allowed(f"{file} cannot be reached") from error
    if not os.access(file, os.R_OK | os.W_OK, effective_ids=True):
        raise _not_allowed(f"{file} belongs to user {_user(found.st_uid)}")
    return Ledger(file)


def _not_allowed(says: str) -> EnvironmentFault:
    return EnvironmentFault(f"{says}; run this command as the user of the service (sudo -u USER …)")


def _user(uid: int) -> str:
    import pwd  # noqa: PLC0415 - for an error alone

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def alive(row: DaemonRow | None, now: float | None = None) -> bool:
    """Tell whether the daemon runs: its program exists, and gave a sign of life lately."""
    if row is None or (time.time() if now is None else now) - row.beat > FRESH_SECONDS:
        return False
    try:
        os.kill(row.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs as somebody else
    return True


def job(row: Job, now: float) -> dict[str, Any]:
    """Return a job as `jobs --json` shows it."""
    return {
        "job": row.job,
        "inbox": row.inbox,
        **json_name(row.source),
        "state": row.state.value,
        "stage": row.stage,
        "progress": {"current": row.current, "total": row.total},
        **_paths("outputs", row.outputs),
        "reason": row.reason,
        "code": row.code,
        "attempts": row.attempts,
        "confidence": row.confidence,
        "review": row.review,
        "created": iso(row.created),
        "finished": iso(row.finished),
        "seconds": round(max((row.finished or now) - row.created, 0.0), 3),
    }


def job_whole(row: Job, now: float) -> dict[str, Any]:
    """Return a job with what is only asked of a single one."""
    filed = _paths("filed", () if row.filed is None else (row.filed,))
    return job(row, now) | {
        "size": row.size,
        "sha256": row.sha256,
        "notes": list(row.notes),
        "updated": iso(row.updated),
        **{key: (paths[0] if paths else None) for key, paths in filed.items()},
    }


def waiting(row: Waiting, now: float) -> dict[str, Any]:
    """Return a file that is not claimed yet with the keys of a job; `job` is null."""
    return {
        "job": None,
        "inbox": row.inbox,
        **json_name(row.source),
        "state": "waiting",
        "stage": None,
        "progress": {"current": 0, "total": None},
        "outputs": [],
        "reason": row.says,
        "code": row.why,
        "attempts": 0,
        "confidence": None,
        "review": False,
        "created": iso(row.since),
        "finished": None,
        "seconds": round(max(now - row.since, 0.0), 3),
    }


def jobs(
    ledger: Ledger,
    *,
    states: Sequence[str] = (),
    inbox: str | None = None,
    limit: int | None = None,
    review: bool = False,
    now: float,
) -> list[dict[str, Any]]:
    """Return at most `limit` files and jobs; with `review` documents that want a person's eye.

    First what is in work, then what waits, each the oldest first; then what has ended, the
    newest first.
    """
    wanted = [State(s) for s in (states or STATES) if s != "waiting"]
    if review:
        found = ledger.jobs(states=wanted, inbox=inbox, limit=limit, review=True)
        return [job(r, now) for r in found]
    busy = [r for r in ledger.unfinished() if r.state in wanted and inbox in (None, r.inbox)]
    busy.sort(key=lambda r: _BUSY_FIRST.index(r.state))
    rows = [job(r, now) for r in busy]
    if not states or "waiting" in states:
        rows += [waiting(w, now) for w in ledger.waiting(inbox)]
    ended = [s for s in wanted if s in FINISHED]
    room = None if limit is None else max(limit - len(rows), 0)
    if ended and room != 0:
        rows += [job(r, now) for r in ledger.jobs(states=ended, inbox=inbox, limit=room)]
    return rows if limit is None else rows[:limit]


def unlisted(ledger: Ledger, inbox: str | None = None) -> int:
    """Return how many files wait that the daemon counts and does not name."""
    rows = [row for row in ledger.inboxes().values() if inbox in (None, row.name)]
    return max(sum(row.waiting for row in rows) - len(ledger.waiting(inbox)), 0)


def status(config: Config, ledger: Ledger | None, now: float) -> dict[str, Any]:
    """Return how the daemon and every configured inbox are doing."""
    row = ledger.daemon() if ledger else None
    return {
        "daemon": {
            "running": alive(row, now),
            "pid": row.pid if row else None,
            "started": iso(row.started) if row else None,
            "beat": iso(row.beat) if row else None,
            "trouble": row.trouble if row else None,
        },
        "inboxes": _inboxes(config, ledger),
    }


def _inboxes(config: Config, ledger: Ledger | None) -> list[dict[str, Any]]:
    rows = ledger.inboxes() if ledger else {}
    counts = ledger.counts() if ledger else {}
    shown = []
    for inbox in config.inboxes:
        row = rows.get(inbox.name)
        mine = {state: counts.get((inbox.name, state.value), 0) for state in State}
        shown.append(
            {
                "inbox": inbox.name,
                "path": str(inbox.path),
                "watch": row.watch if row else None,
                "paused": row.paused if row else False,
                "waiting": row.waiting if row else 0,
                "oldest": iso(row.oldest) if row else None,
                "in_work": sum(n for state, n in mine.items() if state not in FINISHED),
                **{state.value: mine[state] for state in State if state in FINISHED},
                "trouble": row.trouble if row else None,
            }
        )
    return shown


def troubles(shown: dict[str, Any]) -> list[str]:
    """Return, of a `status`, what a person should look at; empty if all is well."""
    daemon = shown["daemon"]
    if not daemon["running"]:
        since = f" since {daemon['beat'][:19]}Z" if daemon["beat"] else ""
        return [f"the daemon is not running{since}; `watcherd up` or `watcherd run` starts it"]
    found = [daemon["trouble"]] if daemon["trouble"] else []
    return found + [
        f"inbox {row['inbox']}: {row['trouble']}" for row in shown["inboxes"] if row["trouble"]
    ]


def _paths(key: str, paths: Iterable[str]) -> dict[str, list[str]]:
    """Return paths for JSON, which cannot hold those that are not UTF-8."""
    raw = [os.fsencode(path) for path in paths]
    try:
        return {key: [name.decode("utf-8") for name in raw]}
    except UnicodeDecodeError:
        return {
            key: [display(name) for name in raw],
            f"{key}_b64": [base64.b64encode(name).decode("ascii") for name in raw],
        }
