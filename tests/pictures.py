"""Image files of every kind, and what becomes of them: the PDF's page against the file's pixels."""

from __future__ import annotations

import io
import math
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import makers
import pillow_heif
import pypdfium2
from pikepdf import Pdf, PdfImage
from PIL import Image, ImageChops, ImageStat
from readers import found, page_read

from tasks import inputs
from tasks.pictures import pixels
from tasks.saving import save

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.imaging import PageImage

LETTERS = makers.sheet(size=(450, 300), font_size=40, top=20, leading=60, left=10).image
"""Black words on white paper, grey."""

_SHADE = Image.linear_gradient("L").resize(LETTERS.size)
COLOUR = Image.merge(
    "RGB", [LETTERS, ImageChops.darker(LETTERS, _SHADE), ImageChops.lighter(LETTERS, _SHADE)]
)
"""The same with colours that run."""


def photo(size: tuple[int, int] = (450, 300)) -> Image.Image:
    """Return what no lossless coding makes short: colours that run, letters, and some grain."""
    grain = Image.effect_noise(size, 6)
    bands = [ImageChops.add(band.resize(size), grain, 1, -128) for band in COLOUR.split()]
    return Image.merge("RGB", bands)


def clear(image: Image.Image) -> Image.Image:
    """Return an image that lets more and more of the paper through from left to right."""
    result = image.copy()
    result.putalpha(_SHADE.transpose(Image.Transpose.ROTATE_90).resize(image.size))
    return result


def deep(image: Image.Image) -> Image.Image:
    """Return a grey image with 16 bits a pixel, of which the low ones say something too."""
    wide = image.convert("I").point(lambda v: v * 256 + 77)
    return wide.convert("I;16")


def heic(path: Path, *images: Image.Image, primary: int = 0, **options: object) -> Path:
    """Save a HEIC file with these images, of which one is the primary one."""
    file = pillow_heif.from_pillow(images[0])
    for image in images[1:]:
        file.add_from_pillow(image)
    file.save(path, primary_index=primary, **options)
    return path


def png(size: tuple[int, int], bits: int, kind: int, rows: list[bytes], *extra: bytes) -> bytes:
    """Return a PNG of these rows, with chunks before them."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, bits, kind, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + data + chunk(b"IEND", b"")


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def tiff(tags: dict[int, int | tuple[int, ...] | bytes], data: bytes, *, at: int = 273) -> bytes:
    """Return a TIFF of one image with these tags; the tag `at` is where its data starts."""
    tags = {at: 8, **tags}
    directory = 8 + len(data) + len(data) % 2
    spare = directory + 2 + 12 * len(tags) + 4
    entries, more = b"", b""
    for tag, value in sorted(tags.items()):
        raw, kind = (value, 7) if isinstance(value, bytes) else (_longs(value), 4)
        count = len(raw) if kind == 7 else len(raw) // 4
        if len(raw) > 4:
            raw, more = struct.pack("<I", spare + len(more)), more + raw
        entries += struct.pack("<HHI", tag, kind, count) + raw.ljust(4, b"\0")
    head = b"II*\0" + struct.pack("<I", directory) + data.ljust(directory - 8, b"\0")
    return head + struct.pack("<H", len(tags)) + entries + bytes(4) + more


def _longs(value: int | tuple[int, ...]) -> bytes:
    values = value if isinstance(value, tuple) else (value,)
    return struct.pack(f"<{len(values)}I", *values)


def bmp(size: tuple[int, int], bits: int, coding: int, data: bytes, masks: bytes = b"") -> bytes:
    """Return a BMP of this depth and coding; a negative height stores it from the top."""
    colours = range(1 << bits if bits <= 8 else 0)
    table = masks + bytes(v for n in colours for v in (n * 37 % 256, n * 91 % 256, n, 0))
    info = struct.pack("<IiiHHIIiiII", 40, *size, 1, bits, coding, len(data), 7874, 7874, 0, 0)
    start = 14 + len(info) + len(table)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + info + table + data


@dataclass(frozen=True)
class Page:
    """A page of a PDF that was made of an image file."""

    pdf: Path
    read: PageImage
    shown: Image.Image  # what a viewer shows, pixel by pixel
    decoded: Image.Image  # what Pillow makes of the file: upright, on white, RGB


def pages(path: Path) -> list[Page]:
    """Make a PDF of an image file as the stages do; return its pages."""
    document = found(path)
    facts = [page_read(path, number) for number in range(1, document.pages + 1)]
    target = path.with_name(path.name + ".pdf")
    with inputs.of(document).sheets(path, document, facts) as pdf:
        save(pdf, target)
    makers.checked(target)
    result = []
    with pypdfium2.PdfDocument(target) as pdf:
        for number, (sheet, fact) in enumerate(zip(pdf, facts, strict=True), start=1):
            width, height = sheet.get_size()
            # Pixels of a fax are not square: each side has a scale of its own.
            scale = max(fact.pixels[0] / width, fact.pixels[1] / height)
            shown = sheet.render(scale=scale * (1 - 1e-6)).to_pil().convert("RGB")
            with pixels.open_frame(path, document, number) as image:
                image.load()
                result.append(Page(target, fact, shown.copy(), _plain(image)))
    return result


def _plain(image: Image.Image) -> Image.Image:
    upright = pixels.upright(image, pixels.orientation_of(image))
    if upright.has_transparency_data:
        return pixels.on_white(upright)
    deep_ = upright.mode in {"I", "F"} or upright.mode.startswith("I;16")
    return (pixels.grey(upright) if deep_ else upright).convert("RGB")


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Return how alike two images of a size are, in dB; 99 for the same pixels."""
    assert one.size == other.size
    squares = ImageStat.Stat(ImageChops.difference(one, other)).sum2
    mean = sum(squares) / (len(squares) * one.width * one.height)
    return 10 * math.log10(255**2 / mean) if mean else 99.0


def stored(page: Page) -> tuple[str, Image.Image]:
    """Return how the PDF has coded the picture, and the picture."""
    with Pdf.open(page.pdf) as pdf:
        image = pdf.pages[0].obj.Resources.XObject.Im0
        return str(image.Filter), PdfImage(image).as_pil_image().copy()


def reopened(data: bytes) -> Image.Image:
    """Return the image of a file's bytes."""
    return Image.open(io.BytesIO(data))
