"""Which trained data a language has: what a reader of old results will want to know."""

from __future__ import annotations

import hashlib
import struct
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_VERSION = 23  # TESSDATA_VERSION in Tesseract's ccutil/tessdatamanager.h
_MOST_PARTS = 64
_LONGEST = 60  # characters of a version; the network's shape that may follow is left out
_DIGITS = 12  # of the hash: enough to tell any two files apart that have ever been published


@cache
def version(file: Path) -> str:
    """Return the version that a `.traineddata` file says of itself, and the start of its SHA-256.

    Files of the same version come as standard, fast and best: the hash tells them apart. Read
    once a worker. Raises OSError when the file cannot be read.
    """
    data = file.read_bytes()
    digest = hashlib.sha256(data).hexdigest()[:_DIGITS]
    return " ".join(part for part in (_said(data), f"sha256:{digest}") if part)


def _said(data: bytes) -> str:
    """Return the part of plain text that holds the version, "" where there is none.

    The head of a file is the number of parts, and for each its offset or -1 (little endian, 32
    and 64 bits).
    """
    parts = int.from_bytes(data[:4], "little")
    if not _VERSION < parts <= _MOST_PARTS or len(data) < 4 + 8 * parts:
        return ""
    offsets = struct.unpack_from(f"<{parts}q", data, 4)
    start = offsets[_VERSION]
    if start < 0:
        return ""
    end = min((offset for offset in offsets if offset > start), default=len(data))
    return data[start:end].split(b":[")[0].decode("ascii", "replace")[:_LONGEST]
