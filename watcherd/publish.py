"""Publishing: a set of results appears in the outbox, whole, once, and over nothing else.

The set of names is recorded before anything is placed, and all rivals walk the same records, so
that a worker that is killed anywhere, or runs twice, ends at the same names. A name that
somebody else holds moves the whole set to the next number; a folder whose name is held by
something else gets a number itself; a name that the filesystem does not take moves the set to the
next form. README.md, “What if it dies here?”, has a row for each step.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from watcherd import files, hung, naming, ways
from watcherd.errors import EnvironmentFault
from watcherd.jobfiles import REMARKS, Output, Publication
from watcherd.naming import Form
from watcherd.numbering import first_free

if TYPE_CHECKING:
    from watcherd.jobdir import JobDir

_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EACCES, errno.ENOSYS)
_NO_MODES = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)
"""What filesystems say that have one mode for all files, as FAT and its like."""


class _Refused(Exception):
    """The filesystem does not take the names of a set; nothing of it is left there."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Outbox:
    """Where and how results appear."""

    path: Path
    mode: int  # permission bits


def target(outbox: Outbox, output: Output) -> Path:
    """Return the absolute path of an output."""
    return outbox.path / os.fsdecode(output.target)


def publish(job: JobDir, outbox: Outbox, base: bytes) -> Publication:
    """Place the landed results of the job under `base` in the outbox; return what stands there.

    `base` is relative to the outbox and has no extension. Raises `EnvironmentFault` if the
    outbox is missing, `OSError` if it cannot be written; nothing of the set is then lost, and
    another call goes on. Once the job has an outcome nothing more is placed.
    """
    if not hung.ask(outbox.path, outbox.path.is_dir):
        raise EnvironmentFault(f"the outbox {outbox.path} does not exist; is it mounted?")
    hashes = _results(job, outbox)
    n = max((publication.n for publication in job.publications()), default=1)
    form = Form.EXACT
    while True:
        files.sync_dir(job.path)  # a rival that was killed may not have come to that
        publication = job.publication(n)
        if publication is None:
            publication = job.intend(_chosen(job, outbox, base, hashes, n, form))
        # A record that is not sound, or of results that were taken back since, is passed by.
        if publication is not None and _is_of(publication, hashes):
            try:
                if _place(job, outbox, publication):
                    return publication
            except _Refused as refusal:
                form = max(form, _form_of(publication, job)).after(refusal.cause)
        n += 1


def _chosen(
    job: JobDir, outbox: Outbox, base: bytes, hashes: dict[str, str], n: int, form: Form
) -> Publication:
    """Return the `n`-th set of names: the next number in this form."""
    way = ways.way(outbox.path, base, job.job.encode(), form)
    refused = sum(_form_of(publication, job) < form for publication in job.publications())
    return replace(_free(outbox, way, hashes, n - refused), n=n)


def _form_of(publication: Publication, job: JobDir) -> Form:
    return ways.form_of(publication.outputs[-1].target, job.job)


def _results(job: JobDir, outbox: Outbox) -> dict[str, str]:
    """Return the landed results and their hashes, sidecars first, each ready to be seen."""
    if job.built.is_symlink():
        raise OSError(errno.ELOOP, "not a directory of results", os.fspath(job.built))
    landed = [name for name in os.listdir(job.built) if name != REMARKS]
    names = sorted(landed, key=lambda name: (name.endswith(".pdf"), name))
    hashes = {name: files.sha256(job.built / name) for name in names}
    for name in names:
        _prepare(job.built / name, outbox)
    return hashes


def _is_of(publication: Publication, hashes: dict[str, str]) -> bool:
    return [(o.result, o.sha256) for o in publication.outputs] == list(hashes.items())


def _free(outbox: Outbox, base: bytes, hashes: dict[str, str], n: int) -> Publication:
    """Return a set of names that nobody holds now, the `n`-th or a later choice."""

    def wanted(choice: int) -> tuple[Output, ...]:
        return tuple(Output(r, _named(base, r, choice), h) for r, h in hashes.items())

    def taken(choice: int) -> bool:
        return any(os.path.lexists(target(outbox, output)) for output in wanted(choice))

    return Publication(n, wanted(first_free(taken, n)))


def _named(base: bytes, result: str, n: int) -> bytes:
    folder, slash, stem = base.rpartition(b"/")
    ext = os.fsencode(Path(result).suffix)
    return folder + slash + naming.numbered(stem, ext, n)


def _prepare(result: Path, outbox: Outbox) -> None:
    """Give the result its mode and the group of a setgid outbox before it can be seen."""
    before = result.stat()
    result.chmod(outbox.mode)
    folder = outbox.path.stat()
    if folder.st_mode & stat.S_ISGID and result.stat().st_gid != folder.st_gid:
        with suppress(PermissionError):  # not a member: the file keeps the service's own group
            os.chown(result, -1, folder.st_gid)
    after = result.stat()
    if (before.st_mode, before.st_gid) != (after.st_mode, after.st_gid):
        files.sync_file(result)  # else a power cut could leave it to nobody


