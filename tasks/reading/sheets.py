"""The sheet of grey pixels that the engine gets of a page, put right by what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

from tasks.reading import light, skew

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.reading.survey import Survey

UNEVEN = 0.75  # evenness of the light below which it is evened out
NOISY = 10.0  # grey levels between neighbours from which the page is smoothed

_TURN = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


def prepared(image: Image.Image, measured: Survey, scale: float) -> Image.Image:
    """Return what the engine gets of a page but for turns; the costly steps on few pixels."""
    if scale < 1:
        # Whole steps by averaging first: half the time at 600 dpi, and as good to read.
        image = image.resize(scaled(image.size, scale), Image.Resampling.BICUBIC, reducing_gap=1.0)
    evened = measured.evenness < UNEVEN
    if evened:
        image = light.evened(image, measured.paper)
    elif measured.sparse:
        image = light.cleaned(image, measured.paper, measured.noise)
    if measured.noise >= NOISY:
        image = light.smoothed(image)
    if scale > 1:
        image = image.resize(scaled(image.size, scale), Image.Resampling.LANCZOS)
    if measured.angle:
        paper = 255 if evened else light.quantile(measured.paper.histogram(), 0.5)
        image = skew.levelled(image, measured.angle, paper)
    return image


def scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """Return a size in the pixels of another resolution."""
    return round(size[0] * scale), round(size[1] * scale)


def turned(image: Image.Image, turn: int) -> Image.Image:
    """Return the image turned clockwise by 0, 90, 180 or 270 degrees."""
    return image.transpose(_TURN[turn]) if turn else image


def done(measured: Survey) -> Iterator[str]:
    """Say for a person what `prepared` puts right."""
    if measured.evenness < UNEVEN:
        yield "uneven light evened out"
    if measured.noise >= NOISY:
        yield "noise smoothed"
    if measured.angle:
        yield f"levelled by {abs(measured.angle)}°"
