"""Whose job a directory in a spool is: by its record, and where the record names nobody, by kin.

An inbox that was renamed in the configuration leaves jobs behind that name an inbox nobody
knows. Where one inbox alone uses the spool they are its own; elsewhere that must be said.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from watcherd import files
from watcherd.places import BESIDE

if TYPE_CHECKING:
    from pathlib import Path

    from watcherd.config import Config, Inbox
    from watcherd.jobdir import JobDir

_YOUNG = 60.0
"""Seconds in which a directory may still be without its record."""


@dataclass(frozen=True, slots=True)
class Kin:
    """What an inbox knows of the others."""

    names: frozenset[str]  # of all inboxes in the configuration
    sole: bool  # whether no other of them uses this spool


def kin(config: Config, inbox: Inbox, root: Path) -> Kin:
    """Return who else is there, for an inbox whose spool is at `root`."""
    names = frozenset(other.name for other in config.inboxes)
    central = config.state_dir / "spool"

    def may_use(other: Inbox) -> bool:
        places = (other.path.parent / BESIDE, central) if other.spool is None else (other.spool,)
        return root in places

    return Kin(names, not any(may_use(o) for o in config.inboxes if o.name != inbox.name))


def owned(job: JobDir, inbox: Inbox, kin: Kin) -> bool:
    """Tell whether a job is this inbox's, making it so where nobody else's it can be.

    Raises `OSError`, with what to do, for a job that is nobody's and holds an original.
    """
    name = claimant(job)
    if name == inbox.name:
        return True
    if name is None:
        _nameless(job)
        return False
    if name in kin.names:
        return False
    claim = job.claim()
    if not kin.sole or claim is None:
        says = (
            f"this job is of an inbox {name!r} that the configuration does not name (any more); "
            "name one so again, with the same folders, until its jobs are done"
        )
        raise OSError(errno.EIO, says, str(job.path))
    job.write_claim(replace(claim, inbox=inbox.name))
    return True


def claimant(job: JobDir) -> str | None:
    """Return the name of the inbox that a job's record gives, None without a readable record."""
    table = files.read_json(job.path / "job.json")
    name = table.get("inbox") if table else None
    return name if isinstance(name, str) else None


def _nameless(job: JobDir) -> None:
    """Remove what was killed before its record was written; complain of a damaged record."""
    if job.fingerprint() is not None:
        says = "job.json is damaged; take the file `source` out of it and drop it again"
        raise OSError(errno.EIO, says, str(job.path))
    with suppress(FileNotFoundError):
        # Another lane may be at this very point, so only what is old is removed.
        old = time.time() - job.path.stat().st_mtime > _YOUNG
        if old and not os.path.lexists(job.source):
            files.remove_tree(job.path)
