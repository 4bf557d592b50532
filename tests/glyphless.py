"""Make tasks/glyphless.ttf: a font whose one glyph is empty and half as wide as it is high.

Run as a program it writes the file anew; a test holds the file against it.
"""

from __future__ import annotations

import io
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.ttLib.tables._g_l_y_f import Glyph, GlyphCoordinates, flagOnCurve
from fontTools.ttLib.tables.ttProgram import Program

TARGET = Path(__file__).resolve().parent.parent / "tasks" / "glyphless.ttf"
BORN = 3_786_912_000  # seconds since 1904: the first day of 2024


def _blank() -> Glyph:
    """Return a glyph of two lone points: it paints nothing, yet has an extent.

    Readers that measure a glyph's ink (PDFium) would drop turned text without one.
    """
    glyph = Glyph()
    glyph.numberOfContours = 2
    glyph.coordinates = GlyphCoordinates([(0, -200), (500, 800)])
    glyph.flags = bytearray([flagOnCurve, flagOnCurve])
    glyph.endPtsOfContours = [0, 1]
    glyph.program = Program()
    glyph.program.fromBytecode(b"")
    return glyph


def build() -> bytes:
    """Return the font's bytes, the same at every call: no clock enters them."""
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder([".notdef", "blank"])
    font.setupCharacterMap({0x20: "blank"})
    font.setupGlyf({".notdef": Glyph(), "blank": _blank()})
    font.setupHorizontalMetrics({".notdef": (500, 0), "blank": (500, 0)})
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "watcherd Glyphless", "styleName": "Regular"})
    font.setupOS2(sTypoAscender=800, sTypoDescender=-200, usWinAscent=800, usWinDescent=200)
    font.setupPost(isFixedPitch=1, keepGlyphNames=False)
    font.font["head"].created = font.font["head"].modified = BORN
    font.font.recalcTimestamp = False
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


if __name__ == "__main__":
    TARGET.write_bytes(build())
