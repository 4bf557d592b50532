"""A desk: a configuration with one inbox and its spool, and documents put on it by hand."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from watcherd import claiming, config, files
from watcherd.jobfiles import Outcome
from watcherd.lease import fingerprint
from watcherd.spool import Spool

if TYPE_CHECKING:
    from watcherd.jobdir import JobDir

SCAN = b"%PDF-1.4 what a scanner made\n%%EOF\n"
RESULTS = {"doc.txt": b"its text", "doc.pdf": b"%PDF with text"}
LATE = 1_700_000_000
"""A time of day for outcomes."""


class Desk:
    """The folders around one inbox, its configuration, and its spool."""

    def __init__(self, root: Path, **keys: object) -> None:
        """Write the configuration below `root`; `keys` are the inbox's, `main_…` the daemon's."""
        main = {k.removeprefix("main_"): v for k, v in keys.items() if k.startswith("main_")}
        inbox = {
            "name": "scans",
            **{k: str(root / k) for k in ("outbox", "archive", "failed")},
            "path": str(root / "inbox"),
            "spool": str(root / "spool"),
            **{k: v for k, v in keys.items() if not k.startswith("main_")},
        }
        lines = ["[watcherd]", f"state_dir = {json.dumps(str(root / 'state'))}"]
        lines += [f"{k} = {json.dumps(v)}" for k, v in main.items()]
        lines += ["[[inbox]]"]
        lines += [f"{k} = {json.dumps(os.fspath(v) if isinstance(v, Path) else v)}"
                  for k, v in inbox.items()]  # fmt: skip
        if "notify" in inbox:
            lines += ["[notify.office]", 'command = ["true"]']
        root.mkdir(parents=True, exist_ok=True)
        (root / "config.toml").write_text("\n".join(lines) + "\n", "utf-8")
        self.root = root
        self.config = config.load(root / "config.toml")
        self.inbox = self.config.inboxes[0]
        for folder in (self.inbox.path, self.inbox.outbox, self.inbox.archive, self.inbox.failed):
            folder.mkdir(parents=True, exist_ok=True)
        assert self.inbox.spool is not None
        self.spool = Spool.make(self.inbox.spool)

    def drop(self, name: bytes = b"a.pdf", data: bytes = SCAN) -> Path:
        """Put a file into the inbox."""
        path = claiming.inbox_path(self.inbox, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def claim(self, name: bytes = b"a.pdf") -> JobDir:
        """Claim a file of the inbox as it is now."""
        status = claiming.inbox_path(self.inbox, name).lstat()
        options = self.config.options(self.inbox)
        return claiming.claim(self.spool, self.inbox, name, fingerprint(status), options)

    def sealed(self, name: bytes = b"a.pdf", data: bytes = SCAN) -> JobDir:
        """Return a job that is claimed, sealed and ready."""
        self.drop(name, data)
        job = self.claim(name)
        assert job.seal() is not None
        return job

    def built(self, name: bytes = b"a.pdf", results: dict[str, bytes] | None = None) -> JobDir:
        """Return a job whose outputs have landed."""
        job = self.sealed(name)
        land(job, results or RESULTS)
        return job

    def ended(self, kind: str, name: bytes = b"a.pdf", data: bytes = SCAN) -> JobDir:
        """Return a job that is concluded and not filed."""
        job = self.sealed(name, data)
        job.conclude(outcome(kind))
        return job


def outcome(kind: str = "done") -> Outcome:
    """Return an outcome of that kind."""
    if kind == "done":
        return Outcome("done", LATE, (b"a.pdf",))
    return Outcome(kind, LATE, stage="ocr", page=2, code="corrupt", reason="It is broken.")


def land(job: JobDir, results: dict[str, bytes]) -> None:
    """Land the outputs of a job."""
    with files.scratch(job.path) as private:
        for name, data in results.items():
            (private / name).write_bytes(data)
        assert job.land(private, job.built)


def copies(data: bytes, *roots: Path) -> list[Path]:
    """Return every whole copy of these bytes below the roots, links to one file counted once."""
    wanted, found = hashlib.sha256(data).digest(), dict[tuple[int, int], Path]()
    for root in roots:
        for path in root.rglob("*"):
            if path.is_file() and not path.is_symlink():
                status = path.stat()
                if hashlib.sha256(path.read_bytes()).digest() == wanted:
                    found[status.st_dev, status.st_ino] = path
    return sorted(found.values())


def names(folder: Path) -> list[str]:
    """Return the relative names of all files below a folder."""
    return sorted(os.fspath(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir())
