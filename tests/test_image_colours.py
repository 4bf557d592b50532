"""Colours that are not red, green and blue: inks, Lab, and channels in another order."""

from __future__ import annotations

import struct

import pictures
import pikepdf
import pytest
from makers import encoded
from pictures import COLOUR, photo, psnr, reopened
from PIL import ImageCms

PHOTO = photo()
INKS = PHOTO.convert("CMYK")


def test_lab_colours_become_srgb(tmp_path):
    """Lab, which viewers show in many ways, becomes sRGB, and a note says so."""
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    turn = ImageCms.buildTransform(srgb, lab, "RGB", "LAB")
    path = tmp_path / "a.tif"
    ImageCms.applyTransform(COLOUR, turn).save(path)
    (page,) = pictures.pages(path)
    assert psnr(page.shown, COLOUR) > 35  # there and back in 8 bits
    assert page.read.notes == ("Lab colours were turned into sRGB",)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_inks_stay_inks(tmp_path, kind):
    """CMYK is kept as it is, the inverted one of Adobe's JPEGs the right way round."""
    path = tmp_path / "a"
    path.write_bytes(encoded(INKS, kind))
    (page,) = pictures.pages(path)
    _, kept = pictures.stored(page)
    assert kept.mode == "CMYK"
    # Inks look different from viewer to viewer, but white is white and black is dark.
    assert psnr(page.shown.convert("L"), page.read.image) > 15
    assert page.shown.convert("L").getextrema()[0] < 90
    assert page.read.notes == ()
    if kind == "TIFF":
        assert kept.tobytes() == INKS.tobytes()


def test_inks_without_adobes_marker_are_not_inverted(tmp_path):
    """A CMYK JPEG that is not Adobe's says 0 for no ink, to viewers and to the engine."""
    data = encoded(INKS, "JPEG")
    at = data.index(b"\xff\xee")
    length = struct.unpack_from(">H", data, at + 2)[0]
    path = tmp_path / "a.jpg"
    path.write_bytes(data[:at] + data[at + 2 + length :])
    (page,) = pictures.pages(path)
    with pikepdf.open(page.pdf) as pdf:
        assert "/Decode" not in pdf.pages[0].obj.Resources.XObject.Im0
    assert psnr(page.shown.convert("L"), page.read.image) > 15
    whole = reopened(data)
    assert psnr(page.read.image, whole.convert("L")) < 12  # the other way round


@pytest.mark.parametrize(("order", "coding"), [((1, 2, 3), "JPX"), ((3, 2, 1), "Flate")])
def test_channels_of_jpeg_2000_in_another_order_are_decoded(tmp_path, order, coding):
    """Only a JPEG 2000 whose channels are the colours of their numbers is passed on as it is."""
    data = encoded(PHOTO, "JPEG2000")
    entries = b"".join(struct.pack(">HHH", n, 0, colour) for n, colour in enumerate(order))
    box = struct.pack(">I4sH", 10 + len(entries), b"cdef", 3) + entries
    at = data.index(b"jp2h") - 4
    length = struct.unpack_from(">I", data, at)[0]
    end = at + length
    path = tmp_path / "a.jp2"
    path.write_bytes(
        data[:at] + struct.pack(">I", length + len(box)) + data[at + 4 : end] + box + data[end:]
    )
    (page,) = pictures.pages(path)
    assert pictures.stored(page)[0] == f"/{coding}Decode"
    assert psnr(page.shown, page.decoded) == 99
