"""Ways: where below a folder of ours a file can go, if not to the very place it is to go to.

The inbox may hold what archive, failed or outbox cannot: a folder whose name a file has there, a
path that is too long below them, or a name that their filesystem does not take. The last is found
by trying, never by the filesystem's type.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watcherd import naming
from watcherd.naming import Form
from watcherd.numbering import first_free

if TYPE_CHECKING:
    from pathlib import Path

NO_WAY = (errno.ENOTDIR, errno.ENAMETOOLONG)
"""Errors of a path that waiting does not mend; `way` finds another."""

REFUSED = (errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG)
"""Errors of a name that its filesystem does not take."""

_PERHAPS = (errno.ENOENT, errno.EPERM, errno.EIO)
"""What some say of such a name, and of much else: ENOENT exfat-fuse and SMB clients, EPERM fusefat
and ntfs-3g (`$MFT`), EIO the NFS client of a bad character (NFS4ERR_BADCHAR, nfs4_map_errors).
"""

_ROOM = 41
"""Bytes that a number, a sidecar or a private name may add to a name."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for an original and its sidecar: the `n`-th choice of a name."""

    way: bytes  # relative to the folder
    n: int = 1

    def places(self, folder: Path) -> tuple[Path, Path]:
        """Return the absolute paths of the original and its sidecar."""
        where, slash, name = self.way.rpartition(b"/")
        stem, ext = naming.split(name)
        home = folder / os.fsdecode(where + slash)
        beside = naming.numbered(stem, ext + b".error.json", self.n)
        return home / os.fsdecode(naming.numbered(stem, ext, self.n)), home / os.fsdecode(beside)


def way(root: Path, relative: bytes, short: bytes, form: Form = Form.EXACT) -> bytes:
    """Return the place below `root` of a file that is to go to `relative`, as far as it can.

    A folder whose name is taken by something else gets a number, as a file does. What would be
    too long for the filesystem goes to `short`, and so does all in the last `form`.
    """
    if form is Form.SHORT:
        return short
    *folders, name = naming.mapped(relative, form).split(b"/")
    here = b""
    try:
        for folder in folders:
            n = 1
            while _blocked(root / os.fsdecode(here + naming.numbered(folder, b"", n))):
                n += 1
            here += naming.numbered(folder, b"", n) + b"/"
        longest = "x" * min(naming.NAME_MAX, len(name) + _ROOM)
        _blocked(root / os.fsdecode(here) / longest)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return short
    return here + name


def slot(root: Path, relative: bytes, job: str, form: Form, *, with_sidecar: bool) -> Slot:
    """Return a place below `root` for a job's original that nobody holds now."""
    _, ext = naming.split(relative.rpartition(b"/")[2])
    short = naming.mapped(job.encode() + ext, Form.PLAIN)
    found = way(root, relative, short, form)

    def taken(n: int) -> bool:
        original, sidecar = Slot(found, n).places(root)
        return os.path.lexists(original) or (with_sidecar and os.path.lexists(sidecar))

    return Slot(found, first_free(taken))


def refused(error: OSError, goal: Path, root: Path, job: str) -> bool:
    """Tell whether an error of placing `goal`, below `root`, is because of its name.

    Where the error may as well say something else, a private name of the job is tried in the
    same folder.
    """
    if error.errno in _PERHAPS:
        relative = os.fsencode(goal.relative_to(root))
        return naming.form_of(relative) is not Form.PLAIN and _takes(goal.parent, root, job)
    return error.errno in REFUSED


def form_of(relative: bytes, job: str) -> Form:
    """Return the form in which the name of a job's file is."""
    return Form.SHORT if relative.startswith(job.encode()) else naming.form_of(relative)


def next_form(form: Form, error: OSError, goal: Path, root: Path, job: str) -> Form:
    """Return the form to try where placing `goal`, below `root`, met an error in this form.

    Raises the error if it is not because of the name, or if there is no other form.
    """
    if not refused(error, goal, root, job):
        raise error
    return max(form, form_of(os.fsencode(goal.relative_to(root)), job)).after(error)


def _takes(folder: Path, root: Path, job: str) -> bool:
    """Tell whether a file can be made in a folder, or where that one is to be made."""
    while folder != root and not os.path.isdir(folder):  # noqa: PTH112 - raises at a refused name
        folder = folder.parent
    probe = folder / f".{job}.part"  # always the same: who asks again clears away what was left
    try:
        with suppress(FileExistsError):  # left so, or a rival asks the same
            os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        probe.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _blocked(path: Path) -> bool:
    """Tell whether something that is no folder, nor leads to one, has this name."""
    try:
        return not stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        return os.path.lexists(path)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.EILSEQ):  # nothing can have it
            return False
        if error.errno != errno.ELOOP:
            raise
        return True
