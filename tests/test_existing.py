"""The text that a PDF page already has."""

from __future__ import annotations

import makers
import pypdfium2
import pytest

from tasks import existing, hocr

SHORT = ["Page 3 of 9"]
LONG = ["This is the first line of it", "and here is a second line"]


def on_a_scan(tmp_path, lines, mode):
    """Put text over a scan that covers the whole page."""
    import pikepdf  # noqa: PLC0415  -- for one function

    text = makers.text_pdf(lines, tmp_path / "text.pdf", mode=mode)
    path = makers.scan_pdf([makers.sheet()], tmp_path / "scan.pdf")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf, pikepdf.open(text) as over:
        page = pdf.pages[0]
        page.add_overlay(over.pages[0], pikepdf.Rectangle(page.mediabox))
        pdf.save(path)
    return path


def real_text(path):
    with pypdfium2.PdfDocument(path) as pdf:
        return existing.real_text(pdf[0])


@pytest.mark.parametrize("lines", [SHORT, LONG])
def test_digital_text_is_taken(tmp_path, lines):
    """A page of text without a scan has its text, line by line, however little it is."""
    path = makers.text_pdf(lines, tmp_path / "a.pdf")
    assert real_text(path) == "\n".join(lines) + "\n"


def test_long_text_on_a_scan_is_taken(tmp_path):
    """A scan with a whole text over it has been recognised before."""
    assert makers.folded(real_text(on_a_scan(tmp_path, LONG, 0))) == " ".join(LONG)


def test_stamp_on_a_scan_is_not_its_text(tmp_path):
    """A page number printed over a scan does not keep it from being recognised."""
    assert real_text(on_a_scan(tmp_path, SHORT, 0)) is None


def test_invisible_text_on_a_scan_is_taken(tmp_path):
    """A few invisible words over a scan are somebody's recognition of it."""
    assert makers.folded(real_text(on_a_scan(tmp_path, SHORT, 3))) == SHORT[0]


@pytest.mark.parametrize("lines", [[], ["..."], [" - "]])
def test_no_letters_are_no_text(tmp_path, lines):
    """A page whose text has no letter or digit has none."""
    assert real_text(makers.text_pdf(lines, tmp_path / "a.pdf")) is None


def test_words_keep_their_places(tmp_path):
    """The hOCR of a digital page has its words where the page shows them."""
    path = makers.text_pdf(LONG, tmp_path / "a.pdf")
    with pypdfium2.PdfDocument(path) as pdf:
        lines = hocr.parse(existing.page_hocr(pdf[0]))
    assert [hocr.line_text(line) for line in lines] == LONG
    page = makers.rendered(path, dpi=existing.DPI)
    for line in lines:
        for word in line.words:
            left, top, right, bottom = word.box
            around = page.crop((left - 2, top - 2, right + 2, bottom + 2))
            ink = around.point(lambda v: 255 * (v < 128)).getbbox()
            assert ink is not None, word
            assert makers.overlap((0, 0, *around.size), ink) > 0.6
