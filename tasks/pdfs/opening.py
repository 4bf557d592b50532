"""Opening PDFs that are locked or damaged, and copies of them that every reader can read."""

from __future__ import annotations

import re
import unicodedata
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pikepdf
from pikepdf import Dictionary, Name

from tasks.pdfs import rendering
from tasks.saving import save
from watcherd.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_PADDING = 65536
_END = re.compile(rb"startxref\s+\d+")
_OBJECT = re.compile(rb"\d+\s+\d+\s+obj\b")
_ENCODINGS = ("utf-8", "pdfdoc", "cp1252", "mac_roman", "cp850")
"""How programs write a password: ISO 32000-2 says the first two, old ones took their system's."""


@contextmanager
def opened(path: Path, passwords: Sequence[str] = ()) -> Iterator[tuple[pikepdf.Pdf, bool]]:
    """Lend a PDF whose pages can be counted, and say whether it took one of the passwords.

    The first password that fits is taken. Raises Refusal `encrypted` when none does, `corrupt`
    when the PDF cannot be read, also by whoever has it on loan.
    """
    try:
        pdf, locked = _open(path, passwords)
        with pdf:
            len(pdf.pages)
            yield pdf, locked
    except pikepdf.PasswordError as error:
        raise rendering.encrypted() from error
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError) as error:
        with rendering.open_pdfium(path):  # which knows a lock that qpdf does not
            raise Refusal("corrupt", "The PDF is damaged and cannot be read.") from error


def is_damaged(pdf: pikepdf.Pdf) -> bool:
    """Say whether anything in a PDF had to be guessed; it is read through, without its streams."""
    for _ in pdf.objects:
        pass
    return bool(pdf.get_warnings())


def check_end(path: Path) -> None:
    """Raise Refusal `corrupt` for a PDF that was cut.

    Repair would find the pages that a half-written file already has, and call that a document.
    The end of a PDF names its start: without it, or with more of a PDF behind it, it is not all
    there. Zeros and blanks that some programs pad with may follow, and stray bytes of a mail or a
    web page.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _PADDING))
        tail = file.read()
    ends = list(_END.finditer(tail))
    if not ends or _OBJECT.search(tail, ends[-1].end()):
        raise Refusal("corrupt", "The PDF ends before its end; send it again.")


def write_copy(path: Path, passwords: Sequence[str], pages: int, target: Path) -> None:
    """Write a PDF anew: unlocked, and with its structure repaired.

    Raises Refusal `corrupt` when not even that makes a PDF that can be read, OSError when the
    disk is in the way.
    """
    with opened(path, passwords) as (pdf, _):
        if "/Size" not in pdf.trailer:
            pdf.trailer.Size = 0  # qpdf knows better, but writes none where none was
        save(pdf, target)
    with rendering.open_pdfium(target) as copy:
        if len(copy) != pages:
            raise Refusal("corrupt", "The PDF's list of pages is damaged.")


def _open(path: Path, passwords: Sequence[str]) -> tuple[pikepdf.Pdf, bool]:
    try:
        return _read(path), False
    except pikepdf.PasswordError:
        for password in _spellings(passwords):
            with suppress(pikepdf.PasswordError):
                return _read(path, password), True
        raise


def _read(path: Path, password: bytes = b"") -> pikepdf.Pdf:
    try:
        return pikepdf.open(path, password=password)
    except pikepdf.PasswordError:
        raise
    except pikepdf.PdfError:  # perhaps a tree of pages that leads back into itself
        pdf = pikepdf.open(path, password=password, inherit_page_attributes=False)
        _cut_loops(pdf)
        return pdf


def _spellings(passwords: Sequence[str]) -> list[bytes]:
    """Return the bytes that each password may stand for, the likeliest first."""
    out: dict[bytes, None] = {}
    for password in passwords:
        for form in ("NFKC", "NFC", "NFD"):
            for encoding in _ENCODINGS:
                with suppress(UnicodeEncodeError, ValueError):
                    out[unicodedata.normalize(form, password).encode(encoding)] = None
    return list(out)


def _cut_loops(pdf: pikepdf.Pdf) -> None:
    """Give the tree of pages no node twice."""
    nodes = [pdf.Root.Pages]
    seen = {pdf.Root.Pages.objgen}
    for node in nodes:  # which grows on the way
        if Name.Kids not in node:
            continue
        kids = []
        for kid in node.Kids:
            if isinstance(kid, Dictionary) and not (kid.is_indirect and kid.objgen in seen):
                seen.add(kid.objgen)
                kids.append(kid)
        nodes += kids
        node.Kids = pikepdf.Array(kids)