def _place(job: JobDir, outbox: Outbox, publication: Publication) -> bool:
    """Place every output of a set; False, with nothing left behind, if a name is foreign.

    Raises `_Refused`, with nothing left behind either, if a name is not taken.
    """
    placed: list[tuple[Output, bool]] = []
    for output in publication.outputs:
        if job.outcome() is not None:  # a rival has finished, and its reader may have taken it
            return True
        there = os.path.lexists(target(outbox, output))
        try:
            well = _place_one(job, outbox, output)
        except _Refused:
            _retract(job, outbox, placed)
            raise
        if not well:
            _retract(job, outbox, placed)
            return False
        placed.append((output, there))
    for folder in {target(outbox, o).parent for o in publication.outputs}:
        files.sync_dir(folder)
    return True


def _retract(job: JobDir, outbox: Outbox, placed: list[tuple[Output, bool]]) -> None:
    if job.outcome() is None:  # else it is the daemon's to take back what does not count
        for one, found in placed:
            _take_back(job, outbox, one, by_hash=not found)


def _place_one(job: JobDir, outbox: Outbox, output: Output) -> bool:
    goal = target(outbox, output)
    try:
        files.make_dirs(goal.parent, outbox.path)
        return _put(job, job.built / output.result, goal, output)
    except OSError as error:
        if error.errno in ways.NO_WAY and goal.parent != outbox.path:
            return False
        if ways.refused(error, goal, outbox.path, job.job):
            raise _Refused(error) from error
        raise


def _put(job: JobDir, result: Path, goal: Path, output: Output) -> bool:
    try:
        os.link(result, goal, follow_symlinks=False)
    except FileExistsError:
        return _ours(result, goal, output)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _place_copy(job, result, goal, output)
    return True


def _ours(result: Path, goal: Path, output: Output, *, by_hash: bool = True) -> bool:
    """Tell whether what stands there is this output, placed before.

    Where links cannot be made the hash must do: names are chosen among those that nobody holds,
    so that equal bytes of another document were hardly there before.
    """
    try:
        if goal.is_symlink() or not goal.is_file():
            return False
        if goal.samefile(result):
            return True
        return by_hash and not _linkable(result, goal) and files.sha256(goal) == output.sha256
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, *ways.REFUSED):
            raise
        return False


def _linkable(result: Path, goal: Path) -> bool:
    """Tell whether a link can be made there: one device may be mounted twice, or know no links."""
    probe = files.private_name(goal)
    try:
        os.link(result, probe, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return False
    probe.unlink()
    return True


def _place_copy(job: JobDir, result: Path, goal: Path, output: Output) -> bool:
    """Place an output on another filesystem: copy beside it, verify, rename without replace."""
    if goal.exists() or goal.is_symlink():
        return _ours(result, goal, output)
    temporary = files.private_name(goal, job.job)
    try:
        files.copy(result, temporary, output.sha256)
        _give_mode(temporary, result)
        if job.outcome() is not None:  # a rival has finished, and its reader may have taken it
            return True
        files.rename_noreplace(temporary, goal)
    except FileExistsError:
        return _ours(result, goal, output)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    return True


def _give_mode(copy: Path, result: Path) -> None:
    try:
        copy.chmod(stat.S_IMODE(result.stat().st_mode))
    except OSError as error:
        if error.errno not in _NO_MODES:
            raise


def _take_back(job: JobDir, outbox: Outbox, output: Output, *, by_hash: bool) -> None:
    result, goal = job.built / output.result, target(outbox, output)
    with suppress(FileNotFoundError):
        if _ours(result, goal, output, by_hash=by_hash):
            goal.unlink()
            files.sync_dir(goal.parent)


def withdraw(job: JobDir, outbox: Outbox, *, but: tuple[bytes, ...] = ()) -> None:
    """Take back everything this job ever placed, except the targets named in `but`.

    For a job that has ended otherwise while a worker was still publishing. To be called where
    the job's directory has been moved away: no worker can place anything from then on.
    """
    owner = job.job.removesuffix(".ended")
    for publication in job.publications():
        if job.tries("pdf"):  # a publisher was killed, and may have left half a copy, or a probe
            goals = {target(outbox, o) for o in publication.outputs}
            for folder in {f for goal in goals for f in goal.parents}:
                if folder.is_relative_to(outbox.path):
                    _sweep(folder, owner)
        # Two documents may have equal texts: one beside a foreign PDF is not known to be ours.
        last = publication.outputs[-1]
        result, goal = job.built / last.result, target(outbox, last)
        by_hash = not os.path.lexists(goal) or _ours(result, goal, last)
        for output in publication.outputs:
            if output.target not in but:
                _take_back(job, outbox, output, by_hash=by_hash)


def _sweep(folder: Path, owner: str) -> None:
    try:
        files.sweep(folder, owner)
    except OSError as error:
        if error.errno not in ways.REFUSED:  # such a folder never was
            raise
