"""Word boxes: drawn pages with words at known places, and where the text layer has them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from benchmarks import pdftext
from benchmarks.score import placed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.score import Box, Place

_PAGE = (1748, 2480)  # A5 at 300 dpi
_MARGIN = 140
_DPI = 300
_SIZES = (32, 42, 58, 92)  # pixels: letters of 8, 10, 14 and 22 points
_INK = 30
_TEXT = (
    "archive barrel candle dragon engine forest garden harbour island jungle kitchen ladder "
    "marble needle orange pencil quarry ribbon silver timber umbrella velvet window yellow "
    "anchor bottle copper desert feather granite hammer invoice jacket kettle lantern mirror "
    "napkin office packet quartz rocket saddle tunnel valley whistle zipper bridge"
)
_WORDS = _TEXT.split()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A drawn page, and the boxes around the ink of its words, in its pixels."""

    path: Path
    size: tuple[int, int]
    words: tuple[tuple[str, Box], ...]


def sheets(folder: Path) -> list[Sheet]:
    """Draw the pages: upright, turned three ways, askew, and on a coloured picture."""
    plain, picture = Image.new("L", _PAGE, 250), _picture()
    return [
        _sheet(folder / "boxes-upright.png", plain, lambda page: page),
        _sheet(folder / "boxes-turned-90.png", plain, _turn(Image.Transpose.ROTATE_270)),
        _sheet(folder / "boxes-turned-180.png", plain, _turn(Image.Transpose.ROTATE_180)),
        _sheet(folder / "boxes-turned-270.png", plain, _turn(Image.Transpose.ROTATE_90)),
        _sheet(folder / "boxes-askew-2.png", plain, _askew),
        _sheet(folder / "boxes-picture.png", picture, lambda page: page),
    ]


def places(sheet: Sheet, pdf: Path | None) -> list[Place]:
    """Return how each word of a sheet lies in the text layer of its PDF, if there is one."""
    return placed(sheet.words, [] if pdf is None else pdftext.words(pdf, sheet.size))


def _sheet(path: Path, paper: Image.Image, turned: Callable[[Image.Image], Image.Image]) -> Sheet:
    """Draw the words on paper, turn all of it, and look where the ink of each has come to lie."""
    page, laid = paper.copy(), _layout()
    numbered = Image.new("L", _PAGE, 255)  # the same page with the n-th word's ink as grey n
    assert len(laid) < 255
    draw, number = ImageDraw.Draw(page), ImageDraw.Draw(numbered)
    number.fontmode = "1"  # no edges between grey and paper: they would be other words' numbers
    for grey, (word, place, size) in enumerate(laid):
        font = ImageFont.load_default(size=size)
        draw.text(place, word, font=font, fill=_INK if page.mode == "L" else (_INK,) * 3)
        number.text(place, word, font=font, fill=grey)
    image, inks = turned(page), turned(numbered)
    image.save(path, dpi=(_DPI, _DPI))
    boxes = [_ink(inks, grey) for grey in range(len(laid))]
    words = tuple((word, box) for (word, _, _), box in zip(laid, boxes, strict=True))
    return Sheet(path, image.size, words)


def _ink(image: Image.Image, grey: int) -> Box:
    """Return the box around all that is exactly so grey."""
    box = image.point([255 if value == grey else 0 for value in range(256)]).getbbox()
    assert box is not None
    return (float(box[0]), float(box[1]), float(box[2]), float(box[3]))


def _layout() -> list[tuple[str, tuple[int, int], int]]:
    """Return the words with their places and sizes: full rows, the sizes in turn."""
    laid: list[tuple[str, tuple[int, int], int]] = []
    words, sizes, down = cycle(_WORDS), cycle(_SIZES), _MARGIN
    while down + 2 * max(_SIZES) < _PAGE[1] - _MARGIN:
        size = next(sizes)
        font, across = ImageFont.load_default(size=size), _MARGIN
        while across + font.getlength(word := next(words)) < _PAGE[0] - _MARGIN:
            laid.append((word, (across, down), size))
            across += int(font.getlength(word + " "))
        down += int(1.6 * size)
    return laid


def _turn(way: Image.Transpose) -> Callable[[Image.Image], Image.Image]:
    return lambda page: page.transpose(way)


def _askew(page: Image.Image) -> Image.Image:
    """Turn a page by two degrees, as a careless feeder does; no pixel is mixed of two."""
    return page.rotate(2, Image.Resampling.NEAREST, fillcolor=255)


def _picture() -> Image.Image:
    """Return a coloured paper like a photo out of focus, light enough to be read on."""
    tiny = (6, 9)
    dots = Image.frombytes("RGB", tiny, hashlib.shake_256(b"paper").digest(3 * tiny[0] * tiny[1]))
    return Image.blend(
        dots.resize(_PAGE, Image.Resampling.BICUBIC), Image.new("RGB", _PAGE, "white"), 0.5
    )
