"""What PDF holds as it is: the bytes of a JPEG, fax and JPEG strips of a TIFF, JPEG 2000."""

from __future__ import annotations

import struct

import pictures
import pikepdf
import pytest
from makers import encoded
from pictures import LETTERS, photo, psnr, reopened
from PIL import Image, ImageCms, TiffImagePlugin

from tasks.pictures import pixels

PHOTO = photo()
BILEVEL = LETTERS.convert("1", dither=Image.Dither.NONE)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def raw(page: pictures.Page) -> bytes:
    with pikepdf.open(page.pdf) as pdf:
        return pdf.pages[0].obj.Resources.XObject.Im0.read_raw_bytes()


def image_of(page: pictures.Page) -> dict[str, object]:
    with pikepdf.open(page.pdf) as pdf:
        return {k: repr(v) for k, v in pdf.pages[0].obj.Resources.XObject.Im0.items()}


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_jpeg_bytes_are_the_originals(tmp_path, mode, options):
    """A JPEG is embedded byte by byte, never decoded and encoded again."""
    path = tmp_path / "a.jpg"
    PHOTO.convert(mode).save(path, **options)
    (page,) = pictures.pages(path)
    assert raw(page) == path.read_bytes()


@pytest.mark.parametrize("orientation", [0, 9, *range(1, 9), 65535])
def test_orientation_turns_the_page_and_not_the_bytes(tmp_path, orientation):
    """A JPEG that lies on its side, is mirrored, or says nonsense, is shown upright as it is."""
    exif = Image.Exif()
    exif[pixels.ORIENTATION] = orientation
    path = tmp_path / "a.jpg"
    PHOTO.save(path, exif=exif)
    (page,) = pictures.pages(path)
    assert raw(page) == path.read_bytes()
    assert psnr(page.shown, page.decoded) == 99


def test_what_stands_behind_a_jpeg_is_left_out(tmp_path):
    """Rubbish behind the end, or the second picture of a phone, is no part of the page."""
    path = tmp_path / "a.jpg"
    PHOTO.save(path)
    plain = path.read_bytes()
    path.write_bytes(plain + b"rubbish" * 999)
    assert raw(pictures.pages(path)[0]) == plain
    PHOTO.save(path, "MPO", save_all=True, append_images=[PHOTO.rotate(180)])
    first = raw(pictures.pages(path)[0])
    assert path.read_bytes().startswith(first)
    assert len(first) < 0.6 * path.stat().st_size
    assert reopened(first).convert("RGB").tobytes() == reopened(plain).convert("RGB").tobytes()


def test_a_thumbnail_in_the_head_is_no_end(tmp_path):
    """The end of the small JPEG that Exif holds is not the end of the picture."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x927C] = encoded(PHOTO.resize((60, 40)), "JPEG")
    path = tmp_path / "a.jpg"
    PHOTO.save(path, exif=exif)
    assert raw(pictures.pages(path)[0]) == path.read_bytes()


def test_ycck_is_shown_as_inks(tmp_path):
    """Adobe's JPEGs of lightness, colours and black go as they are, inverted as they are."""
    data = bytearray(encoded(PHOTO.convert("CMYK"), "JPEG"))
    data[data.index(b"Adobe") + 11] = 2
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    (page,) = pictures.pages(path)
    assert raw(page) == bytes(data)
    assert image_of(page)["/Decode"] == repr(pikepdf.Array([1, 0] * 4))
    assert psnr(page.shown.convert("L"), page.read.image) > 15  # viewers print inks as they like


# jpegtran -arithmetic, of 16 by 16 grey pixels that run from black to white
ARITHMETIC = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb004300030202030202030303030403030405080505040405"
    "0a070706080c0a0c0c0b0a0b0b0d0e12100d0e110e0b0b1016101113141515150c0f171816141812141514ffc900"
    "0b080010001001011100ffcc000600101005ffda0008010100003f00ff00ddc20965da6db3a8f17be0ddc887beb5"
    "76b49a06a0ffd9"
)


def test_arithmetic_coding_is_decoded(tmp_path):
    """A coding of JPEG that PDF does not have becomes one that it has, and a note says so."""
    path = tmp_path / "a.jpg"
    path.write_bytes(ARITHMETIC)
    (page,) = pictures.pages(path)
    assert psnr(page.shown, page.decoded) > 40
    assert page.read.notes[0].startswith("the picture was JPEG of an arithmetic")


