"""What the daemon says to a lane, and what it hears from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from watcherd.observer import Hint
from watcherd.work import News

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watcherd.jobfiles import Outcome
    from watcherd.ledger import Waiting


@dataclass(frozen=True, slots=True)
class Restored:
    """A retry was carried out, or could not be."""

    job: str
    request: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What waits in the inbox, and its health."""

    rows: Sequence[Waiting]
    count: int
    watch: str
    trouble: str | None


Report: TypeAlias = News | Restored | Snapshot


@dataclass(frozen=True, slots=True)
class Conclude:
    """End a job this way, unless it has ended already."""

    job: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Retry:
    """Bring a parked job back to work."""

    job: str
    request: int


@dataclass(frozen=True, slots=True)
class Trace:
    """Find out what became of a job that the ledger believes in work."""

    job: str


Order: TypeAlias = Hint | Conclude | Retry | Trace | None
