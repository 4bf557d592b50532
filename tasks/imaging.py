"""How a page's pixels lie on it: resolution, size, matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.document import SIDES

if TYPE_CHECKING:
    from PIL import Image

Matrix = tuple[float, float, float, float, float, float]  # PDF's a b c d e f
Pair = tuple[float, float]
Box = tuple[float, float, float, float]  # left, bottom, right, top; of user space

LEAST_DPI, SCREEN_DPI, SCANNER_DPI, MOST_DPI = 50, 100, 200, 2400
HAIR, STAMP, LEGAL, A1, A0 = 1.5, 20.0, 360.0, 850.0, 1200.0  # mm, with a little to spare
UNEVEN = 2.2  # times; fax has 204 by 98, more than twice as many dots across as down
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
    strip: bool = False  # hidden text of the page says nothing and is to be taken out
    kept: tuple[Box, ...] = ()  # where words of the page itself stay, in its user space
    notes: tuple[str, ...] = ()  # what a person should know of the page


def page_dpi(
    width: int, height: int, tag: Pair | None, aspect: Pair | None = None
) -> tuple[Pair, bool]:
    """Return the resolution of a page of so many pixels, in dots per inch, and if it is a guess.

    `aspect` is what a file says of the densities across and down without a unit: it shapes the
    guess.

    A tag of 200 to 2400 dpi is believed when the page then lies between a stamp (2 cm) and A0,
    one from 100 up to A1; one of 50 to 100 only up to legal paper, since screens and phones say
    72 or 96 of anything.
    Otherwise the page is taken as the first of 200, 300, 400, 600 dpi to fit A4 or letter,
    a strip (a till receipt) by its width alone, and larger ones are fitted to A4. Tiny ones get
    the smallest page that PDF allows.
    """
    if tag is not None and _believable(width, height, tag):
        return tag, False
    across, down = _shape(aspect)
    guess = _guess(width / across, height / down)
    return (guess * across, guess * down), True


def _shape(aspect: Pair | None) -> Pair:
    """Return both densities as shares of the finer one; equal ones if they cannot be meant."""
    if aspect is None or not 0 < min(aspect) <= max(aspect) <= UNEVEN * min(aspect) < math.inf:
        return 1.0, 1.0
    return aspect[0] / max(aspect), aspect[1] / max(aspect)


def _guess(width: float, height: float) -> float:
    """Return the resolution at which a page of so many square pixels is probably one of paper."""
    long, short = max(width, height), min(width, height)
    strip = long > 2.5 * short
    needed = max(short / 8.67, long / (100 if strip else 11.92))  # inches: A4 and letter and 2 %
    guess = next((float(dpi) for dpi in (200, 300, 400, 600) if dpi >= needed), needed)
    return min(guess, 72 * short / SIDES[0])


def _believable(width: int, height: int, tag: Pair) -> bool:
    low, high = min(tag), max(tag)
    if not (LEAST_DPI <= low <= high <= MOST_DPI and high <= UNEVEN * low):
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
