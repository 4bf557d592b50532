"""What a viewer finds in a PDF: the text of its pages, and where its words lie."""

from __future__ import annotations

from contextlib import closing
from threading import Lock
from typing import TYPE_CHECKING

import pypdfium2

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.score import Box

_ONE_AT_A_TIME = Lock()  # PDFium is not made for threads, and peers run in some


def pages(path: Path) -> tuple[str, ...]:
    """Return the text of each page as it is copied; nothing from what cannot be opened."""
    with _ONE_AT_A_TIME:
        try:
            pdf = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError:
            return ()
        with closing(pdf):
            return tuple(page.get_textpage().get_text_range() for page in pdf)


def words(path: Path, size: tuple[int, int]) -> list[tuple[str, Box]]:
    """Return the words of the first page and their boxes, in pixels of the image that fills it.

    `size` is the image's. A page that is shown turned is taken as it lies in the file, where the
    image lies as it was scanned. A word's box unites those of its letters, which are as wide and
    high as what a viewer marks when the word is selected.
    """
    with _ONE_AT_A_TIME, closing(pypdfium2.PdfDocument(path)) as pdf:
        page = pdf[0]
        left, bottom, right, top = page.get_mediabox()
        across, down = size[0] / (right - left), size[1] / (top - bottom)
        found: list[tuple[str, Box]] = []
        text = page.get_textpage()
        inside = False
        for index in range(text.count_chars()):
            letter = text.get_text_range(index, 1)
            if not letter.strip():
                inside = False
                continue
            x0, y0, x1, y1 = text.get_charbox(index, loose=True)
            box = ((x0 - left) * across, (top - y1) * down, (x1 - left) * across, (top - y0) * down)
            if inside:
                word, before = found.pop()
                found.append((word + letter, _around(before, box)))
            else:
                found.append((letter, box))
            inside = True
    return found


def _around(one: Box, other: Box) -> Box:
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[2], other[2]),
        max(one[3], other[3]),
    )
