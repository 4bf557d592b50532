"""Pixels for recognition, and how they lie on the page."""

from __future__ import annotations

from itertools import pairwise

import makers
import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageOps, ImageStat
from readers import page_read

from tasks import imaging
from tasks.inputs import pdf as pdf_input
from tasks.pictures import pixels as decoded
from watcherd.errors import Refusal
from watcherd.model import Limits

LIMITS = Limits()


def pixels(path, page=1, limits=LIMITS):
    if path.suffix == ".pdf":  # its pixels, whether it has text or not
        with pdf_input.open_pdfium(path) as document:
            return pdf_input.render(document[page - 1], path, page, limits)
    return page_read(path, page, limits)


@pytest.mark.parametrize(
    ("size", "tag", "dpi"),
    [
        ((2480, 3508), (300, 300), 300),  # a scanner's A4
        ((4960, 7016), (600, 600), 600),
        ((1728, 2200), (204, 196), (204, 196)),  # fine fax
        ((1728, 1100), (204, 98), (204, 98)),  # coarse fax
        ((463, 605), (150, 150), 150),  # a small receipt
        ((640, 480), (96, 96), 96),  # a screenshot is small enough to be believed
        ((1695, 2378), (72, 72), 200),  # a phone's 72 would be A1
        ((3024, 4032), (72, 72), 400),
        ((2480, 3508), None, 300),
        ((2550, 3300), (1, 1), 300),
        ((2550, 3300), (0, 0), 300),
        ((517, 147), None, 200),
        ((600, 5000), None, 200),  # a till receipt is as long as it is
        ((2480, 3508), (300, 25), 300),  # no square, no fax
        ((2480, 3508), (float("nan"), 300), 300),
        ((2480, 3508), (30000, 30000), 300),  # would be a stamp
        ((9921, 14032), (300, 300), 300),  # a plan on A0
        ((4000, 3000), (100, 100), 400),  # a photo, not a poster
    ],
)
def test_resolution_is_made_sane(size, tag, dpi):
    """A resolution is believed when the page would be one, else taken from the paper."""
    pair = dpi if isinstance(dpi, tuple) else (dpi, dpi)
    assert imaging.page_dpi(*size, tag) == (pair, pair != tag)


@given(
    st.integers(1, 40_000),
    st.integers(1, 40_000),
    st.none() | st.tuples(*[st.floats(allow_nan=True, allow_infinity=True)] * 2),
)
def test_any_resolution_gives_a_page(width, height, tag):
    """Whatever a tag says, the page's sides lie within what PDF allows, 3/72 to 200 inches."""
    (x, y), _ = imaging.page_dpi(width, height, tag)
    assert x > 0
    assert y > 0
    assert min(width / x, height / y) * 72 >= 3 - 1e-9
    if max(width, height) <= 4800 * min(width, height):  # thinner ones are refused
        assert max(width / x, height / y) <= 200 + 1e-9


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, orientation):
    """The recognised image is upright for all eight orientations, mirrored ones too."""
    upright = makers.sheet().image
    undo = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    stored = upright if undo is None else upright.transpose(Image.Transpose(undo))
    exif = Image.Exif()
    exif[decoded.ORIENTATION] = orientation
    path = makers.saved(stored, tmp_path / "a.jpg", quality=95, exif=exif)
    found = pixels(path)
    assert found.orientation == orientation
    assert found.pixels == upright.size
    difference = ImageStat.Stat(ImageChops.difference(found.image, upright))
    assert difference.mean[0] < 2


def test_tiff_orientation_is_applied_once(tmp_path):
    """A TIFF that lies on its side stands after reading, and is not turned again."""
    upright = makers.sheet().image
    path = tmp_path / "a.tif"
    stored = upright.transpose(Image.Transpose.ROTATE_90)
    stored.save(path, dpi=(200, 200), tiffinfo={decoded.ORIENTATION: 6})
    found = pixels(path)
    assert found.orientation == 1
    assert found.image.tobytes() == upright.tobytes()


def test_orientation_beyond_eight_means_nothing(tmp_path):
    """An orientation of 0 or 9, as some cameras write, changes nothing."""
    for value in (0, 9):
        exif = Image.Exif()
        exif[decoded.ORIENTATION] = value
        path = makers.saved(makers.sheet().image, tmp_path / f"{value}.jpg", exif=exif)
        assert pixels(path).orientation == 1


