"""A document out of its pages' results."""

from __future__ import annotations

import json
import re
import subprocess
from shutil import which
from xml.etree import ElementTree as ET

import makers
import pikepdf
import pytest
from PIL import Image, ImageChops, ImageStat
from readers import found, recognised

from tasks import outputs
from tasks.pictures import pixels
from watcherd.formats import FORMATS
from watcherd.model import Limits, Options

META = outputs.Meta("Letter from Ann", "in/Letter from Ann.jpg", "j-7f3a", "ab" * 32, 1_700_000_000)
SHEET = makers.sheet()


def made(path, into, *, formats=("pdf",), meta=META):
    """Recognise every page of a document and build it."""
    options = Options(formats=formats)
    document = found(path, Limits())
    folders = []
    for number in range(1, document.pages + 1):
        folder = into / f"page-{number}"
        if not folder.exists():
            folder.mkdir(parents=True)
            recognised(path, number, options, folder)
        folders.append(folder)
    return outputs.build(path, document, folders, options, meta, into).files


def found_words(path, sheet, page=1, least=0.5):
    """Check that each word of the sheet is selected where its ink is."""
    found = makers.shown_words(path, page)
    assert sorted(word for word, _ in found) == sorted(word for word, _ in sheet.words)
    for word, ink in sheet.words:
        assert max(makers.overlap(ink, box) for text, box in found if text == word) > least, word


def alike(path, image, page=1):
    """Check that a viewer shows the image on the whole page."""
    shown = makers.rendered(path, page)
    assert shown.size == pytest.approx(image.size, abs=1)
    difference = ImageChops.difference(shown.resize(image.size), image.convert("L"))
    assert ImageStat.Stat(difference).mean[0] < 2


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_turned_pages_keep_their_look(tmp_path, turned, kind):
    """A turned scan is shown as it was scanned, its words selected where their ink is."""
    sheet = SHEET.turned(turned)
    path = tmp_path / f"a.{kind}"
    if kind == "pdf":
        makers.scan_pdf([sheet], path)
    else:
        makers.saved(sheet.image, path)
    out = makers.checked(made(path, tmp_path / "out")["pdf"])
    alike(out, sheet.image)
    found_words(out, sheet)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_shown(tmp_path, orientation):
    """A photo is shown upright for all eight orientations, its bytes untouched."""
    undo = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    stored = SHEET.image if undo is None else SHEET.image.transpose(Image.Transpose(undo))
    exif = Image.Exif()
    exif[pixels.ORIENTATION] = orientation
    path = makers.saved(stored, tmp_path / "a.jpg", exif=exif, quality=95)
    out = makers.checked(made(path, tmp_path / "out")["pdf"])
    alike(out, SHEET.image)
    found_words(out, SHEET)
    with pikepdf.open(out) as pdf:
        assert pdf.pages[0].obj.Resources.XObject.Im0.read_raw_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "page",
    [
        {"Rotate": 90},
        {"Rotate": 180},
        {"Rotate": 270},
        {"MediaBox": [100, -50, 460, 115.6]},
        {"MediaBox": [20, 20, 380, 185.6], "CropBox": [30, 25, 370, 180], "Rotate": 90},
        {"UserUnit": 2},
    ],
)
def test_pdf_pages_with_a_frame_of_their_own(tmp_path, page):
    """The text lies on the ink whatever a page's origin, crop, rotation or unit."""
    path = makers.scan_pdf([SHEET], tmp_path / "a.pdf", **page)
    out = makers.checked(made(path, tmp_path / "out")["pdf"])
    before, after = makers.rendered(path), makers.rendered(out)
    assert before.tobytes() == after.tobytes()
    dark = after.point(lambda v: 255 * (v < 128))
    found = makers.shown_words(out)
    assert sorted(word for word, _ in found) == sorted(SHEET.text.split())
    for word, box in found:
        ink = dark.crop(box).getbbox()
        assert ink is not None, word
        assert makers.overlap((0, 0, box[2] - box[0], box[3] - box[1]), ink) > 0.5, word


def test_phrases_are_found(tmp_path):
    """A viewer finds phrases, and copies lines in their order."""
    path = makers.saved(SHEET.image, tmp_path / "a.png")
    assert makers.shown_text(made(path, tmp_path / "out")["pdf"]) == SHEET.text


@pytest.mark.skipif(not which("pdftotext"), reason="pdftotext is not installed")
def test_poppler_reads_the_same(tmp_path):
    """Poppler, of other viewers and of search engines, reads words, lines and pages."""
    sheets = [SHEET, makers.sheet(("Second page here",))]
    out = made(makers.scan_pdf(sheets, tmp_path / "a.pdf"), tmp_path / "out")["pdf"]
    done = subprocess.run(["pdftotext", out, "-"], capture_output=True, check=True)
    first, second, _ = done.stdout.decode().split("\f")
    assert [line for line in first.split("\n") if line] == list(makers.LINES)
    assert second.strip() == "Second page here"


