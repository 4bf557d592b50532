"""Image files, decoded by Pillow: what it may try, and how their pixels become grey or plain.

A page of a hundred million pixels has 400 MB in colour. Hence colours are converted a few rows at
a time: the page is never there twice.
"""

from __future__ import annotations

import errno
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from PIL import (
    AvifImagePlugin,
    Image,
    ImageChops,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
)

from watcherd.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tasks.document import Document
    from tasks.imaging import Pair

# The bound on pixels is ours, from Limits, held before anything is decoded. Pillow's own would
# be one number for all inboxes, and warns where we want an answer.
Image.MAX_IMAGE_PIXELS = None

# Pillow calls a PNG damaged whose colour profile unfolds into more than 1 MiB. The profiles of
# scanners that hold tables have up to 4.
PngImagePlugin.MAX_TEXT_CHUNK = 8 << 20

# One thread a page, as everywhere: the other cores have pages of their own.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

# What Pillow may try. EPS is left out because it runs Ghostscript, others because no scanner,
# camera or fax writes them.
FORMATS = ("JPEG", "MPO", "PNG", "TIFF", "GIF", "BMP", "WEBP", "JPEG2000", "PPM", "AVIF")
ORIENTATION = 0x0112  # the EXIF and TIFF tag
_X_RESOLUTION = 0x011A
ROWS = 256
"""Rows that are converted at a time."""

