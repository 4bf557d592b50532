"""PDF files: identified by qpdf, read by pdfium."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium

from tasks import existing
from tasks.document import Document, Input, Opened, check_count, check_size
from tasks.imaging import PageImage
from watcherd.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tasks.existing import OwnText
    from tasks.recognise import PageFacts
    from watcherd.model import Limits

_END = 1024  # a PDF's last startxref lies within so many bytes of its end
_PADDING = 65536
_LOCKED = {pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY}


def is_one(head: bytes) -> bool:
    """Look for the header, which may stand behind other bytes (ISO 32000-1, annex H.3)."""
    return b"%PDF-" in head


def open_file(path: Path, limits: Limits, passwords: Sequence[str] = ()) -> Opened:
    """Identify a PDF and count its pages; see `Input.open`. Raises Refusal `encrypted` too."""
    del passwords
    tail = _tail(path)
    document = _open_pdf(path, limits, complete=b"startxref" in tail)
    return Opened(document)


def read(path: Path, document: Document, page: int, limits: Limits) -> PageImage | OwnText:
    """Return the text that a page has, else its pixels; see `Input.read`."""
    del document
    with open_pdfium(path) as pdf:
        sheet = pdf[page - 1]
        return existing.own_text(sheet) or render(sheet, path, page, limits)


@contextmanager
def sheets(path: Path, document: Document, facts: Sequence[PageFacts]) -> Iterator[pikepdf.Pdf]:
    """Lend the PDF as it is; see `Input.sheets`."""
    del document, facts
    with pikepdf.open(path) as pdf:
        yield pdf


@contextmanager
def open_pdfium(path: Path) -> Iterator[pypdfium2.PdfDocument]:
    """Open a PDF for reading and rendering; raises Refusal `encrypted` or `corrupt`."""
    try:
        pdf = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if error.err_code in _LOCKED:
            raise _encrypted() from error
        raise Refusal("corrupt", "The PDF is damaged and cannot be read.") from error
    try:
        yield pdf
    finally:
        pdf.close()


def render(page: pypdfium2.PdfPage, path: Path, number: int, limits: Limits) -> PageImage:
    """Render a PDF page in grey at the resolution of its biggest image.

    150 to 400 dpi, 300 without an image, less where the page would have too many pixels.
    """
    width, height = page.get_size()
    if not (width > 0 and height > 0):
        raise Refusal("corrupt", f"Page {number} of the PDF has no size.", page=number)
    native = _native_dpi(page, number, limits)
    unit = _user_unit(path, number) if native > 400 else 1.0  # noqa: PLR2004
    dpi = min(max(native, 150.0 * unit), 400.0 * unit) if native else 300.0
    dpi = min(dpi, 72 * math.sqrt(limits.page_pixels / (width * height)) * 0.999)
    # Rounding up 3300.0001 pixels to 3301 would resample what could be copied.
    bitmap = page.render(scale=dpi / 72 * (1 - 1e-6), grayscale=True)
    # A buffer of pdfium's with padded rows: a copy outlives the bitmap and has none.
    image = bitmap.to_pil().copy()
    place = bitmap.get_posconv(page)
    origin, right, down = (place.to_page(*p) for p in ((0, 0), (image.width, 0), (0, image.height)))
    matrix = (
        (right[0] - origin[0]) / image.width,
        (right[1] - origin[1]) / image.width,
        (down[0] - origin[0]) / image.height,
        (down[1] - origin[1]) / image.height,
        *origin,
    )
    bitmap.close()
    return PageImage(image, image.size, (dpi, dpi), (width, height), matrix)


def _native_dpi(page: pypdfium2.PdfPage, number: int, limits: Limits) -> float:
    """Return the pixels per inch of the image that covers most of the page; 0 without one."""
    best = (0.0, 0.0)  # area in points, dpi
    for image in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE]):
        pixels = image.get_px_size()
        check_size(pixels[0], pixels[1], limits, number)
        matrix, inside = image.get_matrix(), image.container
        while inside is not None:
            matrix, inside = matrix.multiply(inside.get_matrix()), inside.container
        across, along = math.hypot(matrix.a, matrix.b), math.hypot(matrix.c, matrix.d)
        if across > 0 and along > 0:
            best = max(best, (across * along, 72 * max(pixels[0] / across, pixels[1] / along)))
    width, height = page.get_size()
    return best[1] if best[0] > 0.05 * width * height else 0.0  # a logo tells nothing


def _user_unit(path: Path, number: int) -> float:
    """Return how many 1/72 inch a page's unit is; above 1 only where pages pass 5 m."""
    with pikepdf.open(path) as pdf:
        return max(1.0, float(pdf.pages[number - 1].obj.get("/UserUnit", 1)))


def _open_pdf(path: Path, limits: Limits, *, complete: bool) -> Document:
    try:
        with pikepdf.open(path) as pdf, open_pdfium(path) as rendered:
            # Repair would find the pages that a half-written file already has, and call that
            # a document. The end of a PDF names its start: without it, it is not all there.
            if not complete:
                raise Refusal("corrupt", "The PDF ends before its end; send it again.")
            pages = min(len(pdf.pages), len(rendered))
            if len(pdf.pages) != len(rendered):
                raise Refusal("corrupt", "The PDF's list of pages is damaged.")
            check_count(pages, limits)
            return Document("pdf", "PDF", pages, signed=_is_signed(pdf))
    except pikepdf.PasswordError as error:
        raise _encrypted() from error
    except (pikepdf.PdfError, ValueError, TypeError, KeyError) as error:
        raise Refusal("corrupt", "The PDF is damaged and cannot be read.") from error


def _is_signed(pdf: pikepdf.Pdf) -> bool:
    form = pdf.Root.get("/AcroForm")
    flags = form.get("/SigFlags", 0) if isinstance(form, pikepdf.Dictionary) else 0
    return bool(int(flags) & 1) or "/Perms" in pdf.Root


def _tail(path: Path) -> bytes:
    """Return the end of a file, without the zeros and blanks that some programs pad with."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _PADDING))
        return file.read().rstrip(b"\0\r\n\t ")[-_END:]


def _encrypted() -> Refusal:
    return Refusal("encrypted", "The PDF is encrypted; remove its password and send it again.")


INPUT = Input("pdf", is_one, open_file, read, sheets)
