"""What an image file's headers say of its source that Pillow keeps to itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PIL import TiffImagePlugin

from tasks.pictures.decoders import DECODERS
from tasks.pictures.stored import jp2, png, tiff

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

_LOSSY = frozenset({"JPEG", "MPO"})
_LOSSY_STRIPS = frozenset({"jpeg", "tiff_jpeg", "webp"})
_COMMENT = re.compile(rb"#[^\n]*")


def is_lossy(image: Image.Image, path: Path) -> bool:
    """Say whether an image's format had thrown something away already."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return image.info.get("compression") in _LOSSY_STRIPS
    if image.format == "JPEG2000":
        return not jp2.examined(path).lossless
    if image.format == "WEBP":
        return _webp_is_lossy(path)
    decoder = DECODERS.get(str(image.format))
    return decoder.lossy if decoder else image.format in _LOSSY


def depth(image: Image.Image, path: Path) -> int:
    """Return the bits of a channel in the file; 8 where nothing says more."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return max(tiff.numbers(image.tag_v2.get(tiff.BITS)), default=1)
    if image.format == "JPEG2000":
        return max(jp2.examined(path).depths)
    if image.format not in {"PNG", "PPM"}:
        return int(image.info.get("bit_depth", 8))  # as HEIF's decoder says
    with path.open("rb") as file:
        if image.format == "PNG":
            return png.header(file).bits
        words = _COMMENT.sub(b"", file.read(1024)).split()
    colour = words[:1] in ([b"P3"], [b"P6"])
    return int(words[3]).bit_length() if colour else 8


def _webp_is_lossy(path: Path) -> bool:
    """Say whether the first picture of a WebP file is coded as VP8, not VP8L (RFC 9649)."""
    with path.open("rb") as file:
        at = 12
        while True:
            file.seek(at)
            front = file.read(8)
            if len(front) < 8 or front[:4] == b"VP8L":  # noqa: PLR2004  -- what was asked for
                return False
            if front[:4] == b"VP8 ":
                return True
            length = int.from_bytes(front[4:], "little")
            # An animation's frame holds its picture behind 16 bytes of its own.
            at += 24 if front[:4] == b"ANMF" else 8 + length + length % 2
