"""Durable writes: what is told to be on disk is on disk, whole, and never over something else.

Every function either leaves the complete result under its final name, or raises `OSError` and
leaves the final name untouched. The order write, fsync, rename, fsync of the
directory is that of POSIX `fsync(2)`.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1 << 20
_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_libc = ctypes.CDLL(None, use_errno=True)
_JSON_MAX = 4 << 20
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


def sync_dir(path: Path) -> None:
    """Make the directory's entries durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_file(path: Path) -> None:
    """Make the file's bytes durable."""
    fd = open_regular(path)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def open_regular(path: Path) -> int:
    """Open for reading what must be a regular file; raise `OSError` (EINVAL, ELOOP) if it is not.

    Whatever was put in its place is neither followed nor waited for.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        fd = os.open(path, flags)
    except BlockingIOError:  # a foreign lease, which the kernel asks back: that is worth waiting
        fd = os.open(path, flags & ~os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    return fd


def sync_tree(path: Path) -> None:
    """Make a small directory of results durable, files first, then the directories."""
    for folder, _, names in os.walk(path, topdown=False):
        for name in names:
            sync_file(Path(folder, name))
        sync_dir(Path(folder))


def make_dirs(path: Path, above: Path) -> None:
    """Make `path` and its parents below `above`, each durable; `above` itself must exist.

    Raises `NotADirectoryError` where something else has the name of one of them.
    """
    missing = []
    here = path
    while here != above and not here.is_dir():
        missing.append(here)
        here = here.parent
    for folder in reversed(missing):
        try:
            folder.mkdir()
        except FileExistsError:  # a rival was first, or it is no folder
            if not folder.is_dir():
                raise NotADirectoryError(
                    errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.fspath(folder)
                ) from None
        sync_dir(folder.parent)


def make_root(path: Path, mode: int = 0o777) -> None:
    """Make `path` and all above it, each durable, so that what is put into it can be."""
    made = not path.is_dir()
    if made:
        make_root(path.parent)
        path.mkdir(mode=mode, exist_ok=True)
    try:
        sync_dir(path.parent)  # also if it is there: whoever made it may not have come to that
    except PermissionError:
        if made:
            raise


def private_name(path: Path, owner: str = "") -> Path:
    """Return a name beside `path` that nobody else uses and that every watcher ignores."""
    return path.with_name(f".{owner}{secrets.token_hex(8)}.part")


def sweep(folder: Path, owner: str) -> None:
    """Remove what was left under private names of this owner by somebody who was killed."""
    try:
        names = os.listdir(folder)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
            return
        raise
    for name in names:
        if name.startswith(f".{owner}") and name.endswith(".part"):
            with suppress(FileNotFoundError):
                (folder / name).unlink()


def _write_private(path: Path, data: bytes, owner: str = "") -> Path:
    temporary = private_name(path, owner)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    return temporary


def write(path: Path, data: bytes) -> None:
    """Put `data` under `path`, replacing what was there, whole and durable."""
    temporary = _write_private(path, data)
    try:
        temporary.rename(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_dir(path.parent)


def create(path: Path, data: bytes, owner: str = "") -> bool:
    """Put `data` under `path` unless the name is taken; True for the one who was first.

    `owner` can `sweep` away what is left if it is killed meanwhile.
    """
    temporary = _write_private(path, data, owner)
    try:
        rename_noreplace(temporary, path)
        first = True
    except FileExistsError:
        first = False  # the first one may not have come to making it durable
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    with suppress(FileNotFoundError):  # who saw it has moved its directory on, and made it durable
        sync_dir(path.parent)
    return first


def to_json(value: Any) -> bytes:
    """Return canonical JSON bytes: the same value gives the same bytes."""
    return (json.dumps(value, sort_keys=True, indent=1, ensure_ascii=True) + "\n").encode()


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file, None where there is none or it is not one.

    The file may have been written by anybody: it is opened without following a link, must be
    regular, and is read up to a bound.
    """
    try:
        fd = open_regular(path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.EINVAL):
            return None
        raise
    with os.fdopen(fd, "rb") as file:
        data = file.read(_JSON_MAX)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def rename_noreplace(source: Path, target: Path) -> None:
    """Rename, raising `FileExistsError` rather than replace.

    By renameat2(2); where a filesystem does not know it (NFS, much of FUSE) by link(2), where it
    does not know that either (FAT and exFAT by FUSE) programs of ours take turns. A directory
    takes the place of an empty one, as rename(2) has it; results are never empty.
    """
    done = _libc.renameat2(
        _AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE
    )
    if done == 0:
        return
    number = ctypes.get_errno()
    if number not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        raise OSError(number, os.strerror(number), os.fspath(source), None, os.fspath(target))
    if source.is_dir() and not source.is_symlink():
        source.rename(target)
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _rename_in_turn(source, target)
        return
    source.unlink()


def _rename_in_turn(source: Path, target: Path) -> None:
    """Rename while no other program of ours does so in that folder.

    The name is not reserved with an empty file: somebody would take that for the document, and a
    kill would leave it there. A lock ends with its process, whatever kills it (flock(2)).
    """
    fd = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(target))
        source.rename(target)
    finally:
        os.close(fd)


def sha256(path: Path) -> str:
    """Return the SHA-256 of the file's bytes, in hex."""
    digest = hashlib.sha256()
    with os.fdopen(open_regular(path), "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def copy(source: Path, target: Path, expected: str | None = None) -> str:
    """Copy into the new file `target`, durable, and return the SHA-256 of what was read.

    The copy is read back and compared; a difference raises `OSError` (EIO).
    """
    digest = hashlib.sha256()
    with os.fdopen(open_regular(source), "rb") as origin:
        write_fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        with os.fdopen(write_fd, "wb") as out:
            while chunk := origin.read(_CHUNK):
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
    found = digest.hexdigest()
    if sha256(target) != found or (expected is not None and found != expected):
        raise OSError(errno.EIO, "the copy differs from its source", os.fspath(target))
    return found


def same_device(a: Path, b: Path) -> bool:
    """Tell whether both paths lie on one device; a bind mount may still refuse a rename."""
    return a.stat().st_dev == b.stat().st_dev


def remove_tree(path: Path) -> None:
    """Remove a directory of ours with all in it, or what was put in its place; gone is fine."""
    while os.path.lexists(path):
        with suppress(FileNotFoundError):  # a rival removes it too
            if path.is_symlink() or not path.is_dir():
                path.unlink()
            else:
                shutil.rmtree(path)


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """Give a private directory below `parent`, removed at the end unless it was renamed away."""
    path = parent / f".{secrets.token_hex(8)}.part"
    path.mkdir()
    try:
        yield path
    finally:
        remove_tree(path)
