"""How well a text was read: scores of what came out against what stands on the page.

Pure. The rules are those of the corpus, so that its own columns come out again: plain tesseract
scores here what the manifest says of it, to the fourth decimal.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING

from rapidfuzz.distance import Levenshtein

if TYPE_CHECKING:
    from collections.abc import Sequence

# Two spellings of one mark are no error of recognition; a soft hyphen is none at all.
_MARKS = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
    | dict.fromkeys("\u2018\u2019\u201a\u201b`\u00b4", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"')
    | {"\u00ad": None}
)
# PDFium hands out a hyphen that ends a line as U+0002 or U+FFFE, and drops the line's end.
_PDFIUM_HYPHEN = re.compile("[\x02\ufffe]\\s*")
_LINE_END_HYPHEN = re.compile(r"(?<=\w)-\s*\n\s*(?=\w)")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Marks:
    """The two scores of a text, each 0 to 1."""

    char: float
    recall: float


def normalised(text: str, *, fold: bool = False) -> str:
    """Return text in NFC with one kind of quote, dash and blank, words joined across lines.

    With `fold` also without a difference between capital and small letters.
    """
    text = unicodedata.normalize("NFC", text).translate(_MARKS)
    text = _LINE_END_HYPHEN.sub("", _PDFIUM_HYPHEN.sub("", text))
    text = " ".join(text.split())
    return text.casefold() if fold else text


def char_accuracy(truth: str, read: str) -> float:
    """Return 1 - Levenshtein/length of the truth, and 0 where that is negative.

    The measure of the ISRI tools (Rice, Nagy and Nartker 1999); both texts normalised before.
    """
    if not truth:
        return 1.0 if not read else 0.0
    return max(0.0, 1 - Levenshtein.distance(truth, read) / len(truth))


def word_recall(truth: str, read: str) -> float:
    """Return the share of the truth's words that were read, in any order and any case.

    A word that stands there twice has to be read twice.
    """
    wanted = Counter(_WORD.findall(truth.casefold()))
    if not wanted:
        return 1.0
    found = wanted & Counter(_WORD.findall(read.casefold()))
    return found.total() / wanted.total()


def marks(truth: str, read: str, *, fold: bool = False) -> Marks:
    """Return both scores of a text as it came out."""
    one, other = normalised(truth, fold=fold), normalised(read, fold=fold)
    return Marks(char_accuracy(one, other), word_recall(one, other))


Box = tuple[float, float, float, float]  # left, top, right, bottom; y down


@dataclass(frozen=True, slots=True)
class Place:
    """How a word's box in a text layer lies to its ink; both 0 if the word is not in the layer."""

    word: str
    ink: float  # part of the ink's box that the text's box covers
    text: float  # part of the text's box that the ink's box covers
    found: bool


def placed(ink: Sequence[tuple[str, Box]], layer: Sequence[tuple[str, Box]]) -> list[Place]:
    """Return how each word on a page lies in a text layer, in the order of the page.

    A word that stands on the page twice may be in the layer once, misread the other time: equal
    words are paired one to one, the nearest first.
    """
    pairs = sorted(
        (_distance(box, other), number, partner)
        for number, (word, box) in enumerate(ink)
        for partner, (text, other) in enumerate(layer)
        if text == word
    )
    partners: dict[int, int] = {}
    taken: set[int] = set()
    for _, number, partner in pairs:
        if number not in partners and partner not in taken:
            partners[number] = partner
            taken.add(partner)
    return [
        Place(word, covered(box, layer[found][1]), covered(layer[found][1], box), found=True)
        if (found := partners.get(number)) is not None
        else Place(word, 0.0, 0.0, found=False)
        for number, (word, box) in enumerate(ink)
    ]


def _distance(one: Box, other: Box) -> float:
    """Return how far the middles of two boxes are from one another."""
    return hypot(one[0] + one[2] - other[0] - other[2], one[1] + one[3] - other[1] - other[3]) / 2


def covered(box: Box, by: Box) -> float:
    """Return which part of a box, 0 to 1, another box covers."""
    width = min(box[2], by[2]) - max(box[0], by[0])
    height = min(box[3], by[3]) - max(box[1], by[1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    if width <= 0 or height <= 0 or area <= 0:
        return 0.0
    return width * height / area
