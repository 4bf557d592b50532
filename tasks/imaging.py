"""Pixels for recognition, and how they lie on the page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, ImageChops

from tasks import source
from watcherd.errors import Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.source import Document
    from watcherd.model import Limits

Matrix = tuple[float, float, float, float, float, float]  # PDF's a b c d e f
Pair = tuple[float, float]

ORIENTATION = 0x0112  # the EXIF and TIFF tag
LEAST_DPI, SCREEN_DPI, SCANNER_DPI, MOST_DPI = 50, 100, 200, 2400
ROUNDING = 0.02  # dpi
HAIR, STAMP, LEGAL, A1, A0 = 1.5, 20.0, 360.0, 850.0, 1200.0  # mm, with a little to spare
_MM = 25.4
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class PageImage:
    """A page as the engine gets it."""

    image: Image.Image  # mode L, upright as far as tags tell, square pixels
    pixels: tuple[int, int]  # of the original as displayed; of the rendering for a PDF
    dpi: Pair  # of those pixels on the page
    points: Pair  # the displayed page's width and height
    matrix: Matrix  # from the image's pixels (y down) to the page's user space
    orientation: int = 1  # EXIF's, already applied to the image
    guessed: bool = False  # the resolution is no more than plausible


def page_dpi(width: int, height: int, tag: Pair | None) -> tuple[Pair, bool]:
    """Return the resolution of a page of so many pixels, in dots per inch, and if it is a guess.

    A tag of 200 to 2400 dpi is believed when the page then lies between a stamp (2 cm) and A0,
    one from 100 up to A1; one of 50 to 100 only up to legal paper, since screens and phones say
    72 or 96 of anything.
    Otherwise the page is taken as the first of 200, 300, 400, 600 dpi to fit A4 or letter,
    a strip (a till receipt) by its width alone, and larger ones are fitted to A4. Tiny ones get
    the smallest page that PDF allows.
    """
    if tag is not None and _believable(width, height, tag):
        return tag, False
    long, short = max(width, height), min(width, height)
    strip = long > 2.5 * short
    needed = max(short / 8.67, long / (100 if strip else 11.92))  # inches: A4 and letter and 2 %
    guess = next((float(dpi) for dpi in (200, 300, 400, 600) if dpi >= needed), needed)
    guess = min(guess, 72 * short / source.SIDES[0])
    return (guess, guess), True


def _believable(width: int, height: int, tag: Pair) -> bool:
    low, high = min(tag), max(tag)
    # Fax has 204 by 98, more than twice as many dots across as down.
    if not (LEAST_DPI <= low <= high <= MOST_DPI and high <= 2.2 * low):
        return False
    sides = width / tag[0] * _MM, height / tag[1] * _MM
    longest = LEGAL if high < SCREEN_DPI else A1 if high < SCANNER_DPI else A0
    return STAMP <= max(sides) <= longest and min(sides) >= HAIR


def page_pixels(path: Path, document: Document, page: int, limits: Limits) -> PageImage:
    """Return the pixels of a page (from 1).

    Raises Refusal `corrupt` when they cannot be decoded to the end, `too-large` before decoding
    more than `limits.page_pixels`; OSError when the file cannot be read.
    """
    if document.kind == "pdf":
        with source.open_pdfium(path) as pdf:
            return render(pdf[page - 1], path, page, limits)
    return _image_page(path, page, limits)


def combine(first: Matrix, then: Matrix) -> Matrix:
    """Return the matrix that does what `first` does and then what `then` does."""
    a, b, c, d, e, f = first
    p, q, r, s, t, u = then
    return (
        a * p + b * r,
        a * q + b * s,
        c * p + d * r,
        c * q + d * s,
        e * p + f * r + t,
        e * q + f * s + u,
    )


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return an image turned or mirrored as its EXIF orientation asks."""
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8, that is still to be applied after decoding.

    Pillow applies a TIFF's own while decoding, and no value but those eight means anything.
    """
    if image.format == "TIFF":
        return 1
    found = image.getexif().get(ORIENTATION, 1)
    return found if found in _UPRIGHT else 1


def grey(image: Image.Image) -> Image.Image:
    """Return any decoded image as 8-bit grey on white."""
    mode = image.mode
    if image.has_transparency_data:
        light, alpha = image.convert("RGBA").convert("LA").split()
        if alpha.getextrema() != (255, 255):
            light.paste(255, mask=ImageChops.invert(alpha))
        return light
    if mode == "LAB":
        return image.getchannel(0)
    if mode.startswith("I;16"):
        return image.point(lambda v: v / 256).convert("L")
    if mode in {"I", "F"}:
        low, high = image.getextrema()
        if isinstance(low, tuple) or isinstance(high, tuple):  # pragma: no cover  -- one band
            raise TypeError(mode)
        top = next((t for t in (255, 65535) if low >= 0 and 1 < high <= t), None)
        span = (top or (high - low) or 1) / 255
        base = 0 if top else low
        return image.point(lambda v: v * (1 / span) - base / span).convert("L")
    return (
        image.convert("RGB").convert("L")
        if mode in {"CMYK", "YCbCr", "HSV"}
        else image.convert("L")
    )


def _image_page(path: Path, page: int, limits: Limits) -> PageImage:
    with source.open_image(path) as image:
        if page > 1:
            image.seek(page - 1)
        source.check_size(image.width, image.height, limits, page)
        tag = dpi_tag(image)
        if image.format in {"JPEG", "MPO"}:
            image.draft("L", image.size)  # leaves the colour undecoded: half the time
        image.load()
        orientation = orientation_of(image)
        light = upright(grey(image), orientation)
    if tag and orientation >= 5:  # noqa: PLR2004  -- 5 to 8 lie on their side
        tag = tag[1], tag[0]
    size = light.size
    dpi, guessed = page_dpi(*size, tag)
    points = (size[0] * 72 / dpi[0], size[1] * 72 / dpi[1])
    light = _square(light, dpi)
    matrix = (points[0] / light.width, 0.0, 0.0, -points[1] / light.height, 0.0, points[1])
    return PageImage(light, size, dpi, points, matrix, orientation, guessed)


def dpi_tag(image: Image.Image) -> Pair | None:
    """Return the resolution that a file claims, if it is a pair of numbers at all."""
    try:
        x, y = image.info["dpi"]
        # Whole numbers come back from a PNG, which counts per metre, as 299.9994.
        return _whole(float(x)), _whole(float(y))
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def _whole(value: float) -> float:
    near = float(round(value)) if math.isfinite(value) else value
    return near if abs(value - near) < ROUNDING else value


def _square(image: Image.Image, dpi: Pair) -> Image.Image:
    """Stretch fax pixels, which are taller than wide, so that letters have their shape."""
    high = max(dpi)
    size = (round(image.width * high / dpi[0]), round(image.height * high / dpi[1]))
    if max(dpi) < 1.05 * min(dpi):  # no eye or engine sees 5 %
        return image
    return image.resize(size, Image.Resampling.BICUBIC)


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
        source.check_size(pixels[0], pixels[1], limits, number)
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
