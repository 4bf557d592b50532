"""What the disk shows at a moment: at which rows of the crash table the jobs in work stand."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from watcherd.jobdir import JobDir

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from storm.ground import Ground

_FRESH = 1.6  # seconds; a living attempt shows itself every second

DAEMON_ROWS = (
    "job.json", "half a copy", "claimed, not sealed", "sealed", "outcome", "place of the original",
    "original filed", "directory moved aside",
)  # fmt: skip
WORKER_ROWS = (
    "plan landed", "try file", "half a result", "page landed", "built", "publish recorded",
    "some of the set placed", "all of the set placed",
)  # fmt: skip


@dataclass
class Sight:
    """One look at all spools."""

    rows: set[str] = field(default_factory=set)
    tries: dict[str, int] = field(default_factory=dict)  # attempts by job and stage
    open: set[tuple[str, float]] = field(default_factory=set)  # those at work, with their life
    stale: set[str] = field(default_factory=set)  # those whose worker is gone, or stopped

    @property
    def running(self) -> int:
        """The number of attempts that are at work."""
        return len(self.open)


def look(ground: Ground) -> Sight:
    """Look at every job in work."""
    sight = Sight()
    for spool in ground.spools:
        with suppress(FileNotFoundError):
            for name in os.listdir(spool / "work"):
                with suppress(FileNotFoundError, NotADirectoryError):
                    _look_at(spool / "work" / name, ground, sight)
    return sight


def _look_at(path: Path, ground: Ground, sight: Sight) -> None:
    names = set(os.listdir(path))
    if path.name.endswith(".ended"):
        sight.rows.add("directory moved aside")
        return
    if "outcome.json" in names:
        if "source" not in names:
            sight.rows.add("original filed")
        else:
            sight.rows.add("place of the original" if "filed.json" in names else "outcome")
        return
    if "sealed.json" not in names:
        if "source" in names:
            sight.rows.add("claimed, not sealed")
        elif "source.part" in names:
            sight.rows.add("half a copy")
        elif "job.json" in names:
            sight.rows.add("job.json")
        return
    _tries(path, names, sight)
    if any(name.endswith(".part") and (path / name).is_dir() for name in names):
        sight.rows.add("half a result")
    sight.rows.add(_progress(path, names, ground))


def _tries(path: Path, names: Iterable[str], sight: Sight) -> None:
    now = time.time()
    for name in names:
        if name.startswith("try-"):
            with suppress(FileNotFoundError):
                found = (path / name).stat()
                key = f"{path.name} {name.rpartition('-')[0]}"
                sight.tries[key] = sight.tries.get(key, 0) + 1
                if now - found.st_mtime > 2 * _FRESH:
                    sight.stale.add(f"{path.name} {name}")
                if found.st_size == 0 and now - found.st_mtime < _FRESH:
                    sight.open.add((f"{path.name} {name}", found.st_mtime))
                    sight.rows.add("try file")


def _progress(path: Path, names: set[str], ground: Ground) -> str:
    if any(name.startswith("publish.") for name in names):
        return _placed(path, ground)
    if "pdf" in names:
        return "built"
    if "plan.json" in names:
        return "page landed" if any((path / "pages").iterdir()) else "plan landed"
    return "sealed"


def _placed(path: Path, ground: Ground) -> str:
    job = JobDir(path)
    claim = job.claim()
    last = max(job.publications(), key=lambda p: p.n, default=None)
    if claim is None or last is None:
        return "publish recorded"
    outbox = ground.places[claim.inbox].outbox
    there = [os.path.lexists(outbox / os.fsdecode(o.target)) for o in last.outputs]
    if all(there):
        return "all of the set placed"
    return "some of the set placed" if any(there) else "publish recorded"
