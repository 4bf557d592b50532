"""The scan: every file of an inbox that may be a document, by walking its directories."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from watcherd.lease import fingerprint
from watcherd.match import ignored

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from watcherd.model import Fingerprint

_DEPTH = 64
"""Levels of sub-folders that are followed; a deeper tree is a loop or an attack."""


@dataclass(slots=True)
class Scan:
    """One walk; `blind` names, afterwards, the directories that could not be read, and why."""

    root: Path
    patterns: tuple[str, ...]
    blind: list[tuple[bytes, str]] = field(default_factory=list)

    def files(self, below: bytes = b"") -> Iterator[tuple[bytes, Fingerprint]]:
        """Give relative name and fingerprint of each regular file, none of them opened.

        Links, devices, FIFOs and ignored names are passed over. Raises `OSError` if the root
        itself cannot be read.
        """
        stack = [(below, 0)]
        while stack:
            folder, depth = stack.pop()
            try:
                entries = os.scandir(os.path.join(os.fsencode(self.root), folder))  # noqa: PTH118
            except OSError as error:
                if not folder:
                    raise
                if not isinstance(error, FileNotFoundError):
                    self.blind.append((folder, error.strerror or str(error)))
                continue
            with entries:
                for entry in entries:
                    relative = folder + b"/" + entry.name if folder else entry.name
                    kind, found = self._look(entry, relative)
                    if kind == "dir" and depth >= _DEPTH:
                        self.blind.append((relative, f"it lies more than {_DEPTH} folders deep"))
                    elif kind == "dir":
                        stack.append((relative, depth + 1))
                    elif found is not None:
                        yield relative, found

    def _look(self, entry: os.DirEntry[bytes], relative: bytes) -> tuple[str, Fingerprint | None]:
        if ignored(entry.name, self.patterns):
            return "", None
        try:
            if entry.is_dir(follow_symlinks=False):
                return "dir", None
            if entry.is_file(follow_symlinks=False):
                return "file", fingerprint(entry.stat(follow_symlinks=False))
        except FileNotFoundError:
            pass  # gone between its listing and its stat
        except OSError as error:  # a folder that may be listed and not entered
            self.blind.append((relative, error.strerror or str(error)))
        return "", None
