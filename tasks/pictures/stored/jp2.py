"""JPEG 2000: passed through where PDF reads it as everybody does."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tasks.pictures.stored.picture import CMYK, GREY, RGB, Stored, cut, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL import Image

_BOX = b"\0\0\0\x0cjP  \r\n\x87\n"
_FILE_TYPE = b"\0\0\0\x14ftypjp2 \0\0\0\0jp2 "
_SOC, _SOT, _EOC = b"\xff\x4f\xff\x51", b"\xff\x90", b"\xff\xd9"
_SCHEMES = {12: CMYK, 16: RGB, 17: GREY}  # EnumCS of ISO/IEC 15444-1, I.5.3.3
_CHANNELS = {GREY: 1, RGB: 3, CMYK: 4}
_BY_PROFILE = 2
_REVERSIBLE = 1


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands where in a JPEG 2000 file, and how its samples are."""

    start: int  # of the codestream
    end: int  # behind its last marker
    depths: tuple[int, ...]  # bits of each channel
    even: bool  # no channel is coarser than another
    lossless: bool  # coded with the reversible transform
    levels: int  # smaller copies that it keeps of itself, each half as wide
    scheme: int | None = None  # of colours, where they are numbered
    profiled: bool = False  # an ICC profile inside tells the colours
    remapped: bool = False  # palette, or channels that are no colours


def as_is(image: Image.Image, path: Path) -> Stored | None:
    """Return a JPEG 2000 file as it is; None if PDF would show it in another way, or not at all.

    A bare codestream gets the boxes around it that PDF asks for. Raises Refusal `corrupt` for
    one that is cut: decoders make a blurred picture of it.
    """
    if image.format != "JPEG2000":
        return None
    found = examined(path)
    colours = _colours(found)
    if colours is None or image.mode in {"LA", "RGBA", "P", "PA"}:
        return None
    before = b"" if found.start else _boxes(image.size, found, colours)
    return Stored(
        image.size,
        "JPXDecode",
        _parts(path, found, before),
        None if found.profiled else colours,
        bits=found.depths[0],
    )


def examined(path: Path) -> Layout:
    """Read the boxes and markers of a file; raises Refusal `corrupt` if it has no end."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return _codestream(data, 0) if data[:4] == _SOC else _file(data)
        except (struct.error, IndexError) as error:
            raise cut("JPEG 2000 file") from error


def _colours(found: Layout) -> str | None:
    alike = len(set(found.depths)) == 1 and found.even and not found.remapped
    count = len(found.depths)
    if not alike or found.depths[0] > 16:  # noqa: PLR2004  -- what PDF's other images have at most
        return None
    if found.profiled or found.scheme is None:
        return {1: GREY, 3: RGB}.get(count)
    colours = _SCHEMES.get(found.scheme)
    return colours if colours and _CHANNELS[colours] == count else None


def _file(data: mmap.mmap) -> Layout:
    facts: dict[str, Any] = {}
    for name, start, end in _inside(data, 0, len(data)):
        if name == b"jp2h":
            facts |= _head(data, start, end)
        if name == b"jp2c":
            return replace(_codestream(data, start), **facts)
    raise cut("JPEG 2000 file")


def _head(data: mmap.mmap, start: int, end: int) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for name, at, _ in _inside(data, start, end):
        if name == b"colr" and not facts.keys() & {"scheme", "profiled"}:  # the first one counts
            if data[at] == _BY_PROFILE:
                facts["profiled"] = True
            else:
                facts["scheme"] = struct.unpack_from(">I", data, at + 3)[0]
        if name in {b"pclr", b"cmap"} or (name == b"cdef" and not _usual(data, at)):
            facts["remapped"] = True
    return facts


def _usual(data: mmap.mmap, at: int) -> bool:
    """Say whether each channel is the colour of its number."""
    count = struct.unpack_from(">H", data, at)[0]
    entries = (struct.unpack_from(">HHH", data, at + 2 + 6 * n) for n in range(count))
    return all(kind == 0 and colour == number + 1 for number, kind, colour in entries)


def _inside(data: mmap.mmap, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield name and place of the boxes in a stretch of a file (ISO/IEC 15444-1, I.4)."""
    while at + 8 <= end:
        length, name = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if length == 1:
            length, start = struct.unpack_from(">Q", data, start)[0], start + 8
        after = at + length if length else end
        if after < start:
            raise struct.error
        yield name, start, min(after, end)
        at = after


def _codestream(data: mmap.mmap, start: int) -> Layout:
    """Read the main header of a codestream, and go from tile to tile to its end (annex A)."""
    if data[start : start + 4] != _SOC:
        raise struct.error
    channels = struct.unpack_from(">H", data, start + 40)[0]
    parts = [struct.unpack_from("BBB", data, start + 42 + 3 * n) for n in range(channels)]
    at, lossless, levels = start + 2, False, 0
    while data[at : at + 2] != _SOT:
        marker, length = struct.unpack_from(">HH", data, at)
        if marker == 0xFF52:  # noqa: PLR2004  -- COD, whose last fixed field is the transform
            levels, lossless = data[at + 9], data[at + 13] == _REVERSIBLE
        at += 2 + max(length, 2)
    while data[at : at + 2] == _SOT:
        length = struct.unpack_from(">I", data, at + 6)[0]
        if length == 0:  # the last tile may go on to the end
            at = data.rfind(_EOC, at)
            break
        at += max(length, 12)
    if at < 0 or data[at : at + 2] != _EOC:
        raise struct.error
    depths = tuple((depth & 0x7F) + 1 for depth, _, _ in parts)
    even = all((x, y) == (1, 1) for _, x, y in parts) and not any(d & 0x80 for d, _, _ in parts)
    return Layout(start, at + 2, depths, even, lossless, levels)


def _boxes(size: tuple[int, int], found: Layout, colours: str) -> bytes:
    """Return what stands before the codestream in a file of the format."""
    scheme = {name: number for number, name in _SCHEMES.items()}[colours]
    facts = struct.pack(
        ">IIHBBBB", size[1], size[0], len(found.depths), found.depths[0] - 1, 7, 0, 0
    )
    inner = _box(b"ihdr", facts) + _box(b"colr", struct.pack(">BBBI", 1, 0, 0, scheme))
    stream = struct.pack(">I4s", 8 + found.end - found.start, b"jp2c")
    return _BOX + _FILE_TYPE + _box(b"jp2h", inner) + stream


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def _parts(path: Path, found: Layout, before: bytes) -> Iterator[bytes]:
    yield before
    with path.open("rb") as file:
        yield from pieces(file, 0, found.end, "JPEG 2000 file")
