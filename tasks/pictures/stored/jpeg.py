"""JPEG: its bytes are the original's, from its first marker to its last."""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tasks.pictures.stored import profile
from tasks.pictures.stored.picture import CMYK, GREY, RGB, Stored, cut, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL import Image

KNOWN = frozenset({0xC0, 0xC1, 0xC2})
"""Frames that PDF's DCTDecode reads: baseline, extended, progressive; none coded arithmetically."""

COLOURS = {1: GREY, 3: RGB, 4: CMYK}
_SOI, EOI, SOS, _APP14 = 0xD8, 0xD9, 0xDA, 0xEE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
# In coded data FF 00 is a byte of it and FF D0 to D7 are restarts; anything else ends it.
_MARKER = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")


@dataclass(slots=True)
class Structure:
    """What the markers of a JPEG say (ITU-T T.81, annex B)."""

    frame: int = 0  # marker of the frame's header
    head: tuple[int, int] = (0, 0)  # where that segment's content lies
    parts: tuple[tuple[int, int], ...] = ()  # identity and sampling of each channel
    adobe: int | None = None  # Adobe's transform
    restarts: bool = False  # it sets a restart interval
    scans: list[int] = field(default_factory=list)  # where the segments of scans start
    coded: int = 0  # where the coded data of the last scan starts
    tables: bool = False  # it brings tables of its own
    end: int = 0  # behind the last marker; 0 if there is none


def structure(data: mmap.mmap | bytes, start: int = 0) -> Structure:
    """Read the markers of a JPEG that starts here; it may end before its end."""
    found, at = Structure(), start + 2
    while at + 4 <= len(data) or data[at : at + 2] == b"\xff\xd9":
        marker = data[at + 1]
        if data[at] != 0xFF:  # noqa: PLR2004  -- what every marker starts with
            break
        if marker in {0xFF, 0x00} or marker in _BARE:
            at += 1 if marker == 0xFF else 2  # noqa: PLR2004  -- filling
            continue
        if marker == EOI:
            found.end = at + 2
            break
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        _note(found, marker, at, data[at + 4 : at + 2 + length])
        at += 2 + max(length, 2)
        if marker == SOS:
            found.coded = at
            after = _MARKER.search(data, at)
            if after is None:
                break
            at = after.end() - 2
    return found


def _note(found: Structure, marker: int, at: int, segment: bytes) -> None:
    if marker in _FRAMES and len(segment) >= 6:  # noqa: PLR2004  -- a frame's fixed part
        found.frame, found.head = marker, (at + 4, len(segment))
        found.parts = tuple((segment[i], segment[i + 1]) for i in range(6, len(segment) - 2, 3))
    elif marker == SOS:
        found.scans.append(at)
    elif marker == _APP14 and segment.startswith(b"Adobe") and len(segment) >= 12:  # noqa: PLR2004
        found.adobe = segment[11]
    found.restarts |= marker == 0xDD  # noqa: PLR2004  -- DRI
    found.tables |= marker in {0xC4, 0xDB}


def as_is(image: Image.Image, path: Path) -> Stored | None:
    """Return a JPEG file's picture as it is; None if its coding is none of PDF's.

    What stands behind its end is left out: rubbish, or the second picture that phones add. Raises
    Refusal `corrupt` if there is no end: decoders make a picture of what was cut.
    """
    if image.format not in {"JPEG", "MPO"}:
        return None
    found = examined(path)
    if found.frame not in KNOWN or image.mode not in {"L", "RGB", "CMYK"}:
        return None
    return described(image, found, _part(path, found.end))


def examined(path: Path) -> Structure:
    """Read the markers of a JPEG file; raises Refusal `corrupt` if it has no end."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found = structure(data)
    if not found.end:
        raise cut("JPEG")
    return found


def described(image: Image.Image, found: Structure, data: Iterator[bytes]) -> Stored:
    """Return a JPEG, of which Pillow has read the header, as PDF has it."""
    colours = COLOURS[len(found.parts)]
    names = bytes(part[0] for part in found.parts)
    # Without Adobe's marker the names of the channels tell; PDF's readers do not look there.
    plain = found.adobe is None and names in {b"RGB", b"rgb"}
    return Stored(
        image.size,
        "DCTDecode",
        data,
        colours,
        parms="/ColorTransform 0" if plain else "",
        inverted=colours == CMYK and found.adobe is not None,
        profile=profile.fitting(image, colours),
    )


def _part(path: Path, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from pieces(file, 0, end, "JPEG")
