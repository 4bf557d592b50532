"""Pages of PDFs as they come: turned, cropped, huge, empty, sharing, unbalanced."""

from __future__ import annotations

import makers
import pdfs
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import ImageChops

WORDS = pdfs.SHEET.text.split()


def made(tmp_path, change=None, **page):
    path = makers.scan_pdf([pdfs.SHEET], tmp_path / "a.pdf", **page)
    return path, pdfs.made(pdfs.changed(path, change) if change else path, tmp_path / "out")


def lies_on_its_ink(path, out, dpi=makers.DPI):
    """Check that a page looks as before, and that its words are selected where their ink is."""
    before, after = (makers.rendered(one, dpi=dpi) for one in (path, out))
    assert ImageChops.difference(before, after).getbbox() is None
    dark = after.point(lambda v: 255 * (v < 128))
    found = makers.shown_words(out, dpi=dpi)
    assert sorted(word for word, _ in found) == sorted(WORDS)
    for word, box in found:
        ink = dark.crop(box).getbbox()
        assert ink is not None, word
        assert makers.overlap((0, 0, box[2] - box[0], box[3] - box[1]), ink) > 0.4, word


@pytest.mark.parametrize("degrees", [-90, -180, -270, 450, 45, -30, 100])
def test_any_rotation(tmp_path, degrees):
    """A page is turned as readers turn it, also by degrees that the format does not allow."""
    path, result = made(tmp_path, Rotate=degrees)
    lies_on_its_ink(path, result.out)


@pytest.mark.parametrize("degrees", [0, 90, -90])
@pytest.mark.parametrize(
    "box", [[30, 10, 350, 160], [-500, -500, 5000, 5000], [350, 160, 30, 10], [0, 0, 0, 0]]
)
def test_any_crop(tmp_path, box, degrees):
    """What is visible of a page is read, in its place."""
    path, result = made(tmp_path, CropBox=box, Rotate=degrees)
    lies_on_its_ink(path, result.out)


@pytest.mark.parametrize("text", [[], ["There is text on it that nobody sees"]])
def test_page_without_area(tmp_path, text):
    """A page of which nothing is visible is passed on, with a note."""

    def change(pdf):
        pdf.pages[0].obj.CropBox = Array([1000, 1000, 1100, 1100])

    path = makers.text_pdf(text, tmp_path / "a.pdf")
    result = pdfs.made(pdfs.changed(path, change), tmp_path / "out")
    assert "the page has no visible area" in result.facts[0].notes
    assert result.text == ""


@pytest.mark.parametrize("box", [[0, 0, 0, 0], [0, 0, 0.001, 0.001], [0, 0, 100, 0]])
def test_page_without_size(tmp_path, box):
    """A page with next to no size is passed on."""
    path, result = made(tmp_path, MediaBox=box)
    before, after = (makers.rendered(one) for one in (path, result.out))
    assert ImageChops.difference(before, after).getbbox() is None


def test_huge_page(tmp_path):
    """A page larger than readers promise to show is read, and not blown up to millions of dots."""

    def change(pdf):
        pdf.pages[0].obj.Contents = pdf.make_stream(b"24000 0 0 11040 0 0 cm /Scan Do")

    path, result = made(tmp_path, change, MediaBox=[0, 0, 24000, 11040])
    lies_on_its_ink(path, result.out, dpi=3)
    width, height = result.facts[0].pixels
    assert width * height <= 12_000_000


def test_inherited_entries(tmp_path):
    """A page that has its box, turn and resources from the tree is read as the tree says."""

    def change(pdf):
        page, tree = pdf.pages[0].obj, pdf.Root.Pages
        tree.MediaBox, tree.Resources, tree.Rotate = page.MediaBox, page.Resources, 90
        del page.MediaBox, page.Resources

    path, result = made(tmp_path, change)
    lies_on_its_ink(path, result.out)


