"""The text that a PDF page already has."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import pypdfium2
import pypdfium2.raw as pdfium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.imaging import Matrix, Pair

STAMP = 32  # letters; fewer on a scan are a stamp or a page number, not its text
DPI = 300  # of the coordinates in the hOCR
_COVERED = 0.5  # part of the page under an image, above which it is taken for a scan
_HYPHENS = {0x02: "-", 0xFFFE: "-", 0xAD: "-"}  # how pdfium tells a hyphen at a line's end

_Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class OwnText:
    """What a page says without being recognised."""

    text: str
    page: str  # hOCR: one ocr_page element, in `pixels`
    pixels: tuple[int, int]
    points: Pair  # the displayed page's width and height
    matrix: Matrix  # from `pixels` (y down) to the page's user space


def own_text(page: pypdfium2.PdfPage) -> OwnText | None:
    """Return what a page says already, None when it has to be recognised."""
    text = real_text(page)
    if text is None:
        return None
    size, matrix = frame(page)
    return OwnText(text, page_hocr(page), size, page.get_size(), matrix)


def real_text(page: pypdfium2.PdfPage) -> str | None:
    """Return the page's own text, or None when it has none to speak of.

    Text counts when it has letters, and on a page that is mostly an image only when it is more
    than a stamp, or invisible: then somebody has recognised it before.
    """
    textpage = page.get_textpage()
    try:
        raw = textpage.get_text_range()
    finally:
        textpage.close()
    letters = sum(map(str.isalnum, raw))
    if letters == 0 or (letters < STAMP and _is_scan(page) and not _has_invisible(page)):
        return None
    text = raw.translate(_HYPHENS).replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n") + "\n"


def frame(page: pypdfium2.PdfPage) -> tuple[tuple[int, int], Matrix]:
    """Return the page's size in hOCR pixels and the matrix from them to its user space."""
    width, height = (max(1, round(side * DPI / 72)) for side in page.get_size())
    place = pypdfium2.PdfPosConv(page, (0, 0, width, height, 0))
    x0, y0 = place.to_page(0, 0)
    x1, y1 = place.to_page(width, 0)
    x2, y2 = place.to_page(0, height)
    matrix = (
        (x1 - x0) / width,
        (y1 - y0) / width,
        (x2 - x0) / height,
        (y2 - y0) / height,
        x0,
        y0,
    )
    return (width, height), matrix


def page_hocr(page: pypdfium2.PdfPage) -> str:
    """Return the page's own text as an `ocr_page` element, with boxes at 300 dpi."""
    (width, height), matrix = frame(page)
    title = f'image ""; bbox 0 0 {width} {height}; ppageno 0; scan_res {DPI} {DPI}'
    out = [f"  <div class='ocr_page' id='page_1' title='{title}'>\n"]
    words = 0
    for number, line in enumerate(_lines(page), start=1):
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


def _is_scan(page: pypdfium2.PdfPage) -> bool:
    width, height = page.get_size()
    covered = 0.0
    for image in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE]):
        left, bottom, right, top = image.get_bounds()
        covered += abs((right - left) * (top - bottom))
    return bool(covered > _COVERED * width * height)


def _has_invisible(page: pypdfium2.PdfPage) -> bool:
    texts = page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT])
    modes = {pdfium.FPDFTextObj_GetTextRenderMode(text) for text in texts}
    return bool(pdfium.FPDF_TEXTRENDERMODE_INVISIBLE in modes)


def _lines(page: pypdfium2.PdfPage) -> Iterator[list[tuple[str, _Box]]]:
    """Yield lines of (word, box in user space), in the order of the page's content."""
    textpage = page.get_textpage()
    sides = [ctypes.c_double() for _ in range(4)]
    line: list[tuple[str, _Box]] = []
    units: list[int] = []
    boxes: list[_Box] = []

    def end_word() -> None:
        if units:
            letters = "".join(map(chr, units)).encode("utf-16", "surrogatepass")
            line.append((letters.decode("utf-16", "replace"), _around(boxes)))
        units.clear()
        boxes.clear()

    for index in range(textpage.count_chars()):
        unit = pdfium.FPDFText_GetUnicode(textpage, index)
        if chr(unit).isspace() or unit == 0:
            end_word()
            if unit in {0x0A, 0x0D} and line:
                yield line
                line = []
            continue
        left, right, bottom, top = sides
        pdfium.FPDFText_GetCharBox(textpage, index, left, right, bottom, top)
        units.append(ord(_HYPHENS.get(unit, chr(unit))))
        boxes.append((left.value, bottom.value, right.value, top.value))
    end_word()
    if line:
        yield line
    textpage.close()


def _around(boxes: list[_Box]) -> _Box:
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)


def _pixels(box: _Box, matrix: Matrix) -> _Box:
    """Take a box from user space to hOCR pixels: the matrix backwards."""
    a, b, c, d, e, f = matrix
    det = a * d - b * c
    points = [
        (((x - e) * d - (y - f) * c) / det, ((y - f) * a - (x - e) * b) / det)
        for x, y in ((box[0], box[1]), (box[2], box[3]))
    ]
    (x0, y0), (x1, y1) = points
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _bbox(boxes: list[_Box]) -> str:
    return " ".join(str(max(0, round(side))) for side in _around(boxes))
