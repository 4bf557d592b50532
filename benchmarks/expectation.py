"""What the corpus expects of a file, and whether it came about. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchmarks.score import normalised

KINDS = ("TEXT", "PASS", "REJECT", "EITHER", "BOUNDED", "OK-EMPTY", "NO THRESHOLD")

_QUOTED = re.compile(r'"([^"]+)"')
_NUMBERED = re.compile(r'\bp(\d+)\s+"([^"]+)"')
_ONCE = re.compile(r"text of (\d+)-(\d+) not doubled")

_ALMOST_EMPTY = 20
"""Letters that a picture without text may give: a stray mark or two, less than a line."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One entry of the manifest's column `expectation`."""

    kind: str  # of KINDS
    pages: int  # of the document
    anywhere: tuple[str, ...] = ()  # phrases of the document
    paged: tuple[tuple[int, str], ...] = ()  # phrases of a page, counted from 1
    once: frozenset[int] = frozenset()  # pages whose phrases must not come twice
    names_password: bool = False  # the refusal has to speak of encryption
    may_wait: bool = False  # not being taken is as good as a refusal


@dataclass(frozen=True, slots=True)
class Ended:
    """How a file ended, as a person finds it in the folders."""

    state: str  # as `watcherd jobs --json` says
    code: str = ""  # of NAME.error.json
    reason: str = ""
    pdf: tuple[str, ...] = ()  # text layer of each page that was published
    txt: tuple[str, ...] = ()
    before: tuple[str, ...] = ()  # text layer of each page of the original
    kept: bool = True  # the original lies, unchanged, where it belongs


def parse(entry: str, pages: int) -> Expectation:
    """Read an entry of the manifest for a file of so many pages.

    Raises `ValueError` for an entry that the grammar in the corpus' README does not have.
    """
    kind = next((k for k in KINDS if re.match(rf"{k}\b", entry)), None)
    if kind is None:
        raise ValueError(f"no expectation that is known: {entry!r}; known are {', '.join(KINDS)}")
    if kind != "TEXT":
        return Expectation(
            kind,
            pages,
            anywhere=tuple(_QUOTED.findall(entry)),
            names_password="password" in entry,
            may_wait="or wait" in entry,
        )
    anywhere, paged = _phrases(entry.removeprefix("TEXT").strip(), pages)
    if not anywhere and not paged:
        raise ValueError(f"no text is named: {entry!r}")
    doubled = _ONCE.search(entry)
    once = range(int(doubled[1]), int(doubled[2]) + 1) if doubled else ()
    return Expectation(kind, pages, anywhere, paged, frozenset(once))


def _phrases(rest: str, pages: int) -> tuple[tuple[str, ...], tuple[tuple[int, str], ...]]:
    """Return the phrases of the whole document, and those of its pages."""
    if rest.startswith(":"):
        return tuple(part.strip(' "') for part in rest[1:].split("||")), ()
    if re.match(r"p\d", rest):
        return (), tuple((int(page), phrase) for page, phrase in _NUMBERED.findall(rest))
    quoted = _QUOTED.findall(rest)
    if rest.startswith("on each of"):
        return (), tuple((page, phrase) for page in range(1, pages + 1) for phrase in quoted)
    if not rest.startswith("page n"):
        raise ValueError(f"no expectation that is known: TEXT {rest}")
    return (), tuple(
        (page, re.sub(r"\bn\b", str(page), phrase))
        for page in range(1, pages + 1)
        for phrase in quoted
    )


def unmet(expected: Expectation, ended: Ended) -> tuple[str, ...]:
    """Return what of an expectation did not come about, a sentence each; nothing if all did."""
    problems = [] if ended.kept else ["the original is not where it belongs, byte for byte"]
    either = expected.kind in {"EITHER", "BOUNDED", "NO THRESHOLD"}
    refused = expected.kind == "REJECT" or (either and ended.state == "failed")
    return (*problems, *(_refused if refused else _published)(expected, ended))


def _refused(expected: Expectation, ended: Ended) -> list[str]:
    if ended.pdf or ended.txt:
        return ["it was published"]
    if ended.state == "waiting" and expected.may_wait:
        return []
    if ended.state != "failed":
        return [f"it is {ended.state}, not refused"]
    if not ended.code or not ended.reason:
        return ["no code or no reason beside the original"]
    if expected.names_password and not re.search("encrypt|password", ended.reason, re.IGNORECASE):
        return [f"the reason does not speak of the password: {ended.reason}"]
    return []


def _published(expected: Expectation, ended: Ended) -> list[str]:
    if ended.state != "done":
        return [f"it is {ended.state} ({ended.code}: {ended.reason})"]
    problems = [
        f"{len(pages)} pages in the {where}, not {expected.pages}"
        for where, pages in (("PDF", ended.pdf), ("txt", ended.txt))
        if len(pages) != expected.pages
    ]
    if problems:
        return problems
    for where, pages in (("PDF", ended.pdf), ("txt", ended.txt)):
        problems += [f"{fault} in the {where}" for fault in _misread(expected, pages)]
    if expected.kind == "PASS" and _all(ended.pdf) != _all(ended.before):
        problems.append("the text layer is not the original's")
    return problems


def _misread(expected: Expectation, pages: tuple[str, ...]) -> list[str]:
    """Return the faults of a text in one of the outputs."""
    each = _all(pages)
    every = " ".join(page for page in each if page)
    faults = [f"no {p!r}" for p in expected.anywhere if normalised(p, fold=True) not in every]
    for page, phrase in expected.paged:
        count = each[page - 1].count(normalised(phrase, fold=True))
        if not count:
            faults.append(f"no {phrase!r} on page {page}")
        elif count > 1 and page in expected.once:
            faults.append(f"{phrase!r} {count} times on page {page}")
    if expected.kind == "EITHER" and not every:
        faults.append("no text at all")
    if expected.kind == "OK-EMPTY" and len(every) >= _ALMOST_EMPTY:
        faults.append(f"{len(every)} letters of text, where there is none,")
    return faults


def _all(pages: tuple[str, ...]) -> list[str]:
    return [normalised(page, fold=True) for page in pages]
