"""What PDF does not know is decoded and stored in its nearest kind: once, and said."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, cast

from PIL import Image, ImageCms, TiffImagePlugin

from tasks.pictures import pixels
from tasks.pictures.decoders import DECODERS
from tasks.pictures.stored import jpeg, png, profile, tiff
from tasks.pictures.stored.picture import CMYK, GREY, PIECE, RGB, Stored
from tasks.pictures.stored.sources import depth, is_lossy
from watcherd.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUALITY = 90
"""Of JPEGs that are made of lossy pictures in formats that PDF does not know.

Measured on photographed and scanned documents that came as HEIC, WebP and AVIF of usual qualities:
43 to 51 dB against the decoded pixels, where those had 39 to 60 dB against their originals, in 0.6
to 2.8 times their bytes. 92 takes 5 to 8 % more bytes, 95 20 to 35 %, 85 loses another 2 to 4 dB.
"""
SUBSAMPLING = "4:2:0"  # as such sources have it; 4:4:4 takes up to a quarter more

_STRIPS, _ROWS = 8, 32  # of a sample; without loss a whole photo takes 0.5 s a million pixels
_LONGEST = 65500  # pixels of a side that libjpeg encodes
_DEEP = 65535
_SHADE = 1  # level between the channels of a grey picture that came through WebP
_COLOURS = {"1": GREY, "L": GREY, "I;16": GREY, "I;16B": GREY, "RGB": RGB, "P": RGB, "CMYK": CMYK}
_CODINGS = {
    "JPEG": "JPEG of an arithmetic or unusual coding",
    "MPO": "JPEG of an arithmetic or unusual coding",
    "JPEG2000": "JPEG 2000 with more than colours",
    "TIFF": "TIFF with lossy tiles or strips",
}


@dataclass(frozen=True, slots=True)
class _Made:
    """A picture that was coded, the bytes that it takes, and where they are until they are read."""

    stored: Stored
    length: int
    file: BinaryIO


def store(image: Image.Image, path: Path) -> Stored:
    """Decode an image and return it as PDF has it, lossless unless the source itself is not.

    Raises Refusal `unsupported` for pixels of an unknown kind, and what decoding raises.
    """
    lossy = is_lossy(image, path)
    image.load()
    plain = _plain(image, lossy=lossy)
    if plain.mode == "1":
        return _shorter(_fax(plain, image), _flate(plain, image)).stored
    if lossy and max(image.size) <= _LONGEST and _is_photo(plain, image):
        return _jpeg(plain, image).stored
    return _flate(plain, image).stored


def notes(image: Image.Image, path: Path) -> tuple[str, ...]:
    """Say of a decoded image what its conversion changes."""
    said = []
    translucent = pixels.is_translucent(image)
    colours = None if image.mode == "LAB" else _COLOURS.get(image.mode, RGB)
    if translucent:
        said.append("transparency was laid on white")
    bits = depth(image, path)
    if bits > 8 and _kept_mode(image) not in {"I;16", "I;16B"}:  # noqa: PLR2004  -- a byte
        said.append(f"{bits} bits a channel were brought down to 8")
    if image.mode == "LAB":
        said.append("Lab colours were turned into sRGB")
    if is_lossy(image, path):
        decoder = DECODERS.get(str(image.format))
        what = decoder.label if decoder else _CODINGS[str(image.format)]
        said.append(
            f"the picture was {what}, which PDF does not know; "
            f"it is kept as JPEG of quality {QUALITY}, or without loss where that is shorter"
        )
    if profile.misfits(image, colours):
        said.append(profile.MISFIT)
    return tuple(said)


def _kept_mode(image: Image.Image) -> str:
    """Return the mode that 32-bit pixels have without what they do not use."""
    if image.mode == "I":
        low, high = cast("tuple[int, int]", image.getextrema())
        return "I;16" if low >= 0 and 255 < high <= _DEEP else "L"  # noqa: PLR2004  -- a byte
    return "L" if image.mode == "F" else image.mode


def _plain(image: Image.Image, *, lossy: bool) -> Image.Image:
    """Return an image in a mode that a PDF can hold, the same to the eye."""
    if image.has_transparency_data and image.mode != "P":
        laid = pixels.on_white(image) if pixels.is_translucent(image) else _opaque(image)
        return _neutral(laid, image, _SHADE if lossy else 0)
    mode = _kept_mode(image)
    if mode != image.mode:
        return image.convert(mode) if mode == "I;16" else pixels.grey(image)
    if image.format in DECODERS and mode == "RGB":
        return _neutral(image, image, _SHADE if lossy else 0)
    if mode in _COLOURS:
        return pixels.complement(image) if pixels.is_negative(image) else image
    if mode == "LAB":
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        turn = ImageCms.ImageCmsTransform(lab, srgb, "LAB", "RGB")
        return pixels.by_rows(image, "RGB", turn.apply)
    if mode in {"YCbCr", "HSV", "RGBX"}:
        return pixels.by_rows(image, "RGB", lambda strip: strip.convert("RGB"))
    raise Refusal("unsupported", f"The image's kind of pixels ({image.mode}) is not known.")


def _opaque(image: Image.Image) -> Image.Image:
    return pixels.by_rows(image, "RGB", lambda strip: pixels.rgba(strip).convert("RGB"))


def _neutral(plain: Image.Image, image: Image.Image, within: int) -> Image.Image:
    """Return an image without colour as grey: a third of the bytes, all of the picture."""
    profiled = profile.fitting(image, RGB) is not None
    return plain if profiled or not pixels.is_grey(plain, within) else plain.getchannel(1)


def _flate(plain: Image.Image, image: Image.Image) -> _Made:
    """Return pixels as PDF's Flate with PNG's predictors, in a file of its own."""
    file = _scratch()
    inks = plain.mode == "CMYK"
    # PNG has no inks, but four channels; its rows are the same.
    (Image.merge("RGBA", plain.split()) if inks else plain).save(file, "PNG", **_NOTHING_ELSE)
    length = file.tell()
    stored = png.described(png.header(file), image, _drained(png.rows(file), file))
    palette = b""
    if plain.mode == "P":
        table = bytes(plain.getpalette("RGB") or ())[: 3 << stored.bits]
        palette = png.on_paper(table, image.info.get("transparency"))
    colours = CMYK if inks else stored.colours
    icc = profile.fitting(image, colours)
    return _Made(replace(stored, colours=colours, palette=palette, profile=icc), length, file)


_NOTHING_ELSE = {"icc_profile": None, "exif": b"", "transparency": None}


def _fax(plain: Image.Image, image: Image.Image) -> _Made:
    """Return 1-bit pixels in fax coding (group 4), one strip, in a file of its own."""
    file = _scratch()
    width, height = plain.size
    clean = Image.frombytes("1", plain.size, plain.tobytes())  # libtiff would get foreign tags
    clean.save(file, "TIFF", compression="group4", strip_size=height * (width + 7) // 8 + width)
    file.seek(0)
    with TiffImagePlugin.TiffImageFile(file) as made:
        (start,), (length,) = made.tag_v2[tiff.STRIPS], made.tag_v2[tiff.COUNTS]
    data = _drained(_span(file, start, length), file)
    parms = f"/K -1 /Columns {width} /Rows {height} /BlackIs1 true"
    icc = profile.fitting(image, GREY)
    stored = Stored(plain.size, "CCITTFaxDecode", data, GREY, bits=1, parms=parms, profile=icc)
    return _Made(stored, length, file)


def _jpeg(plain: Image.Image, image: Image.Image) -> _Made:
    """Return pixels as JPEG, in a file of its own."""
    file = _scratch()
    plain.save(file, "JPEG", quality=QUALITY, subsampling=SUBSAMPLING, icc_profile=None, exif=b"")
    length = file.tell()
    file.seek(0)
    found = jpeg.structure(file.read())
    data = _drained(_span(file, 0, length), file)
    stored = replace(jpeg.described(image, found, data), size=plain.size)
    return _Made(stored, length, file)


def _is_photo(plain: Image.Image, image: Image.Image) -> bool:
    """Say whether some of the rows have fewer bytes as JPEG: drawings and black text have more."""
    rows = min(_ROWS, plain.height)
    sample = Image.new(plain.mode, (plain.width, _STRIPS * rows))
    for number in range(_STRIPS):
        top = (plain.height - rows) * number // (_STRIPS - 1)
        strip = plain.crop((0, top, plain.width, top + rows))
        sample.paste(strip, (0, number * rows))
    as_photo = _jpeg(sample, image)
    shorter = _shorter(as_photo, _flate(sample, image))
    shorter.file.close()
    return shorter is as_photo


def _shorter(one: _Made, other: _Made) -> _Made:
    shorter, longer = sorted((one, other), key=lambda made: made.length)
    longer.file.close()
    return shorter


def _scratch() -> BinaryIO:
    """Return a file for what is made; whoever reads it closes it."""
    return cast("BinaryIO", tempfile.TemporaryFile())


def _drained(data: Iterator[bytes], file: BinaryIO) -> Iterator[bytes]:
    with file:
        yield from data


def _span(file: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    file.seek(start)
    while length > 0:
        piece = file.read(min(length, PIECE))
        length -= len(piece)
        yield piece