def test_page_size_is_the_originals(tmp_path):
    """Pages have the size that the scan's resolution says, sane when it lies."""
    honest = makers.saved(SHEET.image, tmp_path / "a.png", dpi=(250, 250))
    lying = makers.saved(SHEET.image, tmp_path / "b.png", dpi=(1, 1))
    for path, dpi in ((honest, 250), (lying, 200)):
        with pikepdf.open(made(path, tmp_path / path.stem)["pdf"]) as pdf:
            box = [float(v) for v in pdf.pages[0].mediabox]
        assert box == pytest.approx([0, 0, 72000 / dpi, 72 * 460 / dpi], abs=0.05)


def test_many_tiff_pages_are_many_pages(tmp_path):
    """Each image of a TIFF is a page with its own text and size."""
    sheets = [makers.sheet((f"Sheet number {n}",)) for n in ("one", "two", "three")]
    path = tmp_path / "a.tif"
    first, *rest = (sheet.image for sheet in sheets)
    first.save(path, save_all=True, append_images=rest, dpi=(200, 200))
    out = made(path, tmp_path / "out", formats=("pdf", "txt"))
    for number, sheet in enumerate(sheets, start=1):
        alike(out["pdf"], sheet.image, number)
        assert makers.shown_text(out["pdf"], number) == sheet.text
    pages = out["txt"].read_text("utf-8").split("\f")
    assert [page.strip() for page in pages] == [sheet.text for sheet in sheets]


def contents(pdf, number):
    found = pdf.pages[number].obj.Contents
    return [s.read_bytes() for s in (found if isinstance(found, pikepdf.Array) else [found])]


def test_mixed_pdf_keeps_its_text(tmp_path):
    """In a PDF of scans and text only the scans get a layer; all else stays, byte by byte."""
    scan = makers.scan_pdf([SHEET], tmp_path / "scan.pdf")
    text = makers.text_pdf(["Born digital, not recognised"], tmp_path / "text.pdf")
    path = tmp_path / "a.pdf"
    with pikepdf.open(scan) as pdf, pikepdf.open(text) as other:
        pdf.pages.extend(other.pages)
        pdf.docinfo["/Title"] = "Its own title"
        pdf.save(path)
    out = makers.checked(made(path, tmp_path / "out", formats=("pdf", "txt"))["pdf"])
    assert makers.shown_text(out, 2) == "Born digital, not recognised"
    with pikepdf.open(path) as before, pikepdf.open(out) as after:
        assert contents(after, 1) == contents(before, 1)
        assert contents(after, 0)[1:] == contents(before, 0)
        old = before.pages[0].obj.Resources.XObject.Scan
        assert after.pages[0].obj.Resources.XObject.Scan.read_bytes() == old.read_bytes()
        assert str(after.docinfo["/Title"]) == "Its own title"


def test_odd_resources_are_survived(tmp_path):
    """Resources that pages share or inherit, and content that leaves its state open, do no harm."""
    path = makers.scan_pdf([SHEET, SHEET], tmp_path / "a.pdf")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        for page in pdf.pages:
            page.obj.Contents = pdf.make_stream(b"q 1 0 0 1 0 0 cm q " + contents(pdf, 0)[0])
        shared = pdf.make_indirect(pdf.pages[0].obj.Resources)
        shared.Font = pikepdf.Dictionary(WatcherdText=pikepdf.Dictionary())
        pdf.Root.Pages.Resources = shared
        del pdf.pages[0].obj.Resources
        pdf.pages[1].obj.Resources = shared
        pdf.save(path)
    out = makers.checked(made(path, tmp_path / "out")["pdf"])
    for number in (1, 2):
        alike(out, SHEET.image, number)
        found_words(out, SHEET, number)


def test_signed_text_is_left_alone(tmp_path):
    """A signed PDF that needs no layer is published byte by byte: its signature still holds."""
    path = makers.text_pdf(["I agree to all of this"], tmp_path / "a.pdf")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.Root.AcroForm = pikepdf.Dictionary(SigFlags=3, Fields=pikepdf.Array())
        pdf.save(path)
    assert made(path, tmp_path / "out")["pdf"].read_bytes() == path.read_bytes()


@pytest.mark.parametrize("kind", ["jpg", "png", "tif", "pdf"])
def test_bytes_depend_on_nothing_else(tmp_path, kind):
    """Built twice, all formats come out the same, byte by byte."""
    path = tmp_path / f"a.{kind}"
    if kind == "pdf":
        makers.scan_pdf([SHEET], path)
    else:
        makers.saved(SHEET.image, path)
    formats = ("pdf", "txt", "hocr", "json")
    first, second = (
        {k: v.read_bytes() for k, v in made(path, tmp_path / "out", formats=formats).items()}
        for _ in range(2)
    )
    assert first == second


