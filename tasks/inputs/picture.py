"""Files of one or more images: what a scanner, a phone or a fax sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, TiffImagePlugin

from tasks import embed, pixels
from tasks.document import Document, Input, Opened, check_count, check_shape, check_size
from tasks.imaging import PageImage, page_dpi

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tasks.imaging import Pair
    from watcherd.model import Limits

_SUBFILE = 254  # TIFF's NewSubfileType: bit 0 is a smaller copy, bit 2 a mask; neither is a page
_NO_PAGE = 1 | 4


def open_file(
    path: Path,
    limits: Limits,
    _passwords: Sequence[str] = (),
    *,
    name: str = "picture",
    formats: Sequence[str] = pixels.FORMATS,
) -> Opened:
    """Identify an image file and count its pages, from headers alone; see `Input.open`."""
    with pixels.open_image(path, formats) as image:
        frames = _page_frames(image, limits)
        return Opened(Document(name, str(image.format), len(frames), frames))


def read(path: Path, document: Document, page: int, limits: Limits) -> PageImage:
    """Return the pixels of a page; see `Input.read`."""
    with pixels.open_frame(path, document, page) as image:
        check_size(image.width, image.height, limits, page)
        tag = pixels.dpi_tag(image)
        if image.format in {"JPEG", "MPO"}:
            image.draft("L", image.size)  # leaves the colour undecoded: half the time
        image.load()
        orientation = pixels.orientation_of(image)
        light = pixels.upright(pixels.grey(image), orientation)
    if tag and orientation >= 5:  # noqa: PLR2004  -- 5 to 8 lie on their side
        tag = tag[1], tag[0]
    size = light.size
    dpi, guessed = page_dpi(*size, tag)
    points = (size[0] * 72 / dpi[0], size[1] * 72 / dpi[1])
    light = _square(light, dpi)
    matrix = (points[0] / light.width, 0.0, 0.0, -points[1] / light.height, 0.0, points[1])
    return PageImage(light, size, dpi, points, matrix, orientation, guessed)


def _square(image: Image.Image, dpi: Pair) -> Image.Image:
    """Stretch fax pixels, which are taller than wide, so that letters have their shape."""
    high = max(dpi)
    size = (round(image.width * high / dpi[0]), round(image.height * high / dpi[1]))
    if max(dpi) < 1.05 * min(dpi):  # no eye or engine sees 5 %
        return image
    return image.resize(size, Image.Resampling.BICUBIC)


def _page_frames(image: Image.Image, limits: Limits) -> tuple[int, ...]:
    """Return which frames are pages: of a TIFF all that are no smaller copies, else the first."""
    check_size(image.width, image.height, limits, 1)
    check_shape(image.width, image.height, 1)
    if image.format != "TIFF":  # an animation or a stereo photo is one picture to a reader
        return (0,)
    frames, frame = [0], 0
    while True:
        frame += 1
        try:
            image.seek(frame)  # ends at a directory that it has seen, so a loop cannot hold it
        except EOFError:
            return tuple(frames)
        if _is_copy(image):
            continue
        frames.append(frame)
        check_count(len(frames), limits)
        check_size(image.width, image.height, limits, len(frames))
        check_shape(image.width, image.height, len(frames))


def _is_copy(image: Image.Image) -> bool:
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    return bool(int(tags.get(_SUBFILE, 0)) & _NO_PAGE)


INPUT = Input("picture", lambda _head: True, open_file, read, embed.sheets)
