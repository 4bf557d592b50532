"""How far the lines of a page are from level, and words taken back to a page as it was.

Lines that lie level make a profile of dark and light rows with sharp edges. The page is cut into
upright strips, each averaged to one column; a shear of those few columns tries an angle in a
tenth of a millisecond. This is the projection profile of Postl (1986), on a copy of a few
thousand pixels.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageStat

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tasks.imaging import Pair

MOST = 10.0  # degrees that are tried; an unlevel scan has up to 5, a careless one 8
WORTH = 1.8  # degrees; below it the engine reads a page as well as one levelled by resampling
SHARP = 0.5  # of lines that are there at all: text has 3 to 700, noise 0.0
CLEARER = 1.3  # times sharper that the lines must be for an angle to be believed
_COARSE, _FINE = 24, 48  # strips for the first and the second search
_LINE = re.compile(r"bbox (-?\d+) (-?\d+) (-?\d+) (-?\d+)(?:; baseline (\S+) (-?[\d.]+))?")


def near(ink: Image.Image) -> tuple[float, float]:
    """Return to half a degree how far lines fall to the right, and how sharp they then are.

    `ink` is light on black, some hundred pixels wide. Sharpness is comparable between an image
    and the same turned on its side.
    """
    if min(ink.size) < _FINE:
        return 0.0, 0.0
    steps = round(2 * MOST)
    return _sharpest(ink.reduce(2), _COARSE, (0.5 * n for n in range(-steps, steps + 1)))


def of(ink: Image.Image, about: float) -> float:
    """Return to a tenth of a degree how far lines fall, about so much; 0 if it is not worth it."""
    if min(ink.size) < _FINE:
        return 0.0
    angle, sharp = _sharpest(ink, _FINE, (about + 0.1 * n for n in range(-4, 5)))
    level = _sharpest(ink, _FINE, (0.0,))[1]
    believed = abs(angle) >= WORTH and sharp > max(SHARP, CLEARER * level)
    return round(angle, 1) if believed else 0.0


def _sharpest(ink: Image.Image, strips: int, angles: Iterable[float]) -> tuple[float, float]:
    """Return the angle at which the rows of the image differ most, and by how much."""
    narrow = ink.resize((strips, ink.height), Image.Resampling.BOX)
    aspect = ink.width / strips

    def sharp(degrees: float) -> float:
        rise = math.tan(math.radians(degrees)) * aspect
        shear = (1, 0, 0, rise, 1, -rise * strips / 2)
        level = narrow.transform(
            narrow.size, Image.Transform.AFFINE, shear, Image.Resampling.BILINEAR
        )
        profile = level.resize((1, ink.height), Image.Resampling.BOX)
        edges = ImageChops.difference(profile, ImageChops.offset(profile, 0, 1))
        total: float = ImageStat.Stat(edges).sum2[0]
        return total / ink.height

    best = max((sharp(angle), -abs(angle), angle) for angle in angles)
    return best[2], best[0]


def levelled(image: Image.Image, degrees: float, paper: int) -> Image.Image:
    """Return the image turned counter-clockwise, whole, with its corners filled."""
    return image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=paper)


def restored(hocr: str, degrees: float, was: Pair, now: Pair) -> str:
    """Return hOCR of a levelled image (of size `now`) in pixels of the one before (size `was`).

    Boxes keep their sides and go where their middle was, so that a word's box still fits it;
    lines get the slope of their ink.
    """
    sin, cos = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))

    def back(x: float, y: float) -> Pair:
        x, y = x - now[0] / 2, y - now[1] / 2
        return x * cos - y * sin + was[0] / 2, x * sin + y * cos + was[1] / 2

    def moved(match: re.Match[str]) -> str:
        left, top, right, bottom = (int(value) for value in match.groups()[:4])
        if match[5] is None:
            x, y = back((left + right) / 2, (top + bottom) / 2)
            wide, high = right - left, bottom - top
            x, y = round(x - wide / 2), round(y - high / 2)
            return f"bbox {x} {y} {x + wide} {y + high}"
        corners = [back(x, y) for x in (left, right) for y in (top, bottom)]
        xs, ys = zip(*corners, strict=True)
        x0, y0, x1, y1 = round(min(xs)), round(min(ys)), round(max(xs)), round(max(ys))
        slope, offset = float(match[5]), float(match[6])
        x, y = back(left, bottom + offset)
        steep = math.tan(math.atan(slope) + math.radians(degrees))
        return f"bbox {x0} {y0} {x1} {y1}; baseline {steep:.4f} {y + steep * (x0 - x) - y1:.1f}"

    head, mark, body = hocr.partition("ocr_carea")
    whole = f"bbox 0 0 {was[0]} {was[1]}"
    return _LINE.sub(lambda _: whole, head, count=1) + mark + _LINE.sub(moved, body)
