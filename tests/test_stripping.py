"""Hidden text is taken out of a page, and nothing else."""

from __future__ import annotations

import makers
import pdfs
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from tasks.pdfs import stripping

LONG = ["Zqx nonsense of the first", "Kvw nonsense of the second"]


def scan(tmp_path, name="a.pdf"):
    return makers.scan_pdf([pdfs.SHEET, pdfs.SHEET], tmp_path / name)


def stripped(path):
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        stripping.strip_hidden(pdf, pdf.pages[0])
        pdf.save(path)
    return makers.checked(path)


def draw(path, content, **forms):
    """Add content to the first page, and forms that it may draw."""

    def change(pdf):
        page = pdf.pages[0]
        page.obj.Resources.Font = Dictionary(F=pdfs.helvetica())
        for name, drawn in forms.items():
            form = pdf.make_stream(drawn, Type=Name.XObject, Subtype=Name.Form)
            form.BBox = Array([0, 0, 400, 400])
            form.Resources = Dictionary(Font=Dictionary(F=pdfs.helvetica()))
            page.obj.Resources.XObject[f"/{name}"] = form
        page.obj.Contents = Array(
            [
                pdf.make_stream(b"q"),
                page.obj.Contents,
                pdf.make_stream(b"Q\n" + content),
            ]
        )

    return pdfs.changed(path, change)


@pytest.mark.parametrize(
    ("content", "left"),
    [
        (b"BT /F 9 Tf 3 Tr 20 9 Td (Gone) Tj 0 Tr 0 20 Td (Stays) Tj ET", "Stays"),
        (b"3 Tr q 0 Tr BT /F 9 Tf 20 9 Td (Stays) Tj ET Q BT 20 30 Td (Gone) Tj ET", "Stays"),
        (b"BT /F 9 Tf 3 Tr 20 40 Td [(Go) -20 (ne)] TJ T* (Gone) ' 1 2 (Gone) \" ET", ""),
        (b"BT /F 9 Tf 1 Tr 20 9 Td (Stays) Tj ET", "Stays"),
        (b"Q Q BT /F 9 Tf 3 Tr (Gone) Tj ET Q BT /F 9 Tf 0 Tr 20 9 Td (Stays) Tj ET", "Stays"),
    ],
)
def test_text_goes_by_its_mode(tmp_path, content, left):
    """Only what is shown in mode 3 goes, as the graphics state says it, saved and restored."""
    path = draw(scan(tmp_path), content)
    before = makers.rendered(path)
    assert makers.shown_text(stripped(path)) == left
    assert makers.rendered(path).tobytes() == before.tobytes()


def test_lines_after_hidden_ones_keep_their_place(tmp_path):
    """Operators that begin a line and set spaces do so without their text."""
    content = b"BT /F 9 Tf 12 TL 3 Tr 20 60 Td (A) ' 5 1 (B) \" 0 Tr (Seen here) ' ET"
    path = draw(scan(tmp_path), content)
    before = makers.rendered(path)
    assert makers.rendered(stripped(path)).tobytes() == before.tobytes()
    assert makers.shown_text(path) == "Seen here"


def test_forms_lose_theirs_in_copies(tmp_path):
    """A form that two pages draw loses its hidden text on the page that is stripped alone."""
    layer = b"BT /F 9 Tf 3 Tr 20 9 Td (Hidden) Tj ET BT 0 Tr 20 30 Td (Seen) Tj ET"
    path = draw(scan(tmp_path), b"/Layer Do", Layer=layer)

    def share(pdf):
        pdf.pages[1].obj.Resources = pdf.make_indirect(pdf.pages[0].obj.Resources)
        pdf.pages[0].obj.Resources = pdf.pages[1].obj.Resources
        pdf.pages[1].obj.Contents = pdf.pages[0].obj.Contents

    pdfs.changed(path, share)
    with pikepdf.open(path) as pdf:
        content = pdfs.streams(pdf)
    out = stripped(path)
    assert makers.shown_text(out, 1) == "Seen"
    assert makers.shown_text(out, 2) == "Hidden Seen"
    with pikepdf.open(out) as pdf:
        assert pdfs.streams(pdf) == content


def test_forms_in_hidden_mode_are_hidden(tmp_path):
    """A form goes on in the mode in which it is drawn."""
    path = draw(scan(tmp_path), b"3 Tr /Layer Do", Layer=b"BT /F 9 Tf 20 9 Td (Hidden) Tj ET")
    assert makers.shown_text(stripped(path)) == ""


def test_form_that_draws_itself_ends(tmp_path):
    """A form that draws itself is followed once."""
    path = draw(scan(tmp_path), b"/Layer Do", Layer=b"BT 3 Tr /F 9 Tf (Hidden) Tj ET /Layer Do")

    def loop(pdf):
        form = pdf.pages[0].obj.Resources.XObject.Layer
        form.Resources.XObject = Dictionary(Layer=form)

    assert makers.shown_text(stripped(pdfs.changed(path, loop))) == ""


def test_forms_in_forms_by_the_thousand_end(tmp_path):
    """Forms that draw two forms each, twenty deep, are looked at once each."""
    deepest = b"BT 3 Tr /F 9 Tf (Hidden) Tj ET"
    path = draw(scan(tmp_path), b"/Form0 Do", **{f"Form{n}": deepest for n in range(21)})

    def nest(pdf):
        forms = pdf.pages[0].obj.Resources.XObject
        for n in range(20):
            forms[f"/Form{n}"].write(b"/A Do /B Do")
            below = forms[f"/Form{n + 1}"]
            forms[f"/Form{n}"].Resources.XObject = Dictionary(A=below, B=below)

    with pikepdf.open(stripped(pdfs.changed(path, nest))) as pdf:
        form = pdf.pages[0].obj.Resources.XObject.Form0
        for _ in range(20):
            form = form.Resources.XObject.B
        assert b"Hidden" not in form.read_bytes()


def test_inline_images_stay(tmp_path):
    """An image inside the content comes out as it went in."""
    image = b"q 40 0 0 40 300 10 cm BI /W 2 /H 2 /CS /G /BPC 8 ID \x00\x80\xc0\x40 EI Q "
    path = draw(scan(tmp_path), image + b"BT /F 9 Tf 3 Tr (Hidden) Tj ET")
    before = makers.rendered(path)
    assert makers.rendered(stripped(path)).tobytes() == before.tobytes()
    assert makers.shown_text(path) == ""


def test_page_without_hidden_text_stays(tmp_path):
    """Content with nothing to take out is the same, byte by byte, with its odd spaces."""
    path = draw(scan(tmp_path), b"BT   /F 9 Tf\r\n 20.500 9 Td (Stays)Tj ET")
    with pikepdf.open(path) as pdf:
        before = pdfs.streams(pdf)
    with pikepdf.open(stripped(path)) as pdf:
        assert pdfs.streams(pdf) == before
