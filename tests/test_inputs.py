"""What a file is, told from its content."""

from __future__ import annotations

import struct
import zlib
from functools import partial
from typing import TYPE_CHECKING

import makers
import pictures
import pikepdf
import pytest
from PIL import Image, ImageFile
from readers import found

from tasks import inputs
from tasks.document import Document, Input
from tasks.inputs import picture
from tasks.pictures import embed
from watcherd.config_keys import SECTIONS
from watcherd.errors import Refusal
from watcherd.model import Limits

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = Limits()
SMALL = Image.new("RGB", (40, 30), "white")


def refused(path: Path, limits: Limits = LIMITS) -> str:
    with pytest.raises(Refusal) as caught:
        found(path, limits)
    assert caught.value.reason.endswith(".")
    return caught.value.code


@pytest.mark.parametrize(
    "kind", ["JPEG", "PNG", "TIFF", "GIF", "BMP", "WEBP", "JPEG2000", "PPM", "AVIF"]
)
def test_images_are_known_by_content(tmp_path, kind):
    """An image is what its bytes say, with any name."""
    path = tmp_path / "scan.pdf"
    path.write_bytes(makers.encoded(SMALL, kind))
    assert found(path, LIMITS) == Document("picture", kind, 1, (0,))


@pytest.mark.parametrize(
    ("kind", "options"),
    [("TIFF", {"big_tiff": True}), ("JPEG2000", {"no_jp2": True}), ("PPM", {}), ("WEBP", {})],
)
def test_variants_are_known_by_content(tmp_path, kind, options):
    """A large TIFF and a bare codestream are of their kind as the usual ones are."""
    path = tmp_path / "scan.gif"
    path.write_bytes(makers.encoded(SMALL, kind, **options))
    assert found(path, LIMITS).format == kind


class _Toy(ImageFile.ImageFile):
    """A decoder of a kind of file that nobody has heard of: one grey, all over."""

    format = "TOY"

    def _open(self) -> None:
        if self.fp.read(3) != b"TOY":
            raise SyntaxError("no toy")
        self._mode, self._size = "L", (40, 30)
        self.tile = [ImageFile._Tile("raw", (0, 0, 40, 30), 3, ("L", 0, 1))]


def test_a_kind_is_added_by_one_module_and_one_line(tmp_path, monkeypatch):
    """A stranger's input with a decoder for Pillow is identified, read, and stored without loss."""
    monkeypatch.setitem(Image.OPEN, "TOY", (_Toy, lambda head: head.startswith(b"TOY")))
    opens = partial(picture.open_file, name="toy", formats=("TOY",))
    toy = Input("toy", lambda head: head.startswith(b"TOY"), opens, picture.read, embed.sheets)
    monkeypatch.setattr(inputs, "INPUTS", (toy, *inputs.INPUTS))
    path = tmp_path / "a"
    path.write_bytes(b"TOY" + bytes(range(200)) * 6)
    assert found(path, LIMITS) == Document("toy", "TOY", 1, (0,))
    (page,) = pictures.pages(path)
    assert page.shown.tobytes() == page.decoded.tobytes()
    assert page.shown.getpixel((1, 0)) == (1, 1, 1)
    assert page.read.notes == ()


def test_pdf_is_known_by_content(tmp_path):
    """A PDF is one even when it is named as an image, and after stray bytes at its start."""
    path = makers.text_pdf(["hello"], tmp_path / "a.jpg")
    assert found(path, LIMITS) == Document("pdf", "PDF", 1)
    path.write_bytes(b"\r\n\r\n" + path.read_bytes())
    assert found(path, LIMITS).kind == "pdf"


@pytest.mark.parametrize(
    "data", [b"/etc/passwd\n", b"plain words", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"PK\x03\x04", b"\0"]
)
def test_other_files_are_unsupported(tmp_path, data):
    """Text, even a list of file names named as an image, is no document."""
    path = tmp_path / "x.png"
    path.write_bytes(data)
    assert refused(path) == "unsupported"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "GIF", "WEBP"])
def test_the_first_bytes_of_an_image_are_corrupt(tmp_path, kind):
    """A copy that has just begun is called damaged, not of an unknown kind."""
    path = tmp_path / "a"
    path.write_bytes(makers.encoded(SMALL, kind)[:16])
    assert refused(path) == "corrupt"


def test_zero_bytes_are_empty(tmp_path):
    """A file of no bytes is refused as empty."""
    path = tmp_path / "x.tif"
    path.touch()
    assert refused(path) == "empty"


def test_absent_file_is_an_os_error(tmp_path):
    """What the system denies stays its error, so that nobody blames the document."""
    with pytest.raises(FileNotFoundError):
        found(tmp_path / "gone.png", LIMITS)


