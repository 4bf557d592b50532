"""The invisible text over a page."""

from __future__ import annotations

import math
import re

import glyphless
import makers
import pikepdf
import pytest
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st

from tasks import textlayer
from tasks.hocr import Line, Word

FLIP = (0.5, 0.0, 0.0, -0.5, 0.0, 400.0)  # 800 pixels high, half a point each


def line(*words: tuple[str, tuple[int, int, int, int]], **facts: object) -> Line:
    found = tuple(Word(text, 90, box) for text, box in words)
    box = tuple(int(v) for v in makers.around([w.box for w in found]))
    return Line(words=found, **{"box": box, **facts})


def drawn(tmp_path, *lines: Line, matrix=FLIP, rotate=0):
    """Write a PDF of 400 by 400 points that has only the layer."""
    path = tmp_path / "layer.pdf"
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(400, 400))
        font = textlayer.Glyphless(pdf)
        page = pdf.pages[0].obj
        page.Rotate = rotate
        layer = textlayer.content(lines, matrix, font, "T", rotate=rotate)
        page.Contents = pdf.make_stream(layer)
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(T=font.object))
        font.finish()
        pdf.save(path)
    return path


def test_the_font_is_what_its_maker_makes():
    """The committed font comes out of its script byte by byte."""
    assert glyphless.TARGET.read_bytes() == glyphless.build()


def test_the_font_paints_nothing_but_has_an_extent():
    """The one glyph has no area, and a box, by which readers place the text."""
    font = TTFont(glyphless.TARGET)
    glyph = font["glyf"][font.getGlyphName(1)]
    assert list(glyph.endPtsOfContours) == [0, 1]
    assert (glyph.xMin, glyph.yMin, glyph.xMax, glyph.yMax) == (0, -200, 500, 800)
    assert font["hmtx"][font.getGlyphName(1)][0] == 1000 * textlayer.ADVANCE


def test_words_are_selected_where_they_are(tmp_path):
    """A word's selection covers its box, short and long ones alike."""
    words = (("i", (100, 100, 110, 140)), ("Wonderful", (130, 100, 300, 140)))
    path = drawn(tmp_path, line(*words, baseline=(0.0, -8.0), size=40.0))
    for (text, box), (found, shown) in zip(words, makers.shown_words(path, dpi=144), strict=True):
        assert found == text
        assert makers.overlap(box, shown) > 0.9


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_turned_lines_run_their_way(tmp_path, angle):
    """A line that runs up, down or backwards is selected in place, and its words are whole."""
    spread = {
        0: ((100, 100, 180, 130), (200, 100, 300, 130)),
        90: ((100, 200, 130, 280), (100, 100, 130, 190)),
        180: ((200, 100, 300, 130), (100, 100, 180, 130)),
        270: ((100, 100, 130, 190), (100, 200, 130, 280)),
    }[angle]
    path = drawn(tmp_path, line(("north", spread[0]), ("west", spread[1]), angle=angle, size=30.0))
    found = dict(makers.shown_words(path, dpi=144))
    assert makers.overlap(found["north"], spread[0]) > 0.6
    assert makers.overlap(found["west"], spread[1]) > 0.6


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("ink", [0, 90, 180, 270])
def test_words_keep_their_order_however_they_are_shown(tmp_path, rotate, ink):
    """A viewer copies the words of a line in the order of reading, on a page on its head too."""
    texts = ["Upside", "down", "or", "on", "its", "side"]
    turns = {  # from the pixels of an upright line to the page, 400 points square
        0: (0.5, 0.0, 0.0, -0.5, 0.0, 400.0),
        90: (0.0, 0.5, 0.5, 0.0, 0.0, 0.0),
        180: (-0.5, 0.0, 0.0, 0.5, 400.0, 0.0),
        270: (0.0, -0.5, -0.5, 0.0, 400.0, 400.0),
    }
    rows = []
    for top in (100, 180):
        words = [(w, (80 + 100 * n, top, 160 + 100 * n, top + 40)) for n, w in enumerate(texts)]
        rows.append(line(*words, baseline=(0.0, -8.0), size=40.0))
    path = drawn(tmp_path, *rows, matrix=turns[ink], rotate=rotate)
    assert makers.shown_text(path) == " ".join(texts * 2)


