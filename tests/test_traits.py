"""What a PDF says of itself: signatures, forms of other kinds, collections."""

from __future__ import annotations

import makers
import pdfs
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String
from readers import found


def document(tmp_path, change=lambda _pdf: None):
    return pdfs.changed(makers.text_pdf(["I agree to all of this"], tmp_path / "a.pdf"), change)


def perms(**entries):
    def change(pdf):
        pdf.Root.Perms = Dictionary(**entries)

    return change


def flags(value):
    def change(pdf):
        pdf.Root.AcroForm = Dictionary(SigFlags=value, Fields=Array())

    return change


def child_field(pdf):
    """Sign in a field that has its kind from its parent, and no flags."""
    kid = pdf.make_indirect(Dictionary(V=pdf.make_indirect(pdfs.signature("Ann")), T=String("b")))
    parent = pdf.make_indirect(Dictionary(FT=Name.Sig, T=String("a"), Kids=Array([kid])))
    kid.Parent = parent
    pdf.Root.AcroForm = Dictionary(Fields=Array([parent]))


def widget_alone(pdf):
    """Sign in a field that no list names."""
    field = Dictionary(FT=Name.Sig, Subtype=Name.Widget, V=pdfs.signature("Ann"))
    pdf.pages[0].obj.Annots = Array([pdf.make_indirect(field)])


def text_with_range(pdf):
    """Say the word of signatures in a field that is none."""
    pdf.Root.AcroForm = Dictionary(
        Fields=Array([Dictionary(FT=Name.Tx, V=String("/ByteRange"), T=String("a"))])
    )


@pytest.mark.filterwarnings("ignore:This document has")  # for making it
@pytest.mark.parametrize(
    ("change", "signed"),
    [
        (lambda _pdf: None, False),
        (flags(3), True),
        (flags(2), True),
        (flags(1), False),  # a field is there to be signed
        (flags(String("odd")), False),
        (perms(DocMDP=pdfs.signature("Ann")), True),
        (perms(UR3=pdfs.signature("Ann")), True),
        (perms(), False),
        (child_field, True),
        (widget_alone, True),
        (text_with_range, False),
    ],
)
def test_signatures_are_seen(tmp_path, change, signed):
    """A signature is seen wherever it stands; what only speaks of one is none."""
    assert found(document(tmp_path, change)).signed == signed


@pytest.mark.parametrize("name", ["Ann", ""])
def test_a_field_to_sign_is_no_signature(tmp_path, name):
    """A signature field is a signature once it has a value."""
    path = pdfs.add_field(document(tmp_path), name, kind="/Sig")
    assert found(path).signed == bool(name)


def test_signed_scan_is_passed_on_and_read(tmp_path):
    """A signed scan comes out byte by byte; its text is in the other formats, and a note why."""
    path = makers.scan_pdf([pdfs.SHEET], tmp_path / "a.pdf")
    pdfs.add_field(path, "Ann", kind="/Sig")
    made = pdfs.made(path, tmp_path / "out")
    assert made.files["pdf"].read_bytes() == path.read_bytes()
    assert made.text == pdfs.SHEET.text
    assert [note[:38] for note in made.document.notes] == ["the PDF is signed and was passed on un"]


def test_small_damage_does_not_touch_a_signature(tmp_path):
    """A signed PDF that all readers can read is not repaired."""
    path = document(tmp_path, child_field)
    path.write_bytes(path.read_bytes().replace(b"startxref\n", b"startxref\n1"))
    made = pdfs.made(path, tmp_path / "out")
    assert made.document.signed
    assert made.files["pdf"].read_bytes() == path.read_bytes()


def test_signature_behind_a_password_is_lost_with_a_note(tmp_path):
    """A signature does not outlive the taking away of a password: the result says so."""
    path = document(tmp_path, child_field)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, encryption=pikepdf.Encryption(user="sesame", owner="owner"))
    made = pdfs.made(path, tmp_path / "out", ("sesame",))
    assert not made.document.signed
    assert "the PDF was signed; only the original keeps that signature" in made.document.notes
    assert makers.shown_text(made.out) == "I agree to all of this"


@pytest.mark.parametrize(("dynamic", "says"), [(True, "only Adobe Reader"), (False, "also a form")])
def test_forms_of_xml_are_told(tmp_path, dynamic, says):
    """A form that PDF readers do not show has a note, and is kept as it is."""

    def change(pdf):
        pdf.Root.AcroForm = Dictionary(XFA=pdf.make_stream(b"<xdp/>"), Fields=Array())
        if dynamic:
            pdf.Root.NeedsRendering = True

    made = pdfs.made(document(tmp_path, change), tmp_path / "out")
    assert [says in note for note in made.document.notes] == [True]
    with pikepdf.open(made.out) as pdf:
        assert pdf.Root.AcroForm.XFA.read_bytes() == b"<xdp/>"


@pytest.mark.parametrize("nested", [True, False])
def test_collections_keep_their_files(tmp_path, nested):
    """Of a portfolio the pages are read; how many files it carries is told, and they are kept."""

    def change(pdf):
        pdf.Root.Collection = Dictionary(Type=Name.Collection)
        for name in ("a.txt", "b.txt", "c.txt"):
            pdf.attachments[name] = name.encode()
        if nested:
            tree = pdf.make_indirect(pdf.Root.Names.EmbeddedFiles)
            pdf.Root.Names.EmbeddedFiles = pdf.make_indirect(Dictionary(Kids=Array([tree])))
            tree.Kids = Array([pdf.Root.Names.EmbeddedFiles])  # round in a circle

    made = pdfs.made(document(tmp_path, change), tmp_path / "out")
    assert [note[:40] for note in made.document.notes] == [
        "the PDF is a portfolio: 3 attached files"
    ]
    if not nested:
        with pikepdf.open(made.out) as pdf:
            assert {
                name: file.get_file().read_bytes() for name, file in pdf.attachments.items()
            } == {name: name.encode() for name in ("a.txt", "b.txt", "c.txt")}


@pytest.mark.parametrize("broken", [String("x"), Array([1]), Name.Odd, 7])
def test_nonsense_in_the_catalog_is_survived(tmp_path, broken):
    """Entries of the wrong kind say nothing, and stop nothing."""

    def change(pdf):
        for key in ("/AcroForm", "/Perms", "/Names", "/Collection", "/NeedsRendering"):
            pdf.Root[key] = broken

    made = pdfs.made(document(tmp_path, change), tmp_path / "out")
    assert made.text == "I agree to all of this"
