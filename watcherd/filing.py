"""Filing: behind a durable outcome the original leaves the spool, and the job becomes a record.

Only the daemon files. Every step looks first whether it is done already, so that a kill between
any two of them is continued by calling `file_away` again.
"""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watcherd import files, naming, ways
from watcherd.claiming import release
from watcherd.errors import NotOurs
from watcherd.jobdir import JobDir
from watcherd.jobfiles import b64, relative_name
from watcherd.model import SCHEMA
from watcherd.naming import Form
from watcherd.numbering import LARGEST
from watcherd.publish import Outbox, withdraw

if TYPE_CHECKING:
    from watcherd.config import Inbox
    from watcherd.jobfiles import Claim, Outcome
    from watcherd.spool import Spool

_HEAVY = "page.hocr"
_FETCHED = "fetched.json"
_OF_THE_END = ("outcome.json", "filed.json", _FETCHED)
"""Files of a job's end, which a retry takes back."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A job whose original is where it belongs."""

    claim: Claim
    outcome: Outcome
    sha256: str
    path: Path | None  # None: deleted, or kept in the inbox


def file_away(spool: Spool, job: JobDir, inbox: Inbox) -> Filed:
    """File the original of a concluded job and turn the directory into its record.

    Promises that the original exists at every moment (or, by the policy `delete` and after
    success, that its document does). Raises `OSError` where a folder cannot be written; nothing
    is lost, and another call goes on.
    """
    claim, outcome = job.claim(), job.outcome()
    if claim is None or outcome is None:
        raise OSError(errno.EIO, "job.json or outcome.json is unreadable", str(job.path))
    files.sync_dir(job.path)  # whoever concluded the job may not have come to that
    release(spool, inbox, claim)
    path = _file_original(job, claim, outcome, inbox)
    seal = job.read_seal()
    filed = Filed(claim, outcome, seal.sha256 if seal else "", path)
    # Out of the workers' reach first: from here on nobody can publish for this job.
    ended = JobDir(job.path.with_name(job.job + ".ended"))
    with suppress(FileNotFoundError):
        job.path.rename(ended.path)
        files.sync_dir(spool.work)
    settle_record(spool, ended, inbox)
    return filed


def settle_record(spool: Spool, ended: JobDir, inbox: Inbox) -> None:
    """Take back what was published without counting, slim the directory, and store it."""
    outcome = ended.outcome()
    done = outcome is not None and outcome.kind == "done"
    counting = outcome.outputs if outcome is not None and done else ()
    withdraw(ended, Outbox(inbox.outbox, inbox.mode), but=counting)
    _slim(ended.path, done=done)
    well = outcome is not None and outcome.kind in ("done", "skipped")
    place = spool.records if well else spool.parked
    job = ended.path.name.removesuffix(".ended")
    ended.path.rename(place / job)
    files.sync_dir(place)


def _slim(path: Path, *, done: bool) -> None:
    """Remove what nobody will ask for; after a failure landed pages are kept for a retry."""
    for name in os.listdir(path):
        spent = name == "readable" or name.startswith("try-")  # which a retry goes on from
        if name.endswith(".part") or name == "pdf" or (done and spent):
            files.remove_tree(path / name)
    if done:
        for one in path.glob(f"pages/*/{_HEAVY}"):
            if not one.parent.is_symlink() and not one.parent.parent.is_symlink():
                files.remove_tree(one)


def _file_original(job: JobDir, claim: Claim, outcome: Outcome, inbox: Inbox) -> Path | None:
    good = outcome.kind == "done"
    if good and inbox.originals in ("delete", "keep"):
        _drop_source(job)
        return None
    folder = inbox.archive if outcome.kind in ("done", "skipped") else inbox.failed
    interrupted = _recorded_slot(job, claim) is not None
    form = Form.EXACT
    while True:
        target, sidecar = _slot(job, claim, folder, form, with_sidecar=not good)
        try:
            files.make_dirs(target.parent, folder)
            if interrupted:
                files.sweep(target.parent, job.job)
            if good or _explain(job, sidecar, claim, outcome):
                if job.fingerprint() is None:  # it went there before an interruption, or is lost
                    return target if os.path.lexists(target) else None
                if _move(job, target):
                    return target
                if not os.path.lexists(target):  # in use and hidden, as $MFT on NTFS
                    raise OSError(errno.EPERM, "reserved", target)  # noqa: TRY301 - as any refusal
        except OSError as error:
            if error.errno not in ways.NO_WAY or target.parent == folder:
                form = ways.next_form(form, error, target, folder, job.job)
        # Somebody took the name, or a folder's, meanwhile, or it cannot be one: choose again.
        _unexplain(job, sidecar)
        (job.path / "filed.json").unlink()


def _slot(
    job: JobDir, claim: Claim, folder: Path, form: Form = Form.EXACT, *, with_sidecar: bool
) -> tuple[Path, Path]:
    """Return the recorded place of the original and its sidecar, choosing it the first time."""
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "the folder does not exist", str(folder))
    slot = _recorded_slot(job, claim)
    if slot is None:
        slot = ways.slot(folder, claim.source, job.job, form, with_sidecar=with_sidecar)
        path = os.fspath(slot.places(folder)[0])
        table = {"schema": SCHEMA, "way": b64(slot.way), "n": slot.n, "path": path}
        files.write(job.path / "filed.json", files.to_json(table))
    return slot.places(folder)


def _recorded_slot(job: JobDir, claim: Claim | None) -> ways.Slot | None:
    table = files.read_json(job.path / "filed.json") or {}
    n = table.get("n")
    if claim is None or not isinstance(n, int) or not 1 <= n <= LARGEST:
        return None
    try:
        return ways.Slot(relative_name(table.get("way", b64(claim.source))), n)
    except (TypeError, ValueError):
        return None


