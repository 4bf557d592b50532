"""What a page is like before it is read: measured on small copies, in about 30 ms.

Recognition takes 50 times as long, and goes wrong on what these measures tell: text that lies
on its side or not level, light that is uneven, noise, letters larger than needed, no ink at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from tasks.reading import light, skew

if TYPE_CHECKING:
    from collections.abc import Iterator

FINE = 5000  # pixels along the longer side from which half the resolution tells as much: 600 dpi
SIDE = 1000  # pixels along the longer side of the small copy: 3 mm letters have 10 of them
INK = 20  # grey levels below the paper; noise of scanners is averaged to less in the small copy
SPECKS = 12  # pixels of ink; a lone small digit has 16
SPARSE = 0.004  # share of the small copy with ink; a page of text has 0.02 and more
SIDEWAYS = 3.0  # times sharper than rows that columns are; 12 to 20 on turned pages, else below 1.4
STRIPS = 64  # for the height of letters: 3 mm wide each on A4, so that skew does no harm
FAINT = 6  # grey levels of a letter's ink, averaged over a strip
SOLID = 0.75  # of the page's contrast; letters leave paper between them, rules and bars do not
LETTER = 0.55  # of its row that a small letter's ink takes, with ascenders here and there
LEAST, TALLEST = 6, 250  # pixels; neither specks nor pictures
RUNS = 30  # stretches of ink that make a measure
COMMON = 0.2  # share of the stretches that makes a height a common one


@dataclass(frozen=True, slots=True)
class Survey:
    """The measures of one page image."""

    paper: Image.Image  # a small map of the paper's own grey
    blank: bool = False
    sparse: bool = False  # so little ink that noise could be taken for it
    sideways: bool = False
    angle: float = 0.0  # degrees clockwise that the lines fall
    evenness: float = 1.0  # of the light, 0 to 1
    noise: float = 0.0  # grey levels between neighbours
    row: float = 0.0  # pixels from descender to ascender of the smallest common text; 0: unknown


def survey(image: Image.Image) -> Survey:
    """Measure a grey image."""
    fine = max(image.size) > FINE
    image = image.reduce(2) if fine else image
    small = image.reduce(max(1, round(max(image.size) / SIDE)))
    paper = light.background(small)
    shade = paper.resize(small.size, Image.Resampling.BILINEAR)
    ink = ImageChops.subtract(shade, small)
    inked = sum(ink.histogram()[INK:])
    if inked < SPECKS:
        return Survey(paper, blank=True)
    side = ink.transpose(Image.Transpose.ROTATE_90)
    (level, rows), (upright, columns) = skew.near(ink), skew.near(side)
    sideways = columns > SIDEWAYS * rows > 0
    angle = skew.of(side, upright) if sideways else skew.of(ink, level)
    row = row_height(image, paper, light.quantile(ink.histogram(), 0.999), sideways=sideways)
    return Survey(
        paper,
        sparse=inked < SPARSE * small.width * small.height,
        sideways=sideways,
        angle=angle,
        evenness=light.evenness(paper),
        noise=light.noise(image),
        row=2 * row if fine else row,
    )


def row_height(
    image: Image.Image, paper: Image.Image, contrast: int, *, sideways: bool = False
) -> float:
    """Return the height of a row of the smallest common text, in pixels; 0 for too little text.

    Headings and pictures have taller ink, and what is small but rare (dots, accents, specks) does
    not count. That a letter's stretch of ink is about 0.55 of its row holds from 5 to 18 points in
    print with serifs, without, and of a typewriter.
    """
    size = (image.width, STRIPS) if sideways else (STRIPS, image.height)
    shade = paper.resize(size, Image.Resampling.BILINEAR)
    ink = ImageChops.subtract(shade, image.resize(size, Image.Resampling.BOX))
    faint = max(FAINT, round(0.08 * contrast))
    kinds = bytes(0 if v < faint else 1 if v < SOLID * contrast else 2 for v in range(256))
    down = ink if sideways else ink.transpose(Image.Transpose.TRANSPOSE)
    heights = sorted(_stretches(down.tobytes().translate(kinds), down.width))
    return _smallest_common(heights) / LETTER


def _stretches(pixels: bytes, width: int) -> Iterator[int]:
    for start in range(0, len(pixels), width):
        for run in pixels[start : start + width].split(b"\0"):
            if LEAST <= len(run) <= TALLEST and b"\2" not in run:
                yield len(run)


def _smallest_common(heights: list[int]) -> float:
    """Return the smallest height that a fifth of the sorted heights have, within a quarter."""
    wanted = max(RUNS, COMMON * len(heights))
    for first, height in enumerate(heights):
        alike = [h for h in heights[first:] if h <= 1.25 * height]
        if len(alike) >= wanted:
            return alike[len(alike) // 2]
    return 0.0