_ROUNDING = 0.02  # dpi
_OPAQUE = 255
_STARTS = (
    *(b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"GIF8", b"BM"),
    *(b"RIFF", b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
)
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0  # TIFF's tag, and its value where 0 is white
_COMPLEMENT = bytes(255 - value for value in range(256))
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@contextmanager
def open_image(path: Path, formats: Sequence[str] = FORMATS) -> Iterator[Image.Image]:
    """Open an image of one of these formats, with nothing decoded yet.

    Raises Refusal `unsupported` or `corrupt`; what goes wrong inside the block while decoding
    becomes `corrupt` too. An OSError of the system (ENOSPC, EIO) stays one.
    """
    # By its name Pillow would map the file, and a turned TIFF comes out as noise then.
    with path.open("rb") as file, _decoder(file, formats) as image:
        try:
            yield image
        except (Refusal, MemoryError):
            raise
        except Exception as error:  # decoders raise anything
            raise _damage(error) from error


@contextmanager
def open_frame(path: Path, document: Document, page: int) -> Iterator[Image.Image]:
    """Open the image of a page (from 1) of a file that was identified; raises as `open_image`."""
    with open_image(path, formats_of(document)) as image:
        show(image, document, page)
        yield image


def formats_of(document: Document) -> tuple[str, ...]:
    """Return the name of the decoder of a file that was identified."""
    return ("JPEG" if document.format == "MPO" else document.format,)  # one decoder for both


def show(image: Image.Image, document: Document, page: int) -> None:
    """Turn to the image of a page (from 1)."""
    frame = document.frames[page - 1]
    # A HEIF file opens at its primary image, which need not be its first.
    if frame or document.pages > 1:
        image.seek(frame)


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
    if image.mode == "L" and not image.has_transparency_data:
        return image
    if image.mode in {"I", "F"}:
        return _stretched(image)
    negative = is_negative(image)
    return by_rows(image, "L", lambda s: _light(complement(s) if negative else s))


def on_white(image: Image.Image) -> Image.Image:
    """Return a decoded image with transparency in colour on white paper."""
    return by_rows(image, "RGB", _laid)


def is_translucent(image: Image.Image) -> bool:
    """Say whether a decoded image has a pixel that lets the paper shine through."""
    return image.has_transparency_data and any(
        rgba(strip).getchannel("A").getextrema()[0] != _OPAQUE for strip in strips(image)
    )


def is_grey(image: Image.Image, within: int = 0) -> bool:
    """Say whether no pixel of an RGB image has channels that differ by more than so many levels."""
    for strip in strips(image):
        red, green, blue = strip.split()
        for other in (red, blue):
            _, most = ImageChops.difference(green, other).getextrema()
            if not isinstance(most, int) or most > within:
                return False
    return True


def has_lightness(image: Image.Image) -> bool:
    """Say whether an image is a JPEG with a channel for lightness, or nothing else.

    libjpeg takes the first channel for it also where the channels are red, green and blue.
    """
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return False
    names = bytes(name for name, *_ in image.layer)
    return image.info.get("adobe_transform") != 0 and names not in {b"RGB", b"rgb"}


def is_negative(image: Image.Image) -> bool:
    """Say whether Pillow passes on an image's pixels with dark and light exchanged.

    It takes 0 for black in all deep TIFFs, and every JPEG of four inks for one of Adobe's, which
    alone are stored inverted.
    """
    if image.mode == "CMYK":
        return image.format in {"JPEG", "MPO"} and "adobe" not in image.info
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    return image.mode.startswith("I;16") and tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO


def complement(image: Image.Image) -> Image.Image:
    """Return an image with dark and light exchanged, whatever the depth of its channels."""
    return Image.frombytes(image.mode, image.size, image.tobytes().translate(_COMPLEMENT))


def strips(image: Image.Image) -> Iterator[Image.Image]:
    """Return an image in pieces of a few rows each."""
    for top in range(0, image.height, ROWS):
        yield image.crop((0, top, image.width, min(top + ROWS, image.height)))


def dpi_tag(image: Image.Image) -> Pair | None:
    """Return the resolution that a file claims, if it is a pair of numbers at all."""
    info = image.info
    if image.format in {"JPEG", "MPO"} and info.get("jfif_unit", 0) == 0:
        # Pillow gives 72 where Exif says nothing.
        return _pair(info.get("dpi")) if _X_RESOLUTION in image.getexif() else None
    return _pair(info.get("dpi"))


def aspect_tag(image: Image.Image) -> Pair | None:
    """Return how dense a file's pixels lie across and down, where it names no unit."""
    info = image.info
    unitless = info.get("jfif_unit") == 0 and info.get("jfif_density")
    return _pair(info.get("aspect") or info.get("resolution") or unitless)


def _pair(found: Any) -> Pair | None:
    try:
        x, y = found
        # Whole numbers come back from a PNG, which counts per metre, as 299.9994.
        return _whole(float(x)), _whole(float(y))
    except (TypeError, ValueError, ZeroDivisionError):
        return None


def _whole(value: float) -> float:
    near = float(round(value)) if math.isfinite(value) else value
    return near if abs(value - near) < _ROUNDING else value


def by_rows(
    image: Image.Image, mode: str, convert: Callable[[Image.Image], Image.Image]
) -> Image.Image:
    """Return an image converted into another mode, a few rows at a time."""
    result = Image.new(mode, image.size)
    for number, strip in enumerate(strips(image)):
        result.paste(convert(strip), (0, number * ROWS))
    return result


def _light(strip: Image.Image) -> Image.Image:
    if strip.has_transparency_data:
        light, alpha = rgba(strip).convert("LA").split()
        light.paste(255, mask=ImageChops.invert(alpha))
        return light
    if strip.mode == "LAB":
        return strip.getchannel(0)
    if strip.mode.startswith("I;16"):
        return strip.point(lambda v: v / 256).convert("L")
    colour = strip.mode in {"CMYK", "YCbCr", "HSV"}
    return (strip.convert("RGB") if colour else strip).convert("L")


def _stretched(image: Image.Image) -> Image.Image:
    """Return 32-bit pixels as 8-bit: those that say no range from their darkest to lightest."""
    low, high = image.getextrema()
    if isinstance(low, tuple) or isinstance(high, tuple):  # pragma: no cover  -- one band
        raise TypeError(image.mode)
    top = next((t for t in (255, 65535) if low >= 0 and 1 < high <= t), None)
    span = (top or (high - low) or 1) / 255
    base = 0 if top else low
    return by_rows(
        image, "L", lambda strip: strip.point(lambda v: v * (1 / span) - base / span).convert("L")
    )


def _laid(strip: Image.Image) -> Image.Image:
    paper = Image.new("RGBA", strip.size, "white")
    return Image.alpha_composite(paper, rgba(strip)).convert("RGB")


def rgba(strip: Image.Image) -> Image.Image:
    """Return an image with transparency in colour."""
    # Pillow knows no way from grey with multiplied transparency to colour.
    return (strip.convert("LA") if strip.mode == "La" else strip).convert("RGBA")


def _decoder(file: BinaryIO, formats: Sequence[str]) -> Image.Image:
    try:
        return Image.open(file, formats=[f for f in formats if f in _available()])
    except MemoryError:
        raise
    except UnidentifiedImageError as error:
        file.seek(0)
        head = file.read(12)
        if head.startswith(_STARTS) or head[4:8] == b"ftyp":
            raise _damage(error) from error
        raise Refusal("unsupported", "The file is neither a PDF nor an image.") from error
    except Exception as error:
        raise _damage(error) from error


def _available() -> set[str]:
    Image.init()
    return set(Image.OPEN)


def _damage(error: Exception) -> Exception:
    """Return what a failed decoder means; the system's own faults are passed on."""
    if isinstance(error, OSError) and error.errno not in {None, errno.EINVAL}:
        return error  # EINVAL is no fault of a disk, but a place before a file's beginning
    return Refusal("corrupt", f"The image is damaged or cut short ({type(error).__name__}).")
