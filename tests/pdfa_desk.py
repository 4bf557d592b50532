"""Documents made into PDF/A, and broken, for the tests of both the product and its rules."""

from __future__ import annotations

import makers
import pdfa_made
import pikepdf
import pypdfium2
from pdfa_breaks import BREAKS
from pdfa_rules import broken
from readers import found, recognised

from tasks import outputs
from tasks.document import Document
from watcherd.model import Options

META = outputs.Meta("Letter", "in/Letter.jpg", "j-7f3a", "ab" * 32, 1_700_000_000)
ONE_PAGE = Document("pdf", "PDF", 1)


def built(path, into, fmt="pdfa", document=None, pages=None, **options):
    """Build a document in one format; return its path and what is said of it."""
    document = document or found(path)
    options = Options(formats=(fmt,), **options)
    if pages is None:
        pages = [into / f"page-{n}" for n in range(1, document.pages + 1)]
        for number, page in enumerate(pages, start=1):
            if not page.is_dir():
                page.mkdir(parents=True)
                recognised(path, number, options, page)
    into.mkdir(exist_ok=True)
    made = outputs.build(path, document, pages, options, META, into)
    return made.files[fmt], made.notes


def broken_so(source, name, target):
    with pikepdf.open(source) as pdf:
        BREAKS[name][1](pdf)
        pdf.save(
            target,
            min_version="1.7",
            compress_streams=False,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
        )
    return target


def made_rich(folder):
    """Return a rich PDF, its page's results, and the PDF/A made of it."""
    source = pdfa_made.rich(folder / "rich.pdf")
    page = folder / "page-1"
    page.mkdir()
    recognised(source, 1, Options(), page)
    made, notes = built(source, folder / "out", document=ONE_PAGE, pages=[page])
    assert notes == ()
    return source, page, made


def claims(path):
    """Return part and level of PDF/A that a file claims."""
    with pikepdf.open(path) as pdf, pdf.open_metadata() as xmp:
        return xmp.get("pdfaid:part"), xmp.get("pdfaid:conformance")


def sound(path):
    """Check that a file claims PDF/A-2b, keeps its rules, and is in order for qpdf."""
    assert claims(makers.checked(path)) == ("2", "B")
    assert broken(path) == []
    return path


def colours(path, page=0):
    """Return a page as a viewer shows it, in colour."""
    with pypdfium2.PdfDocument(path) as pdf:
        return pdf[page].render(scale=1).to_pil().copy()