def _explain(job: JobDir, sidecar: Path, claim: Claim, outcome: Outcome) -> bool:
    """Write the reason beside the original; False if somebody else holds the name."""
    made = files.create(sidecar, files.to_json(_explanation(job, claim, outcome)), job.job)
    return made or (files.read_json(sidecar) or {}).get("job") == job.job


def _unexplain(job: JobDir, sidecar: Path) -> None:
    if os.path.lexists(sidecar) and (files.read_json(sidecar) or {}).get("job") == job.job:
        sidecar.unlink()


def _move(job: JobDir, target: Path) -> bool:
    """Move the original to its recorded place; False if a foreign file stands there."""
    try:
        files.rename_noreplace(job.source, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return _move_copy(job, target)
    files.sync_dir(target.parent)
    files.sync_dir(job.path)
    return True


def _holds(path: Path, sha256: str) -> bool:
    return path.is_file() and not path.is_symlink() and files.sha256(path) == sha256


def _drop_source(job: JobDir) -> None:
    """Remove the original from its job, for good: one that came back would be taken for a retry."""
    job.source.unlink(missing_ok=True)
    files.sync_dir(job.path)


def _move_copy(job: JobDir, target: Path) -> bool:
    if os.path.lexists(target):  # perhaps a copy that was interrupted before the source went
        seal = job.read_seal()
        if seal is None or not _holds(target, seal.sha256):
            return False
        files.sync_file(target)
    else:
        temporary = files.private_name(target, job.job)
        try:
            files.copy(job.source, temporary)
            with suppress(OSError):  # as far as the filesystem knows modes and times
                shutil.copystat(job.source, temporary)
            files.rename_noreplace(temporary, target)
        except FileExistsError:
            return False
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()
    files.sync_dir(target.parent)
    _drop_source(job)
    return True


def _explanation(job: JobDir, claim: Claim, outcome: Outcome) -> dict[str, Any]:
    seal = job.read_seal()
    return {
        "schema": SCHEMA,
        "job": job.job,
        "inbox": claim.inbox,
        **naming.json_name(claim.source),
        "sha256": seal.sha256 if seal else None,
        "stage": outcome.stage,
        "page": outcome.page,
        "code": outcome.code,
        "reason": outcome.reason,
        "attempts": outcome.attempts,
        "at": datetime.fromtimestamp(outcome.at, UTC).isoformat(),
    }


def recorded(spool: Spool, job: str) -> Filed | None:
    """Return how a finished job was filed, None if the spool has no record of it."""
    for place in (spool.records, spool.parked):
        record = JobDir(place / job)
        claim, outcome, seal = record.claim(), record.outcome(), record.read_seal()
        if claim is not None and outcome is not None:
            table = files.read_json(record.path / "filed.json") or {}
            path = Path(table["path"]) if isinstance(table.get("path"), str) else None
            return Filed(claim, outcome, seal.sha256 if seal else "", path)
    return None


def restore(spool: Spool, job: str, inbox: Inbox) -> JobDir:
    """Bring a parked job back to work: its original returns, its attempts are forgotten.

    Landed pages stay. Raises `NotOurs` if the job is not parked or its original is not where it
    was filed, byte for byte.
    """
    parked = JobDir(spool.parked / job)
    if spool.job(job).path.is_dir():
        return spool.job(job)
    if not parked.path.is_dir():
        raise NotOurs(f"job {job} is not kept for a retry (any more); drop the file again")
    if parked.fingerprint() is None:
        _fetch_original(parked, inbox)
    _clear_failed(parked, inbox)
    for name in os.listdir(parked.path):
        if name.startswith(("try-", "publish.", ".")) or name in _OF_THE_END:
            files.remove_tree(parked.path / name)
    files.sync_dir(parked.path)
    parked.path.rename(spool.job(job).path)
    files.sync_dir(spool.work)
    return spool.job(job)


def _fetch_original(parked: JobDir, inbox: Inbox) -> None:
    claim, seal = parked.claim(), parked.read_seal()
    slot = _recorded_slot(parked, claim)
    if seal is None or slot is None:
        raise NotOurs(f"the record {parked.path} is damaged; drop the file again")
    filed, _ = slot.places(inbox.failed)
    if not _holds(filed, seal.sha256):
        raise NotOurs(f"{filed} is no longer the original of job {parked.job}; drop it again")
    try:
        files.rename_noreplace(filed, parked.source)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        part = files.private_name(parked.source)
        files.copy(filed, part, seal.sha256)
        os.utime(part, ns=(seal.mtime_ns, seal.mtime_ns))
        files.write(parked.path / _FETCHED, files.to_json({"schema": SCHEMA}))
        part.rename(parked.source)
    files.sync_dir(parked.path)
    files.sync_dir(filed.parent)


def _clear_failed(parked: JobDir, inbox: Inbox) -> None:
    """Remove what is left in the failed folder of an original that has returned."""
    seal, slot = parked.read_seal(), _recorded_slot(parked, parked.claim())
    if seal is None or slot is None:
        return
    filed, sidecar = slot.places(inbox.failed)
    # Only a copy leaves the filed one behind; after a rename the name is somebody else's.
    if (parked.path / _FETCHED).exists() and _holds(filed, seal.sha256):
        filed.unlink()
    _unexplain(parked, sidecar)
    if filed.parent.is_dir():
        files.sync_dir(filed.parent)  # before the record of what was filed goes
