"""Which images of a file are pages: a TIFF holds smaller copies, masks and thumbnails too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageStat, TiffImagePlugin

from tasks.document import check_count
from tasks.pictures import cost, directories
from tasks.pictures.pixels import grey
from tasks.pictures.stored import tiff
from watcherd.errors import Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from watcherd.model import Limits

_NEW_SUBFILE, _OLD_SUBFILE, _SUB_DIRECTORIES = 254, 255, 330
_NO_PAGE = 1 | 4  # bits of the new tag: a smaller copy, a mask
_SMALLER = 2  # value of the old tag
_STAMP = 48, 48  # pixels to which two images are reduced for a comparison
_SAME = (
    0.15  # of their contrast: how far a page's copy of half its size is off; mostly 0.01 to 0.09
)


def pages_of(image: Image.Image, path: Path, limits: Limits) -> tuple[int, ...]:
    """Return which frames of an opened file are pages.

    Of an animation or a stereo photo it is the first: that is one picture to a reader. Of a TIFF
    those that are no smaller copies, be they marked as such, or the page before at half its size.
    Raises Refusal `too-large`, `unsupported`, and `corrupt` for what does not lie in the file.
    """
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        cost.admit(image, path, limits, 1)
        return (0,)
    frames: list[int] = []
    frame, last, copied = 0, (0, 0), False  # of the picture before: its size, if it was a copy
    while True:
        try:
            image.seek(frame)  # ends at a directory that it has seen, so a loop cannot hold it
        except EOFError:
            break
        size, marked = image.size, _is_marked(image)
        # What is half of a copy is the next step of the same pyramid.
        copied = not marked and _halves(last, size) and (copied or _repeats(image, frame))
        if not (marked or copied):
            cost.admit(image, path, limits, len(frames) + 1)
            tiff.check_strips(image, path)
            frames.append(frame)
            check_count(len(frames), limits)
        last, frame = size, frame + 1
    directories.check(path)
    return tuple(frames) or _only(image, path, limits)


def _only(image: TiffImagePlugin.TiffImageFile, path: Path, limits: Limits) -> tuple[int, ...]:
    """Return the first frame of a file whose frames are all marked as copies."""
    image.seek(0)
    if _SUB_DIRECTORIES in image.tag_v2:
        raise Refusal(
            "unsupported",
            "The TIFF shows a preview alone; its picture is a camera's raw data. "
            "Save it as a plain TIFF or JPEG, and send that.",
        )
    cost.admit(image, path, limits, 1)
    tiff.check_strips(image, path)
    return (0,)


def _is_marked(image: TiffImagePlugin.TiffImageFile) -> bool:
    new, old = image.tag_v2.get(_NEW_SUBFILE, 0), image.tag_v2.get(_OLD_SUBFILE, 0)
    return bool(int(new) & _NO_PAGE) or old == _SMALLER


def _halves(last: tuple[int, int], size: tuple[int, int]) -> bool:
    """Say whether one size is half the other, rounded either way."""
    return all(
        before > 1 and now in {before // 2, -(-before // 2)}
        for before, now in zip(last, size, strict=True)
    )


def _repeats(image: Image.Image, frame: int) -> bool:
    """Say whether a frame shows the same as the one before it: only then is it a copy."""
    now = _stamp(image)
    image.seek(frame - 1)
    before = _stamp(image)
    image.seek(frame)
    difference = ImageStat.Stat(ImageChops.difference(now, before)).rms[0]
    return difference < _SAME * ImageStat.Stat(before).stddev[0]  # never on blank pages


def _stamp(image: Image.Image) -> Image.Image:
    image.load()
    return grey(image).resize(_STAMP, Image.Resampling.BOX)
