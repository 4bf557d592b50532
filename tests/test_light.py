"""Light that is uneven, and noise."""

from __future__ import annotations

import makers
import pytest
from PIL import Image, ImageChops

from tasks.reading import light

SHEET = makers.sheet(size=(1000, 1000), font_size=44).image


def in_shadow(image: Image.Image, darkest: int) -> Image.Image:
    shade = Image.linear_gradient("L").resize(image.size)
    return ImageChops.multiply(image, shade.point(lambda v: darkest + v * (255 - darkest) // 255))


def test_evenness_is_that_of_the_paper():
    """Text does not make a page uneven; a shadow does."""
    assert light.evenness(light.background(SHEET)) > 0.95
    assert light.evenness(light.background(in_shadow(SHEET, 100))) < 0.6


def test_evened_paper_is_white_and_ink_black():
    """After evening paper is white everywhere, and letters in the shadow are as dark as others."""
    dark = in_shadow(SHEET.point(lambda v: 30 + v * 225 // 255), 100)
    even = light.evened(dark, light.background(dark))
    paper = even.crop((0, 500, 1000, 1000)).getextrema()
    assert paper[0] > 235
    assert even.crop((60, 60, 940, 140)).getextrema()[0] < 60


def test_black_bars_stay_black():
    """What is far darker than any shadow is a picture or a bar, and its white letters remain."""
    bar = SHEET.copy()
    bar.paste(ImageChops.invert(SHEET.crop((0, 0, 1000, 150))), (0, 600))
    even = light.evened(bar, light.background(bar))
    assert even.getpixel((10, 660)) < 80
    assert even.crop((60, 600, 940, 750)).getextrema()[1] > 240


@pytest.mark.parametrize(("sigma", "low", "high"), [(0, 0, 0), (5, 3, 8), (40, 25, 60)])
def test_noise_is_measured(sigma, low, high):
    """Grain is told from text."""
    grain = Image.effect_noise(SHEET.size, sigma)
    noisy = ImageChops.add(SHEET.point(lambda v: v * 3 // 4), grain, 1, -128) if sigma else SHEET
    assert low <= light.noise(noisy) <= high


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (700, 3)])
def test_tiny_images_are_measured_too(size):
    """No size is too small for any of it."""
    image = Image.new("L", size, 200)
    paper = light.background(image)
    assert light.evenness(paper) == 1
    assert light.noise(image) == 0
    assert light.evened(image, paper).size == size
    assert light.cleaned(image, paper, 3).getextrema() == (255, 255)
