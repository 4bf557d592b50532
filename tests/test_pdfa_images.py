"""Images of all kinds become PDF/A-2b."""

from __future__ import annotations

import hashlib
import io

import makers
import pikepdf
import pytest
from pdfa_desk import built, colours, sound
from PIL import Image, ImageChops, ImageCms, ImageStat

from tasks.outputs.archival import icc, pictures

SHEET = makers.sheet()
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PROFILE = "ac0e77edd11f01f277bda80b7c8823e7418c8e0842da2c7cef9b42f844f3d598"
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def images():
    """Yield name, image, format and options of all kinds of image files."""
    grey = SHEET.image
    rgb = Image.merge("RGB", (grey, grey.point(lambda v: min(255, v + 60)), grey))
    yield "bilevel.tif", grey.convert("1"), {"compression": "group4"}
    yield "lzw.tif", rgb, {"compression": "tiff_lzw"}
    yield "grey.png", grey, {}
    yield "grey.jpg", grey, {}
    yield "palette.png", rgb.quantize(16), {}
    yield "rgb.jpg", rgb, {"icc_profile": SRGB}
    yield "rgb.png", rgb, {"icc_profile": SRGB}
    yield "wrong-profile.png", rgb, {"icc_profile": LAB}
    yield "damaged-profile.jpg", rgb, {"icc_profile": b"no profile at all" * 20}
    yield "grey-wrong-profile.jpg", grey, {"icc_profile": SRGB}
    yield "alpha.png", rgb.convert("RGBA"), {}
    yield "deep.png", grey.convert("I;16").point(lambda v: v * 257), {}
    yield "inks.jpg", rgb.convert("CMYK"), {"quality": 95}
    yield "inks.tif", rgb.convert("CMYK"), {}
    yield "rgb.jp2", rgb, {}
    yield "bare.j2k", rgb, {}
    yield "rgb.webp", rgb, {"lossless": True}


@pytest.mark.parametrize(
    ("name", "image", "how"), list(images()), ids=lambda v: v if isinstance(v, str) else ""
)
def test_images_become_pdfa(tmp_path, name, image, how):
    """Whatever an image's kind and colours, it becomes PDF/A-2b that shows the same."""
    path = makers.saved(image, tmp_path / name, **how)
    out, notes = built(path, tmp_path / "out")
    sound(out)
    assert not [note for note in notes if "not reached" in note]
    shown, plain = colours(out), colours(built(path, tmp_path / "out", "pdf")[0])
    near = 60 if "inks" in name or "profile" in name else 3  # viewers mix inks in their own way
    mean = ImageStat.Stat(ImageChops.difference(shown, plain)).mean
    assert max(mean) < near
    assert makers.shown_text(out) == SHEET.text


@pytest.mark.parametrize("name", ["inks.jpg", "inks.tif"])
def test_inks_become_rgb(tmp_path, name):
    """Pictures of inks without a profile become RGB, as Pillow mixes them; a person is told."""
    paint = Image.new("CMYK", (300, 200), (0, 255, 255, 0))
    paint.paste((255, 0, 0, 64), (0, 0, 150, 200))
    path = makers.saved(paint, tmp_path / name, **({"quality": 95} if name == "inks.jpg" else {}))
    out, notes = built(path, tmp_path / "out")
    assert pictures.INKS in notes
    shown = colours(sound(out))
    wanted = paint.convert("RGB")
    for left in (50, 250):
        found = shown.getpixel((left * shown.width // 300, shown.height // 2))
        assert found == pytest.approx(wanted.getpixel((left, 100)), abs=8)


def test_a_forbidden_profile_goes(tmp_path):
    """A profile of a version that PDF/A-2 does not know is left out; a person is told."""
    later = SRGB[:8] + b"\x05" + SRGB[9:]
    path = makers.saved(SHEET.image.convert("RGB"), tmp_path / "a.jpg", icc_profile=later)
    out, notes = built(path, tmp_path / "out")
    sound(out)
    assert pictures.PROFILE in notes


def test_forbidden_jpeg2000_is_packed_anew(tmp_path):
    """JPEG 2000 that lists the depth of each channel shows the same in another packing."""
    data = bytearray(makers.encoded(SHEET.image.convert("RGB"), "JPEG2000"))
    depths = b"\0\0\0\x0bbpcc\x07\x07\x07"
    head, facts = data.index(b"jp2h") - 4, data.index(b"ihdr") - 4
    length = int.from_bytes(data[head : head + 4], "big") + len(depths)
    data[head : head + 4] = length.to_bytes(4, "big")
    data[facts + 18] = 255  # the depths are told elsewhere
    data[facts + 22 : facts + 22] = depths
    path = tmp_path / "a.jp2"
    path.write_bytes(data)
    out, notes = built(path, tmp_path / "out")
    assert pictures.PACKED in notes
    shown = makers.rendered(sound(out)).resize(SHEET.image.size)
    assert ImageStat.Stat(ImageChops.difference(shown, SHEET.image)).mean[0] < 2


def test_a_jpegs_bytes_are_kept(tmp_path):
    """A JPEG stands in its PDF/A byte by byte."""
    path = makers.saved(SHEET.image, tmp_path / "a.jpg")
    out, _ = built(path, tmp_path / "out")
    with pikepdf.open(out) as pdf:
        assert pdf.pages[0].obj.Resources.XObject.Im0.read_raw_bytes() == path.read_bytes()


def test_the_profile_is_srgb():
    """Our profile means what another maker's sRGB means, and never changes."""
    ours = ImageCms.ImageCmsProfile(io.BytesIO(icc.srgb()))
    levels = bytes(v for r in range(0, 256, 15) for g in range(0, 256, 15) for v in (r, g, 255 - r))
    image = Image.frombytes("RGB", (len(levels) // 3, 1), levels)
    turned = ImageCms.profileToProfile(image, ours, ImageCms.createProfile("sRGB"))
    assert all(abs(a - b) <= 1 for a, b in zip(image.tobytes(), turned.tobytes(), strict=True))
    assert hashlib.sha256(icc.srgb()).hexdigest() == PROFILE
