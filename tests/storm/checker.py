"""The verdict: by the folders alone, whatever ledger and logs say."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from papers import text_of

from storm.documents import numbers
from storm.ground import names_in

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from storm.documents import Document
    from storm.ground import Ground, Place


@dataclass
class Verdict:
    """What is wrong in the end; nothing in a good one."""

    documents: int = 0
    missing: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.missing or self.twice or self.wrong)

    def lines(self) -> list[str]:
        """Return the verdict in words, at most some of each kind."""
        kinds = {"missing": self.missing, "twice": self.twice, "wrong": self.wrong}
        return [
            f"{self.documents} documents: "
            + ", ".join(f"{len(found)} {name}" for name, found in kinds.items()),
            *(f"  {name}: {one}" for name, found in kinds.items() for one in found[:20]),
        ]


def check(ground: Ground, documents: list[Document]) -> Verdict:
    """Look through all folders."""
    verdict = Verdict(len(documents))
    for name, place in ground.places.items():
        mine = [d for d in documents if d.inbox == name]
        _outbox(place, [d for d in mine if d.kind != "poison"], verdict)
        _originals("archive", place.archive, (d for d in mine if d.kind != "poison"), verdict)
        _originals("failed", place.failed, (d for d in mine if d.kind == "poison"), verdict)
        verdict.wrong += [f"{name}: left in the inbox: {n}" for n in names_in(place.inbox)]
    for spool in ground.spools:
        left = sorted(path.name for path in (spool / "work").iterdir())
        verdict.wrong += [f"left in {spool}/work: {n}" for n in left]
    return verdict


def _outbox(place: Place, documents: Iterable[Document], verdict: Verdict) -> None:
    """Every document once, under its name, with its own pages in order and nobody else's."""
    found = set(names_in(place.outbox))
    seen: Counter[int] = Counter()
    pages = {}
    for name in found:
        if name.endswith(".pdf"):
            pages[name] = _pages(place.outbox / name)
            seen.update(set(pages[name]))
    for document in documents:
        for ext in place.formats:
            name = f"{document.stem}.{ext}"
            if name not in found:
                verdict.missing.append(f"{name} in {place.outbox}")
                continue
            found.discard(name)
            path = place.outbox / name
            text = pages[name] if ext == "pdf" else numbers(path.read_text("utf-8"))
            if tuple(text) != document.numbers:
                verdict.wrong.append(f"{name} holds the pages {text}, not {document.numbers}")
        if any(seen[n] > 1 for n in document.numbers):
            verdict.twice.append(document.name)
    verdict.wrong += [f"not asked for, in the outbox: {name}" for name in sorted(found)]


def _pages(path: Path) -> list[int]:
    try:
        return numbers(text_of(path))
    except Exception:
        return [-1]  # half a file, which holds nothing that was asked for


def _originals(what: str, folder: Path, documents: Iterable[Document], verdict: Verdict) -> None:
    """Every original once, byte for byte; beside one that failed its reason."""
    found = set(names_in(folder))
    for document in documents:
        if document.name not in found:
            verdict.missing.append(f"the original of {document.name} in {what}")
            continue
        found.discard(document.name)
        digest = hashlib.sha256((folder / document.name).read_bytes()).hexdigest()
        if [digest] != document.sha256:
            verdict.wrong.append(f"{what}: {document.name} is not what was dropped")
        if document.kind == "poison":
            sidecar = f"{document.name}.error.json"
            if sidecar not in found:
                verdict.missing.append(f"{what}: {sidecar}")
            found.discard(sidecar)
    verdict.wrong += [f"not asked for, in {what}: {name}" for name in sorted(found)]
