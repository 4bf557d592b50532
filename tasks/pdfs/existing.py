"""The text that a PDF page already has, and whether it is one to keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pypdfium2
import pypdfium2.raw as pdfium

from tasks.pdfs import legible, pagewords
from tasks.pdfs.legible import is_text

if TYPE_CHECKING:
    from tasks.imaging import Box, Matrix, Pair

__all__ = ["Lack", "OwnText", "is_text", "judge", "own_text"]

STAMP = 32  # letters; fewer on a scan are a stamp or a page number, not its text
STAMP_LINES = 4  # nor are so few lines at its edges: what a fax or a signing service prints there
EDGE = 0.1  # part of a page's width or height that is its edge
_COVERED = 0.5  # part of the page under an image, above which it is taken for a scan
_UNREADABLE = "the page's own text cannot be read by programs; it was recognised as well"
_REPLACED = "a text layer that says nothing was replaced"
_SILENT = frozenset({pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP})


@dataclass(frozen=True, slots=True)
class OwnText:
    """What a page says without being recognised."""

    text: str
    page: str  # hOCR: one ocr_page element, in `pixels`
    pixels: tuple[int, int]
    points: Pair  # the displayed page's width and height
    matrix: Matrix  # from `pixels` (y down) to the page's user space
    notes: tuple[str, ...] = ()  # what a person should know of the page


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a page has to be recognised, and what of its own text is beside that."""

    strip: bool = False  # hidden text says nothing and has to go
    kept: tuple[Box, ...] = ()  # where painted words stay, in user space
    notes: tuple[str, ...] = ()


def judge(page: pypdfium2.PdfPage) -> Lack | None:
    """Say whether a page has to be recognised; None when it has text that is worth keeping.

    Text counts when it says something (`is_text`); over a scan it must be more than a stamp. Hidden
    text is somebody's recognition of the page.
    """
    text = pagewords.tidy(pagewords.text_of(page))
    if not text.strip() or min(page.get_size()) <= 0:
        return Lack()  # of a page without a size nothing is seen
    modes = _modes(page)
    if pdfium.FPDF_TEXTRENDERMODE_INVISIBLE not in modes:
        return _judge_shown(page, text)
    both = pagewords.layers(page)
    if is_text(pagewords.tidy(both.hidden), layer=True):
        if sum(map(str.isalnum, text)) < STAMP and _is_scan(page):
            return Lack(kept=pagewords.boxes(page))  # the number of a batch, a barcode's value
        return None
    lack = _judge_shown(page, pagewords.tidy(both.shown))
    if lack is None:
        return None
    strip = bool(both.hidden.strip())
    return Lack(strip, lack.kept, (*(_REPLACED,) * strip, *lack.notes))


def own_text(document: pypdfium2.PdfDocument, number: int) -> OwnText:
    """Return what page `number` (from 1) says already, filled-in forms and notes on it included.

    They are flattened into the page in memory: nobody else sees that.
    """
    page = document[number - 1]
    if _has_notes(page) and pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY):
        page.close()
        page = document[number - 1]
    size, matrix = pagewords.frame(page)
    text = pagewords.tidy(pagewords.text_of(page))
    return OwnText(text, pagewords.hocr(page), size, page.get_size(), matrix)


def _judge_shown(page: pypdfium2.PdfPage, text: str) -> Lack | None:
    if not is_text(text):
        much = len(legible.folded(text)) >= STAMP
        return Lack(notes=(_UNREADABLE,) if much else ())
    few = sum(map(str.isalnum, text)) < STAMP
    lines = text.strip().count("\n") + 1
    if (few or lines <= STAMP_LINES) and _is_scan(page):
        boxes = pagewords.shown_boxes(page)
        if few or _at_edges(page, boxes):
            return Lack(kept=boxes)
    return None


def _at_edges(page: pypdfium2.PdfPage, boxes: tuple[Box, ...]) -> bool:
    left, bottom, right, top = page.get_bbox()
    x, y = EDGE * (right - left), EDGE * (top - bottom)
    return all(
        box[2] < left + x or box[0] > right - x or box[3] < bottom + y or box[1] > top - y
        for box in boxes
    )


def _modes(page: pypdfium2.PdfPage) -> set[int]:
    texts = page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT], max_depth=15)
    return {pdfium.FPDFTextObj_GetTextRenderMode(text) for text in texts}


def _is_scan(page: pypdfium2.PdfPage) -> bool:
    width, height = page.get_size()
    covered = 0.0
    for image in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE]):
        left, bottom, right, top = image.get_bounds()
        covered += abs((right - left) * (top - bottom))
    return bool(covered > _COVERED * width * height)


def _has_notes(page: pypdfium2.PdfPage) -> bool:
    """Tell whether there is anything on the page that may have words and is none of its content."""
    for index in range(pdfium.FPDFPage_GetAnnotCount(page)):
        note = pdfium.FPDFPage_GetAnnot(page, index)
        kind = pdfium.FPDFAnnot_GetSubtype(note)
        pdfium.FPDFPage_CloseAnnot(note)
        if kind not in _SILENT:
            return True
    return False
