"""What is measured of a page before it is read."""

from __future__ import annotations

from itertools import islice, permutations

import makers
import pytest
from PIL import Image, ImageDraw

from tasks.reading.survey import survey

WORDS = ("Some", "wonderful", "letters", "of", "a", "plain", "text", "in", "between", "them")
# Every line is another order of the words, so that letters do not stand in columns.
LINES = tuple(" ".join(line) for line in islice(permutations(WORDS, 7), 999, None, 41_011))[:14]


def sheet(font_size: int, leading: int = 90) -> makers.Sheet:
    return makers.sheet(
        LINES, size=(2000, 1500), font_size=font_size, left=100, top=80, leading=leading
    )


@pytest.mark.parametrize("font_size", [20, 30, 44, 60])
def test_row_is_measured(font_size):
    """A row is from descender to ascender: a little less to a little more than the font's size."""
    assert 0.75 * font_size < survey(sheet(font_size).image).row < 1.25 * font_size


def test_smallest_common_text_decides():
    """Few tall headings and many small rows make the row of the small ones."""
    both = sheet(24, 40).image
    both.paste(makers.sheet(("HEADING",), size=(2000, 600), font_size=240).image, (0, 800))
    assert survey(both).row < 32


def test_rules_are_no_letters():
    """The lines of a table do not make its text small."""
    table = sheet(60).image
    draw = ImageDraw.Draw(table)
    for row in range(15):
        draw.line((60, 70 + 90 * row, 1900, 70 + 90 * row), fill=0, width=7)
    assert survey(table).row > 45


@pytest.mark.parametrize(
    ("turned", "sideways"), [(0, False), (90, True), (180, False), (270, True)]
)
def test_text_on_its_side_is_seen(turned, sideways):
    """Lines that run up or down are told, and measured as well as level ones."""
    found = survey(sheet(44).turned(turned).image)
    assert found.sideways == sideways
    assert 33 < found.row < 55


@pytest.mark.parametrize("shade", [0, 128, 255])
@pytest.mark.parametrize("size", [(1, 1), (7, 3000), (2000, 1500)])
def test_nothing_is_blank(size, shade):
    """A page of one shade is blank, whatever its size."""
    assert survey(Image.new("L", size, shade)).blank


def test_faint_words_are_not_blank():
    """One faint small word makes a page that is to be read."""
    page = makers.sheet(("Annex",), size=(2000, 2600), font_size=30, left=900, top=1200).image
    found = survey(page.point(lambda v: 130 + v * 110 // 255))
    assert (found.blank, found.sparse) == (False, True)
