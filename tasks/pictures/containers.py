"""Files made of boxes or chunks: whether all of them are there, before a decoder is asked.

Decoders make a picture of what they find. Programs that copy set a file's size first and fill it
afterwards: a copy that was cut off has zeros to its end.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tasks.document import check_size
from tasks.pictures.stored import png
from tasks.pictures.stored.picture import cut

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from watcherd.model import Limits

_TAIL = 4096
"""Zeros that no such file ends with: its coders write some where much is white, Exif pads."""

_FRONT = 30  # bytes of a WebP up to the size of its canvas


def check(path: Path, limits: Limits) -> None:
    """Raise Refusal `corrupt` for a PNG, WebP, HEIF or AVIF file that is not all there.

    `too-large` for a WebP canvas: the decoder makes it when it opens the file.
    """
    with path.open("rb") as file:
        front = file.read(_FRONT)
        length = file.seek(0, 2)
        if front.startswith(png.SIGNATURE):
            for _ in png.rows(file):
                pass  # their check sums are compared on the way
        elif front[:4] == b"RIFF" and front[8:12] == b"WEBP":
            if front[12:16] == b"VP8X" and len(front) == _FRONT:
                width, height = (int.from_bytes(front[at : at + 3], "little") for at in (24, 27))
                check_size(width + 1, height + 1, limits, 1)
            _check_tail(file, length, "WebP file")
        elif front[4:8] == b"ftyp":
            _check_boxes(file, length)
            _check_tail(file, length, "HEIC or AVIF file")


def _check_boxes(file: BinaryIO, length: int) -> None:
    """Go from box to box (ISO/IEC 14496-12, 4.2)."""
    at = 0
    while at < length:
        file.seek(at)
        front = file.read(16)
        if len(front) < 8:  # noqa: PLR2004  -- the least that a box has
            raise cut("HEIC or AVIF file")
        size = struct.unpack_from(">I", front)[0]
        if size == 1 and len(front) == 16:  # noqa: PLR2004  -- a box of 64-bit size
            size = struct.unpack_from(">Q", front, 8)[0]
        if size == 0:  # it goes on to the end
            return
        if size < 8 or at + size > length:  # noqa: PLR2004
            raise cut("HEIC or AVIF file")
        at += size


def _check_tail(file: BinaryIO, length: int, what: str) -> None:
    file.seek(max(0, length - _TAIL))
    if not any(file.read()):
        raise cut(what)
