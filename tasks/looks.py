"""How a page is read: one look, and others only while the yield is poor.

The numbers come from some hundred recognitions of real pages, upright and turned: sure text
has a mean confidence of 80 to 96, text on its head 7 to 57. Orientation detection and every
further look cost time that good pages must not pay.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from tasks import engine, hocr
from tasks.imaging import combine
from watcherd.errors import Overrun

if TYPE_CHECKING:
    from tasks.imaging import Matrix, PageImage
    from watcherd.model import Options

AUTO, SPARSE = 3, 11  # page segmentation: columns and paragraphs; text wherever it is
POOR = 80.0  # mean confidence below which another look is worth its time
TURNED = 70.0  # mean confidence below which the page may lie on its head or side
SURE = 1.5  # confidence of orientation detection; a right one has 2 to 35
SMALL = 24.0  # pixels of a row below which enlarging finds more
FINE = 27.0  # pixels of a row below which a reduction has lost something
BIG = 10_000_000  # pixels, a little more than A4 at 300 dpi; smaller pages are never reduced
TALL = 40  # pixels of a letter's ink; its row has 55 at least, of which half are enough
RUNS = 30  # stretches of ink that make a measure
USUAL = 300  # dpi that the engine is told when nobody knows
LARGE = 12_000_000  # pixels of a page that is not enlarged
FEW = 100  # words; pages with fewer get the look for sparse text
NOISE = 0.35  # confidence at which a letter is worth nothing
LEAST = 4.0  # worth, about one sure word, below which a second look has found noise
FAINT = 8  # grey levels; a page with fewer is blank

_TURN = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Look:
    """One recognition, and how its image came from the page's."""

    page: str  # hOCR: one ocr_page element
    lines: tuple[hocr.Line, ...]
    turn: int = 0  # degrees clockwise
    scale: float = 1.0
    note: str = ""

    @property
    def words(self) -> list[hocr.Word]:
        """All words, in reading order."""
        return [word for line in self.lines for word in line.words]

    def mean(self) -> float:
        """Return the mean confidence, 0 to 100, weighed by letters; 0 without text."""
        letters = sum(_letters(word) for word in self.words)
        total: float = sum(_letters(word) * word.confidence for word in self.words)
        return total / letters if letters else 0.0

    def worth(self) -> float:
        """Return about how many letters were surely read, less what looks like noise."""
        return sum(_letters(word) * (word.confidence / 100 - NOISE) for word in self.words)

    def row(self) -> float:
        """Return the median height of a row in pixels; 0 without text."""
        sizes = sorted(line.size for line in self.lines)
        return sizes[len(sizes) // 2] if sizes else 0.0

    def rotation(self) -> int:
        """Return the degrees clockwise that would bring the text of the page upright.

        The engine reads lines that run up or down by itself, and tells their angle.
        """
        angles = [line.angle for line in self.lines]
        return (self.turn + (max(set(angles), key=angles.count) if angles else 0)) % 360


@dataclass(frozen=True, slots=True)
class _Reader:
    page: PageImage
    options: Options
    deadline: float  # of time.monotonic

    def look(self, turn: int, scale: float, psm: int, note: str = "") -> Look:
        text = engine.recognise(
            _prepared(self.page.image, turn, scale),
            self.options.languages,
            engine=self.options.engine,
            dpi=round((USUAL if self.page.guessed else max(self.page.dpi)) * scale),
            psm=psm,
            seconds=self.deadline - time.monotonic(),
        )
        return Look(text, hocr.parse(text), turn, scale, note)

    def first(self) -> Look:
        image = self.page.image
        if image.width * image.height >= BIG and ink_height(image) >= TALL:
            half = self.look(0, 0.5, AUTO, "read at half its resolution")
            if half.row() >= FINE:
                return half
        return self.look(0, 1.0, AUTO)

    def turned(self, best: Look) -> Look:
        """Look again with the page turned, when it may lie on its head or side."""
        if not best.lines:
            return best
        degrees, sure = engine.detect_orientation(
            _prepared(self.page.image, 0, best.scale),
            engine=self.options.engine,
            seconds=self.deadline - time.monotonic(),
        )
        if sure < SURE:
            degrees = 180  # the engine has read lines that run down by itself, up is half a turn
        if degrees == 0:
            return best
        other = self.look(degrees, best.scale, AUTO, f"turned by {degrees}° to be read")
        return max(best, other, key=Look.worth)

    def closer(self, best: Look) -> Look:
        """Look again enlarged when rows are small, and for sparse text when words are few."""
        pixels = self.page.image.width * self.page.image.height
        scale = 2.0 if best.row() < SMALL * best.scale and pixels <= LARGE else 1.0
        others = []
        if scale > 1:
            others.append(self.look(best.turn, scale, AUTO, "enlarged to be read"))
        if len(best.words) < FEW:
            others.append(self.look(best.turn, scale, SPARSE, "read as sparse text"))
        for other in others:
            # The first look knows paragraphs best: another must be clearly better.
            if other.worth() > max(LEAST, 1.05 * best.worth()):
                best = other
        return best


def read(page: PageImage, options: Options, deadline: float) -> tuple[Look, tuple[str, ...]]:
    """Return the best of as many looks as the page needs, and notes for a person.

    Raises Overrun when the first look is not done by `deadline` (of time.monotonic).
    """
    if _is_blank(page.image):
        return Look(_blank(page.image), ()), ("blank page",)
    reader = _Reader(page, options, deadline)
    best = reader.first()
    notes: list[str] = []
    try:
        if best.mean() < TURNED:
            best = reader.turned(best)
        if best.mean() < POOR:
            best = reader.closer(best)
    except Overrun as overrun:
        if overrun.code != "timeout":
            raise
        notes.append("no time for another look")
    return best, tuple(note for note in (*notes, best.note) if note)


def matrix_of(look: Look, page: PageImage) -> Matrix:
    """Return the matrix from the look's pixels (y down) to the page's user space."""
    width, height = page.image.size
    back = {  # from turned pixels to the page image's
        0: (1, 0, 0, 1, 0, 0),
        90: (0, -1, 1, 0, 0, height),
        180: (-1, 0, 0, -1, width, height),
        270: (0, 1, -1, 0, width, 0),
    }[look.turn]
    a, b, c, d = (value / look.scale for value in back[:4])
    return combine((a, b, c, d, back[4], back[5]), page.matrix)


def ink_height(image: Image.Image) -> int:
    """Return about how many pixels high the ink of a letter is; 0 when there is too little.

    It is the median stretch of ink down through narrow strips of the page: 0.5 to 0.8 of a row.
    That takes 10 ms, and spares layout analysis, which takes time by the pixel, three of four.
    """
    strips = (max(8, image.width // 64), image.height)
    narrow = image.resize(strips, Image.Resampling.BOX)
    paper = max(enumerate(narrow.histogram()), key=lambda pair: pair[1])[0]
    is_ink = bytes(level <= paper - 16 for level in range(256))
    down = narrow.transpose(Image.Transpose.TRANSPOSE).tobytes().translate(is_ink)
    strip = range(0, len(down), image.height)
    stretches = (run for s in strip for run in down[s : s + image.height].split(b"\0"))
    heights = sorted(len(run) for run in stretches if 6 <= len(run) <= 250)  # noqa: PLR2004  -- neither specks nor pictures
    return heights[len(heights) // 2] if len(heights) >= RUNS else 0


def _prepared(image: Image.Image, turn: int, scale: float) -> Image.Image:
    if scale == 0.5:  # noqa: PLR2004
        image = image.reduce(2)
    elif scale != 1:
        size = (round(image.width * scale), round(image.height * scale))
        image = image.resize(size, Image.Resampling.BICUBIC)
    return image.transpose(_TURN[turn]) if turn else image


def _is_blank(image: Image.Image) -> bool:
    histogram = image.histogram()
    used = [level for level, count in enumerate(histogram) if count]
    return used[-1] - used[0] < FAINT


def _blank(image: Image.Image) -> str:
    return (
        f"  <div class='ocr_page' id='page_1' title='image \"\"; "
        f"bbox 0 0 {image.width} {image.height}; ppageno 0'>\n  </div>\n"
    )


def _letters(word: hocr.Word) -> int:
    return sum(map(str.isalnum, word.text))
