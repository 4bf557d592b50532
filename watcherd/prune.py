"""Pruning: what is old and of no more use leaves the spool, by policy, a little at a time.

Never an original, unless an inbox says for how many days its archive keeps them: parked jobs
have given theirs to the failed folder, records to the archive.
"""

from __future__ import annotations

import itertools
import os
import time
from typing import TYPE_CHECKING

from watcherd import claiming, files, filing
from watcherd.jobdir import JobDir
from watcherd.jobfiles import JOB, born, relative_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from watcherd.config import Config, Inbox
    from watcherd.log import Logger
    from watcherd.spool import Spool

_DAY = 86400.0
_PAUSE = 3600.0
_SLICE = 50
"""Entries that are looked at before the lane does what else is due: some 5 ms."""


class Pruner:
    """Prunes one inbox's part of a spool, once an hour. Times are seconds, monotonic."""

    def __init__(
        self,
        config: Config,
        inbox: Inbox,
        spool: Spool,
        log: Logger,
        unkept: Callable[[], None],
    ) -> None:
        """Prepare; `unkept` is called when markers of kept originals have been removed."""
        self._config, self._inbox, self._spool = config, inbox, spool
        self._log, self._unkept = log, unkept
        self._going: Iterator[None] | None = None
        self.next_due = 0.0

    def step(self, now: float) -> None:
        """Do a little of what is due."""
        if now < self.next_due:
            return
        self._going = self._going or self._prune()
        if sum(1 for _ in itertools.islice(self._going, _SLICE)) < _SLICE:
            self._going, self.next_due = None, now + _PAUSE

    def _prune(self) -> Iterator[None]:
        spool, days, inbox, now = self._spool, self._config, self._inbox, time.time()
        old = 0
        for gone in prune_archive(spool, inbox, now):
            old += gone
            yield
        if old:
            self._log.info("archive_pruned", originals=old, days=inbox.archive_days)
        entries = 0
        for gone in itertools.chain(
            prune_jobs(spool.records, days.record_days, now),
            prune_jobs(spool.parked, days.keep_failed_days, now),
        ):
            entries += gone
            yield
        markers = 0
        for gone in prune_markers(spool, inbox):
            markers += gone
            yield
        if markers:
            self._unkept()
        if entries + markers:
            self._log.info("spool_pruned", entries=entries + markers)


def _jobs(folder: Path) -> Iterator[JobDir]:
    """Give the directories of jobs in any order: there may be too many to hold their names."""
    with os.scandir(folder) as entries:
        yield from (JobDir(folder / one.name) for one in entries if JOB.fullmatch(one.name))


def prune_jobs(folder: Path, days: int, now: float) -> Iterator[bool]:
    """Remove the records in `folder` that are older than `days`; say of each if it was removed.

    `now` is in seconds since the epoch. A directory that still holds an original is kept.
    """
    for job in _jobs(folder):
        old = now - born(job.job) > days * _DAY and not os.path.lexists(job.source)
        if old:
            files.remove_tree(job.path)
        yield old


def prune_archive(spool: Spool, inbox: Inbox, now: float) -> Iterator[bool]:
    """Remove originals that were archived longer ago than the inbox's policy.

    Says of each record whether its original was removed. Only what lies in the archive as it was
    filed, byte for byte. Off unless `archive_days` is set. `now` is in seconds since the epoch.
    """
    for job in _jobs(spool.records) if inbox.archive_days else ():
        old = now - born(job.job) > inbox.archive_days * _DAY
        yield old and _leave_archive(spool, job, inbox)


def _leave_archive(spool: Spool, job: JobDir, inbox: Inbox) -> bool:
    filed, seal = filing.recorded(spool, job.job), job.read_seal()
    if filed is None or filed.claim.inbox != inbox.name or filed.path is None or seal is None:
        return False
    found = claiming.fingerprint_of(filed.path)
    ours = filed.path.is_relative_to(inbox.archive) and found is not None
    if not ours or files.sha256(filed.path) != seal.sha256:
        return False
    filed.path.unlink()
    return True


def prune_markers(spool: Spool, inbox: Inbox) -> Iterator[bool]:
    """Remove the markers of originals that are no longer kept in this inbox; say which."""
    with os.scandir(spool.kept) as entries:
        for entry in entries:
            yield _unmark(spool, inbox, entry.name)


def _unmark(spool: Spool, inbox: Inbox, marker: str) -> bool:
    table = files.read_json(spool.kept / marker)
    if table is None or table.get("inbox") != inbox.name:
        return False
    try:
        relative = relative_name(table.get("source"))
    except (TypeError, ValueError):
        return False  # not one that we wrote
    found = claiming.fingerprint_of(claiming.inbox_path(inbox, relative))
    if found and claiming.kept_marker(spool, inbox, relative, found).name == marker:
        return False
    (spool.kept / marker).unlink(missing_ok=True)
    return True
