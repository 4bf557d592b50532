"""The resolution that image files claim: in which unit, in which tag, or only as a shape."""

from __future__ import annotations

import struct

import pictures
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import encoded
from PIL import Image
from readers import page_read

from tasks import imaging

PAGE = Image.new("L", (1240, 1754), 255)  # A4 at 150 dpi
FAX = Image.new("L", (1728, 1143), 255)  # A4 as coarse fax, 204 by 98


def read(tmp_path, data: bytes):
    path = tmp_path / "a"
    path.write_bytes(data)
    return page_read(path)


def jfif(image: Image.Image, unit: int, across: int, down: int) -> bytes:
    data = bytearray(encoded(image, "JPEG"))
    at = data.index(b"JFIF\0")
    struct.pack_into(">BHH", data, at + 7, unit, across, down)
    return bytes(data)


def phys(image: Image.Image, unit: int, across: int, down: int) -> bytes:
    rows = [image.crop((0, y, image.width, y + 1)).tobytes() for y in range(image.height)]
    chunk = pictures.chunk(b"pHYs", struct.pack(">IIB", across, down, unit))
    return pictures.png(image.size, 8, 0, rows, chunk)


def tiff(image: Image.Image, unit: int | None, across: int, down: int) -> bytes:
    info = {282: float(across), 283: float(down)} | ({} if unit is None else {296: unit})
    return encoded(image, "TIFF", tiffinfo=info)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(jfif(PAGE, 1, 150, 150), id="JFIF, inch"),
        pytest.param(jfif(PAGE, 2, 59, 59), id="JFIF, centimetre"),
        pytest.param(phys(PAGE, 1, 5906, 5906), id="PNG, metre"),
        pytest.param(tiff(PAGE, 2, 150, 150), id="TIFF, inch"),
        pytest.param(tiff(PAGE, 3, 59, 59), id="TIFF, centimetre"),
        pytest.param(tiff(PAGE, None, 150, 150), id="TIFF, no unit: inch"),
        pytest.param(encoded(PAGE, "BMP", dpi=(150, 150)), id="BMP, metre"),
    ],
)
def test_every_unit_is_understood(tmp_path, data):
    """150 dots an inch are that in each format's own unit."""
    found = read(tmp_path, data)
    assert found.dpi == pytest.approx((150, 150), abs=0.2)
    assert not found.guessed


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(jfif(PAGE, 0, 1, 1), id="JFIF"),
        pytest.param(jfif(PAGE, 0, 300, 300), id="JFIF, numbers without a unit"),
        pytest.param(jfif(PAGE, 0, 0, 0), id="JFIF, zeros"),
        pytest.param(phys(PAGE, 0, 1, 1), id="PNG"),
        pytest.param(tiff(PAGE, 1, 300, 300), id="TIFF"),
        pytest.param(encoded(PAGE, "BMP", dpi=(0, 0)), id="BMP"),
    ],
)
def test_without_a_unit_the_resolution_is_a_guess(tmp_path, data):
    """A number without a unit says nothing of the size of paper."""
    found = read(tmp_path, data)
    assert found.guessed
    assert found.dpi == (200, 200)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(jfif(FAX, 0, 2, 1), id="JFIF"),
        pytest.param(phys(FAX, 0, 2, 1), id="PNG"),
        pytest.param(tiff(FAX, 1, 2, 1), id="TIFF"),
    ],
)
def test_a_shape_without_a_unit_shapes_the_page(tmp_path, data):
    """Of a fax that says no more than that its pixels are tall the page has its shape."""
    found = read(tmp_path, data)
    assert found.guessed
    assert found.dpi == (200, 100)
    assert found.points[1] / found.points[0] == pytest.approx(2 * FAX.height / FAX.width)
    assert found.image.size == pytest.approx((1728, 2286), abs=1)


def test_exif_tells_the_resolution_where_jfif_does_not(tmp_path):
    """A scanner that writes Exif alone is believed; without a word in it Pillow's 72 is not."""
    exif = Image.Exif()
    exif[0x0112] = 1
    assert read(tmp_path, encoded(PAGE, "JPEG", exif=exif)).guessed
    exif[0x011A] = exif[0x011B] = 150.0
    exif[0x0128] = 2
    found = read(tmp_path, encoded(PAGE, "JPEG", exif=exif))
    assert (found.dpi, found.guessed) == ((150, 150), False)


def test_a_page_on_its_side_has_its_resolution_turned(tmp_path):
    """Dots across are dots down once a page is turned."""
    exif = Image.Exif()
    exif[0x0112] = 6
    found = read(tmp_path, encoded(FAX, "JPEG", exif=exif, dpi=(204, 98)))
    assert found.dpi == (98, 204)
    assert found.points == pytest.approx((840, 610), abs=1)


def test_a_fax_is_not_stretched_beyond_the_limit(tmp_path):
    """Where stretched pixels would be too many, the dense side is reduced instead."""
    from watcherd.model import Limits  # noqa: PLC0415  -- for one test

    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(FAX, "JPEG", dpi=(204, 98)))
    found = page_read(path, 1, Limits(page_pixels=2_000_000))
    assert found.image.size == pytest.approx((830, 1143), abs=1)
    assert found.pixels == FAX.size


@given(
    st.integers(1, 40_000),
    st.integers(1, 40_000),
    st.tuples(*[st.floats(allow_nan=True, allow_infinity=True)] * 2),
)
def test_any_shape_gives_a_page(width, height, aspect):
    """Whatever is said of the pixels' shape, no side of the page is below what PDF allows."""
    (x, y), guessed = imaging.page_dpi(width, height, None, aspect)
    assert guessed
    assert min(width / x, height / y) * 72 >= 3 - 1e-9
