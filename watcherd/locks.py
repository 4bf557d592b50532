"""Keeping a second one out."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from watcherd.errors import Occupied

if TYPE_CHECKING:
    from pathlib import Path


def hold(path: Path, says: str) -> int:
    """Hold a lock on the file `path` while this process lives; return its open descriptor.

    Raises `Occupied`, saying `says`, if another process holds it. The lock ends with its
    process, whatever kills it (flock(2)).
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise Occupied(says) from None
    return fd
