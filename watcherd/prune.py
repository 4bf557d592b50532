"""Pruning: what is old and of no more use leaves the spool, by policy.

Never an original: parked jobs have given theirs to the failed folder, records to the archive.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from watcherd import claiming, files
from watcherd.jobfiles import born, relative_name

if TYPE_CHECKING:
    from pathlib import Path

    from watcherd.config import Inbox
    from watcherd.spool import Spool

_DAY = 86400.0


def prune_jobs(spool: Spool, folder: Path, days: int, now: float) -> int:
    """Remove the records in `folder` that are older than `days`; return how many.

    `now` is in seconds since the epoch. A directory that still holds an original is kept.
    """
    gone = 0
    for job in spool.jobs(folder):
        if now - born(job.job) > days * _DAY and not os.path.lexists(job.source):
            files.remove_tree(job.path)
            gone += 1
    return gone


def prune_markers(spool: Spool, inbox: Inbox) -> int:
    """Remove the markers of originals that are no longer kept in this inbox; return how many."""
    gone = 0
    for name in os.listdir(spool.kept):
        table = files.read_json(spool.kept / name)
        if table is None or table.get("inbox") != inbox.name:
            continue
        try:
            relative = relative_name(table.get("source"))
        except (TypeError, ValueError):
            continue  # not one that we wrote
        found = claiming.fingerprint_of(claiming.inbox_path(inbox, relative))
        if found is None or claiming.kept_marker(spool, inbox, relative, found).name != name:
            (spool.kept / name).unlink(missing_ok=True)
            gone += 1
    return gone
