"""The door to the mount table: on which filesystem a folder lies, and how it can be watched."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from watcherd.errors import EnvironmentFault

MOUNTINFO: Final = Path("/proc/self/mountinfo")

WatchMode: TypeAlias = Literal["inotify", "scan"]

NETWORK: Final[dict[str, str]] = {
    "nfs": "other clients of the server are not heard",
    "nfs4": "other clients of the server are not heard",
    "cifs": "other clients of the server are not heard",
    "smb3": "other clients of the server are not heard",
    "smbfs": "other clients of the server are not heard",
    "ncpfs": "other clients of the server are not heard",
    "afs": "other clients of the cell are not heard",
    "coda": "other clients of the server are not heard",
    "ceph": "other clients of the cluster are not heard",
    "glusterfs": "other clients of the cluster are not heard",
    "lustre": "other clients of the cluster are not heard",
    "beegfs": "other clients of the cluster are not heard",
    "gpfs": "other nodes of the cluster are not heard",
    "gfs2": "other nodes of the cluster are not heard",
    "ocfs2": "other nodes of the cluster are not heard",
    "orangefs": "other clients of the cluster are not heard",
    "pvfs2": "other clients of the cluster are not heard",
    "9p": "the host of the virtual machine is not heard",
    "virtiofs": "the host of the virtual machine is not heard",
    "vboxsf": "the host of the virtual machine is not heard",
    "vmhgfs": "the host of the virtual machine is not heard",
    "prl_fs": "the host of the virtual machine is not heard",
    "drvfs": "Windows programs are not heard",
    "fakeowner": "the host of the container is not heard",
    "autofs": "what will be mounted there is not known yet",
    "fuse": "changes behind the FUSE program's back are not heard",
}
"""Filesystems on which inotify misses changes, by their type in the mount table, and why.

Every `fuse.…` counts as `fuse`. Not among them: `fuseblk`, a local disk on which all changes
pass through this kernel; `overlay`, the root of containers, where only a write into a lower
layer from outside goes unheard.
"""


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of the mount table, see proc_pid_mountinfo(5)."""

    number: int
    parent: int  # number of the mount on which this one lies
    device: str  # "major:minor"
    mount_point: str  # undecodable bytes as surrogates, as os.fsdecode does
    fstype: str
    source: str
    read_only: bool

    @property
    def network(self) -> bool:
        """Whether others may change files here without this kernel's knowledge."""
        return is_network(self.fstype)


def filesystem_of(path: Path | bytes | str) -> Mount:
    """Return the mount on which a path lies, symbolic links followed; it need not exist.

    Raises EnvironmentFault when the mount table cannot be read or does not cover the path.
    """
    resolved = os.path.realpath(os.fsdecode(path))
    try:
        # Names are bytes; in a name, only the newline of the table itself ends a line.
        table = os.fsdecode(MOUNTINFO.read_bytes())
    except OSError as error:
        raise EnvironmentFault(f"{MOUNTINFO} cannot be read: {error.strerror}") from error
    mount = covering(parse(table), resolved)
    if mount is None:
        raise EnvironmentFault(f"{MOUNTINFO} names no filesystem for {resolved}")
    return mount


def parse(table: str) -> tuple[Mount, ...]:
    """Read the text of a mount table. Lines that are not as documented are left out."""
    lines = (_parse_line(line) for line in table.split("\n"))
    return tuple(mount for mount in lines if mount is not None)


def covering(mounts: tuple[Mount, ...], path: str) -> Mount | None:
    """Return the mount that a resolved absolute path reaches, or None.

    Walks down as the kernel does, so that what lies hidden under a later mount is not found.
    """
    above = [mount for mount in mounts if _covers(mount.mount_point, path)]
    numbers = {mount.number for mount in mounts}
    found: Mount | None = None
    steps = [mount for mount in above if mount.parent not in numbers]
    while steps:
        # On its way the path meets the shortest mount point first; a mount upon another's
        # root has that one as its parent and is met in the next step.
        found = min(steps, key=lambda mount: len(mount.mount_point))
        above.remove(found)
        steps = [mount for mount in above if mount.parent == found.number]
    return found


def is_network(fstype: str) -> bool:
    """Tell whether files of this type may change without this kernel's knowledge."""
    return fstype.partition(".")[0] in NETWORK


def watch_mode(fstype: str) -> WatchMode:
    """Return how a folder on such a filesystem is to be watched."""
    return "scan" if is_network(fstype) else "inotify"


def _parse_line(line: str) -> Mount | None:
    # 36 35 98:0 /root /mount/point options optional-fields… - type source super-options
    fields, separator, rest = line.partition(" - ")
    left, right = fields.split(" "), rest.split(" ")
    if not separator or len(left) < 6 or len(right) < 3 or not all(map(str.isdecimal, left[:2])):  # noqa: PLR2004 - the columns shown above
        return None
    options = {*left[5].split(","), *right[2].split(",")}
    return Mount(
        number=int(left[0]),
        parent=int(left[1]),
        device=left[2],
        mount_point=_unescape(left[4]),
        fstype=right[0],
        source=_unescape(right[1]),
        read_only="ro" in options,
    )


def _unescape(text: str) -> str:
    """Undo the kernel's octal escapes for space, tab, newline, backslash and hash."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), text)


def _covers(mount_point: str, path: str) -> bool:
    return path == mount_point or path.startswith(mount_point.rstrip("/") + "/")
