"""PNG: its compressed rows are what PDF's Flate with a predictor holds."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tasks.pictures.stored import profile
from tasks.pictures.stored.picture import GREY, RGB, Stored, cut, pieces
from watcherd.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE = 0, 2, 3


@dataclass(frozen=True, slots=True)
class Header:
    """What a PNG's IHDR says (ISO/IEC 15948, 11.2.2)."""

    width: int
    height: int
    bits: int
    kind: int
    interlaced: bool

    @property
    def colours(self) -> str:
        """PDF's name of its colours."""
        return GREY if self.kind == _GREY else RGB

    @property
    def parms(self) -> str:
        """PDF's words for its rows: a predictor of each row's own."""
        channels = {_GREY: 1, _RGB: 3, _PALETTE: 1}.get(self.kind, 4)
        return (
            f"/Predictor 15 /Colors {channels} /BitsPerComponent {self.bits} /Columns {self.width}"
        )


def as_is(image: Image.Image, path: Path) -> Stored | None:
    """Return a PNG file's picture as it is; None if its rows are none of PDF's.

    A palette's transparent colours become what they are on white paper. One bit a pixel is left
    to fax coding, which is shorter.
    """
    if image.format != "PNG":
        return None
    with path.open("rb") as file:
        head = header(file)
        palette = _palette(file)
    if head.interlaced or head.kind not in {_GREY, _RGB, _PALETTE}:
        return None
    if head.kind != _PALETTE and (head.bits == 1 or image.has_transparency_data):
        return None
    clear = image.info.get("transparency")
    return replace(described(head, image, _rows(path)), palette=on_paper(palette, clear))


def described(head: Header, image: Image.Image, rows: Iterator[bytes]) -> Stored:
    """Return the rows of a PNG as PDF has them; a palette is still to be added."""
    return Stored(
        (head.width, head.height),
        "FlateDecode",
        rows,
        head.colours,
        bits=head.bits,
        parms=head.parms,
        profile=profile.fitting(image, head.colours),
    )


def on_paper(palette: bytes, clear: object) -> bytes:
    """Return RGB triplets with those that are transparent laid on white.

    `clear` is what Pillow says of transparency: the opacities of the first colours, or the number
    of one that is not there at all.
    """
    alphas = clear if isinstance(clear, bytes) else b""
    if isinstance(clear, int):
        alphas = b"\xff" * clear + b"\0"
    laid = bytearray(palette)
    for at in range(min(len(palette), 3 * len(alphas))):
        alpha = alphas[at // 3]
        laid[at] = (palette[at] * alpha + 255 * (255 - alpha) + 127) // 255
    return bytes(laid)


def header(file: BinaryIO) -> Header:
    """Read a PNG's header."""
    file.seek(len(SIGNATURE) + 8)
    width, height, bits, kind, _, _, interlaced = struct.unpack(">IIBBBBB", file.read(13))
    return Header(width, height, bits, kind, bool(interlaced))


def rows(file: BinaryIO) -> Iterator[bytes]:
    """Yield the compressed rows; raises Refusal `corrupt` where their check sums disagree."""
    for name, start, length in _chunks(file):
        if name == b"IDAT":
            check = zlib.crc32(name)
            for piece in pieces(file, start, length, "PNG"):
                check = zlib.crc32(piece, check)
                yield piece
            if file.read(4) != check.to_bytes(4, "big"):
                raise Refusal("corrupt", "The PNG is damaged: its check sums do not fit.")


def _rows(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from rows(file)


def _palette(file: BinaryIO) -> bytes:
    for name, start, length in _chunks(file):
        if name == b"PLTE":
            return b"".join(pieces(file, start, min(length, 3 * 256), "PNG"))
        if name == b"IDAT":
            break
    return b""


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, place and length of each chunk."""
    at = len(SIGNATURE)
    while True:
        file.seek(at)
        front = file.read(8)
        if len(front) < 8:  # noqa: PLR2004  -- what was asked for
            raise cut("PNG")
        name, length = front[4:], int.from_bytes(front[:4], "big")
        if name == b"IEND":
            return
        yield name, at + 8, length
        at += 12 + length
