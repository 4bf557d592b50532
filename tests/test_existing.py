"""The text that a PDF page already has, and whether it is one to keep."""

from __future__ import annotations

import makers
import pdfs
import pikepdf
import pypdfium2
import pytest

from tasks import hocr
from tasks.pdfs import existing, pagewords

SHORT = ["Page 3 of 9"]
LONG = ["This is the first line of it", "and here is a second line", "and then one more"]
BANNER = "Envelope ID 1F2E3D4C-5B6A-7988-9796-A5B4C3D2E1F0 of a signing service"


def on_a_scan(tmp_path, lines, mode, **how):
    """Put text over a scan that covers the whole page."""
    path = makers.scan_pdf([makers.sheet()], tmp_path / "scan.pdf")
    return pdfs.write_over(path, lines, mode=mode, **how)


def judged(path):
    with pypdfium2.PdfDocument(path) as pdf:
        return existing.judge(pdf[0])


def own(path):
    with pypdfium2.PdfDocument(path) as pdf:
        pdf.init_forms()
        return existing.own_text(pdf, 1)


@pytest.mark.parametrize("lines", [SHORT, LONG])
def test_digital_text_is_taken(tmp_path, lines):
    """A page of text without a scan has its text, line by line, however little it is."""
    path = makers.text_pdf(lines, tmp_path / "a.pdf")
    assert judged(path) is None
    assert own(path).text == "\n".join(lines) + "\n"


def test_long_text_on_a_scan_is_taken(tmp_path):
    """A scan with a whole text over it has its text."""
    path = on_a_scan(tmp_path, LONG, 0)
    assert judged(path) is None
    assert makers.folded(own(path).text) == " ".join(LONG)


def test_stamp_on_a_scan_is_not_its_text(tmp_path):
    """A page number printed over a scan does not keep it from being recognised."""
    lack = judged(on_a_scan(tmp_path, SHORT, 0))
    assert lack is not None
    assert not lack.strip
    assert not lack.notes
    assert len(lack.kept) == 4  # its words


@pytest.mark.parametrize(("height", "kept"), [(4, True), (156, True), (80, False)])
def test_banner_at_an_edge_is_not_its_text(tmp_path, height, kept):
    """A line that a service prints at the edge of every scan is none; in its middle it is text."""
    path = makers.scan_pdf([makers.sheet()], tmp_path / "a.pdf")
    pdfs.write_over(path, [])

    def change(pdf):
        drawn = f"BT /F 7 Tf 20 {height} Td ({BANNER}) Tj ET".encode()
        pdf.pages[0].contents_add(pdf.make_stream(drawn))

    assert (judged(pdfs.changed(path, change)) is not None) == kept


def test_invisible_text_on_a_scan_is_taken(tmp_path):
    """An invisible layer over a scan is somebody's recognition of it."""
    path = on_a_scan(tmp_path, LONG, 3)
    assert judged(path) is None
    assert makers.folded(own(path).text) == makers.folded(" ".join(LONG))


def test_a_hidden_number_is_no_recognition(tmp_path):
    """Beside a barcode's value or a batch's number over a scan, the page is read all the same."""
    lack = judged(on_a_scan(tmp_path, SHORT, 3))
    assert lack is not None
    assert not lack.strip
    assert len(lack.kept) == len(SHORT[0].split())


@pytest.mark.parametrize("lines", [[], ["..."], [" - "]])
def test_no_letters_are_no_text(tmp_path, lines):
    """A page whose text has no letter or digit has none, which is nothing to talk about."""
    assert judged(makers.text_pdf(lines, tmp_path / "a.pdf")) == existing.Lack()


@pytest.mark.parametrize("mode", [0, 3])
def test_text_that_says_nothing_is_no_text(tmp_path, mode):
    """Letters without a meaning are none; hidden ones are to be taken out, and people are told."""
    lack = judged(on_a_scan(tmp_path, LONG, mode, dumb=True))
    assert lack is not None
    assert lack.strip == (mode == 3)
    assert len(lack.notes) == 1


def test_broken_layer_below_a_stamp(tmp_path):
    """Hidden and painted text are judged apart: a stamp does not save a layer of nonsense."""
    path = on_a_scan(tmp_path, LONG, 3, dumb=True)

    def change(pdf):
        pdf.pages[0].Resources.Font.G = pdfs.helvetica()
        pdf.pages[0].contents_add(pdf.make_stream(b"BT /G 9 Tf 0 Tr 20 4 Td (Page 3 of 9) Tj ET"))

    lack = judged(pdfs.changed(path, change))
    assert lack is not None
    assert lack.strip
    assert len(lack.kept) == 4


def test_words_keep_their_places(tmp_path):
    """The hOCR of a digital page has its words where the page shows them."""
    path = makers.text_pdf(LONG, tmp_path / "a.pdf")
    lines = hocr.parse(own(path).page)
    assert [hocr.line_text(line) for line in lines] == LONG
    page = makers.rendered(path, dpi=300)
    for line in lines:
        for word in line.words:
            left, top, right, bottom = word.box
            around = page.crop((left - 2, top - 2, right + 2, bottom + 2))
            ink = around.point(lambda v: 255 * (v < 128)).getbbox()
            assert ink is not None, word
            assert makers.overlap((0, 0, *around.size), ink) > 0.6


@pytest.mark.parametrize("appearance", [True, False])
def test_filled_in_fields_are_text(tmp_path, appearance):
    """What somebody filled into a form is read with the page, also if readers must draw it."""
    path = makers.text_pdf(LONG, tmp_path / "a.pdf")
    pdfs.add_field(path, "Margaret Hamilton", appearance=appearance)
    assert makers.folded(own(path).text) == " ".join([*LONG, "Margaret Hamilton"])


def test_comments_on_a_page_are_text(tmp_path):
    """Words that a reader has typed over a page are read with it; hidden ones are not."""
    path = makers.text_pdf(LONG, tmp_path / "a.pdf")

    def change(pdf):
        notes = []
        for flags, words in ((4, "Approved by Grace"), (2, "Never seen")):
            drawn = f"BT /F 12 Tf 2 4 Td ({words}) Tj ET".encode()
            form = pdf.make_stream(drawn, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form)
            form.BBox = pikepdf.Array([0, 0, 150, 20])
            form.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=pdfs.helvetica()))
            note = pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.FreeText,
                Rect=pikepdf.Array([100, 40, 250, 60]),
                F=flags,
                AP=pikepdf.Dictionary(N=form),
            )
            notes.append(pdf.make_indirect(note))
        pdf.pages[0].obj.Annots = pikepdf.Array(notes)

    assert own(pdfs.changed(path, change)).text.endswith("Approved by Grace\n")


def test_a_hyphen_at_the_end_of_a_line_stays_there(tmp_path):
    """A word that is parted at a line's end keeps its hyphen, its line, and two places."""
    path = makers.text_pdf(["Please send the confir-", "mation to our office"], tmp_path / "a.pdf")
    with pypdfium2.PdfDocument(path) as pdf:
        assert "\ufffe" in pagewords.text_of(pdf[0])  # what pdfium makes of it
        assert pagewords.tidy(pagewords.text_of(pdf[0])).splitlines() == [
            "Please send the confir-",
            "mation to our office",
        ]
        first, second = pagewords.lines(pdf[0])
    assert first[-1][0] == "confir-"
    assert second[0][0] == "mation"
    assert first[-1][1][1] > second[0][1][3]  # above it, y up
