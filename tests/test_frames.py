"""Which images of a TIFF are pages."""

from __future__ import annotations

import struct

import pytest
from makers import sheet
from PIL import Image, ImageChops, TiffImagePlugin
from readers import found, page_read

from watcherd.errors import Refusal
from watcherd.model import Limits

PAGE = sheet(size=(1000, 700)).image
OTHER = sheet(("Chapter number nine", "A page with other words"), size=(1000, 700), top=200).image
NEW, OLD, SUB = 254, 255, 330


def halved(image: Image.Image, how: Image.Resampling = Image.Resampling.BOX) -> Image.Image:
    return image.resize(((image.width + 1) // 2, (image.height + 1) // 2), how)


def pyramid(image: Image.Image) -> list[Image.Image]:
    steps = [image]
    while min(steps[-1].size) > 20:
        steps.append(halved(steps[-1]))
    return steps


def tiff(path, images, marks=None):
    """Save a TIFF; `marks` are tags of its images, by number."""
    marks = marks or {}
    with TiffImagePlugin.AppendingTiffWriter(str(path), new=True) as file:
        for number, image in enumerate(images):
            image.save(file, "TIFF", tiffinfo=marks.get(number, {}))
            file.newFrame()
    return path


def test_all_images_are_pages(tmp_path):
    """A TIFF has as many pages as images, in their order."""
    path = tiff(tmp_path / "a.tif", [PAGE, OTHER, PAGE])
    assert found(path).frames == (0, 1, 2)


@pytest.mark.parametrize("mark", [{NEW: 1}, {NEW: 4}, {NEW: 5}, {OLD: 2}])
def test_marked_copies_are_no_pages(tmp_path, mark):
    """A smaller copy or a mask, by the new tag or the old one, is no page, wherever it stands."""
    small = PAGE.resize((160, 112))
    assert found(tiff(tmp_path / "a.tif", [PAGE, small, OTHER], {1: mark})).frames == (0, 2)
    path = tiff(tmp_path / "b.tif", [small, PAGE], {0: mark})
    assert found(path).frames == (1,)
    assert page_read(path).image.size == PAGE.size


def test_a_file_of_marked_copies_has_its_first(tmp_path):
    """If all images are marked as copies, the first is the page: something is better than none."""
    path = tiff(tmp_path / "a.tif", [PAGE, halved(PAGE)], {0: {NEW: 1}, 1: {NEW: 1}})
    assert found(path).frames == (0,)


def test_sub_directories_are_no_pages(tmp_path):
    """A page with smaller copies hanging below it is one page."""
    path = tiff(tmp_path / "a.tif", [PAGE], {0: {SUB: 8}})
    assert found(path).frames == (0,)


def test_a_preview_of_raw_data_is_refused(tmp_path):
    """Of a camera's raw file, which hides its picture, the preview is not taken for the page."""
    path = tiff(tmp_path / "a.tif", [PAGE], {0: {NEW: 1, SUB: 8}})
    with pytest.raises(Refusal, match="raw data") as caught:
        found(path)
    assert caught.value.code == "unsupported"


@pytest.mark.parametrize("how", [Image.Resampling.BOX, Image.Resampling.BILINEAR])
def test_pyramids_are_one_page(tmp_path, how):
    """Images that are each the one before at half its size, unmarked, are one page."""
    steps = [PAGE, halved(PAGE, how)]
    steps += pyramid(steps[-1])[1:]
    assert found(tiff(tmp_path / "a.tif", steps)).frames == (0,)
    path = tiff(tmp_path / "b.tif", [*pyramid(PAGE), *pyramid(OTHER)])
    assert found(path).frames == (0, len(pyramid(PAGE)))


def test_a_page_of_half_the_size_is_a_page(tmp_path):
    """What has other words on it is a page, whatever its size; so is a blank one."""
    blank = Image.new("L", PAGE.size, 255)
    half = halved(OTHER)
    images = [PAGE, half, ImageChops.invert(PAGE), blank, halved(blank)]
    assert found(tiff(tmp_path / "a.tif", images)).frames == (0, 1, 2, 3, 4)


def test_pages_of_one_pixel_are_pages(tmp_path):
    """The half of one pixel is one pixel: a row of tiny images is no pyramid."""
    dots = [Image.new("L", (1, 1), shade) for shade in (0, 0, 0)]
    assert found(tiff(tmp_path / "a.tif", dots)).frames == (0, 1, 2)


def test_limits_hold_for_each_image(tmp_path):
    """The page that is too large is named; the count ends the search."""
    path = tiff(tmp_path / "a.tif", [PAGE.crop((0, 0, 9, 9)), OTHER])
    with pytest.raises(Refusal, match="Page 2 has 1000 by 700 pixels") as caught:
        found(path, Limits(page_pixels=100))
    assert (caught.value.code, caught.value.page) == ("too-large", 2)


def test_thousands_of_images_end_at_the_limit(tmp_path):
    """However many directories a file has, no more than the limit are read."""
    head, count, size = b"II*\0" + struct.pack("<I", 8), 30000, 2 + 12 * 8 + 4
    directories = []
    for number in range(count):
        tags = {256: 1, 257: 1, 258: 8, 259: 1, 262: 1, 273: 8, 278: 1, 279: 1}
        rows = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
        after = 8 + size * (number + 1)
        directories.append(struct.pack("<H", len(tags)) + rows + struct.pack("<I", after))
    path = tmp_path / "a.tif"
    path.write_bytes(head + b"".join(directories) + bytes(4))
    with pytest.raises(Refusal, match="more than 100 pages"):
        found(path, Limits(pages=100))
