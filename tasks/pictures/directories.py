"""The directories of a TIFF: whether they are there to their ends (TIFF 6.0, section 2).

A decoder that cannot read a directory may stay with the one before, and show that page twice.
"""

from __future__ import annotations

import mmap
import struct
from typing import TYPE_CHECKING

from tasks.pictures.stored.picture import cut

if TYPE_CHECKING:
    from pathlib import Path

_SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)  # bytes of a value, by its type
_LAST = 532  # ReferenceBlackWhite, the last tag of TIFF 6.0; private ones may be anything
_BIG = 43


def check(path: Path) -> None:
    """Raise Refusal `corrupt` when a directory, or a value that it names, ends behind the file."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            order = "<" if data[:2] == b"II" else ">"
            big = struct.unpack_from(order + "H", data, 2)[0] == _BIG
            (at,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
            seen: set[int] = set()
            while at and at not in seen:
                seen.add(at)
                at = _next(data, at, order, big=big)
        except struct.error as error:
            raise cut("TIFF") from error


def _next(data: mmap.mmap, at: int, order: str, *, big: bool) -> int:
    """Look through the directory at `at`; return where the next one is, 0 behind the last."""
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
    entry = struct.Struct(order + ("HHQQ" if big else "HHII"))
    start, inside = at + (8 if big else 2), 8 if big else 4
    if start + count * entry.size > len(data):
        raise cut("TIFF")
    for number in range(count):
        tag, kind, values, place = entry.unpack_from(data, start + number * entry.size)
        if not (tag and kind and values):  # zeros: it was not written
            raise cut("TIFF")
        size = values * (_SIZES[kind] if kind < len(_SIZES) else 0)
        if tag <= _LAST and size > inside and place + size > len(data):
            raise cut("TIFF")
    (following,) = struct.unpack_from(
        order + ("Q" if big else "I"), data, start + count * entry.size
    )
    return int(following)
