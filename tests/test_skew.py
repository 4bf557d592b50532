"""How far lines are from level, and the way back."""

from __future__ import annotations

from itertools import islice, permutations

import makers
import pytest
from PIL import Image, ImageChops

from tasks.reading import skew

WORDS = ("Some", "wonderful", "letters", "of", "a", "plain", "text", "in", "between", "them")
# Every line is another order of the words, so that letters do not stand in columns.
LINES = tuple(" ".join(line) for line in islice(permutations(WORDS, 7), 999, None, 41_011))[:9]
SHEET = makers.sheet(LINES, size=(900, 1000), font_size=30, left=120, top=120, leading=80)
INK = ImageChops.invert(SHEET.image)


@pytest.mark.parametrize("degrees", [-9.0, -4.3, -2.0, 2.1, 5.6, 9.5])
def test_angle_is_measured(degrees):
    """The angle of text is told to a fifth of a degree, clockwise as positive."""
    askew = INK.rotate(-degrees, Image.Resampling.BICUBIC)
    assert skew.of(askew, skew.near(askew)[0]) == pytest.approx(degrees, abs=0.2)


@pytest.mark.parametrize("degrees", [-1.2, 0.0, 0.7])
def test_small_angles_are_left(degrees):
    """What the engine reads as well as a level page is not resampled."""
    askew = INK.rotate(-degrees, Image.Resampling.BICUBIC)
    assert skew.of(askew, skew.near(askew)[0]) == 0


@pytest.mark.parametrize("size", [(1, 1), (40, 900), (900, 40), (900, 900)])
def test_without_lines_there_is_no_angle(size):
    """Grain, and images too small to tell, have no angle."""
    grain = Image.effect_noise(size, 6)
    assert skew.of(grain, skew.near(grain)[0]) == 0


def test_lines_are_sharper_than_columns():
    """A page on its side is told by columns that are sharper than its rows."""
    on_its_side = INK.transpose(Image.Transpose.ROTATE_90)
    assert skew.near(INK)[1] > 5 * skew.near(on_its_side)[1]


@pytest.mark.parametrize("degrees", [-8.0, -2.0, 3.5])
def test_boxes_come_back(degrees):
    """A box in the levelled image goes back to where its ink was."""
    dot = Image.new("L", (900, 1000), 255)
    dot.paste(0, (200, 700, 220, 720))
    level = skew.levelled(dot, degrees, 255)
    left, top, right, bottom = ImageChops.invert(level).point(lambda v: v > 128 and 255).getbbox()
    word = f"<span title='bbox {left} {top} {right} {bottom}; x_wconf 90'>"
    page = f"<div title='bbox 0 0 {level.width} {level.height}'><div class='ocr_carea'>{word}"
    back = skew.restored(page, degrees, dot.size, level.size)
    assert "bbox 0 0 900 1000" in back
    box = [int(n) for n in back.rpartition("bbox ")[2].partition(";")[0].split()]
    assert box[0] + box[2] == pytest.approx(420, abs=4)
    assert box[1] + box[3] == pytest.approx(1420, abs=4)