def test_tiff_frames_are_pages(tmp_path):
    """A TIFF has as many pages as images."""
    path = tmp_path / "a.tif"
    SMALL.save(path, save_all=True, append_images=[SMALL, SMALL])
    assert found(path, LIMITS).pages == 3
    assert refused(path, Limits(pages=2)) == "too-large"


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_animation_is_one_page(tmp_path, kind):
    """Of an animation only the first frame counts."""
    path = tmp_path / "a"
    frames = [Image.new("RGB", (40, 30), c) for c in ("red", "green", "blue")]
    frames[0].save(path, kind, save_all=True, append_images=frames[1:])
    assert found(path, LIMITS).pages == 1


def test_phone_photo_is_one_page(tmp_path):
    """A JPEG that carries a second picture (MPO, as phones write) is one page."""
    path = tmp_path / "a.jpg"
    SMALL.save(path, "MPO", save_all=True, append_images=[SMALL])
    assert found(path, LIMITS) == Document("picture", "MPO", 1, (0,))


def test_tiff_directory_loop_ends(tmp_path):
    """A TIFF whose last directory points back to its first is read once round."""
    path = tmp_path / "loop.tif"
    SMALL.save(path)
    data = bytearray(path.read_bytes())
    first = struct.unpack_from("<I", data, 4)[0]
    entries = struct.unpack_from("<H", data, first)[0]
    struct.pack_into("<I", data, first + 2 + 12 * entries, first)
    path.write_bytes(data)
    assert found(path, LIMITS).pages == 1


def test_pixels_are_counted_from_the_header(tmp_path):
    """An image over the limit is refused before a pixel is decoded: there are none here."""
    path = tmp_path / "a.png"
    header = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    data = makers.encoded(SMALL, "PNG")
    path.write_bytes(data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:])
    assert refused(path) == "too-large"
    image = makers.saved(Image.new("1", (2000, 1000)), tmp_path / "b.png")
    assert refused(image, Limits(page_pixels=1_999_999)) == "too-large"
    assert found(image, Limits(page_pixels=2_000_000)).pages == 1


def test_further_pictures_are_told(tmp_path):
    """An animation is one page, and a note says how many pictures it has; one alone needs none."""
    path = tmp_path / "a.gif"
    frames = [SMALL, Image.new("RGB", SMALL.size, "black")]
    path.write_bytes(makers.encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert found(path).pages == 1
    assert found(path).notes == ("the file has 2 pictures; only one of them was taken",)
    path.write_bytes(makers.encoded(SMALL, "GIF"))
    assert found(path).notes == ()


def locked(path: Path, user: str) -> Path:
    makers.text_pdf(["secret"], path)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, encryption=pikepdf.Encryption(user=user, owner="owner"))
    return path


def test_password_is_needed(tmp_path):
    """A PDF that opens only with a password is refused as encrypted."""
    assert refused(locked(tmp_path / "a.pdf", "open sesame")) == "encrypted"


def test_owner_password_alone_does_not_hinder(tmp_path):
    """A PDF that opens without a password is read, whatever it forbids."""
    document = found(locked(tmp_path / "a.pdf", ""), LIMITS)
    assert document.pages == 1


@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_half_written_pdf_is_corrupt(tmp_path, part):
    """A PDF that was cut anywhere is refused, though repair would find pages in it."""
    path = makers.scan_pdf([makers.sheet()] * 2, tmp_path / "a.pdf")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    assert refused(path) == "corrupt"


def test_padded_pdf_is_whole(tmp_path):
    """Zeros after a PDF's end, as some copies leave, do not make it look cut."""
    path = makers.text_pdf(["hello"], tmp_path / "a.pdf")
    path.write_bytes(path.read_bytes() + bytes(8000))
    assert found(path, LIMITS).pages == 1


def test_signature_is_seen(tmp_path):
    """A PDF with a signature says so."""
    path = makers.text_pdf(["signed"], tmp_path / "a.pdf")
    assert not found(path, LIMITS).signed
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.Root.AcroForm = pikepdf.Dictionary(SigFlags=3, Fields=pikepdf.Array())
        pdf.save(path)
    assert found(path, LIMITS).signed


@pytest.mark.parametrize(("size", "good"), [((4800, 1), True), ((4801, 1), False)])
def test_a_line_is_no_page(tmp_path, size, good):
    """An image too thin for any page of a PDF is refused in words; one less thin is not."""
    path = tmp_path / "a.png"
    Image.new("L", size).save(path)
    if good:
        assert found(path, Limits()).pages == 1
        return
    with pytest.raises(Refusal, match="Page 1 is 4801 by 1 pixels, a line and no page") as caught:
        found(path, Limits())
    assert (caught.value.code, caught.value.page) == ("unsupported", 1)


def test_refusals_name_keys_that_there_are(tmp_path):
    """Whoever meets a limit reads the key of the configuration that sets it."""
    path = tmp_path / "a.tif"
    Image.new("1", (10, 10)).save(path, save_all=True, append_images=[Image.new("1", (10, 10))])
    for limits, key in (
        (Limits(page_pixels=99), "limits.page_megapixels"),
        (Limits(pages=1), "limits.pages"),
    ):
        with pytest.raises(Refusal, match=rf"\({key}\)\.$"):
            found(path, limits)
        section, _, name = key.partition(".")
        assert name in SECTIONS[section]
