"""The light that falls on a page: measured, and evened out where it is not even."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

CELLS = 140  # along the longer side of the map of the light; a cell is 2 mm of A4
DARKEST = 16  # the grey level from which the logarithm starts; below it is black
DEEPEST = 3  # times a shadow is lightened at most: what is darker is a picture or a black bar
_SPAN = math.log(255 / DARKEST)
_LOG = [round(255 * math.log(max(v, DARKEST) / DARKEST) / _SPAN) for v in range(256)]


def background(image: Image.Image) -> Image.Image:
    """Return a small map of the paper's own grey, as if nothing were written on it."""
    cells = image.reduce(max(1, max(image.size) // CELLS))
    # The lightest of five cells around looks past letters and finds the gap between lines; the
    # darkest of those puts the edges of shadows back where they were.
    closed = cells.filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.MinFilter(5))
    return closed.filter(ImageFilter.GaussianBlur(1))


def quantile(histogram: Sequence[int], share: float) -> int:
    """Return the level below which this share of the pixels is."""
    wanted, seen = sum(histogram) * share, 0
    for level, count in enumerate(histogram):
        seen += count
        if seen >= wanted and seen:
            return level
    return len(histogram) - 1


def evenness(paper: Image.Image) -> float:
    """Return how dark the darker parts of the paper are against the lighter ones, 0 to 1."""
    histogram = paper.histogram()
    return quantile(histogram, 0.05) / max(quantile(histogram, 0.95), 1)


def evened(image: Image.Image, paper: Image.Image) -> Image.Image:
    """Return the image divided by the light on it: paper is white all over.

    Pillow divides no images: their logarithms are subtracted, in 8 bits, which is within two
    grey levels.
    """
    light = paper.histogram()
    deepest = quantile(light, 0.95) // DEEPEST
    map_ = paper.point([_LOG[max(v, deepest)] for v in range(256)])
    shade = map_.resize(image.size, Image.Resampling.BILINEAR)
    ratio = ImageChops.subtract(image.point(_LOG), shade, 1, 255)  # clips what is above paper
    return ratio.point([round(255 * math.exp((v - 255) / 255 * _SPAN)) for v in range(256)])


def noise(image: Image.Image) -> float:
    """Return the usual difference between neighbours on a row, in grey levels.

    Of the paper, as long as most of the page is paper.
    """
    found = []
    for band in range(1, 8):
        top = image.height * band // 8
        strip = image.crop((0, top, image.width, min(top + 12, image.height)))
        beside = ImageChops.difference(strip, ImageChops.offset(strip, 1, 0))
        found.append(quantile(beside.histogram(), 0.5))
    return float(sorted(found)[len(found) // 2])


def cleaned(image: Image.Image, paper: Image.Image, noise: float) -> Image.Image:
    """Return a nearly empty page with its paper white, else noise would be taken for ink."""
    shade = quantile(paper.histogram(), 0.5)
    white = max(shade - max(8, round(5 * noise)), 1)
    return image.point([min(255, round(255 * v / white)) for v in range(256)])


def smoothed(image: Image.Image) -> Image.Image:
    """Return a noisy image with its grain blurred."""
    return image.filter(ImageFilter.GaussianBlur(1.2))