@pytest.mark.parametrize("slope", [-0.04, -0.01, 0.0, 0.02, 0.05])
def test_skewed_lines_are_followed(tmp_path, slope):
    """On a skewed scan every word's selection still lies on most of its ink."""
    words = []
    for x in range(100, 700, 120):
        y = round(300 + slope * (x - 100))
        words.append((f"word{x}", (x, y - 32, x + 100, y)))
    left, right = words[0][1], words[-1][1]
    box = (100, min(left[1], right[1]), 680, max(left[3], right[3]))
    offset = left[3] - box[3]
    path = drawn(tmp_path, line(*words, box=box, baseline=(slope, offset), size=40.0))
    found = dict(makers.shown_words(path, dpi=144))
    for text, ink in words:
        assert makers.overlap(found[text], ink) > 0.4
    assert makers.shown_text(path) == " ".join(text for text, _ in words)


@pytest.mark.parametrize(
    "words",
    [
        ["naïve", "Straße", "€5"],
        ["日本", "語", "テスト"],
        ["서울", "평양"],
        ["\U0001d518\U0001d52b\U0001d526", "😀", "𠀋"],
        ["Ωμέγα", "Привет"],
        ["(a\\b)", "<c>", "]"],
    ],
)
def test_all_scripts_come_back(tmp_path, words):
    """Letters of any script are copied as they were recognised, those beyond 65,535 too."""
    boxes = [(100 + 110 * n, 100, 200 + 110 * n, 140) for n in range(len(words))]
    path = drawn(tmp_path, line(*zip(words, boxes, strict=True), baseline=(0.0, 0.0), size=40.0))
    assert makers.shown_text(path).replace(" ", "") == "".join(words)


def test_right_to_left_comes_back(tmp_path):
    """A line of Arabic with a number is copied in its order of writing."""
    words = (
        ("رقم", (500, 100, 600, 140)),
        ("12345", (380, 100, 480, 140)),
        ("القائمة", (200, 100, 360, 140)),
    )
    path = drawn(tmp_path, line(*words, baseline=(0.0, 0.0), size=40.0, rtl=True))
    assert makers.shown_text(path) == "رقم 12345 القائمة"


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_visual_order_keeps_letters(text):
    """Turning a word round loses no letter, and leaves words without right-to-left ones alone."""
    assert sorted(textlayer.visual(text)) == sorted(text)
    if text.isascii():
        assert textlayer.visual(text) == text


def test_back_to_text_is_valid(tmp_path):
    """The map from codes to text names every code once, in sections of a hundred at most."""
    letters = "".join(map(chr, [*range(0x21, 0x7F), *range(0x4E00, 0x4F00)])) + "😀"
    path = drawn(tmp_path, line((letters, (0, 0, 700, 40)), baseline=(0.0, 0.0), size=40.0))
    with pikepdf.open(path) as pdf:
        font = pdf.pages[0].obj.Resources.Font.T
        cmap = font.ToUnicode.read_bytes().decode()
        shown = re.findall(r"<([0-9A-F]+)> Tj", pdf.pages[0].obj.Contents.read_bytes().decode())
    sections = re.findall(r"(\d+) beginbfchar\n(.*?)endbfchar", cmap, re.DOTALL)
    pairs = [re.findall(r"<(....)> <([0-9A-F]+)>", body) for _, body in sections]
    assert all(
        len(pair) == int(count) <= 100 for (count, _), pair in zip(sections, pairs, strict=True)
    )
    back = {code: bytes.fromhex(to).decode("utf-16-be") for pair in pairs for code, to in pair}
    assert len(back) == sum(map(len, pairs)) == len(set(letters))
    codes = re.findall("....", shown[0])
    assert "".join(back[code] for code in codes) == letters


def test_nothing_is_painted(tmp_path):
    """The layer leaves the page white."""
    path = drawn(tmp_path, line(("Visible?", (100, 100, 400, 160)), baseline=(0.0, 0.0), size=60.0))
    assert makers.rendered(path).getextrema() == (255, 255)


def test_no_lines_are_no_content():
    """Without text there is nothing to draw."""
    with pikepdf.new() as pdf:
        assert textlayer.content([], FLIP, textlayer.Glyphless(pdf), "T") == b""


@given(
    st.tuples(*[st.integers(0, 3000)] * 4),
    st.floats(-0.4, 0.4),
    st.floats(-200, 200),
    st.floats(0, 5000),
)
def test_any_box_gives_finite_numbers(box, slope, offset, size):
    """Boxes that are empty or upside down make numbers that PDF can hold."""
    word = Word("x", 1, box)
    odd = Line(words=(word,), box=box, baseline=(slope, offset), size=size)
    with pikepdf.new() as pdf:
        drawn_ = textlayer.content([odd], FLIP, textlayer.Glyphless(pdf), "T").decode()
    for number in re.findall(r"[-\d.einf]+(?= )", drawn_.partition("3 Tr")[2]):
        if number[:1] in "-.0123456789":
            assert math.isfinite(float(number))
            assert "e" not in number
