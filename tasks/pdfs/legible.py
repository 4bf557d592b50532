"""Whether letters say anything: real text, whatever its script, or what broken fonts leave.

The bounds were measured on the translations of 178 languages that programs bring with them
(20,000 letters each), on tables, source code, base64 and hexadecimal dumps, and on the same text
after it went through broken fonts or was recognised lying on its side. They stand far from what
real text reaches: when in doubt it is text.
"""

from __future__ import annotations

import re
import unicodedata

BROKEN = 0.3  # part of signs without a meaning; real text has up to 0.01
SYMBOLS = 0.6  # part of symbols; real text has up to 0.28, source code 0.16, broken fonts 0.72
FOREIGN = 0.55  # part of Latin letters that ASCII lacks; Yoruba has 0.34, Cyrillic gone wrong 1.0
MUTE = 0.3  # part of long words without a vowel; real text has up to 0.09, shifted letters 0.43
VOWELS = 0.2  # part of vowels; real text has 0.29 at least, base64 0.22, shifted letters 0.15
SOME, CLEAR = 0.1, 0.29  # the same of letters that may be glyph numbers, and of them moved back
FRAGMENTS = 0.55  # part of words of one or two letters; real text has up to 0.42, on its side 0.8
SIGNS = 100  # fewer say too little of their symbols
LETTERS, WORDS, TOKENS = 20, 20, 40  # fewer say too little of their kind
LONG = 4  # letters of a word in which every language has a vowel as a rule

_NO_MEANING = frozenset({"Cc", "Cn", "Co", "Cs"})
_VOWEL = frozenset("aeiouyæœø\u0131\u0259\u025b\u0254")  # with those of Turkic and African letters
_GLYPHS = {code: code + 29 for code in range(36, 94)}  # of most TrueType fonts: 36 is an A
_RUN = re.compile(r"([^\w\s])(?:\s*\1)+")  # dotted lines, rules, rows of boxes
_WORD = re.compile(r"[^\W\d_]+")


def is_text(text: str, *, layer: bool = False) -> bool:
    """Say whether a page's text is real, not what a broken font or a failed recognition left.

    `layer`: nobody sees it, somebody's recognition of a scan; then a heap of single letters is
    none either, which as a design on a page may be spaced out words. Text without any letter or
    digit is none.
    """
    if not any(map(str.isalnum, text)):
        return False
    signs = [sign for sign in text if not sign.isspace()]
    if sum(map(_is_broken, signs)) > BROKEN * len(signs):
        return False
    if len(signs) >= SIGNS and _symbols(text) > SYMBOLS:
        return False
    letters = [sign for sign in signs if sign.isalpha()]
    latin = [letter for letter in letters if _is_latin(letter)]
    if len(latin) < LETTERS or len(latin) < len(letters) / 2:
        return True  # vowels and the like are known of Latin letters alone
    if sum(not letter.isascii() for letter in latin) > FOREIGN * len(latin):
        return False
    return not (_is_moved(text) or (layer and _is_fragments(text)))


def folded(text: str) -> str:
    """Return the text without space, a run of the same symbol counted once."""
    return "".join(_RUN.sub(r"\1", text).split())


def _is_broken(sign: str) -> bool:
    return sign == "\ufffd" or unicodedata.category(sign) in _NO_MEANING


def _symbols(text: str) -> float:
    signs = folded(text)
    return sum(unicodedata.category(sign)[0] in "PS" for sign in signs) / len(signs)


def _is_moved(text: str) -> bool:
    """Tell letters that became others: words lose their vowels, or get them when moved back."""
    mute, vowels = _sound(text)
    if mute > MUTE and vowels < VOWELS:
        return True
    back, clear = _sound(text.translate(_GLYPHS))
    return mute > SOME and back < mute / 3 and clear > CLEAR


def _sound(text: str) -> tuple[float, float]:
    """Return which part of long words has no vowel, and which part of letters are vowels."""
    words = [word for word in _WORD.findall(text) if len(word) >= LONG]
    bare = [[_bare(letter) for letter in word] for word in words if all(map(_is_latin, word))]
    if len(bare) < WORDS:
        return 0.0, 0.0
    vowels = [sum(letter in _VOWEL for letter in word) for word in bare]
    return vowels.count(0) / len(bare), sum(vowels) / sum(map(len, bare))


def _is_fragments(text: str) -> bool:
    words = [word.strip("\"'.,;:!?()[]{}|-~_=<>*«»‘’“”°—–•/\\") for word in text.split()]  # noqa: RUF001
    lettered = [word for word in words if any(map(str.isalpha, word))]
    short = sum(len(word) <= 2 for word in lettered)  # noqa: PLR2004
    return len(lettered) >= TOKENS and short > FRAGMENTS * len(lettered)


def _is_latin(letter: str) -> bool:
    return letter.isascii() or "LATIN" in unicodedata.name(letter, "")


def _bare(letter: str) -> str:
    """Return a letter without its accents, small."""
    return unicodedata.normalize("NFD", letter)[0].casefold()[0]
