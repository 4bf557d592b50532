"""Pages that are one JPEG: its pixels are those that a rendering would have."""

from __future__ import annotations

import makers
import pdfs
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import ImageChops, ImageStat

from tasks.pdfs import straight
from tasks.pdfs.rendering import open_pdfium, render
from watcherd.model import Limits

COLOUR = makers.sheet(font_size=44).image.convert("RGB")
COLOUR.paste("teal", (0, 400, 1000, 460))


def scan(tmp_path, image=COLOUR, change=lambda _page, _pdf: None, **page):
    """Make a scan whose image is a JPEG."""
    path = makers.scan_pdf([makers.Sheet(image, ())], tmp_path / "a.pdf", **page)

    def pack(pdf):
        scanned = pdf.pages[0].obj.Resources.XObject.Scan
        scanned.write(makers.encoded(image, "JPEG", quality=90), filter=Name.DCTDecode)
        scanned.ColorSpace = Name.DeviceGray if image.mode == "L" else Name.DeviceRGB
        change(pdf.pages[0].obj, pdf)

    return pdfs.changed(path, pack)


def both(path, limits=Limits(), pages=1):  # noqa: B008 -- frozen
    with open_pdfium(path) as pdf:
        return straight.pixels(pdf[0], path, 1, pages, limits), render(pdf[0], path, 1, limits)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(
    "page",
    [{}, {"Rotate": 90}, {"Rotate": 180}, {"Rotate": -90}, {"MediaBox": [100, -50, 460, 115.6]}],
)
def test_pixels_are_those_of_the_rendering(tmp_path, mode, page):
    """Pixels and places are as pdfium has them, but for the rounding of colours to grey."""
    own, shown = both(scan(tmp_path, COLOUR.convert(mode), **page))
    assert own is not None
    assert own.image.size == shown.image.size
    difference = ImageStat.Stat(ImageChops.difference(own.image, shown.image))
    assert difference.mean[0] < 0.5
    assert difference.extrema[0][1] <= (0 if mode == "L" else 8)  # at the edges of a colour
    assert own.matrix == pytest.approx(shown.matrix, abs=1e-4)
    assert own.dpi == pytest.approx(shown.dpi, rel=1e-3)
    assert own.points == shown.points


def content(text):
    def change(page, pdf):
        page.Contents = pdf.make_stream(text)

    return change


def says(**entries):
    def change(page, _pdf):
        for key, value in entries.items():
            page.Resources.XObject.Scan[f"/{key}"] = value

    return change


def masked(page, pdf):
    """Hide the upper half by a soft mask."""
    mask = pdf.make_stream(b"\xff\x00", Type=Name.XObject, Subtype=Name.Image)
    mask.Width, mask.Height, mask.BitsPerComponent = 1, 2, 8
    mask.ColorSpace = Name.DeviceGray
    page.Resources.XObject.Scan.SMask = mask


def faded(page, pdf):
    """Paint half transparent."""
    page.Resources.ExtGState = Dictionary(Half=Dictionary(ca=0.5))
    page.Contents = pdf.make_stream(b"/Half gs 360 0 0 165.6 0 0 cm /Scan Do")


def layered(page, pdf):
    """Put the image into a layer that is off."""
    layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=pikepdf.String("off")))
    page.Resources.Properties = Dictionary(Layer=layer)
    pdf.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(OFF=Array([layer])))
    page.Contents = pdf.make_stream(b"/OC /Layer BDC 360 0 0 165.6 0 0 cm /Scan Do EMC")


def cut(page, _pdf):
    """Leave half of the file."""
    image = page.Resources.XObject.Scan
    image.write(image.read_raw_bytes()[:20000], filter=Name.DCTDecode)


ODD = {
    "cropped": content(b"720 0 0 331.2 0 0 cm /Scan Do"),
    "with a margin": content(b"340 0 0 145 10 10 cm /Scan Do"),
    "mirrored": content(b"-360 0 0 165.6 360 0 cm /Scan Do"),
    "on its head": content(b"-360 0 0 -165.6 360 165.6 cm /Scan Do"),
    "skewed": content(b"360 5 0 165.6 0 0 cm /Scan Do"),
    "clipped": content(b"0 0 100 100 re W n 360 0 0 165.6 0 0 cm /Scan Do"),
    "drawn over": content(b"q 360 0 0 165.6 0 0 cm /Scan Do Q 0 0 99 99 re f"),
    "inverted": says(Decode=Array([1, 0] * 3)),
    "with a colour left out": says(Mask=Array([250, 255] * 3)),
    "of other colours": says(ColorSpace=Array([Name.Lab, Dictionary(WhitePoint=[0.9, 1, 1.1])])),
    "masked": masked,
    "faded": faded,
    "in a layer": layered,
    "damaged": cut,
}


@pytest.mark.parametrize("kind", ODD)
def test_anything_odd_is_rendered(tmp_path, kind):
    """Where what is shown may be other than the image's own pixels, they are not taken."""
    own, _ = both(scan(tmp_path, change=ODD[kind]))
    assert own is None


def test_notes_on_the_page_are_rendered(tmp_path):
    """What somebody wrote over the scan is not passed by."""
    assert both(pdfs.add_field(scan(tmp_path), "Ann"))[0] is None


@pytest.mark.parametrize("size", [(1300, 460), (1000, 500)])
def test_other_packings_are_rendered(tmp_path, size):
    """What is no JPEG, or not as big as it says, is rendered."""
    path = scan(tmp_path)

    def change(pdf):
        pdf.pages[0].obj.Resources.XObject.Scan.Width = size[0]
        pdf.pages[0].obj.Resources.XObject.Scan.Height = size[1]

    assert both(makers.scan_pdf([pdfs.SHEET], tmp_path / "b.pdf"))[0] is None
    assert both(pdfs.changed(path, change))[0] is None


def test_limits_hold(tmp_path):
    """Too many pixels are left to the rendering, and books are not opened for each page."""
    path = scan(tmp_path)
    assert both(path, pages=501)[0] is None
    with open_pdfium(path) as pdf:
        assert straight.pixels(pdf[0], path, 1, 1, Limits(page_pixels=459_999)) is None
