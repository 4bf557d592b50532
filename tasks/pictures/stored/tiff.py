"""TIFF: fax and JPEG strips that PDF can hold as they are, and whether all strips are there."""

from __future__ import annotations

import mmap
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from PIL import TiffImagePlugin

from tasks.pictures.stored import jpeg, profile
from tasks.pictures.stored.picture import CHANNELS, CMYK, GREY, RGB, TAIL, Stored, cut, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from PIL import Image

# Tags, and what they say (TIFF 6.0).
WIDTH, HEIGHT, BITS, PHOTOMETRIC, FILL_ORDER, STRIPS = 256, 257, 258, 262, 266, 273
ORIENTATION, SAMPLES, ROWS, COUNTS, PLANAR, T6_OPTIONS = 274, 277, 278, 279, 284, 293
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_COUNTS, JPEG_TABLES = 322, 323, 324, 325, 347
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _INKS, _YCBCR = 0, 1, 2, 5, 6
_COLOURS = {_BLACK_IS_ZERO: GREY, _RGB: RGB, _YCBCR: RGB, _INKS: CMYK}
_LOW_BIT_FIRST = 2
_HEADER = 8  # bytes before anything else
_TOGETHER, _APART = 1, 2  # channels of a pixel, or each in a plane of its own
_UNCODED = frozenset({"raw", "packbits"})  # black pixels of theirs are zeros
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_ADOBE = {  # Adobe's marker, which alone says surely whether three channels are RGB
    _RGB: b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0",
    _YCBCR: b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\1",
}
_INTERVAL = 65535  # the most MCUs between restarts (ITU-T T.81, B.2.4.4)


def as_is(image: Image.Image, path: Path) -> Stored | None:
    """Return a TIFF's image as it is; None if PDF has no such thing.

    One strip of fax coding (group 4), or strips of JPEG: those are joined to one JPEG by restart
    markers, so that their coded data stays what it is.
    """
    if not isinstance(image, TiffImagePlugin.TiffImageFile) or TILES in image.tag_v2:
        return None
    way = {"group4": _fax, "jpeg": _jpeg}.get(str(image.info.get("compression")))
    return way(image, path) if way else None


def check_strips(image: Image.Image, path: Path) -> None:
    """Raise Refusal `corrupt` when a strip or tile is not there, or zeros to its end.

    Decoders leave such a strip white, and call that a picture.
    """
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return
    tags, length = image.tag_v2, path.stat().st_size
    coded = image.info.get("compression") not in _UNCODED
    tiled = TILES in tags
    places = numbers(tags.get(TILES if tiled else STRIPS))
    counts = numbers(tags.get(TILE_COUNTS if tiled else COUNTS))
    if not counts and len(places) == 1:
        counts = (length - places[0],)  # as old programs left it out: all that follows
    planes = tags.get(PLANAR, _TOGETHER)
    if (
        planes not in {_TOGETHER, _APART}
        or len(places) != len(counts)
        or len(places) < _needed(tags, tiled=tiled)
    ):
        raise cut("TIFF")
    spans = sorted(set(zip(places, counts, strict=True)))
    if any(start + count > after for (start, count), (after, _) in pairwise(spans)):
        raise cut("TIFF")  # two that share bytes: the table of their places is not all there
    with path.open("rb") as file:
        for start, count in spans:
            if start < _HEADER or count < 1 or start + count > length:
                raise cut("TIFF")
            file.seek(start + max(0, count - TAIL))
            if coded and count > 1 and not any(file.read(min(count, TAIL))):
                raise cut("TIFF")