@pytest.mark.parametrize(
    "content",
    [
        [b"q q 0.5 0 0 0.5 0 0 cm q 2 0 0 2 0 0 cm %s"],
        [b"Q Q %s Q Q"],
        [b"BT /None 12 Tf ET %s"],
        [b"%s BT /F 9 Tf"],
        [b"360 0 0 165", b".6 0 0 cm /Sc", b"an Do"],
        [b"", b"%s", b""],
    ],
)
def test_any_content(tmp_path, content):
    """Content that leaves its state open, or is cut within a word, is left as it is."""

    def change(pdf):
        old = pdfs.streams(pdf)[0]
        parts = [pdf.make_stream(part.replace(b"%s", old)) for part in content]
        pdf.pages[0].obj.Contents = Array(parts)

    path, result = made(tmp_path, change)
    with pikepdf.open(path) as old, pikepdf.open(result.out) as new:
        kept = pdfs.streams(new)
        assert kept[len(kept) - len(content) :] == pdfs.streams(old)
    before, after = (makers.rendered(one) for one in (path, result.out))
    assert ImageChops.difference(before, after).getbbox() is None
    assert set(makers.shown_text(result.out).split()) in (set(WORDS), set())


def test_shared_content(tmp_path):
    """Pages that share their content, even as one array, get a layer each."""
    path = makers.scan_pdf([pdfs.SHEET, pdfs.SHEET], tmp_path / "a.pdf")

    def change(pdf):
        shared = pdf.make_indirect(Array([pdf.pages[0].obj.Contents]))
        for page in pdf.pages:
            page.obj.Contents = shared
            page.obj.Resources = pdf.pages[0].obj.Resources

    result = pdfs.made(pdfs.changed(path, change), tmp_path / "out")
    for number in (1, 2):
        assert makers.shown_text(result.out, number) == pdfs.SHEET.text


@pytest.mark.parametrize("bare", ["/Contents", "/Resources", "both"])
def test_page_with_nothing_on_it(tmp_path, bare):
    """A page without content, or without what its content needs, is an empty page."""

    def change(pdf):
        for key in ("/Contents", "/Resources"):
            if bare in (key, "both"):
                del pdf.pages[0].obj[key]

    _, result = made(tmp_path, change)
    assert result.text == ""
    assert makers.shown_text(result.out) == ""


@pytest.mark.parametrize("wrong", [Dictionary(), Name.Odd, Array([1, Name.Odd])])
def test_content_of_the_wrong_kind(tmp_path, wrong):
    """A page whose content is none, but a note is on it, gets its layer."""

    def change(pdf):
        pdf.pages[0].obj.Contents = wrong

    path = pdfs.add_field(makers.scan_pdf([pdfs.SHEET], tmp_path / "a.pdf"), "Grace Hopper")
    result = pdfs.made(pdfs.changed(path, change), tmp_path / "out")
    assert makers.shown_text(result.files["pdf"]) == "Grace Hopper"


def test_layer_that_says_nothing_is_replaced(tmp_path):
    """A scan with hidden nonsense has the recognised words alone; its look stays."""
    path = makers.scan_pdf([pdfs.SHEET], tmp_path / "a.pdf")
    pdfs.write_over(path, ["Lines that a bad", "font made unreadable"], mode=3, dumb=True)
    result = pdfs.made(path, tmp_path / "out")
    assert result.facts[0].strip
    assert "a text layer that says nothing was replaced" in result.facts[0].notes
    lies_on_its_ink(path, result.out)


def test_painted_nonsense_stays_beside_the_layer(tmp_path):
    """Painted letters that programs cannot read stay to be seen; the layer has their words."""
    text = "The letters of this line are private ones"
    path = makers.text_pdf([text], tmp_path / "a.pdf")

    def change(pdf):
        pdf.pages[0].obj.Resources.Font.F = pdfs.dumb_font(pdf)

    pdfs.changed(path, change)
    result = pdfs.made(path, tmp_path / "out")
    assert result.text == text
    assert text in makers.shown_text(result.out)
    assert "cannot be read by programs" in result.facts[0].notes[0]
    before, after = (makers.rendered(one) for one in (path, result.out))
    assert ImageChops.difference(before, after).getbbox() is None


def test_stamp_is_not_there_twice(tmp_path):
    """Words that are printed over a scan are in the text once, and are selected once."""
    path = makers.scan_pdf([pdfs.SHEET], tmp_path / "a.pdf")
    pdfs.write_over(path, [])

    def change(pdf):
        stamp = b"BT /F 12 Tf 250 8 Td (Page 31 of 99) Tj ET"
        pdf.pages[0].contents_add(pdf.make_stream(stamp))

    result = pdfs.made(pdfs.changed(path, change), tmp_path / "out")
    for text in (result.text, makers.shown_text(result.out)):
        assert text.count("Page 31 of 99") == 1
        assert set(WORDS) < set(text.split())
