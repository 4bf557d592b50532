"""Say what a file is from its content: its name is never asked."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, UnidentifiedImageError

from watcherd.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from watcherd.model import Limits

# The bound on pixels is ours, from Limits, held before anything is decoded. Pillow's own would
# be one number for all inboxes, and warns where we want an answer.
Image.MAX_IMAGE_PIXELS = None

# What Pillow may try. EPS is left out because it runs Ghostscript, others because no scanner,
# camera or fax writes them.
FORMATS = ("JPEG", "MPO", "PNG", "TIFF", "GIF", "BMP", "WEBP", "JPEG2000", "PPM", "AVIF")
_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*", b"GIF8", b"BM", b"RIFF")
SIDES = 3.0, 14400.0
"""The least and the most that a side of a PDF's page may have, in 1/72 inch."""

_HEAD = 1024  # a PDF's header, and its last startxref, lie within so many bytes of the ends
_PDF_LOCKED = {pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY}


@dataclass(frozen=True, slots=True)
class Document:
    """What a file was found to be."""

    kind: Literal["image", "pdf"]
    format: str  # Pillow's name, or "PDF"
    pages: int
    signed: bool = False  # a PDF whose signature a change would break
    restricted: bool = False  # a PDF that opens without a password but forbids changes


def open_document(path: Path, limits: Limits) -> Document:
    """Identify a file by its content and count its pages, from headers alone.

    Pixels are decoded once, by `imaging.page_pixels`, which refuses those that are cut short.

    Raises Refusal `empty`, `unsupported`, `corrupt`, `encrypted`, `too-large`, and OSError when
    the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if not head:
            raise Refusal("empty", "The file has no bytes; send it again.")
        if b"%PDF-" in head:
            tail = _tail(path)
            return _open_pdf(path, limits, complete=b"startxref" in tail)
    with open_image(path) as image:
        return Document("image", str(image.format), _count_frames(image, limits))


@contextmanager
def open_image(path: Path) -> Iterator[Image.Image]:
    """Open an image of the kinds we know, with nothing decoded yet.

    Raises Refusal `unsupported` or `corrupt`; what goes wrong inside the block while decoding
    becomes `corrupt` too. An OSError of the system (ENOSPC, EIO) stays one.
    """
    # By its name Pillow would map the file, and a turned TIFF comes out as noise then.
    with path.open("rb") as file, _decoder(file) as image:
        try:
            yield image
        except (Refusal, MemoryError):
            raise
        except Exception as error:  # decoders raise anything
            raise _damage(error) from error


def _decoder(file: BinaryIO) -> Image.Image:
    try:
        return Image.open(file, formats=[f for f in FORMATS if f in _available()])
    except MemoryError:
        raise
    except UnidentifiedImageError as error:
        file.seek(0)
        if file.read(12).startswith(_STARTS):
            raise _damage(error) from error
        raise Refusal("unsupported", "The file is neither a PDF nor an image.") from error
    except Exception as error:
        raise _damage(error) from error


def check_size(width: int, height: int, limits: Limits, page: int) -> None:
    """Raise Refusal `too-large` when a page has more pixels than allowed."""
    if width * height > limits.page_pixels:
        raise Refusal(
            "too-large",
            f"Page {page} has {width} by {height} pixels; "
            f"{limits.page_pixels} are allowed (limits.page_megapixels).",
            page=page,
        )


def check_shape(width: int, height: int, page: int) -> None:
    """Raise Refusal `unsupported` when an image is too thin for any page that PDF allows."""
    if max(width, height) * SIDES[0] > min(width, height) * SIDES[1]:
        raise Refusal(
            "unsupported",
            f"Page {page} is {width} by {height} pixels, a line and no page: "
            "the sides of a PDF's page cannot differ so much.",
            page=page,
        )


@contextmanager
def open_pdfium(path: Path) -> Iterator[pypdfium2.PdfDocument]:
    """Open a PDF for reading and rendering; raises Refusal `encrypted` or `corrupt`."""
    try:
        pdf = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if error.err_code in _PDF_LOCKED:
            raise _encrypted() from error
        raise Refusal("corrupt", "The PDF is damaged and cannot be read.") from error
    try:
        yield pdf
    finally:
        pdf.close()


def _open_pdf(path: Path, limits: Limits, *, complete: bool) -> Document:
    try:
        with pikepdf.open(path) as pdf, open_pdfium(path) as rendered:
            # Repair would find the pages that a half-written file already has, and call that
            # a document. The end of a PDF names its start: without it, it is not all there.
            if not complete:
                raise Refusal("corrupt", "The PDF ends before its end; send it again.")
            pages = min(len(pdf.pages), len(rendered))
            if len(pdf.pages) != len(rendered):
                raise Refusal("corrupt", "The PDF's list of pages is damaged.")
            _check_count(pages, limits)
            return Document(
                "pdf", "PDF", pages, signed=_is_signed(pdf), restricted=pdf.is_encrypted
            )
    except pikepdf.PasswordError as error:
        raise _encrypted() from error
    except (pikepdf.PdfError, ValueError, TypeError, KeyError) as error:
        raise Refusal("corrupt", "The PDF is damaged and cannot be read.") from error


def _is_signed(pdf: pikepdf.Pdf) -> bool:
    form = pdf.Root.get("/AcroForm")
    flags = form.get("/SigFlags", 0) if isinstance(form, pikepdf.Dictionary) else 0
    return bool(int(flags) & 1) or "/Perms" in pdf.Root


def _count_frames(image: Image.Image, limits: Limits) -> int:
    check_size(image.width, image.height, limits, 1)
    check_shape(image.width, image.height, 1)
    if image.format != "TIFF":  # an animation or a stereo photo is one picture to a reader
        return 1
    pages = 1
    while True:
        try:
            image.seek(pages)  # ends at a directory that it has seen, so a loop cannot hold it
        except EOFError:
            return pages
        pages += 1
        _check_count(pages, limits)
        check_size(image.width, image.height, limits, pages)
        check_shape(image.width, image.height, pages)


def _check_count(pages: int, limits: Limits) -> None:
    if pages < 1:
        raise Refusal("corrupt", "The document has no pages.")
    if pages > limits.pages:
        raise Refusal(
            "too-large", f"The document has more than {limits.pages} pages (limits.pages)."
        )


def _tail(path: Path) -> bytes:
    """Return the end of a file, without the zeros and blanks that some programs pad with."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 64 * _HEAD))
        return file.read().rstrip(b"\0\r\n\t ")[-_HEAD:]


def _available() -> set[str]:
    Image.init()
    return set(Image.OPEN)


def _encrypted() -> Refusal:
    return Refusal("encrypted", "The PDF is encrypted; remove its password and send it again.")


def _damage(error: Exception) -> Exception:
    """Return what a failed decoder means; the system's own faults are passed on."""
    if isinstance(error, OSError) and error.errno is not None:
        return error
    return Refusal("corrupt", f"The image is damaged or cut short ({type(error).__name__}).")
