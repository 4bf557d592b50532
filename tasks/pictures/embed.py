"""A PDF out of an image file: a page each picture, which is all that stands on it."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import img2pdf
import pikepdf
from img2pdf import Colorspace, ImageFormat
from pikepdf import Array, Name

from tasks.pictures import pixels, stored
from tasks.pictures.stored.picture import CHANNELS, CMYK, GREY, RGB
from tasks.saving import save

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tasks.document import Document
    from tasks.imaging import Matrix
    from tasks.pictures.stored.picture import Stored
    from tasks.recognise import PageFacts

BUNDLE = 8 << 20
"""Bytes of pictures that are in memory; a book of photos has many bundles of pages, on disk."""

_FORMATS = {
    "DCTDecode": ImageFormat.JPEG,
    "FlateDecode": ImageFormat.PNG,
    "CCITTFaxDecode": ImageFormat.CCITTGroup4,
    "JPXDecode": ImageFormat.JPEG2000,
}
_COLOURS = {GREY: Colorspace.L, RGB: Colorspace.RGB, CMYK: Colorspace.CMYK}


@contextmanager
def sheets(path: Path, document: Document, facts: Sequence[PageFacts]) -> Iterator[pikepdf.Pdf]:
    """Lend a PDF with the pictures, as `/Im0`, on pages of the size that was found.

    Raises Refusal `corrupt` and `unsupported`.
    """
    with tempfile.TemporaryDirectory(prefix="watcherd-") as folder:
        bundles: list[str] = []
        pages = _Pages()
        with pixels.open_image(path, pixels.formats_of(document)) as image:
            for number, fact in enumerate(facts, start=1):
                pixels.show(image, document, number)
                picture = stored.store(image, path)
                if pages.held > BUNDLE:
                    bundles.append(_saved(pages.pdf, folder, len(bundles)))
                    pages = _Pages()
                _add(pages, picture, b"".join(picture.data), fact)
        if bundles:
            bundles.append(_saved(pages.pdf, folder, len(bundles)))
            pages = _Pages()
        with _bound(bundles, folder) if bundles else pages.pdf as pdf:
            yield pdf


def placement(orientation: int, width: float, height: float) -> Matrix:
    """Return the matrix that shows an image of this EXIF orientation upright on its page.

    From the image's unit square (y up) to a page of `width` by `height` as displayed.
    """
    w, h = width, height
    return {
        1: (w, 0.0, 0.0, h, 0.0, 0.0),
        2: (-w, 0.0, 0.0, h, w, 0.0),
        3: (-w, 0.0, 0.0, -h, w, h),
        4: (w, 0.0, 0.0, -h, 0.0, h),
        5: (0.0, -h, -w, 0.0, w, h),
        6: (0.0, -h, w, 0.0, 0.0, h),
        7: (0.0, h, w, 0.0, 0.0, 0.0),
        8: (0.0, h, -w, 0.0, w, 0.0),
    }[orientation]


@dataclass(slots=True)
class _Pages:
    """Pages that are in memory, as img2pdf makes them."""

    made: img2pdf.pdfdoc = field(
        default_factory=lambda: img2pdf.pdfdoc(engine=img2pdf.Engine.pikepdf, nodate=True)
    )
    held: int = 0  # bytes
    profiles: dict[bytes, pikepdf.Stream] = field(default_factory=dict)

    @property
    def pdf(self) -> pikepdf.Pdf:
        """The PDF that they stand in."""
        return cast("pikepdf.Pdf", self.made.writer)


def _saved(pages: pikepdf.Pdf, folder: str, number: int) -> str:
    """Save a bundle of pages; return the file's name."""
    name = os.path.join(folder, f"{number}.pdf")  # noqa: PTH118  -- qpdf wants a string
    save(pages, Path(name))
    return name


def _bound(bundles: Sequence[str], folder: str) -> pikepdf.Pdf:
    """Return the pages of all bundles, each picture to be read when it is wanted."""
    whole = os.path.join(folder, "whole.pdf")  # noqa: PTH118
    files = [{"file": name} for name in bundles]
    # Appended page by page, every picture would be in memory; qpdf's own merge copies them.
    pikepdf.Job({"empty": "", "pages": files, "outputFile": whole}).run()
    return pikepdf.open(whole, access_mode=pikepdf.AccessMode.stream)


def _add(pages: _Pages, picture: Stored, data: bytes, fact: PageFacts) -> None:
    """Add a page with the picture; what img2pdf would guess of it is set as it is known."""
    width, height = (round(side, 4) for side in fact.points)
    colours = Colorspace.P if picture.palette else _COLOURS.get(picture.colours or "")
    table = picture.palette[: 3 << picture.bits]
    pages.held += len(data)
    pages.made.add_imagepage(
        colours or Colorspace.RGBA,  # of JPEG 2000, which says itself what its colours are
        *picture.size,
        _FORMATS[picture.filter],
        data,
        None,
        *(width, height, 0, 0, width, height),
        palette=table,
        depth=picture.bits,
    )
    pdf = pages.pdf
    page = pdf.pages[-1].obj
    page.MediaBox = Array([0, 0, width, height])
    place = placement(picture.orientation or fact.orientation, width, height)
    numbers = " ".join(f"{value:.4f}" for value in place)
    page.Contents = pdf.make_stream(f"q\n{numbers} cm\n/Im0 Do\nQ\n".encode())
    image = page.Resources.XObject.Im0
    image.Filter = Name(f"/{picture.filter}")
    for key in (Name.Decode, Name.DecodeParms):
        if key in image:
            del image[key]
    if picture.parms:
        image.DecodeParms = pikepdf.Object.parse(f"<< {picture.parms} >>".encode())
    if picture.inverted and picture.colours:
        image.Decode = Array([1, 0] * CHANNELS[picture.colours])
    if picture.profile and picture.colours:
        space = _profiled(pages, picture.profile, picture.colours)
        if picture.palette:
            image.ColorSpace[1] = space
        else:
            image.ColorSpace = space


def _profiled(pages: _Pages, profile: bytes, colours: str) -> Array:
    """Return the colour space of a profile, which the pages of a document share."""
    if profile not in pages.profiles:
        stream = pages.pdf.make_stream(profile)
        stream.N, stream.Alternate = CHANNELS[colours], Name(f"/{colours}")
        pages.profiles[profile] = stream
    return Array([Name.ICCBased, pages.profiles[profile]])
