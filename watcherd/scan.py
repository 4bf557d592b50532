"""The scan: every file of an inbox that may be a document, by walking its directories."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from watcherd.lease import fingerprint
from watcherd.match import IGNORED, ignored

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from watcherd.model import Fingerprint

Times: TypeAlias = "dict[bytes, tuple[int, int, int] | None]"
"""Of each folder its device, inode and time; None where it changed while it was read."""

_GRAIN = 3.0
"""Seconds within which two changes may show the same time; FAT counts in pairs of seconds."""

_DEPTH = 64
"""Levels of sub-folders that are followed; a deeper tree is a loop or an attack."""


@dataclass(slots=True)
class Scan:
    """One walk of an inbox, whose files are given once, by `files` or `names`."""

    root: Path
    patterns: tuple[str, ...]
    blind: list[tuple[bytes, str]] = field(default_factory=list)
    """Afterwards the directories and files that could not be read, and why."""
    times: Times = field(default_factory=dict)
    """Afterwards those of the directories that were read."""

    def files(self, below: bytes = b"") -> Iterator[tuple[bytes, Fingerprint]]:
        """Give relative name and fingerprint of each regular file, none of them opened.

        Links, devices, FIFOs and ignored names are passed over. Raises `OSError` if the root
        itself cannot be read.
        """
        for name, entry in self._walk(below):
            try:
                yield name, fingerprint(entry.stat(follow_symlinks=False))
            except FileNotFoundError:
                pass  # gone between its listing and its stat
            except OSError as error:  # in a folder that may be listed and not entered
                self.blind.append((name, error.strerror or str(error)))

    def names(self, below: bytes = b"") -> Iterator[bytes]:
        """Give the relative names of the same files, without asking for more than the names."""
        return (name for name, _ in self._walk(below))

    def _walk(self, below: bytes) -> Iterator[tuple[bytes, os.DirEntry[bytes]]]:
        stack = [(below, 0)]
        while stack:
            folder, depth = stack.pop()
            try:
                before = time_of(self.root, folder)
                entries = os.scandir(_path(self.root, folder))
            except OSError as error:
                if not folder:
                    raise
                if not isinstance(error, FileNotFoundError):
                    self.blind.append((folder, error.strerror or str(error)))
                continue
            with entries:
                for entry in entries:
                    name = folder + b"/" + entry.name if folder else entry.name
                    kind = self._kind(entry, name)
                    if kind == "dir" and depth >= _DEPTH:
                        self.blind.append((name, f"it lies more than {_DEPTH} folders deep"))
                    elif kind == "dir":
                        stack.append((name, depth + 1))
                    elif kind:
                        yield name, entry
            self.times[folder] = before if unmoved(self.root, folder, before) else None

    def _kind(self, entry: os.DirEntry[bytes], name: bytes) -> str | None:
        if (self.patterns or not plain(entry.name)) and ignored(entry.name, self.patterns):
            return None
        try:
            if entry.is_dir(follow_symlinks=False):
                return "dir"
            return "file" if entry.is_file(follow_symlinks=False) else None
        except FileNotFoundError:
            pass
        except OSError as error:  # where the listing does not tell the kind
            self.blind.append((name, error.strerror or str(error)))
        return None


def _path(root: Path, folder: bytes) -> bytes:
    return os.path.join(os.fsencode(root), folder)  # noqa: PTH118 - bytes


def time_of(root: Path, folder: bytes) -> tuple[int, int, int]:
    """Return device, inode and time of a folder; raise `OSError` if it cannot be seen."""
    status = os.stat(_path(root, folder))  # noqa: PTH116 - bytes
    return status.st_dev, status.st_ino, status.st_mtime_ns


def unmoved(root: Path, folder: bytes, before: tuple[int, int, int] | None) -> bool:
    """Tell whether the time of a folder is still what it was."""
    try:
        return before is not None and time_of(root, folder) == before
    except OSError:
        return False


class Rest:
    """Tells whether an inbox rests: no folder in it has another time than when it was read.

    A hint, no more: what is written to in its place moves no time. Where times are seen not to
    tell of files that come and go, they are not relied on again.
    """

    def __init__(self, root: Path) -> None:
        """Begin with nothing known."""
        self._root = root
        self._times: Times = {}
        self._since = 0.0
        self._files = 0
        self._rests = False
        self._lied = False

    def note(self, times: Times, files: int, begun: float) -> None:
        """Note the folders' times and the number of files, by a scan that began then (seconds).

        Two scans that are more than a grain of time apart must agree: what comes after the
        second shows another time for sure.
        """
        if None in times.values() or times != self._times:
            self._times, self._since, self._rests = times, begun, False
        else:
            self._lied = self._lied or files != self._files
            self._rests = begun - self._since >= _GRAIN
        self._files = files

    def lasts(self) -> bool:
        """Tell whether it rests still."""
        if not self._rests or self._lied:
            return False
        return bool(self._times) and all(
            unmoved(self._root, folder, before) for folder, before in self._times.items()
        )


def _literals() -> tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]:
    """Return how names in the table of `match` begin, or else end, or else what is in them."""
    begin, end, inside = set[str](), set[str](), set[str]()
    for glob, _ in IGNORED:
        parts = re.split(r"\[[^]]*]|[*?]", glob)
        if parts[0]:
            begin.add(parts[0])
        elif parts[-1]:
            end.add(parts[-1])
        else:
            inside.add(max(parts, key=len))
    begin = {one for one in begin if not any(one.startswith(o) for o in begin - {one})}
    begin_, end_, inside_ = (
        tuple(one.encode() for one in sorted(some)) for some in (begin, end, inside)
    )
    return begin_, end_, inside_


_BEGIN, _END, _INSIDE = _literals()


def plain(name: bytes) -> bool:
    """Tell whether nothing in the table of `match` can concern a name, in a fifth of its time.

    A scan asks this of every file, and most are called `scan-0001.pdf` or the like.
    """
    low = name.lower()
    if not name.isascii() or low.startswith(_BEGIN) or low.endswith(_END):
        return False
    for part in _INSIDE:  # noqa: SIM110 - all() takes twice as long
        if part in low:
            return False
    return True