def test_metadata_tells_title_source_and_job(tmp_path):
    """Both kinds of metadata name the document, where it came from, and its job."""
    path = makers.saved(SHEET.image, tmp_path / "a.png")
    with pikepdf.open(made(path, tmp_path / "out")["pdf"]) as pdf:
        info = {key: str(value) for key, value in pdf.docinfo.items()}
        with pdf.open_metadata() as xmp:
            assert xmp["dc:title"] == META.title
            assert xmp["dc:source"] == META.source_name
            assert xmp["dc:identifier"] == META.job
            assert xmp["xmp:CreatorTool"].startswith("watcherd")
            assert xmp["xmp:CreateDate"] == "2023-11-14T22:13:20+00:00"
    assert info["/Title"] == META.title
    assert info["/WatcherdSource"] == META.source_name
    assert info["/WatcherdJob"] == META.job
    assert info["/CreationDate"] == "D:20231114221320Z"
    assert info["/Creator"].startswith("watcherd")


def test_odd_names_are_held(tmp_path):
    """Names with bytes that are no text, or signs that XML forbids, make a valid document."""
    odd = outputs.Meta("a\udcff<\x00>&", "b\x1b\udc80/c", "j", "0", 0)
    path = makers.saved(SHEET.image, tmp_path / "a.png")
    out = made(path, tmp_path / "out", formats=("pdf", "hocr", "json"), meta=odd)
    with pikepdf.open(makers.checked(out["pdf"])) as pdf:
        assert str(pdf.docinfo["/Title"]) == "a\ufffd<\ufffd>&"
    assert json.loads(out["json"].read_text("utf-8"))["job"] == "j"
    assert "a\ufffd&lt;\ufffd&gt;&amp;" in out["hocr"].read_text("utf-8")


def test_json_and_hocr_hold_words_and_places(tmp_path):
    """The formats for programs name each word, its box and how sure it is."""
    path = makers.saved(SHEET.image, tmp_path / "a.png")
    out = made(path, tmp_path / "out", formats=("hocr", "json"))
    page = json.loads(out["json"].read_text("utf-8"))["pages"][0]
    words = [word for line in page["lines"] for word in line["words"]]
    assert [word["text"] for word in words] == SHEET.text.split()
    for word, (_, ink) in zip(words, SHEET.words, strict=True):
        assert makers.overlap(word["bbox"], ink) > 0.7
        assert word["confidence"] > 70
    markup = re.sub(r"<!DOCTYPE[^>]*>", "", out["hocr"].read_text("utf-8"))
    root = ET.fromstring(markup.partition("?>")[2])  # noqa: S314  -- our own
    found = ["".join(n.itertext()) for n in root.iter() if n.get("class") == "ocrx_word"]
    assert found == SHEET.text.split()


def test_empty_page_is_a_document(tmp_path):
    """A page without text becomes a PDF without text, not an error."""
    path = makers.saved(Image.new("RGB", (800, 600), "ivory"), tmp_path / "a.png")
    out = made(path, tmp_path / "out", formats=("pdf", "txt", "hocr", "json"))
    assert makers.shown_text(makers.checked(out["pdf"])) == ""
    assert out["txt"].read_text("utf-8") == ""


def test_owner_locked_pdf_becomes_open(tmp_path):
    """A PDF that opens without a password but forbids changes is built, and forbids nothing."""
    path = makers.scan_pdf([SHEET], tmp_path / "a.pdf")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, encryption=pikepdf.Encryption(user="", owner="secret"))
    out = makers.checked(made(path, tmp_path / "out")["pdf"])
    with pikepdf.open(out) as pdf:
        assert not pdf.is_encrypted
    found_words(out, SHEET)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, -90])
def test_words_are_copied_in_order_however_a_page_is_shown(tmp_path, degrees):
    """A viewer copies each line from its first word to its last, also of a page on its head."""
    path = makers.scan_pdf([SHEET], tmp_path / "a.pdf", Rotate=degrees)
    out = made(path, tmp_path)["pdf"]
    assert all(line in makers.shown_text(out) for line in makers.LINES)


def test_results_of_another_document_are_not_taken(tmp_path):
    """Too few or too many pages' results are told, not papered over."""
    path = makers.saved(SHEET.image, tmp_path / "a.png")
    document = found(path, Limits())
    with pytest.raises(ValueError, match="0 results for 1 pages"):
        outputs.build(path, document, [], Options(), META, tmp_path)


def test_every_format_has_a_writer():
    """Each registered format names a module that writes it."""
    assert all(callable(outputs.output(name).write) for name in FORMATS)