GREY = Image.linear_gradient("L")


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("1.png", GREY.point(lambda v: 255 * (v > 127), "1")),
        ("L.png", GREY),
        ("P.png", GREY.convert("P")),
        ("RGB.jpg", GREY.convert("RGB")),
        ("CMYK.jpg", GREY.convert("RGB").convert("CMYK")),
        ("RGBA.png", GREY.convert("RGBA")),
        ("LA.png", GREY.convert("LA")),
        ("I16.png", Image.merge("L", [GREY]).convert("I").point(lambda v: v * 257).convert("I;16")),
        ("I16.tif", Image.merge("L", [GREY]).convert("I").point(lambda v: v * 257).convert("I;16")),
        ("I.tif", GREY.convert("I").point(lambda v: v * 257)),
        ("F.tif", GREY.convert("F")),
        ("CMYK.tif", GREY.convert("RGB").convert("CMYK")),
        ("LAB.tif", Image.merge("LAB", [GREY, Image.new("L", GREY.size, 128)] * 1 + [GREY.copy()])),
    ],
)
def test_every_mode_keeps_its_lightness(tmp_path, name, image):
    """Whatever the kind of pixels, black stays black, white white, and what lies between."""
    path = tmp_path / name
    image.save(path)
    found = pixels(path).image
    assert found.mode == "L"
    expected = image.convert("L") if image.mode == "1" else GREY
    difference = ImageChops.difference(found, expected)
    assert ImageStat.Stat(difference).mean[0] < 3


def test_transparency_is_white(tmp_path):
    """Where an image is transparent there is paper, not the black that hides below."""
    image = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (40, 40, 60, 60))
    path = makers.saved(image, tmp_path / "a.png")
    found = pixels(path).image
    assert found.getpixel((5, 5)) == 255
    assert found.getpixel((50, 50)) == 0


