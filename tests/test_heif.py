"""HEIC photos, as phones send them: turned, several in a file, in more than 8 bits."""

from __future__ import annotations

import pictures
import pillow_heif
import pytest
from makers import encoded
from pictures import COLOUR, heic, photo, psnr
from PIL import Image, ImageChops, ImageCms
from readers import found

from tasks.document import Document
from tasks.inputs import heif
from tasks.pictures import pixels

PHOTO = photo()
OTHER = ImageChops.invert(PHOTO).resize((300, 200))


def test_heic_is_known_by_content(tmp_path):
    """A HEIC file is what its bytes say, under any name; its decoder is not Pillow's for AVIF."""
    assert found(heic(tmp_path / "a.jpg", PHOTO)) == Document("heif", "HEIF", 1, (0,))
    assert not heif.is_one(encoded(PHOTO, "AVIF"))


@pytest.mark.parametrize("brand", [b"heic", b"mif1", b"heix"])
def test_any_brand_of_the_family_will_do(tmp_path, brand):
    """Whichever of its brands a file puts first, it is a HEIC file; with AVIF's beside it, AVIF."""
    data = bytearray(heic(tmp_path / "a.heic", PHOTO).read_bytes())
    data[8:12] = brand
    assert heif.is_one(bytes(data))
    assert not heif.is_one(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1avif")


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turned_photo_stands(tmp_path, orientation):
    """A photo taken with the phone on its side is turned once: its box says how, not Exif again."""
    exif = Image.Exif()
    exif[pixels.ORIENTATION] = orientation
    upright = pixels.upright(PHOTO, orientation)
    path = tmp_path / "a.heic"
    pillow_heif.encode("RGB", PHOTO.size, PHOTO.tobytes(), path, quality=90, exif=exif.tobytes())
    assert b"irot" in path.read_bytes()
    (page,) = pictures.pages(path)
    assert page.shown.size == upright.size
    assert psnr(page.shown, upright) > 28
    assert psnr(page.read.image, upright.convert("L")) > 30


@pytest.mark.parametrize("primary", [0, 1, 2])
def test_of_several_images_the_primary_is_the_page(tmp_path, primary):
    """A burst of photos is one page: the image that the phone would show."""
    images = [PHOTO, OTHER, COLOUR.resize((200, 100))]
    path = heic(tmp_path / "a.heic", *images, primary=primary, quality=90)
    (page,) = pictures.pages(path)
    assert page.shown.size == images[primary].size
    assert psnr(page.shown, images[primary]) > 25


def test_ten_bits_become_eight(tmp_path):
    """JPEG has 8 bits: a photo with more loses them, and a note says so."""
    width, height = PHOTO.size
    deep = bytes(byte for value in PHOTO.tobytes() for byte in (0, value))
    path = tmp_path / "a.heic"
    pillow_heif.from_bytes("RGB;16", (width, height), deep).save(path, quality=90)
    (page,) = pictures.pages(path)
    assert page.read.notes[0] == "10 bits a channel were brought down to 8"
    assert psnr(page.shown, PHOTO) > 28


def test_a_photos_profile_goes_with_it(tmp_path):
    """The colours of a phone are wider than those of screens: its profile says how."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    tagged = PHOTO.copy()
    tagged.info["icc_profile"] = profile
    (page,) = pictures.pages(heic(tmp_path / "a.heic", tagged))
    from pikepdf import Pdf  # noqa: PLC0415  -- for one test

    with Pdf.open(page.pdf) as pdf:
        space = pdf.pages[0].obj.Resources.XObject.Im0.ColorSpace
        assert space[1].read_bytes() == profile
