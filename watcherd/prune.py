"""Pruning: what is old and of no more use leaves the spool, by policy.

Never an original, unless an inbox says for how many days its archive keeps them: parked jobs
have given theirs to the failed folder, records to the archive.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from watcherd import claiming, files, filing
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


def prune_archive(spool: Spool, inbox: Inbox, now: float) -> int:
    """Remove originals that were archived longer ago than the inbox's policy; return how many.

    Only what lies in the archive as it was filed, byte for byte. Off unless `archive_days` is
    set. `now` is in seconds since the epoch.
    """
    gone = 0
    if not inbox.archive_days:
        return gone
    for job in spool.jobs(spool.records):
        if now - born(job.job) <= inbox.archive_days * _DAY:
            break  # by age: all others are younger
        filed, seal = filing.recorded(spool, job.job), job.read_seal()
        if filed is None or filed.claim.inbox != inbox.name or filed.path is None or seal is None:
            continue
        found = claiming.fingerprint_of(filed.path)
        ours = filed.path.is_relative_to(inbox.archive) and found is not None
        if ours and files.sha256(filed.path) == seal.sha256:
            filed.path.unlink()
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
