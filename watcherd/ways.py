"""Ways: where below a folder of ours a file can go, if not to the very place it is to go to.

The inbox may hold what archive, failed or outbox cannot: a folder whose name a file has there, or
a path that is too long below them.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watcherd import naming

if TYPE_CHECKING:
    from pathlib import Path

NO_WAY = (errno.ENOTDIR, errno.ENAMETOOLONG)
"""Errors of a path that waiting does not mend; `way` finds another."""

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


def way(root: Path, relative: bytes, short: bytes) -> bytes:
    """Return the place below `root` of a file that is to go to `relative`, as far as it can.

    A folder whose name is taken by something else gets a number, as a file does. What would be
    too long for the filesystem goes to `short`.
    """
    *folders, name = relative.split(b"/")
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


def _blocked(path: Path) -> bool:
    """Tell whether something that is no folder, nor leads to one, has this name."""
    try:
        return not stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError:
        return os.path.lexists(path)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return True
