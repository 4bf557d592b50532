"""Which of an inbox's languages a page may be written in, told from its script.

A page is read faster with the languages that matter than with many; only those of another script
can be told apart before reading. An Arabic page with English, French, German, Spanish, Korean and
Arabic takes 2.7 s with all, 1.3 s with the last alone, detection 0.5 s.
"""

from __future__ import annotations

LATIN = frozenset({"Latin", "Fraktur"})

_OTHERS = {
    "Arabic": "ara fas kur_ara pus snd uig urd",
    "Armenian": "hye",
    "Bengali": "asm ben",
    "Cherokee": "chr",
    "Cyrillic": "aze_cyrl bel bul kaz kir mkd mon rus srp tat tgk ukr uzb_cyrl",
    "Devanagari": "hin mar nep san",
    "Ethiopic": "amh tir",
    "Georgian": "kat kat_old",
    "Greek": "ell grc",
    "Gujarati": "guj",
    "Gurmukhi": "pan",
    "Han": "chi_sim chi_sim_vert chi_tra chi_tra_vert jpn jpn_vert",
    "Hebrew": "heb yid",
    "Japanese": "jpn jpn_vert",
    "Kannada": "kan",
    "Khmer": "khm",
    "Korean": "kor kor_vert",
    "Lao": "lao",
    "Malayalam": "mal",
    "Myanmar": "mya",
    "Oriya": "ori",
    "Sinhala": "sin",
    "Syriac": "syr",
    "Tamil": "tam",
    "Telugu": "tel",
    "Thaana": "div",
    "Thai": "tha",
    "Tibetan": "bod dzo",
}
"""Tesseract's languages by the names that its script detection gives (its `osd` data)."""


def of(language: str) -> frozenset[str]:
    """Return the scripts that a language's data reads; Latin for all that are not listed."""
    if language.startswith("script/"):
        return frozenset({language.removeprefix("script/").removesuffix("_vert")})
    found = frozenset(script for script, names in _OTHERS.items() if language in names.split())
    return found or LATIN


def are_several(languages: tuple[str, ...]) -> bool:
    """Say whether languages share no script, so that detecting it can choose among them."""
    return not frozenset.intersection(*map(of, languages))


def chosen(languages: tuple[str, ...], script: str) -> tuple[str, ...]:
    """Return the languages that are written in a script; all where none is."""
    fit = tuple(language for language in languages if script in of(language))
    return fit or languages
