"""How a page is read: prepared by what was measured, one look, others only while the yield is poor.

The numbers come from some hundred recognitions of real pages, upright and turned: sure text
has a mean confidence of 80 to 96, text on its head 7 to 57. Orientation detection and every
further look cost time that good pages must not pay.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tasks import hocr
from tasks.imaging import combine
from tasks.reading import engine, scripts, sheets, skew
from tasks.reading.survey import survey
from watcherd.errors import Overrun

if TYPE_CHECKING:
    from PIL import Image

    from tasks.imaging import Matrix, PageImage
    from tasks.reading.survey import Survey
    from watcherd.model import Options

AUTO, BLOCK, SPARSE = 3, 6, 11  # page segmentation: columns, one block, text wherever it is
POOR = 80.0  # mean confidence below which another look is worth its time
TURNED = 70.0  # mean confidence below which the page may lie on its head or side
SURE = 1.5  # confidence of orientation detection; a right one has 2 to 35
MANY = 4  # languages from which detecting the script costs less than trying each of them
SURE_SCRIPT = 1.0  # confidence of script detection; a page of text has 5 to 16
SMALL = 24.0  # pixels of a row below which enlarging finds more
MEDIUM = 36.0  # pixels of a row below which enlarging helps a page that is read poorly
LARGER = 1.5  # times; of 1.5, 2 and 2.5, with two filters, the best for six receipts of seven
DOUBTED = 92.0  # mean confidence of small text below which enlarging finds more
FINE = 24.0  # pixels of a row below which a reduction has lost something
TALL, ENOUGH = 44.0, 36.0  # pixels of a row that are reduced, and to what
LEAST_SCALE = 0.25
USUAL = 300  # dpi that the engine is told when nobody knows
LARGE = 12_000_000  # pixels of a page that is not enlarged
FEW = 100  # words; pages with fewer get the look for sparse text
EMPTY = 2_000_000  # pixels that are enough to find what the first look did not see at all
UNSURE = 86.0  # mean confidence of a short page below which another layout is tried
SHORT = 200  # words of a receipt or a label; a page of columns has more
BLOCKIER = 1.03  # times the worth: columns read across are worth about as much
NOISE = 0.35  # confidence at which a letter is worth nothing
SPARSER = 1.25  # times the worth; sparse text is read without lines, and numbers fall apart
LEAST = 4.0  # worth, about one sure word, below which a second look has found noise


@dataclass(frozen=True, slots=True)
class Look:
    """One recognition, and how its image came from the page's."""

    page: str  # hOCR: one ocr_page element
    lines: tuple[hocr.Line, ...]
    turn: int = 0  # degrees clockwise
    scale: float = 1.0
    note: str = ""
    languages: tuple[str, ...] = ()  # that it was read with

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
        """Return the height in pixels that four words' rows of five have; 0 without text."""
        sizes = sorted(line.size for line in self.lines for _ in line.words)
        return sizes[len(sizes) // 5] if sizes else 0.0

    def rotation(self) -> int:
        """Return the degrees clockwise that would bring the text of the page upright.

        The engine reads lines that run up or down by itself, and tells their angle.
        """
        angles = [line.angle for line in self.lines]
        return (self.turn + (max(set(angles), key=angles.count) if angles else 0)) % 360


@dataclass(frozen=True, slots=True)
class _Reader:
    page: PageImage
    survey: Survey
    options: Options
    deadline: float  # of time.monotonic
    ready: dict[float, Image.Image] = field(default_factory=dict)  # sheets, by scale

    def look(self, turn: int, scale: float, psm: int, note: str = "") -> Look:
        sheet = self.prepared(scale)
        text = engine.recognise(
            sheets.turned(sheet, turn),
            self.options.languages,
            engine=self.options.engine,
            dpi=round((USUAL if self.page.guessed else max(self.page.dpi)) * scale),
            psm=psm,
            seconds=self.deadline - time.monotonic(),
        )
        if self.survey.angle:
            was, now = sheets.scaled(self.page.image.size, scale), sheet.size
            if turn % 180:
                was, now = was[::-1], now[::-1]
            text = skew.restored(text, self.survey.angle, was, now)
        return Look(text, hocr.parse(text), turn, scale, note, self.options.languages)

    def prepared(self, scale: float) -> Image.Image:
        if scale not in self.ready:
            self.ready.clear()  # one page of pixels is enough to hold
            self.ready[scale] = sheets.prepared(self.page.image, self.survey, scale)
        return self.ready[scale]

    def first(self) -> Look:
        row = self.survey.row
        scale = max(ENOUGH / row, LEAST_SCALE) if row >= TALL else 1.0
        turn = self.side(scale) if self.survey.sideways else 0
        note = f"turned by {turn}° to be read" if turn else ""
        look = self.look(turn, scale, AUTO, note)
        if scale < 1 and 0 < look.row() < FINE:
            return self.look(turn, 1.0, AUTO, note)
        return look

    def others(self, best: Look) -> Look:
        """Look again as often as the yield is poor; return the best."""
        if best.mean() < TURNED:
            best = self.turned(best)
        if best.mean() < (DOUBTED if 0 < best.row() < SMALL * best.scale else POOR):
            best = self.closer(best)
        if best.mean() < UNSURE and 0 < len(best.words) < SHORT:
            # Layout analysis takes the names and the prices of a receipt for two columns.
            note = "; ".join(filter(None, (best.note, "read as one block")))
            block = self.look(best.turn, best.scale, BLOCK, note)
            if len(block.words) >= len(best.words):  # else it has lost the gaps between them
                best = _better(block, best, BLOCKIER)
        return best

    def side(self, scale: float) -> int:
        """Return the turn for a page whose lines run up or down; 0 when it may be a picture."""
        degrees, sure = self.orientation(scale)
        return degrees if sure >= SURE else 0

    def orientation(self, scale: float, turn: int = 0) -> tuple[int, float]:
        return engine.detect_orientation(
            sheets.turned(self.prepared(scale), turn),
            engine=self.options.engine,
            seconds=self.deadline - time.monotonic(),
        )

    def script(self) -> tuple[str, float]:
        return engine.detect_script(
            self.prepared(1.0),
            engine=self.options.engine,
            seconds=self.deadline - time.monotonic(),
        )

    def turned(self, best: Look) -> Look:
        """Look again with the page turned, when it may lie on its head or side."""
        if not best.lines:
            return best
        degrees, sure = self.orientation(best.scale, best.turn)
        if sure < SURE:
            degrees = 180  # the survey or the engine have seen lines that run up or down
        if degrees == 0:
            return best
        turn = (best.turn + degrees) % 360
        other = self.look(turn, best.scale, AUTO, f"turned by {turn}° to be read")
        return max(best, other, key=Look.worth)

    def closer(self, best: Look) -> Look:
        """Look again enlarged when rows are small, and for sparse text when words are few."""
        pixels = self.page.image.width * self.page.image.height
        most = LARGE if best.words else EMPTY
        scale = best.scale
        if best.row() < MEDIUM * scale and pixels <= most:
            scale = LARGER
            # The first look knows paragraphs best: another must be clearly better.
            larger = self.look(best.turn, scale, AUTO, "enlarged to be read")
            best = _better(larger, best, 1.05)
        if best.mean() >= POOR or len(best.words) >= FEW:
            return best
        reader = self
        if not best.words and pixels > EMPTY:
            # Told to look everywhere, the engine takes minutes for the grain of a large page.
            scale = math.sqrt(EMPTY / pixels)
            reader = replace(self, survey=replace(self.survey, noise=sheets.NOISY), ready={})
        return _better(reader.look(best.turn, scale, SPARSE, "read as sparse text"), best, SPARSER)


def _better(other: Look, best: Look, times: float) -> Look:
    return other if other.worth() > max(LEAST, times * best.worth()) else best


def read(page: PageImage, options: Options, deadline: float) -> tuple[Look, tuple[str, ...]]:
    """Return the best of as many looks as the page needs, and notes for a person.

    Raises Overrun when the first look is not done by `deadline` (of time.monotonic).
    """
    measured = survey(page.image)
    if measured.blank:
        return Look(_blank(page.image), ()), ("blank page",)
    best, options = _first(page, measured, options, deadline)
    notes = [*sheets.done(measured)]
    try:
        best = _Reader(page, measured, options, deadline).others(best)
        if measured.evenness < sheets.UNEVEN and best.mean() < POOR:
            # What looks like shadows may be a picture: the page as it is may tell more.
            plain = replace(measured, evenness=1.0)
            reader = _Reader(page, plain, options, deadline)
            other = reader.others(reader.first())
            if other.worth() > max(LEAST, best.worth()):
                best, notes = other, [*sheets.done(plain)]
    except Overrun as overrun:
        if overrun.code != "timeout":
            raise
        notes.append("no time for another look")
    if best.words and best.worth() <= 0:
        return Look(_blank(page.image), ()), (*notes, "nothing readable")
    return best, tuple(note for note in (*notes, best.note) if note)


def _first(
    page: PageImage, measured: Survey, options: Options, deadline: float
) -> tuple[Look, Options]:
    """Return the first look, and the options with the languages that it needed.

    The engine finds the right one of two or three languages by itself, as cheaply. Of many, those
    of the page's own script are tried alone; but a page may have two scripts, so that anything
    short of sure text is read with all languages as well.
    """
    reader = _Reader(page, measured, options, deadline)
    if len(options.languages) < MANY or not scripts.are_several(options.languages):
        return reader.first(), options
    script, sure = reader.script()
    fitting = scripts.chosen(options.languages, script)
    if sure < SURE_SCRIPT or fitting == options.languages:
        return reader.first(), options
    fewer = replace(options, languages=fitting)
    best = _Reader(page, measured, fewer, deadline).first()
    if best.mean() >= DOUBTED:
        return best, fewer
    every = reader.first()
    return (every, options) if every.worth() > best.worth() else (best, fewer)


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


def _blank(image: Image.Image) -> str:
    return (
        f"  <div class='ocr_page' id='page_1' title='image \"\"; "
        f"bbox 0 0 {image.width} {image.height}; ppageno 0'>\n  </div>\n"
    )


def _letters(word: hocr.Word) -> int:
    return sum(map(str.isalnum, word.text))
