"""Image files that were cut, lie, or want to fill the machine: refused, never half read."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

import pictures
import pytest
from makers import encoded, sheet
from pictures import LETTERS, chunk, clear, heic, photo, png
from PIL import Image, ImageSequence
from readers import found, page_read

from tasks.pictures import embed
from watcherd.errors import Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from watcherd.model import Limits

PHOTO = photo((300, 200))
BILEVEL = LETTERS.convert("1", dither=Image.Dither.NONE)


def refusal(path: Path, limits: Limits | None = None) -> Refusal:
    """Return why a file is not done: it is identified, or its page read."""
    with pytest.raises(Refusal) as caught:
        page_read(path, 1, limits)
    assert caught.value.reason.endswith(".")
    return caught.value


KINDS = {
    "jpeg": encoded(PHOTO, "JPEG"),
    "jpeg-progressive": encoded(PHOTO, "JPEG", progressive=True),
    "jpeg-inks": encoded(PHOTO.convert("CMYK"), "JPEG"),
    "png": encoded(PHOTO, "PNG"),
    "png-palette": encoded(PHOTO.quantize(99), "PNG"),
    "png-1": encoded(BILEVEL, "PNG"),
    "tiff-raw": encoded(PHOTO, "TIFF"),
    "tiff-lzw": encoded(PHOTO, "TIFF", compression="tiff_lzw"),
    "tiff-deflate": encoded(PHOTO, "TIFF", compression="tiff_adobe_deflate"),
    "tiff-packbits": encoded(PHOTO, "TIFF", compression="packbits"),
    "tiff-jpeg": encoded(PHOTO, "TIFF", compression="jpeg"),
    "tiff-g3": encoded(BILEVEL, "TIFF", compression="group3"),
    "tiff-g4": encoded(BILEVEL, "TIFF", compression="group4"),
    "webp": encoded(PHOTO, "WEBP"),
    "webp-lossless": encoded(PHOTO, "WEBP", lossless=True),
    "avif": encoded(PHOTO, "AVIF"),
    "jpeg2000": encoded(PHOTO, "JPEG2000"),
    "jpeg2000-bare": encoded(PHOTO, "JPEG2000", no_jp2=True),
    "jpeg2000-clear": encoded(clear(PHOTO), "JPEG2000"),
    "bmp": encoded(PHOTO, "BMP"),
    "bmp-rle": pictures.bmp((120, 80), 8, 1, b"\x78\x05\0\0" * 80 + b"\0\1"),
    "gif": encoded(PHOTO.quantize(99), "GIF"),
    "pbm": encoded(BILEVEL, "PPM"),
    "ppm": encoded(PHOTO, "PPM"),
    "pgm-plain": b"P2\n100 40\n15\n" + b" ".join(b"%d" % (n % 16) for n in range(4000)),
}


@pytest.fixture(scope="module", params=[*KINDS, "heic"])
def whole(request, tmp_path_factory) -> bytes:
    """Give the bytes of a file of each kind."""
    if request.param == "heic":
        return heic(tmp_path_factory.mktemp("heic") / "a.heic", PHOTO).read_bytes()
    return KINDS[request.param]


@pytest.mark.parametrize("part", [0.1, 0.35, 0.6, 0.85, 0.95])
def test_a_cut_file_is_corrupt(tmp_path, whole, part):
    """A file that ends anywhere before its end is refused, never published as half a picture."""
    path = tmp_path / "a"
    path.write_bytes(whole)
    assert found(path).pages == 1
    path.write_bytes(whole[: int(len(whole) * part)])
    assert refusal(path).code == "corrupt"


UNCODED = {"tiff-raw", "tiff-packbits", "bmp", "pbm", "ppm"}  # zeros are black pixels


@pytest.mark.parametrize("name", sorted(KINDS.keys() - UNCODED))
@pytest.mark.parametrize("part", [0.3, 0.6])
def test_a_file_with_zeros_to_its_end_is_corrupt(tmp_path, name, part):
    """A copy whose size was set first and that was not filled is refused like one that is short."""
    data = KINDS[name]
    path = tmp_path / "a"
    path.write_bytes(data[: int(len(data) * part)].ljust(len(data), b"\0"))
    assert refusal(path).code == "corrupt"


def test_heic_with_zeros_to_its_end_is_corrupt(tmp_path):
    """The same of a HEIC photo, whose decoder would fill the rest with grey."""
    path = heic(tmp_path / "a.heic", PHOTO)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 3].ljust(len(data), b"\0"))
    assert refusal(path).code == "corrupt"


def test_a_fax_strip_of_zeros_is_corrupt(tmp_path):
    """A TIFF with its directory and half of its strip would come out half white."""
    path = tmp_path / "a.tif"
    BILEVEL.save(path, compression="group4", strip_size=1 << 20)
    with Image.open(path) as tiff:
        (start,), (count,) = tiff.tag_v2[273], tiff.tag_v2[279]
    data = bytearray(path.read_bytes())
    data[start + count // 2 : start + count] = bytes(count - count // 2)
    path.write_bytes(data)
    assert refusal(path).code == "corrupt"


def test_jpeg_2000_without_its_end_is_corrupt(tmp_path):
    """The mark at the end of a codestream must be there: decoders do without."""
    path = tmp_path / "a.j2k"
    path.write_bytes(KINDS["jpeg2000-bare"][:-2])
    assert refusal(path).code == "corrupt"


HUGE = 100_000


def patched(data: bytes, at: int, form: str, *values: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into(form, changed, at, *values)
    return bytes(changed)


def jpeg_of(width: int, height: int) -> bytes:
    data = KINDS["jpeg"]
    return patched(data, data.index(b"\xff\xc0") + 5, ">HH", height, width)


def tiff_of(**tags: int) -> bytes:
    wanted = {256: HUGE, 257: HUGE, 258: 8, 259: 1, 262: 1, 277: 1, 278: HUGE, 279: 9}
    return pictures.tiff({**wanted, **{int(k[1:]): v for k, v in tags.items()}}, bytes(9))


def lies() -> dict[str, bytes]:
    """Return small files whose headers claim more pixels than anybody has."""
    jp2 = KINDS["jpeg2000"]
    canvas = (b"WEBPVP8X" + struct.pack("<IB3x", 10, 16) + b"\x9f\x86\1" * 2).ljust(40, b"\0")
    return {
        "jpeg": jpeg_of(65000, 65000),
        "png": png((HUGE, HUGE), 8, 0, [b"x"]),
        "tiff": tiff_of(),
        "tiff-g4": tiff_of(t258=1, t259=4),
        "gif": patched(KINDS["gif"], 6, "<HH", 65535, 65535),
        "bmp": pictures.bmp((HUGE, HUGE), 24, 0, b"x" * 99),
        "bmp-rle": pictures.bmp((HUGE, HUGE), 8, 1, b"\xff\0" * 99),
        "ppm": b"P6\n100000 100000\n255\nx",
        "pbm-plain": b"P1\n100000 100000\n1",
        "webp-canvas": b"RIFF" + struct.pack("<I", len(canvas)) + canvas,
        "jpeg2000": patched(jp2, jp2.index(b"ihdr") + 4, ">II", HUGE, HUGE),
    }


@pytest.mark.parametrize("name", lies())
def test_a_header_that_claims_too_much_is_refused(tmp_path, name):
    """A small file of a huge picture is refused by its header, before there is memory for it."""
    path = tmp_path / "a"
    path.write_bytes(lies()[name])
    found_ = refusal(path)
    assert found_.code == "too-large"
    assert "limits.page_megapixels" in found_.reason


@pytest.mark.parametrize("name", ["AVIF", "HEIF"])
def test_boxes_that_claim_too_much_are_refused(tmp_path, name):
    """The size that HEIF and AVIF tell of in a box is held to the limit, and to the picture."""
    path = tmp_path / "a"
    if name == "HEIF":
        heic(path, PHOTO)
    else:
        PHOTO.save(path, name)
    data = path.read_bytes()
    path.write_bytes(patched(data, data.index(b"ispe") + 8, ">II", 16000, 16000))
    assert refusal(path).code in {"too-large", "corrupt"}


def test_a_codestream_that_is_no_picture_of_its_box_is_refused(tmp_path):
    """JPEG 2000 whose box names fewer pixels than its codestream has is no picture."""
    data = KINDS["jpeg2000"]
    path = tmp_path / "a.jp2"
    path.write_bytes(patched(data, data.index(b"ihdr") + 4, ">II", 10, 10))
    assert refusal(path).code == "corrupt"


@pytest.mark.parametrize("name", ["box", "riff", "jp2"])
def test_boxes_that_lead_beyond_the_file_are_refused(tmp_path, name):
    """A box longer than its file, or shorter than itself, ends no loop and makes no picture."""
    kind = {"box": "avif", "riff": "webp", "jp2": "jpeg2000"}[name]
    data, at = KINDS[kind], {"box": 0, "riff": 4, "jp2": 12}[name]
    path = tmp_path / "a"
    for length in (1, 7, 1 << 31):
        path.write_bytes(patched(data, at, "<I" if name == "riff" else ">I", length))
        assert refusal(path).code in {"corrupt", "unsupported"}


SIDES = {
    "jpeg": jpeg_of(0, 10),
    "png": png((0, 5), 8, 0, []),
    "tiff": tiff_of(t256=0, t257=5),
    "bmp": pictures.bmp((0, 5), 24, 0, b""),
    "bmp-negative": pictures.bmp((-5, 5), 24, 0, bytes(99)),
    "ppm": b"P6\n0 5\n255\n",
}


@pytest.mark.parametrize("name", SIDES)
def test_no_size_is_no_picture(tmp_path, name):
    """Sides of zero or less are refused as damage; no PDF is made of them."""
    path = tmp_path / "a"
    path.write_bytes(SIDES[name])
    assert refusal(path).code in {"corrupt", "unsupported", "too-large"}


@pytest.mark.parametrize("name", [b"zTXt", b"iTXt", b"iCCP"])
def test_a_png_of_words_is_refused_or_read(tmp_path, name):
    """Text or a profile that unfolds into more than anybody writes does not fill the memory."""
    packed = zlib.compress(bytes(300 << 20), 9)
    front = {b"iTXt": b"a\0\1\0\0\0"}.get(name, b"a\0\0")
    path = tmp_path / "a.png"
    path.write_bytes(png((10, 10), 8, 0, [bytes(10)] * 10, chunk(name, front + packed)))
    assert refusal(path).code == "corrupt"


def test_a_wrong_check_sum_is_damage(tmp_path):
    """A PNG whose bytes changed on the way is refused, though it could be decoded."""
    data = bytearray(KINDS["png"])
    at = data.index(b"IDAT")
    length = struct.unpack_from(">I", data, at - 4)[0]
    data[at + 4 + length] ^= 1
    path = tmp_path / "a.png"
    path.write_bytes(data)
    assert refusal(path).code == "corrupt"


def test_a_tile_larger_than_any_page_is_refused(tmp_path):
    """The tile of a TIFF, which is decoded whole, may be no larger than a page."""
    path = tmp_path / "a.tif"
    tags = {256: 64, 257: 64, 258: 8, 259: 5, 262: 1, 277: 1, 322: 65536, 323: 65536, 325: 9}
    path.write_bytes(pictures.tiff(tags, bytes(9), at=324))
    assert refusal(path).code == "too-large"


def test_damage_is_no_matter_of_the_disk(tmp_path, monkeypatch):
    """A disk that fails while a picture is read is the machine's fault, not the document's."""
    path = tmp_path / "a.png"
    path.write_bytes(KINDS["png"])
    document = found(path)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tasks.pictures.stored.store", fail)
    facts = [page_read(path)]
    with pytest.raises(OSError, match="No space"), embed.sheets(path, document, facts):
        pass


def test_the_name_says_nothing(tmp_path):
    """Each kind is known by its bytes, under the name of another."""
    for name, data in KINDS.items():
        path = tmp_path / "scan.pdf"
        path.write_bytes(data)
        with Image.open(io.BytesIO(data)) as image:
            assert found(path).format == image.format, name


def fax(compression: str) -> bytes:
    """Return a TIFF of three bilevel pages."""
    pages = [sheet((f"Page {n} of three",)).image.convert("1") for n in (1, 2, 3)]
    return encoded(
        pages[0], "TIFF", save_all=True, append_images=pages[1:], compression=compression
    )


def shown(path: Path) -> list[bytes]:
    with Image.open(path) as image:
        return [frame.convert("L").tobytes() for frame in ImageSequence.Iterator(image)]


@pytest.mark.parametrize(
    ("compression", "lost"),
    [
        *((one, "cut") for one in ("group3", "group4", "tiff_lzw", "raw")),
        *((one, "zeros") for one in ("group3", "group4", "tiff_lzw")),  # raw zeros are black
    ],
)
def test_a_tiff_that_lost_its_end_shows_all_its_pages_or_is_refused(tmp_path, compression, lost):
    """However much of the end is missing or zero: no page is shown twice, or white, or in part."""
    whole, path = fax(compression), tmp_path / "a.tif"
    path.write_bytes(whole)
    assert found(path).pages == 3
    before = shown(path)
    refused = 0
    for length in range(1, 260, 3):
        path.write_bytes(whole[:-length] + (b"\0" * length if lost == "zeros" else b""))
        try:
            assert found(path).pages == 3
            for page in (1, 2, 3):
                page_read(path, page)
        except Refusal:
            refused += 1
        else:
            assert shown(path) == before, length
    assert refused > 40
