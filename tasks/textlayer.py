"""The invisible text over a page: what a viewer selects and searches.

Each word is drawn in text render mode 3 (nothing painted) on its baseline, stretched to the
width of its ink, in a font whose glyphs are all the same empty half square. Codes are Unicode
code points, so that the ToUnicode map is the identity; letters beyond U+FFFF borrow codes from
the surrogates, which are no letters.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from tasks import hocr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tasks.hocr import Line, Word
    from tasks.imaging import Matrix, Pair

ADVANCE = 0.5  # width of every glyph, in font sizes
DESCENT = 0.2  # how far a glyph's box reaches below the baseline, in font sizes
CLIMB = 0.42  # font sizes that the words of one line may climb for Poppler to see one line
SKEWED = 1.2  # font sizes of climb from which following the ink matters more
APART = 0.35  # font sizes off a line at which PDFium ends its sorting, and mostly no line
SPACE = 0.2  # font sizes between two words at least
_BELOW = frozenset("gjpqyQçğşýÿ,;()[]{}|/§@_µ")  # letters with ink below the baseline
_BORROWED = range(0xD800, 0xE000)
_UNKNOWN = "\ufffd"
_CMAP_HEAD = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
"""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a word starts on its baseline and where it goes; pixels, y down."""

    start: Pair
    along: Pair  # of length 1
    up: Pair  # of length 1
    length: float


class Glyphless:
    """The font of one PDF. Call `finish` when all text is encoded: it writes the ToUnicode map."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self._pdf = pdf
        self._codes: dict[str, int] = {}
        self._borrowed = iter(_BORROWED)
        self.object = pdf.make_indirect(
            Dictionary(
                Type=Name.Font,
                Subtype=Name.Type0,
                BaseFont=Name.WatcherdGlyphless,
                Encoding=Name("/Identity-H"),
                DescendantFonts=Array([self._descendant()]),
            )
        )

    def encode(self, text: str) -> str:
        """Return the text as the hexadecimal codes of a PDF string, four digits a letter."""
        return "".join(f"{self._code(letter):04X}" for letter in text)

    def finish(self) -> None:
        """Write the map back from codes to text, for the letters that were used."""
        pairs = sorted((code, letter) for letter, code in self._codes.items())
        out = [_CMAP_HEAD]
        for first in range(0, len(pairs), 100):  # the format's limit a section
            section = pairs[first : first + 100]
            out.append(f"{len(section)} beginbfchar\n")
            for code, letter in section:
                out.append(f"<{code:04X}> <{letter.encode('utf-16-be').hex().upper()}>\n")
            out.append("endbfchar\n")
        out.append("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
        self.object.ToUnicode = self._pdf.make_stream("".join(out).encode())

    def _code(self, letter: str) -> int:
        code = self._codes.get(letter)
        if code is None:
            code = ord(letter)
            if code in _BORROWED:
                return self._code(_UNKNOWN)
            if code > 0xFFFF:  # noqa: PLR2004  -- what two bytes can name
                code = next(self._borrowed, -1)
                if code < 0:
                    return self._code(_UNKNOWN)
            self._codes[letter] = code
        return code

    def _descendant(self) -> pikepdf.Object:
        data = files("tasks").joinpath("glyphless.ttf").read_bytes()
        descriptor = Dictionary(
            Type=Name.FontDescriptor,
            FontName=Name.WatcherdGlyphless,
            Flags=5,  # fixed pitch, symbolic
            FontBBox=Array([0, -200, 500, 800]),
            ItalicAngle=0,
            Ascent=800,
            Descent=-200,
            CapHeight=800,
            StemV=80,
            FontFile2=self._pdf.make_stream(data, Length1=len(data)),
        )
        return self._pdf.make_indirect(
            Dictionary(
                Type=Name.Font,
                Subtype=Name.CIDFontType2,
                BaseFont=Name.WatcherdGlyphless,
                CIDSystemInfo=Dictionary(
                    Registry=String("Adobe"), Ordering=String("Identity"), Supplement=0
                ),
                FontDescriptor=self._pdf.make_indirect(descriptor),
                DW=500,
                CIDToGIDMap=self._pdf.make_stream(b"\0\1" * 0x10000),  # every code: the glyph
            )
        )


def content(
    lines: Iterable[Line], matrix: Matrix, font: Glyphless, name: str, *, rotate: int = 0
) -> bytes:
    """Return the drawing operators for the lines, `matrix` being from their pixels to the page.

    `name` is the font's in the page's resources, without the slash; `rotate` is the page's own
    `/Rotate`. Empty without lines.
    """
    out = [operator for line in lines for operator in _line(line, matrix, font, name, rotate)]
    return "\n".join(["q", "BT", "3 Tr", *out, "ET", "Q", ""]).encode() if out else b""


def visual(text: str) -> str:
    """Return a word's letters as they stand from left to right; numbers keep their order."""
    if not any(unicodedata.bidirectional(letter) in {"R", "AL"} for letter in text):
        return text
    out: list[str] = []
    run: list[str] = []  # letters and digits that stand from left to right
    for letter in text:
        if unicodedata.bidirectional(letter) in {"L", "EN", "AN", "ES", "CS"}:
            run.append(letter)
            continue
        out += [*reversed(run), letter]
        run.clear()
    return "".join(reversed([*out, *reversed(run)]))


def _line(line: Line, matrix: Matrix, font: Glyphless, name: str, rotate: int) -> Iterator[str]:
    size = _size(line)
    # Readers take the order of places for the order of writing, and turn right-to-left text
    # round themselves: so it is drawn as it is seen, from the left.
    words = [replace(word, text=visual(word.text)) for word in line.words]
    if line.rtl:
        words.reverse()
    places = _apart([_place(line, word, size) for word in words], size)
    for index, (word, place) in enumerate(zip(words, places, strict=True)):
        across, upward = _apply(matrix, place.along), _apply(matrix, place.up)
        wide, high = math.hypot(*across), math.hypot(*upward)
        x, y = _apply(matrix, place.start)
        turn = (across[0] / wide, across[1] / wide, upward[0] / high, upward[1] / high)
        points = size * high
        yield f"/{name} {_number(points)} Tf"
        yield " ".join(map(_number, (*turn, x + matrix[4], y + matrix[5]))) + " Tm"
        yield _show(word.text, place.length * wide / points, font)
        if index + 1 < len(places):
            after = words[index + 1]
            if hocr.separator(word.text, after.text):
                gap = _gap(place, places[index + 1]) * wide / points
                yield _show(" ", max(gap, SPACE), font)
            if _leftwards(across, rotate):
                yield f"0 {_number(APART * points)} Td {_show(' ', SPACE, font)}"


def _leftwards(across: Pair, rotate: int) -> bool:
    """Tell whether a line is shown on its head.

    PDFium puts the pieces of a line in order from left to right as they are shown, until one is
    off the line. So a space above the line after each word keeps the words in their order; other
    readers do not mind it.
    """
    x, y = across
    shown = {0: x, 90: y, 180: -x, 270: -y}[rotate % 360]
    return shown < -0.7 * math.hypot(x, y)


def _show(text: str, length: float, font: Glyphless) -> str:
    """Show text stretched to a length in font sizes."""
    stretch = 100 * length / (ADVANCE * len(text))
    return f"{_number(max(stretch, 0.1))} Tz <{font.encode(text)}> Tj"


def _size(line: Line) -> float:
    """Return the font size in pixels: the engine's row, if the words bear it out."""
    upended = line.angle % 180 == 90  # noqa: PLR2004
    tallest = max((w.box[2] - w.box[0] if upended else w.box[3] - w.box[1]) for w in line.words)
    tallest = max(tallest, 1)
    return line.size if 0.5 * tallest <= line.size <= 3 * tallest else float(tallest)


def _place(line: Line, word: Word, size: float) -> _Place:
    left, top, right, bottom = word.box
    if line.baseline is not None:
        y = _level(line, (left + right) / 2, size)
        return _Place((left, y), (1, 0), (0, -1), max(right - left, 1))
    # No baseline told: the ink's lower edge is one, but for letters that reach below it.
    below = (line.descent or DESCENT * size) if _BELOW.intersection(word.text) else 0.0
    start, along, up = {
        0: ((left, bottom - below), (1, 0), (0, -1)),
        90: ((right - below, bottom), (0, -1), (-1, 0)),
        180: ((right, top + below), (-1, 0), (0, 1)),
        270: ((left + below, top), (0, 1), (1, 0)),
    }[line.angle]
    return _Place(
        start, along, up, max(abs((right - left) * along[0] + (bottom - top) * along[1]), 1)
    )


def _level(line: Line, x: float, size: float) -> float:
    """Return the height of the baseline for a word around `x`; words lie level, lines climb.

    Poppler cuts a word whose baseline climbs by half a point, and a line that climbs by half
    its font size. So a skewed scan's lines climb a little less than their ink, as long as
    every word still covers most of its own.
    """
    slope, offset = line.baseline or (0.0, 0.0)
    width = line.box[2] - line.box[0]
    climb = abs(slope) * width
    most = CLIMB * size
    damped = slope * most / climb if most < climb <= SKEWED * size else slope
    middle = line.box[3] + offset + slope * width / 2
    return middle + damped * (x - line.box[0] - width / 2)


def _apart(places: list[_Place], size: float) -> list[_Place]:
    """Shorten words that reach into the next one: readers would put them in another order."""
    out: list[_Place] = []
    for place, after in pairwise(places):
        room = place.length + _gap(place, after) - SPACE * size
        out.append(replace(place, length=max(min(place.length, room), place.length / 2)))
    return out + places[-1:]


def _gap(place: _Place, after: _Place) -> float:
    """Return the pixels from a word's end to the next one's start, along the line."""
    dx, dy = after.start[0] - place.start[0], after.start[1] - place.start[1]
    return dx * place.along[0] + dy * place.along[1] - place.length


def _apply(matrix: Matrix, vector: Pair) -> Pair:
    """Take a direction, not a point, through the matrix."""
    a, b, c, d, _, _ = matrix
    return vector[0] * a + vector[1] * c, vector[0] * b + vector[1] * d


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) >= 0.00005 else "0"  # noqa: PLR2004
