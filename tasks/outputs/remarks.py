"""What a person should know of a document: notes, and whether somebody should look it over."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tasks.document import Document
    from tasks.recognise import PageFacts

MOST = 40
"""Notes of one document; a book with more kinds of trouble than that says so."""


@dataclass(frozen=True, slots=True)
class Remarks:
    """What is said of a document beside its outputs."""

    notes: tuple[str, ...] = ()
    confidence: float | None = None  # of the page that was read least surely; None without any
    review: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return what is kept beside the outputs until the job ends."""
        return asdict(self)

    @classmethod
    def from_json(cls, table: Any) -> Remarks:
        """Return the remarks of outputs that have landed; none where nothing sound is said."""
        try:
            return cls(tuple(map(str, table["notes"])), table["confidence"], bool(table["review"]))
        except (KeyError, TypeError):
            return cls()


def remarks(
    document: Document, facts: Sequence[PageFacts], written: Iterable[str], threshold: float
) -> Remarks:
    """Gather what there is to say; a page read with less than `threshold` is for review."""
    read = [one for one in facts if one.words and not one.text_already_there]
    low = [one for one in read if one.confidence < threshold]
    notes = [*document.notes, *_by_page(facts), *written]
    notes += [
        f"page {one.page} was read with a confidence of {one.confidence:.0f} only" for one in low
    ]
    if len(notes) > MOST:
        notes[MOST - 1 :] = [f"and {len(notes) - MOST + 1} more notes, see the pages' records"]
    lowest = min((one.confidence for one in read), default=None)
    return Remarks(tuple(notes), lowest, review=bool(low))


def _by_page(facts: Sequence[PageFacts]) -> list[str]:
    """Return each note of the pages once, with the pages that it holds for."""
    pages: dict[str, list[int]] = {}
    for one in facts:
        for note in one.notes:
            pages.setdefault(note, []).append(one.page)
    if len(facts) == 1:
        return list(pages)
    return [f"{_numbers(numbers)}: {note}" for note, numbers in pages.items()]


def _numbers(pages: list[int]) -> str:
    """Return page numbers as a person writes them: page 2, pages 1-3, 7."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][-1] + 1:
            runs[-1][1:] = [page]
        else:
            runs.append([page])
    told = ", ".join("-".join(map(str, run)) for run in runs)
    return f"page {told}" if len(pages) == 1 else f"pages {told}"
