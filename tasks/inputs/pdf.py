"""PDF files: identified by qpdf, read by pdfium."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pikepdf

from tasks.document import Document, Input, Opened, check_count
from tasks.pdfs import existing, opening, spoilt, straight, stripping, traits
from tasks.pdfs.rendering import open_pdfium, render
from watcherd.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tasks.imaging import PageImage
    from tasks.pdfs.existing import OwnText
    from tasks.recognise import PageFacts
    from watcherd.model import Limits


def is_one(head: bytes) -> bool:
    """Look for the header, which may stand behind other bytes (ISO 32000-1, annex H.3)."""
    return b"%PDF-" in head


def open_file(path: Path, limits: Limits, passwords: Sequence[str] = ()) -> Opened:
    """Identify a PDF and count its pages; see `Input.open`. Raises Refusal `encrypted` too.

    One that is damaged, or that only a password opens, is to be read as a copy without either. A
    signed one that can be read is left as it is, whatever else is the matter with it.
    """
    opening.check_end(path)
    with opening.opened(path, passwords) as (pdf, locked):
        pages = len(pdf.pages)
        check_count(pages, limits)
        signed = traits.is_signed(pdf, path)
        whole = locked or _shown(path) == pages
        damaged = not whole or (not signed and opening.is_damaged(pdf))
        copied = locked or damaged
        notes = traits.notes(pdf, signed=signed, locked=locked, copied=copied)
    if damaged:
        notes = (f"the PDF was damaged; it was repaired, pages found: {pages}", *notes)
    found = Document("pdf", "PDF", pages, (), signed and not copied, copied, notes)
    copy = partial(opening.write_copy, path, tuple(passwords), pages)
    return Opened(found, copy if copied else None)


def read(path: Path, document: Document, page: int, limits: Limits) -> PageImage | OwnText:
    """Return the text that a page has, else its pixels; see `Input.read`."""
    with open_pdfium(path) as pdf:
        sheet = pdf[page - 1]
        lack = existing.judge(sheet)
        if lack is None:
            return existing.own_text(pdf, page)
        image = straight.pixels(sheet, path, page, document.pages, limits)
        image = image or render(sheet, path, page, limits)
        notes = (*image.notes, *lack.notes, *spoilt.notes(sheet))
        return replace(image, strip=lack.strip, kept=lack.kept, notes=notes)


@contextmanager
def sheets(path: Path, document: Document, facts: Sequence[PageFacts]) -> Iterator[pikepdf.Pdf]:
    """Lend the PDF without text layers that say nothing; see `Input.sheets`."""
    del document
    with pikepdf.open(path) as pdf:
        for page, fact in zip(pdf.pages, facts, strict=True):
            if fact.strip:
                stripping.strip_hidden(pdf, page)
        yield pdf


def _shown(path: Path) -> int:
    """Return how many pages pdfium sees, 0 where it cannot read the file."""
    try:
        with open_pdfium(path) as pdf:
            return len(pdf)
    except Refusal:
        return 0


INPUT = Input("pdf", is_one, open_file, read, sheets)
