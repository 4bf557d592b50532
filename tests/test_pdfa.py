"""The output format pdfa: PDF/A-2b, or a plain PDF and the reason."""

from __future__ import annotations

import subprocess

import makers
import needs
import pikepdf
import pytest
from pdfa_breaks import BREAKS
from pdfa_desk import META, ONE_PAGE, broken_so, built, claims, colours, made_rich, sound
from pdfa_rules import broken
from PIL import ImageChops, ImageCms, ImageStat
from readers import recognised

from tasks.document import Document
from tasks.outputs.archival.claims import claim, intend
from tasks.outputs.archival.hindrances import ODD, hindrances
from tasks.outputs.archival.mending import mend
from tasks.outputs.describe import describe
from watcherd.model import Options

SHEET = makers.sheet()

MENDED = {
    *("LZW", "smoothed image", "alternate images", "image proxy", "note that is not printed"),
    *("link without flags", "note with looks for a mouse", "field with a script"),
    *("looks to be made anew", "script at opening", "script in a link", "script after a link"),
    *("program started by a link", "scripts by name", "printing by name", "script of a page"),
    *("script of the document", "no XML in an image's metadata", "layers without a name"),
    *("layers that switch", "layers not all listed", "presentation", "other presentations"),
    *("requirements", "other layers without a name", "note with looks under a mouse"),
}
"""Those of `BREAKS` that the product can put right with nothing seen changed."""


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """Give a rich PDF, its page's results, and the PDF/A made of it."""
    return made_rich(tmp_path_factory.mktemp("rich"))


def test_a_rich_pdf_becomes_pdfa(rich):
    """A PDF with pictures, fonts, layers, forms and links that breaks no rule is claimed."""
    source, _, made = rich
    sound(made)
    assert colours(made).tobytes() == colours(source).tobytes()
    with pikepdf.open(made) as pdf:
        assert str(pdf.docinfo["/Title"]) == "A rich page"
        with pdf.open_metadata() as xmp:
            assert xmp["dc:creator"] == ["Ann"]
            assert xmp["xmp:CreateDate"] == "2020-01-02T03:04:05+02:00"


@pytest.mark.parametrize("name", BREAKS)
def test_a_claim_is_true(rich, tmp_path, name):
    """Whatever a PDF breaks is put right with nothing seen changed, or PDF/A is not claimed."""
    path = broken_so(rich[0], name, tmp_path / "a.pdf")
    out, notes = built(path, tmp_path / "out", document=ONE_PAGE, pages=[rich[1]])
    if name in MENDED:
        sound(out)
        changed = ImageChops.difference(colours(out), colours(path))
        assert max(ImageStat.Stat(changed).mean) < 1  # smoothing is the viewer's choice
    else:
        assert claims(out) == (None, None)
        assert BREAKS[name][0].rsplit(".", 1)[0] in notes[0]
        assert notes[0].startswith("PDF/A-2b was not reached, a plain PDF was written: ")


def hindered(rich, change, tmp_path):
    """Change a rich PDF, and return the note that says why PDF/A was not reached."""
    path = tmp_path / "a.pdf"
    with pikepdf.open(rich[0]) as pdf:
        change(pdf)
        pdf.save(path, force_version=str(pdf.Root.get("/Wish", "1.7")))
    out, notes = built(path, tmp_path / "out", document=ONE_PAGE, pages=[rich[1]])
    assert claims(out) == ((None, None) if notes else ("2", "B"))
    return " ".join(notes)


def test_later_versions_are_not_claimed(rich, tmp_path):
    """PDF 2.0 came after PDF/A-2: such a file stays what it is."""
    note = hindered(rich, lambda pdf: pdf.Root.__setitem__("/Wish", "2.0"), tmp_path)
    assert "it is PDF 2.0" in note


def test_text_in_no_font_is_not_claimed(rich, tmp_path):
    """Text in a font that nobody has cannot look the same everywhere."""

    def show(pdf):
        plain_page(pdf, b"BT 20 20 Td /Nothing 12 Tf (A) Tj ET")

    assert "text is shown in a font that the resources do not hold" in hindered(
        rich, show, tmp_path
    )


def meant(space):
    """Return a change that lets a PDF be meant for other colours, and draw in those."""

    def change(pdf):
        profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
        profile[16:20] = space
        channels = {b"GRAY": 1, b"CMYK": 4}[space]
        intent = pikepdf.Dictionary(
            S=pikepdf.Name.GTS_PDFX, DestOutputProfile=pdf.make_stream(bytes(profile), N=channels)
        )
        pdf.Root.OutputIntents = pikepdf.Array([intent])
        pdf.docinfo["/GTS_PDFXVersion"] = "PDF/X-3:2002"

    return change


