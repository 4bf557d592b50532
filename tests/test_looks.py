"""How often a page is looked at, and which look is kept."""

from __future__ import annotations

import math
import time

import makers
import pytest
from needs import needs
from PIL import Image, ImageChops

from tasks import imaging
from tasks.reading import looks
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


def once(sheet: makers.Sheet) -> list[tuple[str, makers.Box]]:
    """Return the words that are on the sheet only once, so that they are found by their text."""
    return [pair for pair in sheet.words if sheet.text.split().count(pair[0]) == 1]


def test_tall_letters_are_reduced():
    """Of tall letters a part of the pixels is enough, and words stay where they are."""
    sheet = makers.sheet(LONG, size=(3400, 3000), font_size=130, left=200, top=150, leading=330)
    image = page(sheet, 600)
    look, notes = read(image)
    assert 0.2 < look.scale < 0.5
    assert notes == ()
    assert text(look) == sheet.text
    found = ink_on_page(look, image)
    assert len(once(sheet)) >= len(LONG)
    for word, ink in once(sheet):
        assert makers.overlap(found[word], ink) > 0.7, word


def test_fine_print_is_not_reduced():
    """Small letters on a large page are read in full."""
    sheet = makers.sheet(LONG * 2, size=(4000, 2600), font_size=32)
    look, notes = read(page(sheet, 600))
    assert (look.scale, notes) == (1.0, ())
    assert text(look) == sheet.text


def test_fine_print_below_tall_headings_is_not_reduced():
    """The smallest common text decides, not the tallest."""
    small = makers.sheet(LONG * 3, size=(2400, 2400), font_size=32, left=60, top=60, leading=60)
    tall = makers.sheet(("GRAND SALE", "TODAY ONLY"), size=(2400, 900), font_size=240, leading=320)
    small.image.paste(tall.image, (0, 1500))
    look, _ = read(page(small, 300))
    assert look.scale == 1.0
    assert set(small.text.split()) <= set(text(look).split())


@pytest.mark.parametrize("degrees", [-6.0, -2.5, 3.0, 7.0])
@pytest.mark.parametrize("turned", [0, 90])
def test_skewed_pages_are_levelled(degrees, turned):
    """A page that lies askew is read whole, and its words are told where their ink is."""
    sheet = makers.sheet(LONG * 2, size=(1500, 1500), font_size=44, left=200, top=160, leading=90)
    askew = sheet.image.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)
    image = page(makers.Sheet(askew, sheet.words).turned(turned))
    look, notes = read(image)
    assert any(note.startswith("levelled by") for note in notes)
    assert text(look) == sheet.text
    found = ink_on_page(look, image)
    upright = makers.Sheet(sheet.image, tuple(once(sheet)))
    sin, cos = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    for word, (left, top, right, bottom) in upright.words:
        x, y = (left + right) / 2 - 750, (top + bottom) / 2 - 750
        place = (x * cos + y * sin + 750, y * cos - x * sin + 750)
        box = (place[0] - 1, place[1] - 1, place[0] + 1, place[1] + 1)
        [(_, middle)] = makers.Sheet(askew, ((word, box),)).turned(turned).words
        seen = found[word]
        assert abs(seen[0] + seen[2] - middle[0] - middle[2]) < 24, word
        assert abs(seen[1] + seen[3] - middle[1] - middle[3]) < 24, word


def test_baselines_of_levelled_pages_climb_with_their_ink():
    """Lines of a levelled page have the slope that they have on the page."""
    sheet = makers.sheet(LONG * 2, size=(1500, 1500), font_size=44, left=200, top=160, leading=90)
    askew = sheet.image.rotate(4, Image.Resampling.BICUBIC, fillcolor=255)
    look, _ = read(page(makers.Sheet(askew, ())))
    assert len(look.lines) == 2 * len(LONG)
    for line in look.lines:
        assert line.baseline is not None
        slope, offset = line.baseline
        assert slope == pytest.approx(-math.tan(math.radians(4)), abs=0.01)
        first = line.words[0].box
        at = line.box[3] + offset + slope * ((first[0] + first[2]) / 2 - line.box[0])
        assert abs(at - first[3]) < 8  # the first words stand on their baseline: “Line”


def test_shadows_are_evened_out():
    """Text in a deep shadow is read as well as that in the light."""
    sheet = makers.sheet(LONG * 2, size=(1500, 1500), font_size=44, left=200, top=160, leading=90)
    shade = Image.linear_gradient("L").resize(sheet.image.size).point(lambda v: 60 + v * 180 // 255)
    look, notes = read(page(makers.Sheet(ImageChops.multiply(sheet.image, shade), ())))
    assert notes == ("uneven light evened out",)
    assert text(look) == sheet.text


def test_grain_is_smoothed():
    """A page with grain as strong as a quarter of its contrast is read."""
    sheet = makers.sheet(LONG, size=(1500, 900), font_size=44, left=200, top=160, leading=90)
    look, notes = read(page(makers.Sheet(grainy(sheet.image, 60), ())))
    assert notes == ("noise smoothed",)
    assert text(look) == sheet.text


def grainy(image: Image.Image, sigma: float) -> Image.Image:
    return ImageChops.add(image, Image.effect_noise(image.size, sigma), 1, -128)


def test_scanned_blank_is_blank():
    """The grain of a scanned empty sheet is neither ink nor worth recognition."""
    empty = grainy(Image.new("L", (2480, 3508), 236), 5)
    look, notes = read(page(makers.Sheet(empty, ())))
    assert (look.words, notes) == ([], ("blank page",))


def test_lone_number_on_a_grainy_page_is_read():
    """A page with no more than its number is no blank one: the number is read."""
    sheet = makers.sheet(("1749",), size=(2480, 3508), font_size=44, left=1200, top=3300)
    grey = sheet.image.point(lambda v: 30 + v * 206 // 255)
    look, _ = read(page(makers.Sheet(grainy(grey, 5), ()), 300))
    assert text(look) == "1749"


def test_small_letters_are_enlarged():
    """Rows of a few pixels, poorly read at first, are read enlarged, in the right place."""
    lines = ("Receipt for groceries and", "tax 4.20 total 88.15 paid", "by card thank you again")
    sheet = makers.sheet(lines, size=(220, 90), font_size=9, left=12, top=10, leading=24)
    image = page(sheet, guessed=True)
    look, notes = read(image)
    assert "enlarged to be read" in " ".join(notes)
    assert look.scale == looks.LARGER
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


@pytest.mark.parametrize(
    ("languages", "used"),
    [
        (("kor", "eng", "deu", "fra"), ("eng", "deu", "fra")),
        (("kor", "eng"), ("kor", "eng")),  # of two the engine finds the right one as cheaply
    ],
)
def test_of_many_languages_those_of_the_pages_script_are_read(languages, used):
    """An English page is not searched for Korean when that would cost more than looking once."""
    needs(*(f"language:{language}" for language in languages))
    sheet = makers.sheet(makers.LINES * 3, size=(1000, 1100))
    look, _ = looks.read(page(sheet), Options(languages), time.monotonic() + 60)
    assert look.languages == used
    assert sorted(text(look).split()) == sorted(sheet.text.split())
