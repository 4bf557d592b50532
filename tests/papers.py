"""Documents to drop into a service, as the bytes of their files, and what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pypdfium2
from makers import encoded, folded, sheet

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

_WORDS = (
    *("invoice", "number", "total", "amount", "due", "friday", "please", "quote", "your"),
    *("reference", "when", "paying", "within", "thirty", "days", "after", "delivery"),
)


def scan(text: str, kind: str = "PNG") -> bytes:
    """Return an image file of one small page with this text."""
    return encoded(sheet((text,), size=(1000, 220)).image, kind, dpi=(200, 200))


def damaged(note: str = "") -> bytes:
    """Return what begins and ends like a PNG file, so that it is taken at once, and is none."""
    return b"\x89PNG\r\n\x1a\n" + note.encode() + b"\0\0\0\0IEND\xaeB`\x82"


def dense(seed: int) -> Image.Image:
    """Return a page full of words, which takes about a second to read."""
    rows = tuple(
        " ".join(_WORDS[(seed + 7 * row + 3 * n) % len(_WORDS)] for n in range(11))
        for row in range(30)
    )
    return sheet(rows, size=(2480, 2000), font_size=44, leading=60).image.convert("1")


def book(pages: int, *, full: bool = False, kind: str = "PDF") -> bytes:
    """Return a file of so many pages, small ones or `full` of words.

    A PDF has an end mark, so that it is taken at once; a TIFF rests for some seconds first.
    """
    images = [
        dense(n) if full else sheet((f"This is page {n}",), size=(800, 200)).image
        for n in range(1, pages + 1)
    ]
    dpi = 300 if full else 200
    size = {"resolution": dpi} if kind == "PDF" else {"dpi": (dpi, dpi)}
    return encoded(images[0], kind, save_all=True, append_images=images[1:], **size)


def text_of(path: Path) -> str:
    """Return the text of all pages of a PDF as a viewer copies it, white space folded."""
    with pypdfium2.PdfDocument(path) as pdf:
        return folded(" ".join(page.get_textpage().get_text_range() for page in pdf))


def pages_of(path: Path) -> int:
    """Return how many pages a PDF has."""
    with pypdfium2.PdfDocument(path) as pdf:
        return len(pdf)