def g4(image: Image.Image) -> bytes:
    """Return an image's fax coding, one strip."""
    tiff = reopened(encoded(image, "TIFF", compression="group4", strip_size=1 << 20))
    (start,), (length,) = tiff.tag_v2[273], tiff.tag_v2[279]
    tiff.fp.seek(start)
    return tiff.fp.read(length)


@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("orientation", [1, 2, 6, 7])
def test_fax_strips_are_the_originals(tmp_path, photometric, order, orientation):
    """One strip of fax coding is embedded as it is, whatever is white, whichever bit is first."""
    data = g4(BILEVEL)
    turned = bytes(int(f"{byte:08b}"[::-1], 2) for byte in data)
    width, height = BILEVEL.size
    tags = {
        256: width,
        257: height,
        258: 1,
        259: 4,
        262: photometric,
        266: order,
        274: orientation,
        277: 1,
        278: height,
        279: len(data),
    }
    path = tmp_path / "a.tif"
    path.write_bytes(pictures.tiff(tags, turned if order == 2 else data))
    (page,) = pictures.pages(path)
    assert raw(page) == data
    assert psnr(page.shown, page.decoded) == 99
    assert page.decoded.size == ((height, width) if orientation > 4 else (width, height))


@pytest.mark.parametrize("mode", ["L", "RGB", "YCbCr"])
@pytest.mark.parametrize("strip", [1 << 20, 450 * 3 * 16])
@pytest.mark.parametrize("orientation", [1, 3, 8])
def test_jpeg_strips_become_one_jpeg(tmp_path, mode, strip, orientation):
    """Strips of JPEG are joined by restart markers: their coded data is what it was."""
    path = tmp_path / "a.tif"
    PHOTO.convert(mode).save(
        path, compression="jpeg", strip_size=strip, tiffinfo={274: orientation}
    )
    with Image.open(path) as tiff:
        count = len(tiff.tag_v2[273])
    assert (count == 1) == (strip == 1 << 20)
    (page,) = pictures.pages(path)
    assert psnr(page.shown, page.decoded) >= 55  # libtiff and viewers round colours differently
    assert page.read.notes == ()
    joined = raw(page)
    assert len(joined) < 1.05 * path.stat().st_size
    assert reopened(joined).size == PHOTO.size
    # Readers that find no marker take three channels for lightness and colours, or look at names.
    assert reopened(joined).info.get("adobe_transform") == {"RGB": 0, "YCbCr": 1}.get(mode)


def test_strips_that_cannot_be_joined_are_decoded(tmp_path):
    """Strips with tables of their own are coded anew, once, and a note says so."""
    width = PHOTO.width
    halves = [PHOTO.crop((0, top, width, top + 144)) for top in (0, 144)]
    coded = [encoded(half, "JPEG", quality=90 - 9 * n) for n, half in enumerate(halves)]
    sizes = tuple(map(len, coded))
    tags = {256: width, 257: 288, 258: (8, 8, 8), 259: 7, 262: 6, 277: 3, 278: 144, 530: (2, 2)}
    path = tmp_path / "a.tif"
    path.write_bytes(pictures.tiff({**tags, 273: (8, 8 + sizes[0]), 279: sizes}, b"".join(coded)))
    (page,) = pictures.pages(path)
    assert psnr(page.shown, page.decoded) > 30
    assert "TIFF with lossy" in page.read.notes[0]


def test_old_jpeg_in_tiff_is_decoded(tmp_path):
    """The first, ill-defined way to put JPEG into TIFF is read where libtiff can."""
    data = encoded(PHOTO, "JPEG")
    width, height = PHOTO.size
    tags = {
        256: width,
        257: height,
        258: (8, 8, 8),
        259: 6,
        262: 6,
        277: 3,
        278: height,
        279: len(data),
        513: 8,
        514: len(data),
        530: (2, 2),
    }
    path = tmp_path / "a.tif"
    path.write_bytes(pictures.tiff(tags, data))
    (page,) = pictures.pages(path)
    assert psnr(page.shown, PHOTO) > 26
    assert "TIFF with lossy" in page.read.notes[0]


