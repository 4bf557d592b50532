"""What a PDF needs to know of a picture that it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from watcherd.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

GREY, RGB, CMYK = "DeviceGray", "DeviceRGB", "DeviceCMYK"
CHANNELS = {GREY: 1, RGB: 3, CMYK: 4}
TAIL = 16
"""Zeros that no coded picture ends with: its last bits are those of its last pixels."""
PIECE = 1 << 20
"""Bytes of a file that are read at a time."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A picture as an image XObject has it (ISO 32000-1, 8.9.5)."""

    size: tuple[int, int]  # as stored, before it is turned
    filter: str  # PDF's name of the compression
    data: Iterable[bytes]  # to be read once
    colours: str | None  # PDF's name of the device's colours; None where the data alone says it
    bits: int = 8  # a channel
    parms: str = ""  # what stands between << and >> of DecodeParms
    palette: bytes = b""  # RGB triplets
    inverted: bool = False
    profile: bytes | None = None  # ICC, of as many channels as `colours`
    orientation: int | None = None  # that display needs; None: the one that reading has found


def cut(what: str) -> Refusal:
    """Return the refusal of a file that is not all there."""
    return Refusal("corrupt", f"The {what} ends before its end; send it again.")


def pieces(file: BinaryIO, start: int, length: int, what: str) -> Iterator[bytes]:
    """Yield a part of a file; raises Refusal `corrupt` when the file ends before it."""
    file.seek(start)
    while length:
        piece = file.read(min(length, PIECE))
        if not piece:
            raise cut(what)
        length -= len(piece)
        yield piece
