"""Reading hOCR: lines and words with their places, and the plain text."""

from __future__ import annotations

from html import escape
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks import hocr
from tasks.hocr import Line, Word

PAGE = """  <div class='ocr_page' id='page_1' title='image "/tmp/x.pgm"; bbox 0 0 900 600; \
ppageno 0'>
   <div class='ocr_carea' id='block_1_1' title="bbox 10 20 300 140">
    <p class='ocr_par' id='par_1_1' lang='eng' title="bbox 10 20 300 140">
     <span class='ocr_line' id='line_1_1' \
title="bbox 10 20 300 60; baseline 0.01 -5; x_size 40.5; x_descenders 8; x_ascenders 9">
      <span class='ocrx_word' id='word_1_1' title='bbox 10 20 120 60; x_wconf 96'>Salt</span>
      <span class='ocrx_word' id='word_1_2' \
title='bbox 130 22 300 58; x_wconf 91.5'><em>&amp;</em></span>
     </span>
     <span class='ocr_caption' id='line_1_2' title="bbox 10 100 300 140; textangle 90">
      <span class='ocrx_word' id='word_1_3' title='bbox 10 100 90 140; x_wconf 12'>Pepper</span>
      <span class='ocrx_word' id='word_1_4' title='bbox 0 0 9 9; x_wconf 95'> </span>
     </span>
    </p>
    <p class='ocr_par' dir='rtl' id='par_1_2' title="bbox 10 200 300 240">
     <span class='ocr_line' id='line_1_3' title="bbox 10 200 300 240; baseline 0 0">
      <span class='ocrx_word' id='word_1_5' title='bbox 200 200 300 240; x_wconf 90'>שלם</span>
      <span class='ocrx_word' dir='ltr' id='word_1_6' title='bbox 10 200 90 240'>PDF</span>
     </span>
    </p>
   </div>
   <div class='ocr_photo' id='block_1_2' title="bbox 0 300 900 600"></div>
  </div>
"""


def test_lines_and_words_are_read():
    """Every property that places text on a page is read; empty words and pictures are left out."""
    first, second, third = hocr.parse(PAGE)
    assert first == Line(
        words=(Word("Salt", 96, (10, 20, 120, 60)), Word("&", 91.5, (130, 22, 300, 58))),
        box=(10, 20, 300, 60),
        baseline=(0.01, -5),
        size=40.5,
        descent=8,
    )
    assert [word.text for word in second.words] == ["Pepper"]
    assert (second.angle, second.baseline, second.paragraph) == (90, None, 0)
    assert (third.rtl, third.paragraph) == (True, 1)
    assert [word.rtl for word in third.words] == [True, False]


def test_text_has_lines_and_paragraphs():
    """A line each, an empty line between paragraphs, an end of line at the end."""
    assert hocr.text(hocr.parse(PAGE)) == "Salt &\nPepper\n\nשלם PDF\n"
    assert hocr.text(()) == ""


def line(*boxes: hocr.Box, baseline: str = "") -> str:
    words = "".join(
        f"<span class='ocrx_word' title='bbox {' '.join(map(str, b))}; x_wconf 90'>w</span>"
        for b in boxes
    )
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    around = f"{min(lefts)} {min(tops)} {max(rights)} {max(bottoms)}"
    return f"<span class='ocr_line' title='bbox {around}{baseline}'>{words}</span>"


def angles(*lines: str) -> list[int]:
    page = f"<div class='ocr_page'><p class='ocr_par'>{''.join(lines)}</p></div>"
    return [found.angle for found in hocr.parse(page)]


DOWN = line((10, 10, 40, 90), (10, 100, 40, 190))
UP = line((10, 100, 40, 190), (10, 10, 40, 90))
LEVEL = line((10, 10, 90, 40), (100, 10, 190, 40))
UPENDED = line((10, 10, 40, 90))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((DOWN,), [270]),
        ((UP,), [90]),
        ((LEVEL,), [0]),
        ((line((10, 10, 40, 90), (10, 100, 40, 190), baseline="; baseline -775 12400"),), [270]),
        ((line((10, 10, 40, 90), (10, 100, 40, 190), baseline="; baseline 0.01 0"),), [0]),
        ((UPENDED,), [0]),
        ((DOWN, UPENDED, UP, DOWN), [270, 270, 90, 270]),
    ],
)
def test_running_up_or_down_is_seen(lines, expected):
    """A line without a sane baseline has the angle that its words run in, a lone one the page's."""
    assert angles(*lines) == expected


@pytest.mark.parametrize(
    ("before", "after", "between"),
    [("a", "b", " "), ("日", "本", ""), ("カ", "ナ", ""), ("日", "b", " "), ("서울", "평양", " ")],
)
def test_han_and_kana_are_not_spaced(before, after, between):
    """Chinese and Japanese letters stand side by side; Latin and Hangul words are spaced."""
    assert hocr.separator(before, after) == between


def test_broken_hocr_is_an_error():
    """What is not well-formed is told, not read in part."""
    with pytest.raises(ValueError, match="not hOCR"):
        hocr.parse("<div class='ocr_page'><p>")


@given(st.text(min_size=1))
def test_any_letters_survive(letters):
    """Whatever was recognised, reading it raises nothing and keeps what XML can hold."""
    word = f"<span class='ocrx_word' title='bbox 0 0 9 9; x_wconf 9'>{escape(letters)}</span>"
    if any("\ud800" <= letter <= "\udfff" for letter in letters):
        return
    page = f"<div><p class='ocr_par'><span title='bbox 0 0 9 9'>{word}</span></p></div>"
    found = hocr.parse(page)
    plain = letters.strip()
    if plain and plain.isprintable():
        assert [w.text for each in found for w in each.words] == [plain]


def test_documents_number_their_pages():
    """Pages put together have ids of their own and are well-formed XML."""
    whole = "".join(hocr.document("A < B & C", "5.5.4", [PAGE, PAGE]))
    root = ET.fromstring(whole.partition("\n")[2].partition(">")[2])  # noqa: S314  -- our own
    ids = [node.get("id") for node in root.iter() if node.get("id")]
    assert len(ids) == len(set(ids)) == 2 * PAGE.count("id=")
    assert {"page_1", "page_2", "word_2_4"} <= set(ids)
    assert "ppageno 1" in whole


def test_the_images_path_is_forgotten():
    """The file that the engine was given is a private matter, and differs from run to run."""
    assert 'title=\'image ""; bbox 0 0 900 600' in hocr.anonymous(PAGE)