def plain_page(pdf, content):
    """Let a page draw this alone."""
    page = pdf.pages[0].obj
    page.Contents = pdf.make_stream(content)
    page.Resources = pikepdf.Dictionary()
    del page.Annots, pdf.Root.AcroForm, pdf.Root.OCProperties


def test_an_intent_for_inks_is_kept(rich, tmp_path):
    """A PDF that is meant for inks, with their profile, may use inks, and no RGB."""

    def inks(pdf):
        meant(b"CMYK")(pdf)
        plain_page(pdf, b"0 0 0 1 k 0 0 50 50 re f")

    assert hindered(rich, inks, tmp_path) == ""
    with pikepdf.open(tmp_path / "out" / "document.pdf") as pdf:
        (intent,) = pdf.Root.OutputIntents
        assert (intent.S, intent.DestOutputProfile.N) == ("/GTS_PDFA1", 4)
        assert "/GTS_PDFXVersion" not in pdf.docinfo  # it had another intent
    assert broken(tmp_path / "out" / "document.pdf") == []
    note = hindered(rich, meant(b"CMYK"), tmp_path)
    assert "DeviceRGB is used, but the document is meant for other colours" in note


def test_overprinted_inks_are_not_claimed(rich, tmp_path):
    """Inks with a profile that are printed over each other look different everywhere."""

    def overprint(pdf):
        meant(b"CMYK")(pdf)
        plain_page(pdf, b"/Gs gs /Ink cs 0 0 0 1 scn 0 0 50 50 re f")
        profile = pdf.Root.OutputIntents[0].DestOutputProfile
        pdf.pages[0].obj.Resources = pikepdf.Dictionary(
            ColorSpace=pikepdf.Dictionary(Ink=pikepdf.Array([pikepdf.Name.ICCBased, profile])),
            ExtGState=pikepdf.Dictionary(Gs=pikepdf.Dictionary(OPM=1, op=True)),
        )

    assert "(6.2.4.2)" in hindered(rich, overprint, tmp_path)


def test_resources_are_the_pages_own(rich, tmp_path):
    """What a page inherits stands in the page afterwards, as PDF/A asks (6.2.2)."""
    needs.needs("qpdf")
    with pikepdf.open(rich[0]) as pdf:
        page = pdf.pages[0].obj
        pdf.Root.Pages.Resources = page.Resources
        del page.Resources
        pdf.save(tmp_path / "a.pdf")
    out, _ = built(tmp_path / "a.pdf", tmp_path / "out", document=ONE_PAGE, pages=[rich[1]])
    plain = subprocess.run(["qpdf", "--qdf", out, "-"], capture_output=True, check=True).stdout
    nodes = [node for node in plain.split(b"endobj") if b"/Type /Pages" in node]
    assert nodes
    assert not any(b"/Resources" in node for node in nodes)


def keys(pdf):
    """Return every entry of every indirect object."""
    tables = (part for part in pdf.objects if isinstance(part, pikepdf.Dictionary | pikepdf.Stream))
    found = [(part.objgen, key) for part in tables for key in set(part.keys()) - {"/Length"}]
    return [place for place in found if place != (pdf.Root.objgen, "/Pages")]  # else it is no PDF


@pytest.mark.filterwarnings("ignore::pikepdf.PageCopyWarning")  # of the form that is broken
@pytest.mark.parametrize("value", [b"7", b"(odd)", b"/Odd", b"[]", b"<<>>"])
def test_odd_parts_are_survived(rich, tmp_path, value):
    """Whatever stands where something else should, nothing crashes, and a claim is true."""
    with pikepdf.open(rich[0]) as pdf:
        places = keys(pdf)
    for objgen, key in places:
        with pikepdf.open(rich[0]) as pdf:
            pdf.get_object(objgen)[key] = pikepdf.Object.parse(value)
            try:
                mend(pdf)
                found = hindrances(pdf)
            except ODD:
                continue
            if not found:
                describe(pdf, META)
                claim(pdf)
                intend(pdf)
                pdf.save(tmp_path / "a.pdf", deterministic_id=True)
                assert broken(tmp_path / "a.pdf") == [], (objgen, key)


