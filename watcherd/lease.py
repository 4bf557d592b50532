"""The door to a file in an inbox before its claim: who writes it, and how it begins and ends.

A read lease is granted only while no program has the file open, or mapped, for writing
(fcntl(2), “Leases”). That is an exact answer, where it is given: leases need ownership of the
file or CAP_LEASE, and a filesystem that has them. On a network filesystem the answer concerns
this host alone, and some (CIFS) refuse without there being a writer: do not ask there.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from watcherd.endmark import HEAD, TAIL
from watcherd.model import Fingerprint
from watcherd.settle import Writer

if TYPE_CHECKING:
    from pathlib import Path

AnyPath: TypeAlias = "Path | bytes | str"


@dataclass(frozen=True, slots=True)
class Peek:
    """What one opening of a file showed."""

    fingerprint: Fingerprint
    writer: Writer
    head: bytes  # its first `endmark.HEAD` bytes, or fewer
    tail: bytes  # its last `endmark.TAIL` bytes, or fewer


def fingerprint(status: os.stat_result) -> Fingerprint:
    """Return the fingerprint in a result of stat."""
    return Fingerprint(status.st_size, status.st_mtime_ns, status.st_ino)


def peek(path: AnyPath, *, dir_fd: int | None = None, ask_writer: bool = True) -> Peek:
    """Open a file once and tell what can be seen, without changing or blocking anything.

    With `ask_writer` false the writer is UNKNOWN without asking: for network filesystems.
    Raises OSError: EINVAL for what is not a regular file (a symbolic link is not), and whatever
    opening and reading it raises, such as PermissionError and FileNotFoundError.
    """
    before = os.lstat(path, dir_fd=dir_fd)
    if not stat.S_ISREG(before.st_mode):  # opening a device may already do something
        raise _not_regular(path)
    try:
        fd = _open(path, dir_fd)
    except BlockingIOError:
        # Somebody holds a write lease (Samba's kernel oplocks); opening has asked for it back.
        return Peek(fingerprint(before), Writer.OPEN, b"", b"")
    try:
        before = os.fstat(fd)
        if not stat.S_ISREG(before.st_mode):
            raise _not_regular(path)
        head = os.pread(fd, HEAD, 0)
        tail = os.pread(fd, TAIL, max(0, before.st_size - TAIL))
        writer = _writer(fd) if ask_writer else Writer.UNKNOWN
        after = fingerprint(os.fstat(fd))
    finally:
        os.close(fd)
    if after != fingerprint(before):  # whoever did that a moment ago counts as writing
        writer = Writer.OPEN
    return Peek(after, writer, head, tail)


def writer(path: AnyPath, *, dir_fd: int | None = None) -> Writer:
    """Tell whether any program has the file open for writing. Raises OSError as `peek` does."""
    return peek(path, dir_fd=dir_fd).writer


def _open(path: AnyPath, dir_fd: int | None) -> int:
    # O_NONBLOCK: neither a FIFO that took the file's place nor a foreign lease may hold us up.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, dir_fd=dir_fd)


def _writer(fd: int) -> Writer:
    """Ask for a lease, which closing the file gives back: do that at once.

    Until then the open() of a writer waits, or fails if it asked not to wait.
    """
    try:
        # A writer that opens the file while we hold the lease makes the kernel send a signal.
        # By default that is SIGIO, which kills; SIGURG is ignored unless somebody asks for it.
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        # EACCES: not our file. EINVAL, ENOLCK, EOPNOTSUPP, …: no leases here.
        return Writer.OPEN if error.errno == errno.EAGAIN else Writer.UNKNOWN
    return Writer.NONE


def _not_regular(path: AnyPath) -> OSError:
    return OSError(errno.EINVAL, "not a regular file", os.fsdecode(path))
