"""How a page's pixels lie on it: resolution, size, matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.document import SIDES

if TYPE_CHECKING:
    from PIL import Image

Matrix = tuple[float, float, float, float, float, float]  # PDF's a b c d e f
Pair = tuple[float, float]

LEAST_DPI, SCREEN_DPI, SCANNER_DPI, MOST_DPI = 50, 100, 200, 2400
HAIR, STAMP, LEGAL, A1, A0 = 1.5, 20.0, 360.0, 850.0, 1200.0  # mm, with a little to spare
_MM = 25.4


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
    guess = min(guess, 72 * short / SIDES[0])
    return (guess, guess), True


def _believable(width: int, height: int, tag: Pair) -> bool:
    low, high = min(tag), max(tag)
    # Fax has 204 by 98, more than twice as many dots across as down.
    if not (LEAST_DPI <= low <= high <= MOST_DPI and high <= 2.2 * low):
        return False
    sides = width / tag[0] * _MM, height / tag[1] * _MM
    longest = LEGAL if high < SCREEN_DPI else A1 if high < SCANNER_DPI else A0
    return STAMP <= max(sides) <= longest and min(sides) >= HAIR


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
