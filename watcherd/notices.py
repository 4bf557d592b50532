"""Notices: what is to be told, to whom, and how far the telling is.

    notices/<job>.<kind>/
        notice.json           what happened, and the names of the targets
        <target>.target.json  how the telling of one target stands

The daemon and the pdf stage write notices, once each; notify workers write the targets' files.
When every target is told, or given up, the daemon lays the notice to the job's record.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from watcherd import files
from watcherd.jobfiles import JOB
from watcherd.model import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from watcherd.spool import Spool

ID = re.compile(rf"(?P<job>{JOB.pattern})\.(?P<kind>success|failure\.\d+)")
_TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_FIRST_SECONDS = 5.0
MOST_TRIES = 8
"""Of one target; with the back-off these span about two days."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be told."""

    id: str
    inbox: str
    source: str  # the document's name, as shown
    kind: str  # success, failure
    targets: tuple[str, ...]
    at: int  # seconds since the epoch
    outputs: tuple[str, ...] = ()  # absolute paths, as shown
    code: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the telling of one target stands."""

    tries: int = 0
    delivered: bool = False
    due: float = 0.0  # seconds since the epoch
    error: str | None = None

    @property
    def over(self) -> bool:
        """Whether nothing is left to be tried."""
        return self.delivered or self.tries >= MOST_TRIES


def write(spool: Spool, notice: Notice) -> bool:
    """Store a notice; False if it was there already. One without targets is not stored."""
    if not notice.targets:
        return False
    folder = spool.notices / notice.id
    folder.mkdir(mode=0o770, exist_ok=True)
    files.sync_dir(spool.notices)
    return files.create(folder / "notice.json", files.to_json(asdict(notice) | {"schema": SCHEMA}))


def read(spool: Spool, notice_id: str) -> Notice | None:
    """Return a notice, None if there is none or it is not sound."""
    if not ID.fullmatch(notice_id):
        return None
    table = files.read_json(spool.notices / notice_id / "notice.json")
    try:
        return _notice(notice_id, table) if table else None
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _notice(notice_id: str, table: dict[str, Any]) -> Notice:
    targets = tuple(t for t in table["targets"] if _TARGET.fullmatch(t))
    code, reason = (None if table[k] is None else str(table[k]) for k in ("code", "reason"))
    return Notice(
        notice_id,
        str(table["inbox"]),
        str(table["source"]),
        notice_id.split(".")[1],
        targets,
        int(table["at"]),
        tuple(str(o) for o in table["outputs"]),
        code,
        reason,
    )


def delivery(spool: Spool, notice: Notice, target: str) -> Delivery:
    """Return how the telling of a target stands."""
    table = files.read_json(_state(spool, notice, target)) or {}
    try:
        error = None if table["error"] is None else str(table["error"])
        tries, due = max(int(table["tries"]), 0), float(table["due"])
        return Delivery(tries, bool(table["delivered"]), due, error)
    except (KeyError, TypeError, ValueError, OverflowError):
        return Delivery()


def record(spool: Spool, notice: Notice, target: str, state: Delivery) -> None:
    """Store how the telling of a target stands."""
    files.write(_state(spool, notice, target), files.to_json(asdict(state) | {"schema": SCHEMA}))


def _state(spool: Spool, notice: Notice, target: str) -> Path:
    return spool.notices / notice.id / f"{target}.target.json"


def undelivered(spool: Spool, notice: Notice) -> list[tuple[str, Delivery]]:
    """Return the targets that are still to be told."""
    states = [(target, delivery(spool, notice, target)) for target in notice.targets]
    return [(target, state) for target, state in states if not state.over]


def standing(spool: Spool, inbox: str) -> Iterator[Notice]:
    """Give the inbox's notices that are not laid to a record yet."""
    for name in os.listdir(spool.notices):
        if (notice := read(spool, name)) is not None and notice.inbox == inbox:
            yield notice


def due(spool: Spool, notice: Notice, now: float) -> bool:
    """Tell whether the daemon should submit the telling of a notice.

    Of a new one only after a while: whoever wrote it submits it as well.
    """
    return any(
        state.due <= now if state.tries else now - notice.at >= _FIRST_SECONDS
        for _, state in undelivered(spool, notice)
    )


def fresh(spool: Spool, notice: Notice) -> bool:
    """Tell whether some target was never tried."""
    return any(state.tries == 0 for _, state in undelivered(spool, notice))


def store(spool: Spool, notice: Notice) -> None:
    """Lay a notice that is over to its job's record; without a record it is forgotten."""
    job, _, kind = notice.id.partition(".")
    folder = spool.notices / notice.id
    for place in (spool.records, spool.parked):
        if (place / job).is_dir():
            with suppress(OSError):  # laid there before, under the same name
                folder.rename(place / job / f"notice-{kind}")
    files.remove_tree(folder)


def drop(spool: Spool, notice_id: str) -> None:
    """Forget a notice: what it tells has not come true."""
    files.remove_tree(spool.notices / notice_id)


def untrue(spool: Spool, notice: Notice) -> bool:
    """Tell whether a notice of success is about a job that was cancelled meanwhile."""
    return notice.kind == "success" and (spool.parked / notice.id.partition(".")[0]).is_dir()


def failure_id(job: str, at: int) -> str:
    """Return the id of the notice of a failure; a job that is retried may fail more than once."""
    return f"{job}.failure.{at}"


def backoff(tries: int) -> float:
    """Return the seconds to wait after that many tries: 30 s, 2 min, 8 min, … at most 12 h."""
    return min(30.0 * 4.0 ** max(tries - 1, 0), 43200.0)
