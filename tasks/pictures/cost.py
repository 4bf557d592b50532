"""What it takes to do a page, told from its header: what is admitted ends within its memory.

The numbers are peaks, in bytes a pixel, of a process that reads, recognises and stores one page,
measured with pages of 24 to 120 million pixels. What decoders hold beside the picture is most of
it: all coefficients of a progressive JPEG, two canvases of a WebP, 32 bits a sample in JPEG 2000.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import JpegImagePlugin, TiffImagePlugin

from tasks.document import check_shape, check_size
from tasks.pictures.decoders import DECODERS
from tasks.pictures.stored import jp2, tiff
from watcherd.errors import Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

    from watcherd.model import Limits

WORKER = 200 << 20
"""Bytes of a worker beside the page: libraries, the engine and its data, what pages have left."""

READING = 6.0
"""What recognition takes at least: the page, evened, turned, thresholded, its layout."""

_SAMPLE = 6.5  # of JPEG 2000, a channel
_COLOUR = 4.0  # as Pillow keeps a pixel of any number of channels
_PAGE = 1.2  # the same in grey, as it is recognised
_BYTES = {"1": 1.0, "L": 1.0, "P": 1.0, "I;16": 2.0, "I;16B": 2.0}


def admit(image: Image.Image, path: Path, limits: Limits, page: int) -> int:
    """Return how often a page is to be halved while it is decoded for recognition: mostly 0.

    JPEG 2000 keeps smaller copies of itself. One that is too large to be decoded whole is read from
    them; the page in the PDF has all of its pixels.

    Raises Refusal `too-large` when the page has too many pixels, or would take more memory than
    `limits.page_memory`; `corrupt` for no pixels, `unsupported` for a line.
    """
    width, height = image.size
    if not (width > 0 and height > 0):
        raise Refusal("corrupt", f"Page {page} of the image has no size.", page=page)
    check_size(width, height, limits, page)
    check_shape(width, height, page)
    _check_tile(image, limits, page)
    each = per_pixel(image)
    # Those decoders keep the file, and some a copy of it.
    least = WORKER + (2 * path.stat().st_size if image.format in DECODERS else 0)
    for halvings in range(1 + (_smaller_copies(image, path) if each > READING else 0)):
        needed = least + width * height * each / 4**halvings
        if needed <= limits.page_memory:
            return halvings
    raise Refusal(
        "too-large",
        f"Page {page} has {width} by {height} pixels; as {_kind(image)} they take "
        f"{_mib(least + width * height * each)} MiB of memory, and "
        f"{_mib(limits.page_memory)} are allowed (limits.page_memory). "
        "Allow more, or send fewer pixels or another format.",
        page=page,
    )


def per_pixel(image: Image.Image) -> float:
    """Return the bytes that decoding, recognising and storing an opened image take a pixel."""
    passed_on = isinstance(image, JpegImagePlugin.JpegImageFile) or image.mode == "P"
    laid = image.has_transparency_data or image.mode in {"CMYK", "LAB"}
    return max(READING, _decoding(image) + (_COLOUR if laid and not passed_on else _PAGE))


def _smaller_copies(image: Image.Image, path: Path) -> int:
    passed_on = image.format == "JPEG2000" and jp2.as_is(image, path)
    return jp2.examined(path).levels if passed_on else 0


def _mib(size: float) -> int:
    return round(size / (1 << 20))


def _decoding(image: Image.Image) -> float:
    kept = _BYTES.get(image.mode, _COLOUR)
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        return _coefficients(image) + (1.0 if image.mode == "RGB" else kept)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return kept + _strip(image)
    if image.format == "JPEG2000":
        return _SAMPLE * len(image.getbands())
    decoder = DECODERS.get(str(image.format))
    return decoder.per_pixel if decoder else kept


def _coefficients(image: JpegImagePlugin.JpegImageFile) -> float:
    """Return what is held of all scans of a progressive JPEG until it is whole."""
    if not image.info.get("progressive"):
        return 0.0
    samples = [across * down for _, across, down, _ in image.layer]
    largest = max(a for _, a, _, _ in image.layer) * max(d for _, _, d, _ in image.layer)
    return 2.0 * sum(samples) / max(largest, 1)


def _strip(image: TiffImagePlugin.TiffImageFile) -> float:
    """Return what is held of a strip: it is decoded whole, and can be the page."""
    bits = sum(tiff.numbers(image.tag_v2.get(tiff.BITS))) or 1
    rows = int(image.tag_v2.get(tiff.ROWS, image.height))
    share = 0.0 if tiff.TILES in image.tag_v2 else min(1.0, rows / image.height)
    return share * max(1, bits) / 8


def _check_tile(image: Image.Image, limits: Limits, page: int) -> None:
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    tile = tags.get(tiff.TILE_WIDTH, 0), tags.get(tiff.TILE_HEIGHT, 0)
    if all(isinstance(side, int) for side in tile):
        check_size(*tile, limits, page)


def _kind(image: Image.Image) -> str:
    many = "progressive " if image.info.get("progressive") else ""
    return f"{many}{image.format} ({image.mode})"
