"""How often a page is looked at, and which look is kept."""

from __future__ import annotations

import time

import makers
import pytest
from PIL import Image

from tasks import imaging, looks
from watcherd.errors import Overrun
from watcherd.model import Options


def page(sheet: makers.Sheet, dpi: float = makers.DPI, *, guessed: bool = False):
    width, height = sheet.image.size
    points = (72 * width / dpi, 72 * height / dpi)
    matrix = (72 / dpi, 0.0, 0.0, -72 / dpi, 0.0, points[1])
    return imaging.PageImage(
        sheet.image, sheet.image.size, (dpi, dpi), points, matrix, guessed=guessed
    )


def read(image: imaging.PageImage, seconds: float = 60):
    return looks.read(image, Options(), time.monotonic() + seconds)


def text(look: looks.Look) -> str:
    return " ".join(word.text for word in look.words)


def ink_on_page(look: looks.Look, image: imaging.PageImage) -> dict[str, makers.Box]:
    """Return the words' boxes in the original's pixels, by way of the page."""
    a, b, c, d, e, f = looks.matrix_of(look, image)
    scale = image.dpi[0] / 72
    found = {}
    for word in look.words:
        corners = [
            ((x * a + y * c + e) * scale, (image.points[1] - x * b - y * d - f) * scale)
            for x, y in (word.box[:2], word.box[2:])
        ]
        xs, ys = zip(*corners, strict=True)
        found[word.text] = (min(xs), min(ys), max(xs), max(ys))
    return found


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_turned_pages_are_read(turned):
    """A page that was scanned turned is read whole, with its words where their ink is."""
    sheet = makers.sheet().turned(turned)
    image = page(sheet)
    look, _ = read(image)
    assert sorted(text(look).split()) == sorted(sheet.text.split())
    assert look.rotation() == -turned % 360
    found = ink_on_page(look, image)
    for word, ink in sheet.words:
        assert makers.overlap(found[word], ink) > 0.6, word


def test_good_page_is_looked_at_once():
    """A page that reads well costs one recognition: no note tells of another."""
    look, notes = read(page(makers.sheet()))
    assert (look.turn, look.scale, notes) == (0, 1.0, ())


def test_blank_page_is_not_recognised():
    """A page of one shade is empty, at once."""
    for shade in (0, 128, 255):
        image = Image.new("L", (3000, 4000), shade)
        start = time.monotonic()
        look, notes = read(page(makers.Sheet(image, ())))
        assert time.monotonic() - start < 1
        assert (look.words, notes) == ([], ("blank page",))


LONG = tuple(f"Line {n} of a long letter about nothing" for n in (11, 25, 38, 47, 52, 69))


def test_tall_letters_are_halved():
    """Of tall letters half the pixels are enough, and words stay where they are."""
    sheet = makers.sheet(LONG, size=(3400, 3000), font_size=130, left=200, top=150, leading=330)
    image = page(sheet, 600)
    assert looks.ink_height(sheet.image) >= looks.TALL
    look, notes = read(image)
    assert look.scale == 0.5
    assert notes == ("read at half its resolution",)
    assert text(look) == sheet.text
    found = ink_on_page(look, image)
    once = [pair for pair in sheet.words if sheet.text.split().count(pair[0]) == 1]
    assert len(once) >= len(LONG)
    for word, ink in once:
        assert makers.overlap(found[word], ink) > 0.7, word


@pytest.mark.parametrize("font_size", [30, 44, 60])
def test_ink_is_measured(font_size):
    """The height of letters is told from the ink alone, and never taken for too much."""
    sheet = makers.sheet(LONG * 3, size=(2400, 2400), font_size=font_size, top=40, leading=120)
    assert 0.35 * font_size < looks.ink_height(sheet.image) < 0.8 * font_size


def test_fine_print_is_not_halved():
    """Small letters on a large page are read in full."""
    sheet = makers.sheet(LONG, size=(4000, 2600), font_size=44)
    look, notes = read(page(sheet, 600))
    assert (look.scale, notes) == (1.0, ())
    assert text(look) == sheet.text


def test_small_letters_are_enlarged():
    """Rows of a few pixels, poorly read at first, are read enlarged, in the right place."""
    lines = ("Receipt for groceries and", "tax 4.20 total 88.15 paid", "by card thank you again")
    sheet = makers.sheet(lines, size=(220, 90), font_size=9, left=12, top=10, leading=24)
    image = page(sheet, guessed=True)
    look, notes = read(image)
    assert "enlarged to be read" in notes or "read as sparse text" in notes
    assert look.scale == 2.0
    assert len(set(text(look).split()) & set(sheet.text.split())) >= 8


def test_noise_is_no_text():
    """A picture without text stays without, even after the looks for sparse text."""
    noise = Image.effect_noise((300, 200), 80)
    look, _ = read(page(makers.Sheet(noise, ()), guessed=True))
    assert look.worth() < 2 * looks.LEAST


def test_time_is_shared_by_all_looks():
    """A page that has no time left for its first look overruns."""
    with pytest.raises(Overrun):
        read(page(makers.sheet()), seconds=0)
