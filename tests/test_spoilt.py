"""Images that are cut short inside a sound PDF."""

from __future__ import annotations

import zlib

import makers
import pdfs
import pikepdf
import pypdfium2
import pytest
from pikepdf import Name

from tasks.pdfs import spoilt

IMAGE = pdfs.SHEET.image
PLAIN = IMAGE.tobytes()


def packed(path, filters, data):
    """Make a scan whose image is packed like that."""
    makers.scan_pdf([pdfs.SHEET], path)

    def change(pdf):
        image = pdf.pages[0].obj.Resources.XObject.Scan
        image.write(data, filter=[Name(f"/{one}") for one in filters])

    return pdfs.changed(path, change)


def notes(path):
    with pypdfium2.PdfDocument(path) as pdf:
        return spoilt.notes(pdf[0])


KINDS = {
    "jpeg": (["DCTDecode"], makers.encoded(IMAGE, "JPEG", quality=90)),
    "jpeg 2000": (["JPXDecode"], makers.encoded(IMAGE, "JPEG2000")),
    "deflated": (["FlateDecode"], zlib.compress(PLAIN)),
    "jpeg, deflated": (["FlateDecode", "DCTDecode"], zlib.compress(makers.encoded(IMAGE, "JPEG"))),
}


@pytest.mark.parametrize("kind", KINDS)
def test_whole_images_are_not_named(tmp_path, kind):
    """An image that is all there, however packed, has no note; also with bytes behind it."""
    filters, data = KINDS[kind]
    assert notes(packed(tmp_path / "a.pdf", filters, data)) == ()
    assert notes(packed(tmp_path / "b.pdf", filters, data + b"\r\n")) == ()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.2, 0.8])
def test_cut_images_are_named(tmp_path, kind, part):
    """An image of which a part is missing has a note, though every reader shows the rest."""
    filters, data = KINDS[kind]
    path = packed(tmp_path / "a.pdf", filters, data[: int(part * len(data))])
    assert len(notes(path)) == 1
    made = pdfs.made(path, tmp_path / "out")
    assert "an image on the page is damaged; what is left of it was read" in made.facts[0].notes
    with pikepdf.open(path) as old, pikepdf.open(made.files["pdf"]) as new:
        one, other = (pdf.pages[0].obj.Resources.XObject.Scan for pdf in (old, new))
        assert one.read_raw_bytes() == other.read_raw_bytes()


def test_missing_checksum_is_no_missing_row(tmp_path):
    """A deflated image without its last bytes, which are no pixels, is whole."""
    assert notes(packed(tmp_path / "a.pdf", ["FlateDecode"], zlib.compress(PLAIN)[:-4])) == ()


def test_garbled_bytes_are_named(tmp_path):
    """An image that cannot be unpacked is damaged."""
    data = bytearray(zlib.compress(PLAIN))
    data[len(data) // 2 :] = b"\xff" * (len(data) - len(data) // 2)
    assert len(notes(packed(tmp_path / "a.pdf", ["FlateDecode"], bytes(data)))) == 1


def test_images_in_forms_are_looked_at(tmp_path):
    """An image that the page draws through a form counts too."""
    path = packed(tmp_path / "a.pdf", *KINDS["jpeg"][:1], KINDS["jpeg"][1][:-500])

    def change(pdf):
        page = pdf.pages[0]
        form = pdf.make_stream(pdfs.streams(pdf)[0], Type=Name.XObject, Subtype=Name.Form)
        form.BBox, form.Resources = page.obj.MediaBox, page.obj.Resources
        page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Form=form))
        page.obj.Contents = pdf.make_stream(b"/Form Do")

    assert len(notes(pdfs.changed(path, change))) == 1
