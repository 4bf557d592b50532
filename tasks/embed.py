"""A PDF out of an image file: its pixels, losslessly, a page each."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING

import img2pdf
from pikepdf import Array, Name
from PIL import Image, TiffImagePlugin

from tasks import pixels
from watcherd.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pikepdf

    from tasks.document import Document
    from tasks.imaging import Matrix
    from tasks.recognise import PageFacts

_PAGE = 72.0
"""The side of a page until the caller sets it; any that PDF allows, whatever the pixels."""

_AS_IS = frozenset({"1", "L", "P", "RGB", "CMYK"})


def image_pdf(path: Path, document: Document) -> pikepdf.Pdf:
    """Return a PDF with one page an image, its only content the XObject `/Im0`.

    A JPEG's bytes are the original's; other images keep their pixels. Transparency is laid on
    white, and what neither PDF nor Pillow can hold is brought down to 8 bits a channel. The
    pages' size and content are for the caller to set.
    """
    if _as_is(path, document):
        try:
            pdf = _convert([path.read_bytes()], all_frames=document.frames != (0,))
        except (ValueError, img2pdf.ImageOpenError, img2pdf.AlphaChannelError):
            pass
        else:
            for frame in reversed(range(len(pdf.pages))):
                if frame not in document.frames:
                    del pdf.pages[frame]
            if len(pdf.pages) == document.pages:
                return pdf
    return _convert(list(_plain_pngs(path, document)), all_frames=False)


@contextmanager
def sheets(path: Path, document: Document, facts: Sequence[PageFacts]) -> Iterator[pikepdf.Pdf]:
    """Lend a PDF with the images on pages of the size that was found; see `Input.sheets`."""
    with image_pdf(path, document) as pdf:
        for page, fact in zip(pdf.pages, facts, strict=True):
            width, height = (round(side, 4) for side in fact.points)
            page.obj.MediaBox = Array([0, 0, width, height])
            numbers = " ".join(f"{v:.4f}" for v in placement(fact.orientation, width, height))
            page.obj.Contents = pdf.make_stream(f"q\n{numbers} cm\n/Im0 Do\nQ\n".encode())
            for key in (Name.UserUnit, Name.Rotate, Name.CropBox):
                if key in page.obj:
                    del page.obj[key]
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


def _convert(images: list[bytes], *, all_frames: bool) -> pikepdf.Pdf:
    document = img2pdf.convert_to_docobject(
        *images,
        engine=img2pdf.Engine.pikepdf,
        nodate=True,
        first_frame_only=not all_frames,
        rotation=img2pdf.Rotation.none,  # it raises on mirrored ones: we place them ourselves
        layout_fun=lambda *_: (_PAGE,) * 4,
    )
    pdf: pikepdf.Pdf = document.writer
    return pdf


def _as_is(path: Path, document: Document) -> bool:
    """Say whether img2pdf can take the file whole."""
    for number in range(1, document.pages + 1):
        with pixels.open_frame(path, document, number) as image:
            tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
            turned = tags.get(pixels.ORIENTATION, 1) != 1  # Pillow turns these while decoding
            deep = image.mode == "I;16" and image.format == "PNG"
            if turned or image.has_transparency_data or not (deep or image.mode in _AS_IS):
                return False
    return True


def _plain_pngs(path: Path, document: Document) -> Iterator[bytes]:
    for number in range(1, document.pages + 1):
        with pixels.open_frame(path, document, number) as image:
            image.load()
            plain = _plain(image)
            out = io.BytesIO()
            plain.save(out, "PNG", icc_profile=image.info.get("icc_profile"))
            yield out.getvalue()


def _plain(image: Image.Image) -> Image.Image:
    """Return an image that a PNG and a PDF can hold, the same to the eye."""
    if image.has_transparency_data:
        return _on_white(image)
    if image.mode in {"1", "L", "P", "RGB"} or image.mode == "I;16":
        return image
    if image.mode in {"LAB", "I", "F"} or image.mode.startswith("I;16"):
        return pixels.grey(image)
    if image.mode in {"CMYK", "YCbCr", "HSV", "RGBX"}:
        return image.convert("RGB")
    raise Refusal("unsupported", f"The image's kind of pixels ({image.mode}) is not known.")


def _on_white(image: Image.Image) -> Image.Image:
    colour = image.convert("RGBA")
    if colour.getchannel("A").getextrema() != (255, 255):
        colour = Image.alpha_composite(Image.new("RGBA", image.size, "white"), colour)
    red, green, blue, _ = colour.split()
    if red.tobytes() == green.tobytes() == blue.tobytes():
        return red  # grey in colour's clothes: a third of the bytes, all of the picture
    return Image.merge("RGB", (red, green, blue))
