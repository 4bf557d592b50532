"""A PDF out of an image file: nothing is lost."""

from __future__ import annotations

import io

import makers
import pytest
from PIL import Image, ImageChops
from readers import found

from tasks import embed, pixels
from watcherd.model import Limits

GREY = makers.sheet(size=(300, 200), font_size=40, top=20, leading=60, left=10).image
COLOUR = Image.merge(
    "RGB", [GREY, ImageChops.invert(GREY), Image.linear_gradient("L").resize(GREY.size)]
)


def embedded(path):
    return embed.image_pdf(path, found(path, Limits()))


def image_of(pdf, page=0):
    return pdf.pages[page].obj.Resources.XObject.Im0


def pixels_of(pdf, page=0):
    from pikepdf import PdfImage  # noqa: PLC0415  -- for one function

    return PdfImage(image_of(pdf, page)).as_pil_image()


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_jpeg_bytes_are_the_originals(tmp_path, mode, options):
    """A JPEG is embedded byte by byte, never decoded and encoded again."""
    path = makers.saved(COLOUR.convert(mode), tmp_path / "a.jpg", **options)
    with embedded(path) as pdf:
        assert image_of(pdf).read_raw_bytes() == path.read_bytes()


@pytest.mark.parametrize("orientation", range(10))
def test_jpeg_orientation_does_not_touch_the_bytes(tmp_path, orientation):
    """A JPEG that lies on its side, or is mirrored, or says nonsense, is embedded as it is."""
    exif = Image.Exif()
    exif[pixels.ORIENTATION] = orientation
    path = makers.saved(COLOUR, tmp_path / "a.jpg", exif=exif)
    with embedded(path) as pdf:
        assert image_of(pdf).read_raw_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("1.png", GREY.convert("1")),
        ("L.png", GREY),
        ("P.png", COLOUR.quantize(16)),
        ("RGB.png", COLOUR),
        ("I16.png", GREY.convert("I").point(lambda v: v * 257).convert("I;16")),
        ("1.tif", GREY.convert("1")),
        ("L.tif", GREY),
        ("RGB.tif", COLOUR),
        ("P.gif", COLOUR.quantize(16)),
        ("RGB.bmp", COLOUR),
        ("L.ppm", GREY),
        ("RGB.webp", COLOUR),
    ],
)
def test_pixels_are_the_originals(tmp_path, name, image):
    """Every lossless format keeps each pixel."""
    options = {"lossless": True} if name.endswith("webp") else {}
    path = makers.saved(image, tmp_path / name, **options)
    with Image.open(path) as original, embedded(path) as pdf:
        got = pixels_of(pdf)
        assert got.size == original.size
        mode = "I;16" if original.mode == "I;16" else "RGB"
        expected = original if mode == "I;16" else original.convert(mode)
        assert (got if mode == "I;16" else got.convert(mode)).tobytes() == expected.tobytes()


@pytest.mark.parametrize("compression", ["group4", "tiff_lzw", "jpeg", "tiff_adobe_deflate"])
def test_tiff_pages_are_kept(tmp_path, compression):
    """Each image of a TIFF is a page, whatever the compression."""
    mode = "1" if compression == "group4" else "L"
    frames = [GREY.convert(mode), ImageChops.invert(GREY).convert(mode), GREY.convert(mode)]
    path = tmp_path / "a.tif"
    frames[0].save(path, save_all=True, append_images=frames[1:], compression=compression)
    with embedded(path) as pdf, Image.open(path) as original:
        assert len(pdf.pages) == 3
        for number in range(3):
            original.seek(number)
            got = pixels_of(pdf, number).convert("L")
            assert got.tobytes() == original.convert("L").tobytes()


def test_turned_tiff_stands(tmp_path):
    """A TIFF's own orientation is applied to the pixels once."""
    path = tmp_path / "a.tif"
    stored = GREY.transpose(Image.Transpose.ROTATE_90)
    stored.save(path, tiffinfo={pixels.ORIENTATION: 6})
    with embedded(path) as pdf:
        assert pixels_of(pdf).convert("L").tobytes() == GREY.tobytes()


def test_transparency_is_laid_on_white(tmp_path):
    """What shines through a page is paper."""
    image = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (10, 10, 30, 30))
    with embedded(makers.saved(image, tmp_path / "a.png")) as pdf:
        got = pixels_of(pdf).convert("RGB")
        assert got.getpixel((0, 0)) == (255, 255, 255)
        assert got.getpixel((20, 20)) == (0, 0, 255)
        assert "/SMask" not in image_of(pdf)


def test_animation_and_phone_photo_are_one_page(tmp_path):
    """Of an animation or a photo with a second picture only the first is embedded."""
    gif, mpo = tmp_path / "a.gif", tmp_path / "a.jpg"
    GREY.save(gif, save_all=True, append_images=[ImageChops.invert(GREY)])
    COLOUR.save(mpo, "MPO", save_all=True, append_images=[COLOUR])
    with embedded(gif) as pdf:
        assert len(pdf.pages) == 1
        assert pixels_of(pdf).convert("L").tobytes() == GREY.tobytes()
    with embedded(mpo) as pdf:
        assert len(pdf.pages) == 1
        data = image_of(pdf).read_raw_bytes()
        assert mpo.read_bytes().startswith(data)
        Image.open(io.BytesIO(data)).load()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_placement_is_a_whole_page(orientation):
    """For each orientation the image's corners are the page's corners."""
    a, b, c, d, e, f = embed.placement(orientation, 30, 20)
    corners = {(u * a + v * c + e, u * b + v * d + f) for u in (0, 1) for v in (0, 1)}
    assert corners == {(0, 0), (30, 0), (0, 20), (30, 20)}