def test_bare_jpeg_2000_gets_its_boxes(tmp_path):
    """A codestream without a file around it is given one; its own bytes stay."""
    path = tmp_path / "a.j2k"
    PHOTO.save(path)
    (page,) = pictures.pages(path)
    assert raw(page).endswith(path.read_bytes())
    assert raw(page)[4:8] == b"jP  "
    assert reopened(raw(page)).convert("RGB").tobytes() == PHOTO.tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_colour_profiles_are_kept(tmp_path, kind):
    """A profile that describes an image's colours goes with it."""
    path = tmp_path / "a"
    PHOTO.save(path, kind, icc_profile=SRGB)
    (page,) = pictures.pages(path)
    with pikepdf.open(page.pdf) as pdf:
        space = pdf.pages[0].obj.Resources.XObject.Im0.ColorSpace
        assert space[0] == "/ICCBased"
        assert space[1].N == 3
        assert space[1].read_bytes() == SRGB


def test_a_palette_keeps_its_profile(tmp_path):
    """A palette's colours are described by a profile like any others."""
    path = tmp_path / "a.png"
    PHOTO.quantize(99).save(path, icc_profile=SRGB)
    (page,) = pictures.pages(path)
    with pikepdf.open(page.pdf) as pdf:
        space = pdf.pages[0].obj.Resources.XObject.Im0.ColorSpace
        assert (space[0], space[1][0]) == ("/Indexed", "/ICCBased")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("profile", [SRGB, b"no profile" * 20])
def test_a_profile_of_other_colours_is_left_out(tmp_path, kind, profile):
    """A profile for red, green and blue says nothing of a grey image; a broken one of none."""
    path = tmp_path / "a"
    PHOTO.convert("L").save(path, kind, icc_profile=profile)
    (page,) = pictures.pages(path)
    assert image_of(page)["/ColorSpace"] == repr(pikepdf.Name.DeviceGray)
    assert "colour profile is of another kind" in page.read.notes[0]


def test_profiles_of_many_pages_are_there_once(tmp_path):
    """Pages of one scanner share its profile."""
    path = tmp_path / "a.tif"
    PHOTO.save(path, save_all=True, append_images=[PHOTO, PHOTO], icc_profile=SRGB)
    page = pictures.pages(path)[0]
    with pikepdf.open(page.pdf) as pdf:
        spaces = [sheet.obj.Resources.XObject.Im0.ColorSpace[1].objgen for sheet in pdf.pages]
    assert len(spaces) == 3
    assert len(set(spaces)) == 1


def test_each_page_decides_for_itself(tmp_path):
    """One page that must be converted converts no other; each has its size and its coding."""
    frames = [
        (BILEVEL, {"compression": "group4", "strip_size": 1 << 20}),
        (PHOTO, {"compression": "jpeg"}),
        (pictures.clear(PHOTO.resize((300, 200))), {"compression": "tiff_lzw"}),
        (pictures.COLOUR.quantize(16).resize((200, 500)), {"compression": "packbits"}),
        (PHOTO.convert("CMYK").resize((150, 100)), {}),
    ]
    path = tmp_path / "a.tif"
    with TiffImagePlugin.AppendingTiffWriter(str(path), new=True) as file:
        for number, (image, options) in enumerate(frames):
            image.save(file, "TIFF", dpi=(100 + 50 * number,) * 2, **options)
            file.newFrame()
    made = pictures.pages(path)
    with pikepdf.open(made[0].pdf) as pdf:
        kinds = [sheet.obj.Resources.XObject.Im0.Filter for sheet in pdf.pages]
    flate = "/FlateDecode"
    assert kinds == ["/CCITTFaxDecode", "/DCTDecode", flate, flate, flate]
    for (image, _), page in zip(frames[:4], made, strict=False):
        assert page.shown.size == image.size
        assert psnr(page.shown, page.decoded) >= 55
    assert [page.read.notes for page in made].count(()) == 4
    assert made[2].read.notes == ("transparency was laid on white",)


def test_tags_of_jpeg_2000_that_pdf_reads_otherwise_are_decoded(tmp_path):
    """With transparency in it JPEG 2000 is decoded, laid on white, and lossless as it was."""
    path = tmp_path / "a.jp2"
    pictures.clear(PHOTO).save(path)
    (page,) = pictures.pages(path)
    assert pictures.stored(page)[0] == "/FlateDecode"
    assert struct.unpack_from(">I", path.read_bytes())[0] == 12
