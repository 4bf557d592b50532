"""Embedded font programs: which glyph a code means, and how wide it is."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from fontTools import agl
from fontTools.cffLib import CFFFontSet
from fontTools.encodings.MacRoman import MacRoman
from fontTools.encodings.StandardEncoding import StandardEncoding
from fontTools.pens.basePen import NullPen
from fontTools.t1Lib import T1Font, assertType1, decryptType1
from fontTools.ttLib import TTFont

if TYPE_CHECKING:
    from collections.abc import Callable

NOTDEF = ".notdef"
_ANSI = [agl.UV2AGL.get(ord(bytes([n]).decode("cp1252", "replace")), NOTDEF) for n in range(256)]
_ANSI[0xA0], _ANSI[0xAD] = "space", "hyphen"  # ISO 32000-1, annex D.2, notes 5 and 6
BASES = {
    "/WinAnsiEncoding": _ANSI,
    "/MacRomanEncoding": list(MacRoman),
    "/StandardEncoding": list(StandardEncoding),
}


# It remarks on oddities of fonts that say nothing to whoever reads a worker's log.
logging.getLogger("fontTools").setLevel(logging.ERROR)


class Program(Protocol):
    """An embedded font program."""

    def by_code(self, code: int, names: dict[int, str] | None) -> str | None:
        """Return the glyph of a simple font's code; `names` is what the font's encoding says."""

    def by_cid(self, cid: int) -> str | None:
        """Return the glyph of a CID, None where there is none."""

    def width(self, glyph: str) -> float:
        """Return how wide a glyph is, in thousandths of the font size."""


def load(descriptor: Any) -> Program | None:
    """Return the program that a font's descriptor embeds, None without one.

    Raises anything when it is damaged: the parsers know no one error.
    """
    if "/FontFile2" in descriptor:
        return TrueType(TTFont(io.BytesIO(descriptor.FontFile2.read_bytes()), lazy=True))
    if "/FontFile" in descriptor:
        return _type1(descriptor.FontFile.read_bytes())
    if "/FontFile3" not in descriptor:
        return None
    data = descriptor.FontFile3.read_bytes()
    if data[:4] in {b"OTTO", b"true", b"\0\1\0\0"}:
        font = TTFont(io.BytesIO(data), lazy=True)
        return Outlines.of_cff(font["CFF "].cff) if "CFF " in font else TrueType(font)
    cff = CFFFontSet()
    cff.decompile(io.BytesIO(data), None)
    return Outlines.of_cff(cff)


class TrueType:
    """A TrueType program."""

    def __init__(self, font: TTFont) -> None:
        self._font = font
        self._order = font.getGlyphOrder()
        self._scale = 1000 / font["head"].unitsPerEm
        self._widths = font["hmtx"].metrics
        found = font["cmap"].tables if "cmap" in font else []
        self.maps = {(table.platformID, table.platEncID): table.cmap for table in found}
        self.count = len(found)

    def by_code(self, code: int, names: dict[int, str] | None) -> str | None:
        """See `Program`; ISO 32000-1, 9.6.6.4."""
        if names is None:
            for key, value in (((3, 0), code), ((3, 0), 0xF000 + code), ((1, 0), code)):
                if value in self.maps.get(key, {}):
                    return str(self.maps[key][value])
            return None
        name = names.get(code, NOTDEF)
        if (3, 1) in self.maps:
            text = agl.toUnicode(name)
            found = self.maps[3, 1].get(ord(text)) if len(text) == 1 else None
        else:
            place = MacRoman.index(name) if name in MacRoman else -1
            found = self.maps.get((1, 0), {}).get(place)
        return found or (name if name in self._order and name != NOTDEF else None)

    def by_cid(self, cid: int) -> str | None:
        """See `Program`; the number is the glyph's."""
        return self._order[cid] if cid < len(self._order) else None

    def width(self, glyph: str) -> float:
        """See `Program`."""
        return float(self._widths[glyph][0] * self._scale)


@dataclass(frozen=True, slots=True)
class Outlines:
    """A Type 1 or CFF program."""

    glyphs: Any  # name: charstring
    encoding: Callable[[int], str]  # its own
    scale: float  # of its units to thousandths
    order: list[str] | None = None  # by number, of a CFF program
    cids: bool = False  # whether glyphs are named by CID

    @classmethod
    def of_cff(cls, cff: CFFFontSet) -> Outlines:
        """Make one of the only font of a CFF program."""
        top = cff[0]
        keyed = hasattr(top, "ROS")
        own = StandardEncoding if keyed or isinstance(top.Encoding, str) else top.Encoding
        matrix = getattr(top, "FontMatrix", None) or [0.001]
        return cls(top.CharStrings, own.__getitem__, matrix[0] * 1000, list(top.charset), keyed)

    def by_code(self, code: int, names: dict[int, str] | None) -> str | None:
        """See `Program`."""
        name = (names or {}).get(code) or self.encoding(code)
        return name if name in self.glyphs else None

    def by_cid(self, cid: int) -> str | None:
        """See `Program`; a program that knows no CIDs counts its glyphs."""
        if self.cids and cid:
            return f"cid{cid:05d}" if f"cid{cid:05d}" in self.glyphs else None
        return self.order[cid] if self.order and cid < len(self.order) else None

    def width(self, glyph: str) -> float:
        """See `Program`."""
        outline = self.glyphs[glyph]
        outline.draw(NullPen())
        return float(outline.width * self.scale)


def _type1(data: bytes) -> Outlines:
    font = T1Font.__new__(T1Font)  # it would read a file, by name
    assertType1(data)
    # Its end is 512 zeros, which a PDF may leave out (ISO 32000-1, 9.9).
    font.data, font.encoding = decryptType1(data + b"\n" + b"0" * 512), "ascii"
    own = font["Encoding"]
    names = StandardEncoding if isinstance(own, str) else own
    return Outlines(font["CharStrings"], names.__getitem__, font["FontMatrix"][0] * 1000)
