"""Every kind of image file as a page: all of its pixels, in about as many bytes."""

from __future__ import annotations

import random
import struct

import pictures
import pikepdf
import pytest
from makers import encoded
from pictures import COLOUR, LETTERS, clear, deep, heic, photo, psnr
from PIL import Image

PHOTO = photo()
BILEVEL = LETTERS.convert("1", dither=Image.Dither.NONE)
PALETTE = COLOUR.quantize(200)
INKS = PHOTO.convert("CMYK")
STRIPS = {"compression": "group4", "strip_size": 999}
WIDE = (120, 80)
RANDOM = random.Random(7)  # noqa: S311  -- no secret: the same pixels in every run


def deep_rows(channels: int) -> list[bytes]:
    width, height = WIDE
    values = [
        [(x * 500 + y * 9 + c * 7000) % 65536 for x in range(width) for c in range(channels)]
        for y in range(height)
    ]
    return [struct.pack(f">{len(row)}H", *row) for row in values]


def noise(count: int) -> bytes:
    return RANDOM.randbytes(count)


AROUND = 1500  # bytes of a PDF around its picture
# Name, image, its format, options; PDF's name of the coding; the most that the PDF's bytes may be
# of the file's, beside what is around. Grain is what LZW and WebP code better than Flate.
LOSSLESS = [
    ("jpeg-grey", PHOTO.convert("L"), "JPEG", {}, "DCT", 1.1),
    ("jpeg-rgb", PHOTO, "JPEG", {"quality": 90}, "DCT", 1.1),
    ("jpeg-444", PHOTO, "JPEG", {"quality": 90, "subsampling": 0}, "DCT", 1.1),
    ("jpeg-progressive", PHOTO, "JPEG", {"quality": 90, "progressive": True}, "DCT", 1.1),
    ("jpeg-channels-named-rgb", PHOTO, "JPEG", {"quality": 90, "keep_rgb": True}, "DCT", 1.1),
    ("png-1", BILEVEL, "PNG", {}, "CCITTFax", 1.1),
    ("png-grey", LETTERS, "PNG", {}, "Flate", 1.1),
    ("png-rgb", PHOTO, "PNG", {}, "Flate", 1.1),
    ("png-palette-2", COLOUR.quantize(4), "PNG", {}, "Flate", 1.1),
    ("png-palette-4", COLOUR.quantize(16), "PNG", {}, "Flate", 1.1),
    ("png-palette-8", PALETTE, "PNG", {}, "Flate", 1.1),
    ("png-16", deep(PHOTO.convert("L")), "PNG", {}, "Flate", 1.1),
    ("tiff-raw", PHOTO, "TIFF", {}, "Flate", 1.1),
    ("tiff-lzw", PHOTO, "TIFF", {"compression": "tiff_lzw"}, "Flate", 1.4),
    ("tiff-deflate", PHOTO, "TIFF", {"compression": "tiff_adobe_deflate"}, "Flate", 1.4),
    ("tiff-packbits", PHOTO, "TIFF", {"compression": "packbits"}, "Flate", 1.1),
    ("tiff-grey", PHOTO.convert("L"), "TIFF", {"compression": "tiff_lzw"}, "Flate", 1.4),
    ("tiff-palette", PALETTE, "TIFF", {"compression": "tiff_lzw"}, "Flate", 1.1),
    ("tiff-big", PHOTO, "TIFF", {"big_tiff": True}, "Flate", 1.1),
    ("tiff-ycbcr", PHOTO.convert("YCbCr"), "TIFF", {}, "Flate", 1.1),
    ("tiff-16", deep(PHOTO.convert("L")), "TIFF", {"compression": "tiff_lzw"}, "Flate", 1.4),
    ("tiff-jpeg", PHOTO, "TIFF", {"compression": "jpeg"}, "DCT", 1.1),
    ("tiff-jpeg-grey", PHOTO.convert("L"), "TIFF", {"compression": "jpeg"}, "DCT", 1.1),
    ("tiff-g3", BILEVEL, "TIFF", {"compression": "group3"}, "CCITTFax", 1.0),
    ("tiff-g4", BILEVEL, "TIFF", {"compression": "group4"}, "CCITTFax", 1.1),
    ("tiff-g4-strips", BILEVEL, "TIFF", STRIPS, "CCITTFax", 1.1),
    ("tiff-1-raw", BILEVEL, "TIFF", {}, "CCITTFax", 0.3),
    ("webp-lossless", PHOTO, "WEBP", {"lossless": True}, "Flate", 1.5),
    ("jpeg2000-grey", PHOTO.convert("L"), "JPEG2000", {}, "JPX", 1.1),
    ("jpeg2000-rgb", PHOTO, "JPEG2000", {}, "JPX", 1.1),
    ("jpeg2000-lossy", PHOTO, "JPEG2000", {"irreversible": True}, "JPX", 1.1),
    ("jpeg2000-bare", PHOTO, "JPEG2000", {"no_jp2": True}, "JPX", 1.1),
    ("jpeg2000-16", deep(PHOTO.convert("L")), "JPEG2000", {}, "JPX", 1.1),
    ("bmp-1", BILEVEL, "BMP", {}, "CCITTFax", 0.3),
    ("bmp-8", PALETTE, "BMP", {}, "Flate", 1.0),
    ("bmp-24", PHOTO, "BMP", {}, "Flate", 1.0),
    ("gif", PALETTE, "GIF", {}, "Flate", 1.1),
    ("gif-interlaced", PALETTE, "GIF", {"interlace": True}, "Flate", 1.1),
    ("pbm", BILEVEL, "PPM", {}, "CCITTFax", 0.3),
    ("pgm", PHOTO.convert("L"), "PPM", {}, "Flate", 1.0),
    ("ppm", PHOTO, "PPM", {}, "Flate", 1.0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("image", "kind", "options", "coding", "most"),
    [pytest.param(*row[1:], id=row[0]) for row in LOSSLESS],
)
def test_every_pixel_is_shown(tmp_path, image, kind, options, coding, most):
    """A viewer shows the file's pixels, each of them, out of about as many bytes."""
    path = tmp_path / "a"
    path.write_bytes(encoded(image, kind, dpi=(150, 150), **options))
    (page,) = pictures.pages(path)
    # A viewer rounds 16 bits to 8 where Pillow cuts them.
    assert psnr(page.shown, page.decoded) >= (48 if "16" in image.mode else 99)
    assert psnr(page.read.image, page.decoded.convert("L")) > 40  # a level, from rounding
    assert page.read.notes == ()
    with pikepdf.open(page.pdf) as pdf:
        assert pdf.pages[0].obj.Resources.XObject.Im0.Filter == f"/{coding}Decode"
    assert page.pdf.stat().st_size <= most * path.stat().st_size + AROUND


BYTES = [
    ("png-grey-2", pictures.png(WIDE, 2, 0, [noise(30) for _ in range(80)])),
    ("png-grey-4", pictures.png(WIDE, 4, 0, [noise(60) for _ in range(80)])),
    ("png-rgb-16", pictures.png(WIDE, 16, 2, deep_rows(3))),
    (
        "png-gamma",
        pictures.png(
            WIDE, 8, 0, [noise(120) for _ in range(80)], pictures.chunk(b"gAMA", b"\0\1\x86\xa0")
        ),
    ),
    ("bmp-4", pictures.bmp(WIDE, 4, 0, noise(60 * 80))),
    ("bmp-16", pictures.bmp(WIDE, 16, 0, noise(240 * 80))),
    ("bmp-565", pictures.bmp(WIDE, 16, 3, noise(240 * 80), struct.pack("<III", 63488, 2016, 31))),
    ("bmp-32", pictures.bmp(WIDE, 32, 0, noise(480 * 80))),
    ("bmp-rle8", pictures.bmp(WIDE, 8, 1, (b"\x78\x05\0\0" * 40 + b"\x78\x09\0\0" * 40) + b"\0\1")),
    ("bmp-rle4", pictures.bmp(WIDE, 4, 2, b"\x78\x25\0\0" * 80 + b"\0\1")),
    ("bmp-top-down", pictures.bmp((120, -80), 24, 0, noise(360 * 80))),
    ("pbm-plain", b"P1\n# made by hand\n8 4\n" + b"1 0 1 0 1 1 0 0\n" * 4),
    ("pgm-plain", b"P2\n100 40\n15\n" + b" ".join(b"%d" % (n % 16) for n in range(4000))),
    ("ppm-plain", b"P3\n100 40\n255\n" + b" ".join(b"%d" % (n % 256) for n in range(12000))),
    ("pgm-16", b"P5\n100 40\n65535\n" + noise(8000)),
]


@pytest.mark.parametrize("data", [pytest.param(row[1], id=row[0]) for row in BYTES])
def test_every_pixel_of_rare_kinds_is_shown(tmp_path, data):
    """Kinds that Pillow does not write are shown pixel by pixel too."""
    path = tmp_path / "a"
    path.write_bytes(data)
    (page,) = pictures.pages(path)
    assert psnr(page.shown, page.decoded) >= 48
    assert page.read.notes == ()
    assert page.pdf.stat().st_size <= 1.4 * len(data) + AROUND  # 16 bits of a BMP are 24


LOSSY = [
    ("webp", lambda path, image: image.save(path, "WEBP", quality=80), 3.0),
    ("avif", lambda path, image: image.save(path, "AVIF", quality=70), 2.5),
    ("heic", lambda path, image: heic(path, image, quality=60), 2.0),
]


@pytest.mark.parametrize(("mode", "least"), [("L", 37), ("RGB", 32)])
@pytest.mark.parametrize(("save", "most"), [pytest.param(*r[1:], id=r[0]) for r in LOSSY])
def test_photos_in_other_codings_become_jpeg(tmp_path, save, most, mode, least):
    """What PDF does not know and was lossy is a JPEG that an eye cannot tell from it, and said."""
    path = tmp_path / "a"
    save(path, PHOTO.convert(mode))
    (page,) = pictures.pages(path)
    assert psnr(page.shown, page.decoded) >= least  # grain and coloured letters are the worst
    assert page.pdf.stat().st_size <= most * path.stat().st_size
    (note,) = page.read.notes
    assert "which PDF does not know; it is kept as JPEG" in note
    coding, kept = pictures.stored(page)
    assert (coding, kept.mode) == ("/DCTDecode", mode)


def test_a_drawing_in_a_lossy_coding_keeps_its_pixels(tmp_path):
    """Where lossless coding is shorter than a JPEG, nothing more is lost."""
    path = tmp_path / "a.avif"
    Image.new("RGB", (400, 300), "white").save(path)
    (page,) = pictures.pages(path)
    assert psnr(page.shown, page.decoded) == 99
    assert pictures.stored(page)[0] == "/FlateDecode"


TRANSPARENT = [
    ("png", clear(PHOTO), "PNG", {}),
    ("png-grey", clear(LETTERS), "PNG", {}),
    ("png-one-grey", LETTERS, "PNG", {"transparency": 0}),
    ("png-one-colour", COLOUR, "PNG", {"transparency": COLOUR.getpixel((200, 299))}),
    ("png-palette", PALETTE, "PNG", {"transparency": bytes(range(200))}),
    ("png-palette-one", PALETTE, "PNG", {"transparency": PALETTE.getpixel((9, 9))}),
    ("gif", PALETTE, "GIF", {"transparency": PALETTE.getpixel((9, 9))}),
    ("tiff", clear(PHOTO), "TIFF", {"compression": "tiff_lzw"}),
    ("webp", clear(PHOTO), "WEBP", {"lossless": True, "exact": True}),
    ("jpeg2000", clear(PHOTO), "JPEG2000", {}),
    ("jpeg2000-grey", clear(LETTERS), "JPEG2000", {}),
]


@pytest.mark.parametrize(
    ("image", "kind", "options"), [pytest.param(*r[1:], id=r[0]) for r in TRANSPARENT]
)
def test_transparency_is_laid_on_white(tmp_path, image, kind, options):
    """What shines through a page is paper: to viewers, to the engine, and a note says so."""
    path = tmp_path / "a"
    path.write_bytes(encoded(image, kind, **options))
    (page,) = pictures.pages(path)
    assert psnr(page.shown, page.decoded) >= 55  # a level, where shares of paper are rounded
    assert psnr(page.read.image, page.decoded.convert("L")) > 45
    assert page.read.notes == ("transparency was laid on white",)
    with pikepdf.open(page.pdf) as pdf:
        assert "/SMask" not in pdf.pages[0].obj.Resources.XObject.Im0


def test_an_opaque_image_with_transparency_loses_nothing(tmp_path):
    """A fourth channel that is opaque everywhere is no transparency, and nobody is told of one."""
    path = tmp_path / "a.png"
    PHOTO.convert("RGBA").save(path)
    (page,) = pictures.pages(path)
    assert psnr(page.shown, PHOTO) == 99
    assert page.read.notes == ()


def test_palette_stays_palette_when_it_was_transparent(tmp_path):
    """Of a palette that is laid on white only the colours change."""
    path = tmp_path / "a.png"
    PALETTE.save(path, transparency=bytes([0, 128]))
    (page,) = pictures.pages(path)
    with pikepdf.open(page.pdf) as pdf:
        space = pdf.pages[0].obj.Resources.XObject.Im0.ColorSpace
        assert space[0] == "/Indexed"
        assert bytes(space[3])[:3] == b"\xff\xff\xff"


@pytest.mark.parametrize(
    ("name", "data", "notes"),
    [
        ("rgba-16.png", pictures.png(WIDE, 16, 6, deep_rows(4)), 2),
        ("p6.ppm", b"P6\n100 40\n65535\n" + noise(24000), 1),
        (
            "rgb-16.tif",
            pictures.tiff(
                {256: 120, 257: 80, 258: (16, 16, 16), 259: 1, 262: 2, 277: 3, 278: 80, 279: 57600},
                noise(57600),
            ),
            1,
        ),
    ],
)
def test_lost_bits_are_said(tmp_path, name, data, notes):
    """Where 16 bits become 8, because of transparency or for want of a decoder, a note says so."""
    path = tmp_path / name
    path.write_bytes(data)
    (page,) = pictures.pages(path)
    assert psnr(page.shown, page.decoded) > 48
    assert page.read.notes[-1] == "16 bits a channel were brought down to 8"
    assert len(page.read.notes) == notes


def test_deep_pixels_with_zero_for_white_are_not_inverted(tmp_path):
    """A 16-bit TIFF that says 0 for white is white where it is 0, to viewers and to the engine."""
    tags = {256: 120, 257: 80, 258: 16, 259: 1, 262: 0, 277: 1, 278: 80, 279: 19200}
    path = tmp_path / "a.tif"
    path.write_bytes(pictures.tiff(tags, bytes(9600) + b"\xff" * 9600))
    (page,) = pictures.pages(path)
    for image in (page.shown.convert("L"), page.read.image):
        assert (image.getpixel((5, 5)), image.getpixel((5, 75))) == (255, 0)


def test_32_bits_that_use_16_keep_them(tmp_path):
    """Grey in 32 bits with 16-bit values is a 16-bit image in the PDF."""
    path = tmp_path / "a.tif"
    deep(LETTERS).convert("I").save(path)
    (page,) = pictures.pages(path)
    with pikepdf.open(page.pdf) as pdf:
        assert pdf.pages[0].obj.Resources.XObject.Im0.BitsPerComponent == 16
    assert page.read.notes == ()
