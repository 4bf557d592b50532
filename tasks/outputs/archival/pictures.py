"""Images on pages, where PDF/A-2b allows less than a PDF does."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Any

from pikepdf import Array, Name
from PIL import Image

from tasks.outputs.archival import icc, jpx
from tasks.pictures import pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pikepdf

PROFILE = "a colour profile of a kind that PDF/A forbids was left out"
INKS = "colours were turned from CMYK to RGB: no profile said what the inks look like"
PACKED = "JPEG 2000 of a kind that PDF/A forbids was packed anew, pixel by pixel"


def adapt(sheets: pikepdf.Pdf) -> tuple[str, ...]:
    """Bring the one picture of each page into colours that PDF/A-2b allows; return notes."""
    notes: dict[str, None] = {}
    for page in sheets.pages:
        notes |= dict.fromkeys(_adapt(page.obj.Resources.XObject.Im0))
    return tuple(notes)


def _adapt(image: Any) -> Iterator[str]:
    space = image.get("/ColorSpace")
    if isinstance(space, Array) and space[0] == "/ICCBased":
        profile = space[1]
        if icc.channels(profile.read_bytes()) != profile.N:
            image.ColorSpace = space = profile.Alternate
            yield PROFILE
    packed = image.get("/Filter") == "/JPXDecode"
    if packed and jpx.fault(image.read_raw_bytes(), told=space is not None):
        with Image.open(io.BytesIO(image.read_raw_bytes())) as opened:
            _replace(image, opened)
        yield PACKED
    elif space == "/DeviceCMYK":
        _replace(image, _inks(image))
        yield INKS


def _inks(image: Any) -> Image.Image:
    """Return the decoded picture, 0 for no ink."""
    inverted = "/Decode" in image
    if image.get("/Filter") in {"/DCTDecode", "/JPXDecode"}:
        picture: Image.Image = Image.open(io.BytesIO(image.read_raw_bytes()))
        picture.load()
        # Pillow takes every JPEG of inks for an inverted one.
        inverted ^= picture.format == "JPEG"
    else:
        data = image.read_bytes()
        step = int(image.BitsPerComponent) // 8  # the high byte is as good as the eye
        picture = Image.frombytes("CMYK", (int(image.Width), int(image.Height)), data[::step])
    return pixels.complement(picture) if inverted else picture


def _replace(image: Any, picture: Image.Image) -> None:
    grey = picture.mode in {"1", "L", "LA", "I;16", "I", "F"}
    plain = (
        pixels.grey(picture)
        if grey
        else pixels.by_rows(picture, "RGB", lambda strip: strip.convert("RGB"))
    )
    # Packed at once: all pages of a book are in memory together until they are written.
    image.write(zlib.compress(plain.tobytes()), filter=Name.FlateDecode)
    image.ColorSpace = Name.DeviceGray if grey else Name.DeviceRGB
    image.BitsPerComponent = 8
    for key in (Name.Decode, Name.SMaskInData):
        if key in image:
            del image[key]
