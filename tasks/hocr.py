"""Read hOCR, the engines' output: lines and words with their places, and the plain text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET  # our own engine's output, without a DTD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Box = tuple[int, int, int, int]  # left, top, right, bottom; pixels, y grows downwards

STEEP = 0.5  # slope above which a baseline is not one
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_TITLE_IMAGE = re.compile(r'image "[^"]*"')
_IDS = re.compile(r"\bid='(page|block|par|line|word)_\d+")
_PROLOGUE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" \
"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>{title}</title>
  <meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>
  <meta name='ocr-system' content='tesseract {version}' />
  <meta name='ocr-capabilities' content='ocr_page ocr_carea ocr_par ocr_line ocrx_word \
ocrp_wconf'/>
 </head>
 <body>
"""
_EPILOGUE = " </body>\n</html>\n"


@dataclass(frozen=True, slots=True)
class Word:
    """A run of letters without a space."""

    text: str
    confidence: float  # 0 to 100
    box: Box
    rtl: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """Words in reading order on one line."""

    words: tuple[Word, ...]
    box: Box
    baseline: tuple[float, float] | None = None  # slope, offset from the box's bottom left
    angle: int = 0  # degrees that the line is turned counter-clockwise: 0, 90, 180, 270
    size: float = 0.0  # pixels from descender to ascender; 0 when not told
    descent: float = 0.0  # pixels below the baseline
    rtl: bool = False
    paragraph: int = 0  # counts up through the page


def parse(page: str) -> tuple[Line, ...]:
    """Return the lines of one `ocr_page` element, in reading order, without empty words.

    Raises ValueError when it is not well-formed.
    """
    try:
        root = ET.fromstring(_CONTROL.sub("", page))  # noqa: S314  -- written by our engine
    except ET.ParseError as error:
        raise ValueError(f"this is not hOCR: {error}") from error
    lines = list(_lines(root))
    running = [run for line in lines if (run := _run(line))]
    usual = max(set(running), key=running.count) if running else 0
    return tuple(_turned(line, usual) for line in lines)


def text(lines: Iterable[Line]) -> str:
    """Return the plain text: a line each, paragraphs apart by an empty line, as Tesseract does."""
    out: list[str] = []
    paragraph: int | None = None
    for line in lines:
        if paragraph is not None and line.paragraph != paragraph:
            out.append("")
        paragraph = line.paragraph
        out.append(line_text(line))
    return "\n".join(out) + "\n" if out else ""


def line_text(line: Line) -> str:
    """Return the words of a line, apart by spaces where the script uses them."""
    out = ""
    for word in line.words:
        out += f"{separator(out, word.text)}{word.text}" if out else word.text
    return out


def separator(before: str, after: str) -> str:
    """Return what stands between two words: nothing between two Han or Kana letters."""
    return "" if _unspaced(before[-1:]) and _unspaced(after[:1]) else " "


def document(title: str, version: str, pages: Iterable[str]) -> Iterator[str]:
    """Yield a whole hOCR file in pieces, from `ocr_page` elements that are numbered anew."""
    safe = title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    yield _PROLOGUE.format(title=_CONTROL.sub("", safe), version=version)
    for number, page in enumerate(pages, start=1):
        fresh = _IDS.sub(rf"id='\g<1>_{number}", page)
        yield fresh.replace("ppageno 0", f"ppageno {number - 1}", 1).rstrip() + "\n"
    yield _EPILOGUE


def anonymous(page: str) -> str:
    """Return the element without the image's path, which differs from run to run."""
    return _TITLE_IMAGE.sub('image ""', page, count=1)


def _lines(root: ET.Element) -> Iterator[Line]:
    for paragraph, par in enumerate(_of_class(root, "ocr_par")):
        rtl = par.get("dir") == "rtl"
        for node in par:
            words = tuple(_words(node, rtl=rtl))
            if words:
                yield _line(node, words, rtl=rtl, paragraph=paragraph)


def _line(node: ET.Element, words: tuple[Word, ...], *, rtl: bool, paragraph: int) -> Line:
    facts = _facts(node)
    slope, offset = facts.get("baseline", (STEEP, 0.0))
    angle = next(iter(facts.get("textangle", ())), 0.0)
    told = abs(slope) < STEEP and angle == 0
    return Line(
        words=words,
        box=_box(facts),
        baseline=(slope, offset) if told else None,
        angle=round(angle / 90) % 4 * 90,
        size=next(iter(facts.get("x_size", ())), 0.0),
        descent=next(iter(facts.get("x_descenders", ())), 0.0),
        rtl=rtl,
        paragraph=paragraph,
    )


def _run(line: Line) -> int:
    """Return the angle of a line whose words run down (270) or up (90) the page, else 0.

    The engine reads such lines on a turned page, but tells no angle, and no or a wild baseline.
    """
    if line.baseline is not None or line.angle or len(line.words) < 2:  # noqa: PLR2004
        return 0
    first, last = line.words[0].box, line.words[-1].box
    across, along = last[0] - first[0], last[1] - first[1]
    return (270 if along > 0 else 90) if abs(along) > abs(across) else 0


def _turned(line: Line, usual: int) -> Line:
    """Give the line its angle; a single word that stands on end has the page's usual one."""
    if line.baseline is not None or line.angle:
        return line
    left, top, right, bottom = line.box
    upended = len(line.words) == 1 and bottom - top > right - left
    angle = usual if upended else _run(line)
    return replace(line, angle=angle) if angle else line


def _words(line: ET.Element, *, rtl: bool) -> Iterator[Word]:
    for node in _of_class(line, "ocrx_word"):
        letters = "".join(node.itertext()).strip()
        if letters:
            facts = _facts(node)
            own = node.get("dir")
            confidence = next(iter(facts.get("x_wconf", ())), 0.0)
            yield Word(letters, confidence, _box(facts), own == "rtl" if own else rtl)


def _of_class(root: ET.Element, name: str) -> Iterator[ET.Element]:
    return (node for node in root.iter() if node.get("class") == name)


def _facts(node: ET.Element) -> dict[str, list[float]]:
    """Return a title's properties that are numbers: `bbox 1 2 3 4; x_wconf 96`."""
    out: dict[str, list[float]] = {}
    for part in node.get("title", "").split(";"):
        name, *values = part.split()
        try:
            out[name] = [float(value) for value in values]
        except ValueError:
            continue
    return out


def _box(facts: dict[str, list[float]]) -> Box:
    left, top, right, bottom = (round(v) for v in facts["bbox"])
    return left, top, right, bottom


def _unspaced(letter: str) -> bool:
    name = unicodedata.name(letter, "") if letter else ""
    return name.startswith(("CJK", "HIRAGANA", "KATAKANA"))
