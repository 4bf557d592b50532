"""Image files, decoded by Pillow: what it may try, and how any of it becomes upright grey."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from PIL import Image, ImageChops, UnidentifiedImageError

from watcherd.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tasks.document import Document
    from tasks.imaging import Pair

# The bound on pixels is ours, from Limits, held before anything is decoded. Pillow's own would
# be one number for all inboxes, and warns where we want an answer.
Image.MAX_IMAGE_PIXELS = None

# What Pillow may try. EPS is left out because it runs Ghostscript, others because no scanner,
# camera or fax writes them.
FORMATS = ("JPEG", "MPO", "PNG", "TIFF", "GIF", "BMP", "WEBP", "JPEG2000", "PPM", "AVIF")
ORIENTATION = 0x0112  # the EXIF and TIFF tag

_ROUNDING = 0.02  # dpi
_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*", b"GIF8", b"BM", b"RIFF")
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
    formats = ("JPEG" if document.format == "MPO" else document.format,)  # one decoder for both
    with open_image(path, formats) as image:
        frame = document.frames[page - 1]
        if frame:
            image.seek(frame)
        yield image


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
    mode = image.mode
    if image.has_transparency_data:
        light, alpha = image.convert("RGBA").convert("LA").split()
        if alpha.getextrema() != (255, 255):
            light.paste(255, mask=ImageChops.invert(alpha))
        return light
    if mode == "LAB":
        return image.getchannel(0)
    if mode.startswith("I;16"):
        return image.point(lambda v: v / 256).convert("L")
    if mode in {"I", "F"}:
        low, high = image.getextrema()
        if isinstance(low, tuple) or isinstance(high, tuple):  # pragma: no cover  -- one band
            raise TypeError(mode)
        top = next((t for t in (255, 65535) if low >= 0 and 1 < high <= t), None)
        span = (top or (high - low) or 1) / 255
        base = 0 if top else low
        return image.point(lambda v: v * (1 / span) - base / span).convert("L")
    return (
        image.convert("RGB").convert("L")
        if mode in {"CMYK", "YCbCr", "HSV"}
        else image.convert("L")
    )


def dpi_tag(image: Image.Image) -> Pair | None:
    """Return the resolution that a file claims, if it is a pair of numbers at all."""
    try:
        x, y = image.info["dpi"]
        # Whole numbers come back from a PNG, which counts per metre, as 299.9994.
        return _whole(float(x)), _whole(float(y))
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def _whole(value: float) -> float:
    near = float(round(value)) if math.isfinite(value) else value
    return near if abs(value - near) < _ROUNDING else value


def _decoder(file: BinaryIO, formats: Sequence[str]) -> Image.Image:
    try:
        return Image.open(file, formats=[f for f in formats if f in _available()])
    except MemoryError:
        raise
    except UnidentifiedImageError as error:
        file.seek(0)
        if file.read(12).startswith(_STARTS):
            raise _damage(error) from error
        raise Refusal("unsupported", "The file is neither a PDF nor an image.") from error
    except Exception as error:
        raise _damage(error) from error


def _available() -> set[str]:
    Image.init()
    return set(Image.OPEN)


def _damage(error: Exception) -> Exception:
    """Return what a failed decoder means; the system's own faults are passed on."""
    if isinstance(error, OSError) and error.errno is not None:
        return error
    return Refusal("corrupt", f"The image is damaged or cut short ({type(error).__name__}).")
