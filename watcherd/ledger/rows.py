"""What the ledger gives back, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watcherd.lifecycle import Event, State


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the ledger; see schema.sql for the columns."""

    job: str
    inbox: str
    source: bytes
    size: int
    sha256: str
    state: State
    stage: str | None
    current: int
    total: int | None
    attempts: int
    outputs: tuple[str, ...]
    filed: str | None
    code: str | None
    reason: str | None
    created: float
    updated: float
    finished: float | None
    notes: tuple[str, ...] = ()
    confidence: float | None = None
    review: bool = False


@dataclass(frozen=True, slots=True)
class Transition:
    """One step in a job's history."""

    job: str
    at: float
    event: Event
    before: State
    after: State
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for."""

    id: int
    verb: str
    target: str
    ok: bool | None  # None while open
    answer: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that is seen but not claimed."""

    inbox: str
    source: bytes
    size: int
    since: float
    why: str
    says: str


@dataclass(frozen=True, slots=True)
class InboxRow:
    """How an inbox is doing."""

    name: str
    paused: bool
    watch: str | None
    waiting: int
    oldest: float | None
    trouble: str | None
    updated: float | None


@dataclass(frozen=True, slots=True)
class DaemonRow:
    """Who runs, and since when."""

    pid: int
    started: float
    beat: float
    trouble: str | None