def test_transparent_palette_colour_is_white(tmp_path):
    """A palette image's transparent colour is paper too."""
    image = Image.new("P", (50, 50), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    path = tmp_path / "a.gif"
    image.save(path, transparency=0)
    assert pixels(path).image.getextrema() == (255, 255)


def test_fax_is_stretched(tmp_path):
    """A fax of 204 by 98 dpi is recognised in square pixels and keeps its paper size."""
    image = makers.sheet(size=(1020, 490)).image
    found = pixels(makers.saved(image, tmp_path / "a.tif", dpi=(204, 98)))
    assert found.pixels == (1020, 490)
    assert found.image.size == (1020, 1020)
    assert found.points == pytest.approx((360, 360), abs=0.01)
    a, b, c, d, e, f = found.matrix
    assert (1020 * a + e, 1020 * d + f) == pytest.approx((360, 0), abs=0.01)
    assert (b, c) == (0, 0)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.webp", "a.gif", "a.bmp"])
@pytest.mark.parametrize("part", [0.5, 0.9])
def test_truncated_image_is_corrupt(tmp_path, name, part):
    """An image that was cut is refused at the latest when its pixels are read."""
    path = tmp_path / name
    noise = Image.effect_noise((200, 200), 90)
    noise.save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(Refusal) as caught:
        pixels(path)
    assert caught.value.code == "corrupt"


def test_page_of_a_tiff(tmp_path):
    """Page n of a TIFF is its nth image, with its own size."""
    frames = [Image.new("L", (100 * n, 50), 40 * n) for n in (1, 2, 3)]
    path = tmp_path / "a.tif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    for number, frame in enumerate(frames, start=1):
        assert pixels(path, number).image.tobytes() == frame.tobytes()


def test_pdf_is_rendered_at_its_images_resolution(tmp_path):
    """A scanned PDF page gives back the pixels of its scan."""
    sheet = makers.sheet()
    found = pixels(makers.scan_pdf([sheet], tmp_path / "a.pdf"))
    assert found.image.size == sheet.image.size
    assert found.dpi == pytest.approx((200, 200), rel=1e-3)
    difference = ImageStat.Stat(ImageChops.difference(found.image, sheet.image))
    assert difference.mean[0] < 1


@pytest.mark.parametrize(("dpi", "rendered"), [(50, 150), (180, 180), (900, 400)])
def test_pdf_resolution_has_bounds(tmp_path, dpi, rendered):
    """A page is rendered at 150 dpi at least and 400 at most."""
    found = pixels(makers.scan_pdf([makers.sheet()], tmp_path / "a.pdf", dpi=dpi))
    assert found.dpi == pytest.approx((rendered, rendered), rel=1e-3)


def test_pdf_without_image_has_300_dpi(tmp_path):
    """A page of text or drawings is rendered at 300 dpi."""
    assert pixels(makers.text_pdf(["hello"], tmp_path / "a.pdf")).dpi == (300, 300)


def test_pdf_page_stays_below_the_pixel_limit(tmp_path):
    """A large page is rendered more coarsely, not refused."""
    path = makers.text_pdf(["hello"], tmp_path / "a.pdf")
    found = pixels(path, limits=Limits(page_pixels=100_000))
    assert 90_000 < found.image.width * found.image.height < 100_500


def test_pdf_with_a_huge_image_is_refused(tmp_path):
    """An image inside a PDF is held to the limit as any other."""
    path = makers.scan_pdf([makers.sheet()], tmp_path / "a.pdf")
    with pytest.raises(Refusal, match="too-large") as caught:
        pixels(path, limits=Limits(page_pixels=300_000))
    assert caught.value.page == 1


def test_user_unit_widens_the_bounds(tmp_path):
    """On a poster measured in ten points the resolution on paper counts, not on its units."""
    path = makers.scan_pdf([makers.sheet()], tmp_path / "a.pdf", dpi=2000, UserUnit=10)
    assert pixels(path).image.size == makers.sheet().image.size


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_matrix_leads_to_the_pdf_page(tmp_path, rotate):
    """The corners of the rendering are the corners of the page's visible box, however turned."""
    path = makers.scan_pdf(
        [makers.sheet()],
        tmp_path / "a.pdf",
        MediaBox=[100, 50, 460, 215.6],
        CropBox=[110, 60, 450, 200],
        Rotate=rotate,
    )
    found = pixels(path)
    a, b, c, d, e, f = found.matrix
    wide, high = found.image.size
    corners = [(x * a + y * c + e, x * b + y * d + f) for x, y in ((0, 0), (wide, 0), (wide, high))]
    clockwise = [(110, 200), (450, 200), (450, 60), (110, 60)]
    start = -rotate // 90
    expected = [clockwise[(start + n) % 4] for n in range(3)]
    for got, want in zip(corners, expected, strict=True):
        assert got == pytest.approx(want, abs=0.2)


matrices = st.tuples(*[st.floats(-10, 10)] * 6)


@given(matrices, matrices, st.floats(-100, 100), st.floats(-100, 100))
def test_combined_matrices_do_both(first, then, x, y):
    """A combined matrix takes a point where the two take it one after the other."""

    def apply(m, p):
        return p[0] * m[0] + p[1] * m[2] + m[4], p[0] * m[1] + p[1] * m[3] + m[5]

    both = apply(imaging.combine(first, then), (x, y))
    assert both == pytest.approx(apply(then, apply(first, (x, y))), abs=1e-6)


def test_transposing_matches_pillow():
    """Each orientation is applied as Pillow applies it."""
    image = Image.linear_gradient("L").crop((0, 0, 200, 100)).rotate(7)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[decoded.ORIENTATION] = orientation
        tagged = Image.open(makers.io.BytesIO(makers.encoded(image, "PNG", exif=exif)))
        expected = ImageOps.exif_transpose(tagged)
        assert decoded.upright(image, orientation).tobytes() == expected.tobytes()


def test_page_without_size_gets_one(tmp_path):
    """A PDF page of no area is given one, never a crash."""
    path = makers.text_pdf(["hello"], tmp_path / "a.pdf")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages[0].obj.MediaBox = pikepdf.Array([0, 0, 0, 0])
        pdf.save(path)
    assert min(pixels(path).image.size) > 0  # PDFium takes letter paper then


def test_larger_pages_need_no_coarser_guess():
    """The guess grows with the page, so that a bigger scan never makes a smaller page."""
    guesses = [imaging.page_dpi(w, int(w * 1.41), None)[0][0] for w in range(100, 9000, 50)]
    assert all(one <= other for one, other in pairwise(guesses))
