"""The words that a PDF page has, and where they stand, as pdfium tells them."""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import pypdfium2
import pypdfium2.raw as pdfium

from tasks.pdfs.rendering import place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.imaging import Box, Matrix

DPI = 300  # of the coordinates in the hOCR
_SOFT = {0xAD: "-"}  # what fonts of old call the hyphen that they draw
_BREAKS = frozenset({0x02, 0xFFFE})  # what pdfium makes of a hyphen that ends a line, and the end
_BROKEN = re.compile("[\x02\ufffe](\r?\n)?")
_ENDS = frozenset(map(ord, "\n\r"))


@dataclass(frozen=True, slots=True)
class Layers:
    """A page's text as it stands in its content: what is painted, and what is not."""

    shown: str
    hidden: str


def text_of(page: pypdfium2.PdfPage) -> str:
    """Return all text of a page, as pdfium orders it."""
    textpage = page.get_textpage()
    try:
        return str(textpage.get_text_range())
    finally:
        textpage.close()


def tidy(raw: str) -> str:
    """Return a page's text with plain hyphens and line ends, and one at its end."""
    text = _BROKEN.sub("-\n", raw.translate(_SOFT)).replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n") + "\n"


def layers(page: pypdfium2.PdfPage) -> Layers:
    """Tell painted text from hidden (text render mode 3), sign by sign."""
    textpage = page.get_textpage()
    parts: tuple[list[int], list[int]] = [], []
    hidden = False
    for index in range(textpage.count_chars()):
        hidden = _is_hidden(textpage, index, before=hidden)
        parts[hidden].append(pdfium.FPDFText_GetUnicode(textpage, index))
    textpage.close()
    shown, unseen = map(_decoded, parts)
    return Layers(shown, unseen)


def frame(page: pypdfium2.PdfPage) -> tuple[tuple[int, int], Matrix]:
    """Return the page's size in hOCR pixels and the matrix from them to its user space."""
    width, height = (max(1, round(side * DPI / 72)) for side in page.get_size())
    return (width, height), place(page, (width, height))


def hocr(page: pypdfium2.PdfPage) -> str:
    """Return the page's own text as an `ocr_page` element, with boxes at 300 dpi."""
    (width, height), matrix = frame(page)
    title = f'image ""; bbox 0 0 {width} {height}; ppageno 0; scan_res {DPI} {DPI}'
    out = [f"  <div class='ocr_page' id='page_1' title='{title}'>\n"]
    words = 0
    for number, line in enumerate(lines(page), start=1):
        boxes = [_pixels(box, matrix) for _, box in line]
        out.append(
            f"   <p class='ocr_par' id='par_1_{number}'>\n    <span class='ocr_line' "
            f"id='line_1_{number}' title=\"bbox {_bbox(boxes)}\">\n"
        )
        for (letters, _), box in zip(line, boxes, strict=True):
            words += 1
            out.append(
                f"     <span class='ocrx_word' id='word_1_{words}' "
                f"title='bbox {_bbox([box])}; x_wconf 100'>{escape(letters)}</span>\n"
            )
        out.append("    </span>\n   </p>\n")
    return "".join([*out, "  </div>\n"])


def boxes(page: pypdfium2.PdfPage) -> tuple[Box, ...]:
    """Return where all words of a page stand, in its user space."""
    return tuple(box for line in lines(page) for _, box in line)


def shown_boxes(page: pypdfium2.PdfPage) -> tuple[Box, ...]:
    """Return where the painted words of a page stand, in its user space."""
    return tuple(box for line in lines(page, shown_only=True) for _, box in line)


def lines(page: pypdfium2.PdfPage, *, shown_only: bool = False) -> Iterator[list[tuple[str, Box]]]:
    """Yield lines of (word, box in user space), in the order of the page's content."""
    textpage = page.get_textpage()
    sides = [ctypes.c_double() for _ in range(4)]
    line: list[tuple[str, Box]] = []
    units: list[int] = []
    boxes: list[Box] = []

    def end_word() -> None:
        if units:
            line.append((_decoded(units), _around(boxes)))
        units.clear()
        boxes.clear()

    for index in range(textpage.count_chars()):
        unit = pdfium.FPDFText_GetUnicode(textpage, index)
        drawn = not (chr(unit).isspace() or unit == 0)
        if drawn and not (shown_only and _is_hidden(textpage, index)):
            left, right, bottom, top = sides
            pdfium.FPDFText_GetCharBox(textpage, index, left, right, bottom, top)
            units.append(ord("-" if unit in _BREAKS else _SOFT.get(unit, chr(unit))))
            boxes.append((left.value, bottom.value, right.value, top.value))
        if not drawn or unit in _BREAKS:
            end_word()
            if (unit in _ENDS or unit in _BREAKS) and line:
                yield line
                line = []
    end_word()
    if line:
        yield line
    textpage.close()


def _is_hidden(textpage: pypdfium2.PdfTextPage, index: int, *, before: bool = False) -> bool:
    """Tell whether a sign is not painted; a space that pdfium has added is as the sign before."""
    drawn = pdfium.FPDFText_GetTextObject(textpage, index)
    if not drawn:
        return before
    mode = pdfium.FPDFTextObj_GetTextRenderMode(drawn)
    return bool(mode == pdfium.FPDF_TEXTRENDERMODE_INVISIBLE)


def _decoded(units: list[int]) -> str:
    """Return text from UTF-16, in which pdfium tells it."""
    letters = "".join(map(chr, units)).encode("utf-16", "surrogatepass")
    return letters.decode("utf-16", "replace")


def _around(boxes: list[Box]) -> Box:
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)


def _pixels(box: Box, matrix: Matrix) -> Box:
    """Take a box from user space to hOCR pixels: the matrix backwards."""
    a, b, c, d, e, f = matrix
    det = a * d - b * c
    points = [
        (((x - e) * d - (y - f) * c) / det, ((y - f) * a - (x - e) * b) / det)
        for x, y in ((box[0], box[1]), (box[2], box[3]))
    ]
    (x0, y0), (x1, y1) = points
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _bbox(boxes: list[Box]) -> str:
    return " ".join(str(max(0, round(side))) for side in _around(boxes))
