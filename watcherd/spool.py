"""The spool: where claimed files live until their outcome is filed.

<spool>/
    spool.json   schema version and the short name that its jobs' ids begin with
    work/        jobs in work
    notices/     what is to be told, and to whom
    parked/      failed jobs without their source, for a retry
    records/     what remains of finished jobs
    kept/        markers of originals left in their inbox
"""

from __future__ import annotations

import os
import secrets
import string
import time
from typing import TYPE_CHECKING

from watcherd import files, locks
from watcherd.errors import EnvironmentFault, Newer
from watcherd.jobdir import JobDir
from watcherd.jobfiles import JOB
from watcherd.model import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ALPHABET = string.digits + string.ascii_lowercase
_FOLDERS = ("work", "notices", "parked", "records", "kept")


def _base36(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits = _ALPHABET[digit] + digits
    return digits


class Spool:
    """An existing spool."""

    def __init__(self, root: Path) -> None:
        """Open the spool at `root`; raise `EnvironmentFault` if there is none we can read."""
        self.root = root
        table = files.read_json(root / "spool.json")
        if table is None:
            raise EnvironmentFault(f"{root} is not a spool; the daemon makes it when it starts")
        if not isinstance(table.get("schema"), int) or table["schema"] > SCHEMA:
            raise Newer(
                f"the spool {root} was written by a newer watcherd (schema {table.get('schema')}); "
                "install that version again"
            )
        self.name = str(table.get("name"))
        self.work, self.notices, self.parked, self.records, self.kept = (
            root / folder for folder in _FOLDERS
        )
        self._lock: int | None = None

    @classmethod
    def make(cls, root: Path) -> Spool:
        """Open the spool at `root`, making it first if need be."""
        files.make_root(root, mode=0o750)
        for folder in _FOLDERS:
            files.make_root(root / folder, mode=0o750)
        name = "".join(secrets.choice(_ALPHABET) for _ in range(4))
        files.create(root / "spool.json", files.to_json({"schema": SCHEMA, "name": name}))
        return cls(root)

    def lock(self) -> None:
        """Keep other daemons out while this process lives; raise `Occupied` if one is in."""
        says = f"another watcherd daemon works on the spool {self.root}; stop it first"
        self._lock = locks.hold(self.root / "daemon.lock", says)

    def new_job(self) -> JobDir:
        """Make the directory of a new job; its id is the spool's name, the time, and chance."""
        token = "".join(secrets.choice(_ALPHABET) for _ in range(5))
        job = f"{self.name}-{_base36(time.time_ns() // 1_000_000, 9)}{token}"
        made = JobDir(self.work / job)
        made.path.mkdir(mode=0o750)
        return made

    def job(self, job: str) -> JobDir:
        """Return the directory of a job in work; it need not exist."""
        return JobDir(self.work / job)

    def jobs(self, folder: Path | None = None) -> Iterator[JobDir]:
        """Give every job's directory in `work`, or in another folder of the spool, by age."""
        place = folder or self.work
        for name in sorted(os.listdir(place)):
            if JOB.fullmatch(name):
                yield JobDir(place / name)


class Spools:
    """All spools of a configuration, by the short name that job ids begin with."""

    def __init__(self, spools: list[Spool]) -> None:
        self.by_name = {spool.name: spool for spool in spools}

    def of(self, job: str) -> Spool | None:
        """Return the spool of a job's id, None if it is not one of ours."""
        match = JOB.fullmatch(job)
        return self.by_name.get(match["spool"]) if match else None
