"""A PDF page's pixels, as pdfium shows it."""

from __future__ import annotations

import logging
import math
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image

from tasks.document import check_size
from tasks.imaging import PageImage
from watcherd.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tasks.imaging import Matrix
    from watcherd.model import Limits

ENLARGED = 12_000_000
"""Pixels to which a page with a coarse image is enlarged at most: A3 at 250 dpi."""

logging.getLogger("pypdfium2").setLevel(logging.ERROR)  # it tells of each XFA form, at each page
_LOCKED = {pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY}
_FORMS = {pdfium.FORMTYPE_ACRO_FORM, pdfium.FORMTYPE_XFA_FOREGROUND}


@contextmanager
def open_pdfium(path: Path) -> Iterator[pypdfium2.PdfDocument]:
    """Open a PDF for reading and rendering; raises Refusal `encrypted` or `corrupt`.

    Filled-in forms are drawn. Nothing in them is run: this pdfium has no JavaScript, and a
    document's actions are never asked for.
    """
    try:
        pdf = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if error.err_code in _LOCKED:
            raise encrypted() from error
        raise Refusal("corrupt", "The PDF is damaged and cannot be read.") from error
    try:
        if pdf.get_formtype() in _FORMS:
            pdf.init_forms()
        yield pdf
    finally:
        pdf.close()


def encrypted() -> Refusal:
    """Return the refusal of a PDF that no password opens."""
    return Refusal(
        "encrypted",
        "The PDF is encrypted; remove its password and send it again, "
        "or add the password to the file that the key passwords names.",
    )


def render(page: pypdfium2.PdfPage, path: Path, number: int, limits: Limits) -> PageImage:
    """Render a PDF page in grey at the resolution of its biggest image.

    150 to 400 dpi, 300 without an image, less where the page would have too many pixels. A page
    without a size, of which no viewer shows anything, is one white pixel.
    """
    width, height = page.get_size()
    if not (width > 0 and height > 0):
        note = "the page has no visible area"
        blank = Image.new("L", (1, 1), "white")
        return PageImage(blank, (1, 1), (72, 72), (0, 0), (1, 0, 0, -1, 0, 0), notes=(note,))
    native = _native_dpi(page, number, limits)
    unit = _user_unit(path, number) if native > 400 else 1.0  # noqa: PLR2004
    least = min(150.0 * unit, _dpi_of(ENLARGED, width, height))
    dpi = min(max(native, least), 400.0 * unit) if native else 300.0
    dpi = min(dpi, _dpi_of(limits.page_pixels, width, height))
    # Rounding up 3300.0001 pixels to 3301 would resample what could be copied.
    bitmap = page.render(scale=dpi / 72 * (1 - 1e-6), grayscale=True)
    # A buffer of pdfium's with padded rows: a copy outlives the bitmap and has none.
    image = bitmap.to_pil().copy()
    bitmap.close()
    matrix = place(page, image.size)
    return PageImage(image, image.size, (dpi, dpi), (width, height), matrix)


def place(page: pypdfium2.PdfPage, size: tuple[int, int]) -> Matrix:
    """Return the matrix to a page's user space from pixels of which so many cover it, y down."""
    width, height = size
    conversion = pypdfium2.PdfPosConv(page, (0, 0, width, height, 0))
    corners = (0, 0), (width, 0), (0, height)
    (x0, y0), (x1, y1), (x2, y2) = (conversion.to_page(*corner) for corner in corners)
    return (
        (x1 - x0) / width,
        (y1 - y0) / width,
        (x2 - x0) / height,
        (y2 - y0) / height,
        x0,
        y0,
    )


def _dpi_of(pixels: int, width: float, height: float) -> float:
    """Return the resolution at which a page has so many pixels, sides rounded up."""
    return 72 * math.sqrt(pixels / (width * height)) * 0.999


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
        unit = pdf.pages[number - 1].obj.get("/UserUnit", 1)
        return max(1.0, float(unit)) if isinstance(unit, int | float | Decimal) else 1.0