def _needed(tags: Any, *, tiled: bool) -> int:
    """Return how many strips or tiles a picture of its size has (TIFF 6.0, sections 8 and 15)."""
    width, height = int(tags[WIDTH]), int(tags[HEIGHT])
    across = -(-width // max(1, int(tags.get(TILE_WIDTH, width)))) if tiled else 1
    rows = int(tags.get(TILE_HEIGHT if tiled else ROWS, height))
    planes = int(tags.get(SAMPLES, 1)) if tags.get(PLANAR, 1) == _APART else 1
    return across * -(-height // max(1, rows)) * planes


def numbers(value: Any) -> Sequence[int]:
    """Return what a tag holds as a row of numbers, however many there are."""
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _shape(image: TiffImagePlugin.TiffImageFile) -> tuple[int, int]:
    """Return the size as stored: Pillow gives the one after turning."""
    return int(image.tag_v2[WIDTH]), int(image.tag_v2[HEIGHT])


def _orientation(image: TiffImagePlugin.TiffImageFile) -> int:
    found = image.tag_v2.get(ORIENTATION, 1)
    return found if found in range(1, 9) else 1


def _fax(image: TiffImagePlugin.TiffImageFile, path: Path) -> Stored | None:
    tags = image.tag_v2
    photometric = tags.get(PHOTOMETRIC, _WHITE_IS_ZERO)
    places, counts = numbers(tags.get(STRIPS)), numbers(tags.get(COUNTS))
    one = len(places) == len(counts) == 1 and image.mode == "1" and not tags.get(T6_OPTIONS)
    if not one or photometric not in {_WHITE_IS_ZERO, _BLACK_IS_ZERO}:
        return None
    width, height = _shape(image)
    # Group 4 codes runs of 0 and 1, and calls 0 white. PDF gives its black as 0 unless told.
    black = "true" if photometric == _BLACK_IS_ZERO else "false"
    return Stored(
        (width, height),
        "CCITTFaxDecode",
        _strip(path, places[0], counts[0], turned=tags.get(FILL_ORDER) == _LOW_BIT_FIRST),
        GREY,
        bits=1,
        parms=f"/K -1 /Columns {width} /Rows {height} /BlackIs1 {black}",
        profile=profile.fitting(image, GREY),
        orientation=_orientation(image),
    )


def _strip(path: Path, start: int, length: int, *, turned: bool) -> Iterator[bytes]:
    with path.open("rb") as file:
        for piece in pieces(file, start, length, "TIFF"):
            yield piece.translate(_REVERSED) if turned else piece


def _jpeg(image: TiffImagePlugin.TiffImageFile, path: Path) -> Stored | None:
    colours = _COLOURS.get(image.tag_v2.get(PHOTOMETRIC, _YCBCR))
    planes = image.tag_v2.get(PLANAR, 1) if image.tag_v2.get(SAMPLES, 1) > 1 else 1
    if colours is None or planes != 1:
        return None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        joined = _joined(image, data, CHANNELS[colours])
    if joined is None:
        return None
    return Stored(
        _shape(image),
        "DCTDecode",
        _mixed(path, joined),
        colours,
        profile=profile.fitting(image, colours),
        orientation=_orientation(image),
    )


def _joined(
    image: TiffImagePlugin.TiffImageFile, data: mmap.mmap, channels: int
) -> list[bytes | slice] | None:
    """Return one JPEG out of strips: bytes of ours, and stretches of the file."""
    tags = image.tag_v2
    width, height = _shape(image)
    spans = list(zip(numbers(tags.get(STRIPS)), numbers(tags.get(COUNTS)), strict=True))
    found = [jpeg.structure(data[start : start + length]) for start, length in spans]
    first = found[0]
    alike = all(f.frame == first.frame and f.parts == first.parts and f.end for f in found)
    if not alike or first.frame not in jpeg.KNOWN or len(first.parts) != channels:
        return None
    tables = bytes(tags.get(JPEG_TABLES, b""))[2:-2]
    start = spans[0][0]
    marker = b"\xff\xd8" + _ADOBE.get(tags.get(PHOTOMETRIC, _YCBCR), b"") + tables
    if len(spans) == 1:
        return [marker, slice(start + 2, start + first.end)]
    interval = _interval(width, int(tags.get(ROWS, height)), first.parts)
    plain = all(
        len(f.scans) == 1 and not f.restarts and (f is first or not f.tables) for f in found
    )
    if not plain or interval is None or first.frame == 0xC2:  # noqa: PLR2004  -- progressive
        return None
    at, size = first.head
    frame = data[start + at : start + at + size]
    frame = frame[:1] + height.to_bytes(2, "big") + frame[3:]
    head = data[start + 2 : start + at] + frame
    rest = data[start + at + size : start + first.scans[0]]
    scan = data[start + first.scans[0] : start + first.coded]
    restart = b"\xff\xdd\0\4" + interval.to_bytes(2, "big")
    parts: list[bytes | slice] = [marker + head + rest + restart + scan]
    for number, ((start, _), part) in enumerate(zip(spans, found, strict=True)):
        parts.append(slice(start + part.coded, start + part.end - 2))
        last = number == len(spans) - 1
        parts.append(bytes([0xFF, jpeg.EOI if last else 0xD0 + number % 8]))
    return parts


def _interval(width: int, rows: int, parts: tuple[tuple[int, int], ...]) -> int | None:
    """Return how many units are coded in a strip of so many rows; None if it is no whole number."""
    across, down = (
        (1, 1)  # a single channel is coded block by block, whatever it says
        if len(parts) == 1
        else (max(sampling >> 4 for _, sampling in parts), max(s & 15 for _, s in parts))
    )
    if rows % (8 * down):
        return None
    units = -(-width // (8 * across)) * (rows // (8 * down))
    return units if units <= _INTERVAL else None


def _mixed(path: Path, parts: list[bytes | slice]) -> Iterator[bytes]:
    with path.open("rb") as file:
        for part in parts:
            if isinstance(part, bytes):
                yield part
            else:
                yield from pieces(file, part.start, part.stop - part.start, "TIFF")
