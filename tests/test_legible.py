"""Whether letters say anything."""

# ruff: noqa: RUF001 -- letters that look like others are what this is about

from __future__ import annotations

import base64
import random
from pathlib import Path

import pytest

from tasks.pdfs.legible import is_text

ENGLISH = (
    "A file is noticed, it settles, it is claimed as a job, the stages of the job run on workers, "
    "the result is published, the original is filed, and every step is one row of the ledger. "
) * 2
NOISE = random.Random(1)  # noqa: S311 -- no secret
REAL = {
    "short": "Page 3 of 9",
    "one letter": "A",
    "number": "17",
    "czech": "Všichni lidé rodí se svobodní a rovní. Strč prst skrz krk, zmrzl vlk, čtvrt smrt",
    "vietnamese": "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền",
    "yoruba": "Gbogbo ènìyàn ni a bí ní òmìnira; iyì àti iyì àti ìyì",
    "welsh": "Genir pawb yn rhydd ac yn gydradd â'i gilydd mewn urddas a hawliau",
    "greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια",
    "russian": "Все люди рождаются свободными и равными в своем достоинстве и правах",
    "arabic": "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق",
    "hebrew": "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם",
    "japanese": "すべての人間は、生まれながらにして自由である。",
    "hindi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता है",
    "thai": "มนุษย์ทั้งปวงเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ",
    "numbers": "12,50 | 1.204 | -17 % | (300) | 4/5 | 2024-01-31 | +49 (0) 30 1234\n" * 9,
    "contents": "Introduction ................. 1\nChapter one ........ 5\nIndex _ _ _ _ _ _ 99\n"
    * 3,
    "parts": "RJ45 UTP CAT6 LSZH 305M BLK; PCB SMD 0402 10K; SFP+ LC MM OM3; HDPE UPVC FTTH SSD",
    "tickers": "AAPL MSFT AMZN NVDA GOOG META TSLA BRKB NFLX INTC CSCO ADBE PYPL CMCSA PEPSI COST "
    "TMUS AVGO TXN QCOM AMGN SBUX MDLZ GILD ADP VRTX REGN BKNG ISRG FISV CSX ADI MU LRCX PANW SNPS "
    "KLAC CDNS MELI ORLY MNST CHTR MAR FTNT KDP",
    "code": Path(__file__).read_text("utf-8").partition("REAL =")[0],
    "base64": base64.encodebytes(NOISE.randbytes(2000)).decode(),
    "hexadecimal": NOISE.randbytes(1000).hex(" ", 2),
    "bullets": "\uf0b7 first\n\uf0b7 second\n\uf0b7 third",
    "formulas": "f(x) = 3x² + 2x − 7; ∫ f(t) dt = F(b) − F(a); a ≤ b ⇒ a² ≤ b² for a, b ≥ 0",
}


def in_turn(first: int) -> str:
    """Return what a font without a map leaves: its letters numbered as they first came."""
    codes: dict[str, str] = {}
    return "".join(
        sign if sign.isspace() else codes.setdefault(sign, chr(first + len(codes)))
        for sign in ENGLISH
    )


BROKEN = {
    "nothing": "",
    "dots": "... --- ...",
    "replacements": "\ufffd" * 40 + " a b",
    "private": "".join(chr(0xE000 + ord(sign)) for sign in ENGLISH),
    "controls": in_turn(1),
    "symbols": in_turn(33),
    "shifted": "".join(chr(ord(sign) - 29) if sign.isalpha() else sign for sign in ENGLISH),
    "wrong alphabet": REAL["russian"].encode("cp1251").decode("latin-1"),
    "wrong alphabet again": REAL["greek"].encode("cp1253").decode("latin-1"),
    "consonants": " ".join(["xkcd qwrtz pfgh lmnp bcdf ghjk vwxz"] * 4),
}


@pytest.mark.parametrize("name", REAL)
def test_text_of_any_kind_is_text(name):
    """Languages, tables, code, lists and short pages are taken for what they are."""
    assert is_text(REAL[name])
    assert is_text(REAL[name], layer=True)


@pytest.mark.parametrize("name", BROKEN)
def test_what_broken_fonts_leave_is_none(name):
    """Letters that no font explains, and letters moved to others, say nothing."""
    assert not is_text(BROKEN[name])


def test_letters_strewn_about_are_no_layer():
    """A scan read on its side gives single letters; painted ones may be a design."""
    strewn = "N n v9 em x es 0 RE gn a o oO H 8 6 fo i m x a Ae w A H Yao Ag 1 s ns O88 h S oS " * 2
    assert is_text(strewn)
    assert not is_text(strewn, layer=True)


def test_spaced_words_are_text():
    """Words that are set letter by letter are left alone where they are painted."""
    assert is_text(" ".join("INVOICE NUMBER TWENTY AND SOME MORE SPACED WORDS" * 2))
