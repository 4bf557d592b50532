"""What a page may take is known from its header: what is admitted ends within its memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kills import fork, status
from makers import sheet
from pictures import heic
from PIL import Image
from readers import found, page_read

from tasks.pictures import cost, embed, pixels
from tasks.saving import save
from watcherd.errors import Refusal
from watcherd.model import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1 << 20
SIDE = 3000  # 9 million pixels: large beside what else a process takes
SLACK = 20 * MIB  # what a process takes beside the pixels: decoders' code, 8 MiB of the PDF
PAGE = Image.merge("RGB", [sheet(size=(SIDE, SIDE)).image] * 2 + [Image.new("L", (SIDE, SIDE), 99)])
GREY = PAGE.getchannel(0)

KINDS = {
    "grey.jpg": (GREY, {}),
    "rgb.jpg": (PAGE, {}),
    "progressive.jpg": (PAGE, {"progressive": True, "subsampling": 0}),
    "inks.jpg": (PAGE.convert("CMYK"), {}),
    "inks-progressive.jpg": (PAGE.convert("CMYK"), {"progressive": True}),
    "rgb.png": (PAGE, {}),
    "rgba.png": (PAGE.convert("RGBA"), {}),
    "clear.png": (PAGE, {"transparency": (255, 255, 99)}),
    "palette.png": (PAGE.quantize(16), {}),
    "16.png": (GREY.convert("I").convert("I;16"), {}),
    "g4.tif": (GREY.convert("1"), {"compression": "group4"}),
    "lzw.tif": (PAGE, {"compression": "tiff_lzw"}),
    "one-strip.tif": (PAGE, {"compression": "tiff_lzw", "strip_size": 1 << 30}),
    "inks.tif": (PAGE.convert("CMYK"), {}),
    "32.tif": (GREY.convert("I"), {}),
    "lossy.webp": (PAGE, {}),
    "clear.webp": (PAGE.convert("RGBA"), {"lossless": True}),
    "a.avif": (PAGE, {"speed": 10}),
    "444.avif": (PAGE, {"speed": 10, "subsampling": "4:4:4"}),
    "grey.jp2": (GREY, {}),
    "rgb.jp2": (PAGE, {}),
    "a.bmp": (PAGE, {}),
    "a.gif": (PAGE.quantize(16), {}),
    "a.heic": (PAGE, {}),
}


def saved(name: str, folder: Path) -> Path:
    image, options = KINDS[name]
    path = folder / name
    if name == "a.heic":
        return heic(path, image)
    image.save(path, **options)
    return path


def peak(act: Callable[[], object], note: Path) -> int:
    """Return by how many bytes the memory of a process of its own grows at most."""

    def child() -> None:
        before = _highest()
        act()
        note.write_text(str(_highest() - before))

    assert status(fork(child)) == 0
    return int(note.read_text())


def _highest() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


def taken(path: Path) -> tuple[float, int]:
    """Return what a page is said to take, in bytes, and what decoding and storing it did take."""
    document = found(path)

    def act() -> None:
        fact = page_read(path)
        with embed.sheets(path, document, [fact]) as pdf:
            save(pdf, path.with_suffix(".pdf"))

    with pixels.open_frame(path, document, 1) as image:
        said = image.width * image.height * cost.per_pixel(image)
    return said + 2 * path.stat().st_size, peak(act, path.with_suffix(".peak"))


@pytest.mark.parametrize("name", KINDS)
def test_no_page_takes_more_than_was_said(tmp_path, name):
    """Decoding and storing a page takes no more memory by the pixel than its header was said to."""
    said, took = taken(saved(name, tmp_path))
    assert took <= said + SLACK


def test_what_would_take_too_much_is_refused_in_words(tmp_path):
    """A page whose decoder needs more than allowed is refused first, saying what to do."""
    path = saved("inks-progressive.jpg", tmp_path)
    with pytest.raises(Refusal) as caught:
        found(path, Limits(page_memory=300 * MIB))
    assert (caught.value.code, caught.value.page) == ("too-large", 1)
    assert caught.value.reason == (
        "Page 1 has 3000 by 3000 pixels; as progressive JPEG (CMYK) they take 313 MiB of memory, "
        "and 300 are allowed (limits.page_memory). "
        "Allow more, or send fewer pixels or another format."
    )
    assert found(path, Limits(page_memory=314 * MIB)).pages == 1


def test_each_page_of_a_file_is_held_to_it(tmp_path):
    """A large page behind a small one is found, and named."""
    path = tmp_path / "a.tif"
    PAGE.resize((10, 10)).save(path, save_all=True, append_images=[PAGE])
    with pytest.raises(Refusal, match=r"^too-large: Page 2 ") as caught:
        found(path, Limits(page_memory=220 * MIB))
    assert caught.value.page == 2


def test_jpeg_2000_is_read_smaller_rather_than_refused(tmp_path):
    """A JPEG 2000 page that is too large to decode is recognised from the copy that it holds."""
    path = saved("rgb.jp2", tmp_path)
    tight = Limits(page_memory=260 * MIB)
    page = page_read(path, 1, tight)
    assert page.image.size == (1500, 1500)
    assert page.pixels == PAGE.size
    assert page.notes == ("read at 1/2 of its resolution, to save memory",)
    assert page.matrix[0] * 1500 == pytest.approx(page.points[0])
    assert page_read(path).notes == ()


def test_jpeg_2000_that_must_be_decoded_is_refused(tmp_path):
    """With transparency all pixels are needed for the PDF: no smaller copy helps."""
    path = tmp_path / "a.jp2"
    PAGE.convert("RGBA").save(path)
    with pytest.raises(Refusal, match="page_memory"):
        found(path, Limits(page_memory=260 * MIB))


def test_the_largest_pages_of_an_office_are_admitted():
    """A0 at 300 dpi in black and white, A3 at 600 dpi in colour: by default both are done."""
    a0, a3 = (9933, 14043), (7016, 9933)
    assert a0[0] * a0[1] < Limits().page_pixels
    for size, each in ((a0, cost.READING), (a3, 11.2)):
        assert cost.WORKER + size[0] * size[1] * each < Limits().page_memory
