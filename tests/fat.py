"""Serves a filesystem with FAT's ways: `python fat.py BACKING PLACE ERROR NEVER`.

It knows neither links nor modes, nor a rename that does not replace. Names that differ by case or
by Unicode's normal form alone are one name. It answers with ERROR to a name that Windows forbids
or in which the regular expression NEVER is found.
"""
# ruff: noqa: ARG002, D102 - names and arguments are FUSE's, and documented there

from __future__ import annotations

import errno
import os
import re
import sys
import unicodedata
from pathlib import Path

from mfusepy import FUSE, FuseOSError, Operations

_FORBIDDEN = r'[<>:"\\|?*\x00-\x1f\udc80-\udcff]|[. ]\Z|\A(CON|NUL|AUX|PRN|COM\d|LPT\d) *(\.|\Z)'
_UNITS = 255
_ROOM = ("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_favail")
_STATUS = ("size", "mtime", "atime", "ctime", "nlink", "uid", "gid", "mode")


class Fat(Operations):
    """What the kernel asks for, answered from a folder."""

    use_ns = True

    def __init__(self, backing: Path, refusal: int, never: str) -> None:
        """Serve the files of `backing`."""
        self._backing, self._refusal = backing, refusal
        self._never = re.compile(f"{_FORBIDDEN}|{never}", re.IGNORECASE)

    def _at(self, path: str) -> Path:
        """Return where a file is: under the name that it was given first."""
        here = self._backing
        for name in filter(None, path.split("/")):
            kept = (n for n in os.listdir(here) if _fold(n) == _fold(name))
            here = here / next(kept, name)
        return here

    def _new(self, path: str) -> Path:
        """Return where a file of a new name goes."""
        name = path.rpartition("/")[2]
        units = len(name.encode("utf-16-le", "surrogatepass")) // 2
        if self._never.search(name) or units > _UNITS:
            raise FuseOSError(self._refusal)
        return self._at(path)

    def getattr(self, path, fh=None):
        found = self._at(path).lstat()
        times = {f"st_{t}": getattr(found, f"st_{t}_ns") for t in ("mtime", "atime", "ctime")}
        return {f"st_{k}": getattr(found, f"st_{k}") for k in _STATUS} | times

    def readdir(self, path, fh):
        return [".", "..", *os.listdir(self._at(path))]

    def create(self, path, mode, flags):
        return os.open(self._new(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o777)

    def open(self, path, flags):
        return os.open(self._at(path), flags)

    def read(self, path, size, offset, fh):
        return os.pread(fh, size, offset)

    def write(self, path, data, offset, fh):
        return os.pwrite(fh, data, offset)

    def release(self, path, fh):
        os.close(fh)

    def truncate(self, path, length, fh=None):
        os.truncate(self._at(path), length)

    def mkdir(self, path, mode):
        self._new(path).mkdir()

    def rmdir(self, path):
        self._at(path).rmdir()

    def unlink(self, path):
        self._at(path).unlink()

    def rename(self, old, new):
        self._at(old).rename(self._new(new))

    def utimens(self, path, times=None):
        os.utime(self._at(path), ns=times)

    def statfs(self, path):
        found = os.statvfs(self._backing)
        return {k: getattr(found, k) for k in _ROOM}

    def chmod(self, path, *_):
        raise FuseOSError(errno.EPERM)

    chown = chmod


class Server(FUSE):
    """One that knows no flags of renameat2(2), which the library forgets."""

    def rename_fuse_3(self, old, new, flags):
        """Rename, where nothing special is asked for."""
        return -errno.EINVAL if flags else self.rename_fuse_2(old, new)


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


if __name__ == "__main__":
    fat = Fat(Path(sys.argv[1]), getattr(errno, sys.argv[3]), sys.argv[4])
    # One name may be another as well: the kernel must not remember what a name was.
    Server(fat, sys.argv[2], foreground=True, nothreads=True, entry_timeout=0, attr_timeout=0)
