"""What a PDF says of itself: once in each of two places, and which standards it keeps."""

from __future__ import annotations

import shutil

import makers
import pikepdf
import pytest
from pdfa_desk import ONE_PAGE, built, claims, made_rich, sound
from pdfa_rules import broken

SHEET = makers.sheet()


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """Give a rich PDF, its page's results, and the PDF/A made of it."""
    return made_rich(tmp_path_factory.mktemp("rich"))


def claimed(path, part, level, *, more=""):
    """Let a PDF claim what it may, with metadata that PDF/A does not define."""
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        with pdf.open_metadata(set_pikepdf_as_editor=False) as xmp:
            xmp["pdfaid:part"] = part
            xmp["pdfaid:conformance"] = level
            xmp["{http://www.aiim.org/pdfua/ns/id/}part"] = "1"
            if more:
                xmp["prism:doi"] = more
        pdf.save(path)
    return path


@pytest.mark.parametrize(("part", "level"), [("1", "B"), ("2", "U"), ("2", "A"), ("3", "B")])
def test_higher_claims_are_kept_without_a_layer(rich, tmp_path, part, level):
    """A PDF/A that needs no text stays what it is as a plain PDF; as PDF/A it is part 2."""
    path = claimed(shutil.copy(rich[0], tmp_path / "a.pdf"), part, level)
    plain, _ = built(path, tmp_path / "out", "pdf", document=ONE_PAGE, pages=[rich[1]])
    assert claims(plain) == (part, level)
    out, _ = built(path, tmp_path / "out", document=ONE_PAGE, pages=[rich[1]])
    assert claims(out) == ("2", level if part != "1" else "B")


@pytest.mark.parametrize(
    ("part", "level", "left"), [("1", "A", "B"), ("2", "A", "U"), ("1", "B", "B"), ("2", "B", "B")]
)
def test_a_layer_without_tags_takes_back_level_a(tmp_path, part, level, left):
    """With text laid under its page a PDF no longer claims to be tagged as a whole."""
    path = claimed(makers.scan_pdf([SHEET], tmp_path / "a.pdf"), part, level)
    out, _ = built(path, tmp_path / "out", "pdf")
    assert claims(out) == (part, left)
    assert b"pdfua" not in pikepdf.open(out).Root.Metadata.read_bytes()


def test_unknown_metadata_is_left_out_and_told(tmp_path):
    """Metadata that PDF/A does not define goes, unless the PDF defines it; a note tells what."""
    path = claimed(makers.scan_pdf([SHEET], tmp_path / "a.pdf"), "1", "B", more="10.1000/182")
    out, notes = built(path, tmp_path / "out")
    sound(out)
    assert notes == ("metadata that PDF/A does not define was left out: doi",)


@pytest.mark.parametrize("fmt", ["pdf", "pdfa"])
def test_both_metadata_say_the_same(tmp_path, fmt):
    """What a PDF said of itself in either place is in both afterwards, its own title first."""
    path = makers.scan_pdf([SHEET], tmp_path / "a.pdf")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as xmp:
            xmp["dc:title"] = "From XMP"
            xmp["dc:creator"] = ["Somebody else"]
            xmp["xmp:CreateDate"] = "1999-01-01T00:00:00Z"
        pdf.docinfo["/Author"] = "Ann \x01"
        pdf.docinfo["/Subject"] = "Pancakes & more"
        pdf.docinfo["/Producer"] = "A scanner"
        pdf.docinfo["/CreationDate"] = "D:20200102030405-08'00'"
        pdf.save(path)
    out, _ = built(path, tmp_path / "out", fmt)
    assert [said for clause, said in broken(out) if clause == "6.6.3"] == []
    with pikepdf.open(out) as pdf, pdf.open_metadata() as xmp:
        assert str(pdf.docinfo["/Title"]) == xmp["dc:title"] == "From XMP"
        assert xmp["dc:description"] == "Pancakes & more"
        assert xmp["xmp:CreateDate"] == "2020-01-02T03:04:05-08:00"
