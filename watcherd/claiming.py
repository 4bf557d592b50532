"""The claim: a settled file leaves its inbox and becomes a job's original, or is copied.

Only the daemon claims. What each step leaves behind when it is the last is in README.md, “What if
it dies here?”.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from watcherd import files
from watcherd.jobfiles import Claim, b64
from watcherd.lease import fingerprint
from watcherd.model import SCHEMA, Fingerprint

if TYPE_CHECKING:
    from pathlib import Path

    from watcherd.config import Inbox
    from watcherd.jobdir import JobDir
    from watcherd.model import Options
    from watcherd.spool import Spool


class Changed(Exception):
    """The file is no longer the one that settled; it stays a candidate."""


def inbox_path(inbox: Inbox, relative: bytes) -> Path:
    """Return the absolute path of a file in an inbox."""
    return inbox.path / os.fsdecode(relative)


def claim(
    spool: Spool, inbox: Inbox, relative: bytes, settled: Fingerprint, options: Options
) -> JobDir:
    """Claim a settled file and return its job; the file then has left the inbox, or is kept.

    Raises `Changed` if the file is not the one that settled, `OSError` if the inbox or the spool
    cannot be written; the file then is where it was.
    """
    path = inbox_path(inbox, relative)
    _unchanged(path, settled)
    keep = inbox.originals == "keep"
    copied = keep or path.parent.stat().st_dev != spool.work.stat().st_dev
    if copied and not keep and not os.access(path.parent, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path.parent))
    job = _open_job(spool, inbox, relative, settled, options, copied=copied)
    try:
        if not copied:
            copied = not _rename(job, path)
            if copied:  # one device, yet no rename between the two: separate mounts of it
                _write_claim(job, inbox, relative, settled, options, copied=True)
        if copied:
            _copy(job, path, settled)
            _mark_kept(spool, inbox, relative, settled) if keep else None
    except BaseException:
        # A copy may go as long as the file that was copied is there.
        if not os.path.lexists(job.source) or (copied and fingerprint_of(path) == settled):
            files.remove_tree(job.path)
        raise
    return job


def release(spool: Spool, inbox: Inbox, claimed: Claim) -> None:
    """Unlink the inbox's file of a copied claim, if it is still the one that was copied.

    One that is to be kept is marked as taken instead.
    """
    if not claimed.copied:
        return
    if inbox.originals == "keep":
        _mark_kept(spool, inbox, claimed.source, claimed.fingerprint)
        return
    path = inbox_path(inbox, claimed.source)
    if fingerprint_of(path) == claimed.fingerprint:
        path.unlink()
        files.sync_dir(path.parent)


def kept_marker(spool: Spool, inbox: Inbox, relative: bytes, found: Fingerprint) -> Path:
    """Return the marker that says: this very file was taken already, and is kept in its inbox."""
    words = b"\0".join(
        [
            inbox.name.encode(),
            relative,
            str(found.size).encode(),
            str(found.mtime_ns).encode(),
            str(found.inode).encode(),
        ]
    )
    return spool.kept / hashlib.sha256(words).hexdigest()


def fingerprint_of(path: Path) -> Fingerprint | None:
    """Return the fingerprint of a regular file, None for anything else and for nothing."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return fingerprint(status) if stat.S_ISREG(status.st_mode) else None


def _unchanged(path: Path, settled: Fingerprint) -> None:
    if fingerprint_of(path) != settled:
        raise Changed


def _open_job(
    spool: Spool,
    inbox: Inbox,
    relative: bytes,
    settled: Fingerprint,
    options: Options,
    *,
    copied: bool,
) -> JobDir:
    job = spool.new_job()
    try:
        _write_claim(job, inbox, relative, settled, options, copied=copied)
        files.sync_dir(spool.work)
    except BaseException:
        files.remove_tree(job.path)
        raise
    return job


def _write_claim(
    job: JobDir,
    inbox: Inbox,
    relative: bytes,
    settled: Fingerprint,
    options: Options,
    *,
    copied: bool,
) -> None:
    at = int(time.time())
    job.write_claim(Claim(job.job, inbox.name, relative, settled, options, at, copied))


def _rename(job: JobDir, path: Path) -> bool:
    """Move the file into the job; False where the two places are separate mounts."""
    try:
        path.rename(job.source)
    except OSError as error:
        if error.errno == errno.EXDEV:
            return False
        raise
    if job.fingerprint() is None:  # a link or a device took the file's place a moment ago
        files.rename_noreplace(job.source, path)
        raise Changed
    files.sync_dir(job.path)
    files.sync_dir(path.parent)
    return True


def _copy(job: JobDir, path: Path, settled: Fingerprint) -> None:
    part = job.path / "source.part"
    try:
        files.copy(path, part)
        _unchanged(path, settled)
        os.utime(part, ns=(settled.mtime_ns, settled.mtime_ns))
        part.rename(job.source)
        files.sync_dir(job.path)
    except BaseException:
        with suppress(FileNotFoundError):
            part.unlink()
        raise


def _mark_kept(spool: Spool, inbox: Inbox, relative: bytes, settled: Fingerprint) -> None:
    marker = kept_marker(spool, inbox, relative, settled)
    if not marker.exists():
        table = {"schema": SCHEMA, "inbox": inbox.name, "source": b64(relative)}
        files.create(marker, files.to_json(table))
