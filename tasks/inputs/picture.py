"""Files of one or more images: what a scanner, a phone or a fax sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, Jpeg2KImagePlugin

from tasks.document import Document, Input, Opened
from tasks.imaging import PageImage, page_dpi
from tasks.pictures import containers, cost, embed, frames, pixels, stored

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tasks.imaging import Pair
    from watcherd.model import Limits


def open_file(
    path: Path,
    limits: Limits,
    _passwords: Sequence[str] = (),
    *,
    name: str = "picture",
    formats: Sequence[str] = pixels.FORMATS,
) -> Opened:
    """Identify an image file and count its pages, from headers alone; see `Input.open`.

    Pixels are decoded where nothing else tells whether a TIFF's image is a page.
    """
    containers.check(path, limits)
    with pixels.open_image(path, formats) as image:
        pages = frames.pages_of(image, path, limits)
        return Opened(Document(name, str(image.format), len(pages), pages, notes=_others(image)))


def _others(image: Image.Image) -> tuple[str, ...]:
    """Say that a file has more pictures than its page shows; phones add one that nobody misses."""
    count = getattr(image, "n_frames", 1)
    if count < 2 or image.format in {"TIFF", "MPO"}:  # noqa: PLR2004
        return ()
    return (f"the file has {count} pictures; only one of them was taken",)


def read(path: Path, document: Document, page: int, limits: Limits) -> PageImage:
    """Return the pixels of a page; see `Input.read`."""
    with pixels.open_frame(path, document, page) as image:
        halvings = cost.admit(image, path, limits, page)
        kept = stored.as_is(image, path)
        size = image.size
        tag, aspect = pixels.dpi_tag(image), pixels.aspect_tag(image)
        said = _decode(image, halvings)
        orientation = pixels.orientation_of(image)
        light = pixels.upright(pixels.grey(image), orientation)
        notes = (*stored.notes(image, path, kept), *said)
    if orientation >= 5:  # noqa: PLR2004  -- 5 to 8 lie on their side
        size = size[1], size[0]
        tag, aspect = (pair and (pair[1], pair[0]) for pair in (tag, aspect))
    dpi, guessed = page_dpi(*size, tag, aspect)
    points = (size[0] * 72 / dpi[0], size[1] * 72 / dpi[1])
    light = _square(light, points, limits)
    matrix = (points[0] / light.width, 0.0, 0.0, -points[1] / light.height, 0.0, points[1])
    return PageImage(light, size, dpi, points, matrix, orientation, guessed, notes=notes)


def _decode(image: Image.Image, halvings: int) -> tuple[str, ...]:
    """Decode an image for recognition, no finer than it needs; return what there is to say."""
    if pixels.has_lightness(image):
        image.draft("L", image.size)  # leaves the colour undecoded: half the time
    if isinstance(image, Jpeg2KImagePlugin.Jpeg2KImageFile):
        image.reduce = halvings
    image.load()
    return (f"read at 1/{1 << halvings} of its resolution, to save memory",) if halvings else ()


def _square(image: Image.Image, points: Pair, limits: Limits) -> Image.Image:
    """Stretch fax pixels, which are taller than wide, so that letters have their shape."""
    across, down = image.width / points[0], image.height / points[1]
    if max(across, down) < 1.05 * min(across, down):  # no eye or engine sees 5 %
        return image
    for density in (max(across, down), min(across, down)):
        size = (round(points[0] * density), round(points[1] * density))
        if size[0] * size[1] <= limits.page_pixels:
            break
    return image.resize((max(1, size[0]), max(1, size[1])), Image.Resampling.BICUBIC)


INPUT = Input("picture", lambda _head: True, open_file, read, embed.sheets)