def test_what_is_taken_out_is_told(rich, tmp_path):
    """A person learns that scripts and switching layers went."""
    said = set()
    for name in ("script in a link", "scripts by name", "layers that switch"):
        path = broken_so(rich[0], name, tmp_path / "a.pdf")
        said |= set(built(path, tmp_path / "out", document=ONE_PAGE, pages=[rich[1]])[1])
    assert said == {
        "actions that PDF/A forbids, such as scripts, were taken out",
        "layers no longer switch by themselves, for example when printed",
    }


def test_a_hindered_pdf_is_still_searchable(tmp_path):
    """A scan that cannot become PDF/A comes out with its text, and a note says where and why."""
    path = makers.scan_pdf([SHEET], tmp_path / "a.pdf")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        content = pdf.pages[0].obj.Contents.read_bytes()
        pdf.pages[0].obj.Contents = pdf.make_stream(b"q 0 0 0 0 k 0 0 1 1 re f Q " + content)
        pdf.save(path)
    out, notes = built(path, tmp_path / "out")
    assert makers.shown_text(out) == SHEET.text
    assert claims(out) == (None, None)
    assert notes == (
        (
            "PDF/A-2b was not reached, a plain PDF was written: page 1: DeviceCMYK is used, and "
            "nothing says what its inks look like (6.2.4.3)"
        ),
    )


def test_bytes_depend_on_nothing_else(tmp_path):
    """Built twice, an image and a PDF give the same PDF/A, byte by byte."""
    image = makers.saved(SHEET.image, tmp_path / "a.png")
    scan = makers.scan_pdf([SHEET], tmp_path / "b.pdf")
    for path in (image, scan):
        first, second = (built(path, tmp_path / path.stem)[0].read_bytes() for _ in range(2))
        assert first == second


@pytest.mark.parametrize("fmt", ["pdf", "pdfa"])
def test_fast_web_view(tmp_path, fmt):
    """Asked for, the file is in the order in which a browser can show it before it is whole."""
    needs.needs("qpdf")
    path = makers.scan_pdf([SHEET, SHEET], tmp_path / "a.pdf")
    said = {}
    for fast in (False, True):
        out, _ = built(path, tmp_path / "out", fmt, fast_web_view=fast)
        done = subprocess.run(["qpdf", "--check", out], capture_output=True, check=True)
        said[fast] = b"File is linearized" in done.stdout
        assert fmt == "pdf" or broken(out) == []
    assert said == {False: False, True: True}


def test_a_signed_pdf_is_passed_on(tmp_path):
    """A signed PDF comes out byte by byte, with the reason."""
    path = makers.text_pdf(["I agree to all of this"], tmp_path / "a.pdf")
    page = tmp_path / "page-1"
    page.mkdir()
    recognised(path, 1, Options(), page)
    document = Document("pdf", "PDF", 1, signed=True)
    out, notes = built(path, tmp_path / "out", document=document, pages=[page])
    assert out.read_bytes() == path.read_bytes()
    assert "PDF/A-2b was not reached: the PDF is signed, and any change would break that" in notes


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("francais.pdf", "fra"),
        ("letter-de-digital.pdf", "eng"),
        ("map-cmyk.jpg", "eng"),
        ("mixed-6.pdf", "eng"),
        ("owner-password-only.pdf", "eng"),
        ("phototest.tif", "eng"),
        ("picture-no-text.png", "eng"),
        ("wikipedia-de-scan.pdf", "eng"),
    ],
)
def test_real_documents_become_pdfa(tmp_path, name, language):
    """Scans and PDFs of many makers become PDF/A-2b, and look as before."""
    needs.needs("corpus", f"language:{language}")
    path = needs.corpus() / name
    out, notes = built(path, tmp_path / "out", languages=(language,))
    sound(out)
    assert not [note for note in notes if "not reached" in note]
    if path.suffix == ".pdf":
        assert makers.rendered(out, dpi=72).tobytes() == makers.rendered(path, dpi=72).tobytes()


def test_verapdf_agrees(rich, tmp_path):
    """The reference validator finds nothing in what our rules let pass."""
    needs.needs("verapdf")
    image, _ = built(makers.saved(SHEET.image, tmp_path / "a.jpg"), tmp_path / "out")
    for path in (rich[2], image):
        done = subprocess.run(
            ["verapdf", "--flavour", "2b", "--format", "text", path],
            capture_output=True,
            check=False,
        )
        assert done.stdout.startswith(b"PASS"), done.stdout
