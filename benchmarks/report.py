"""The table of scores, and the verdict: where the service reads worse than a peer. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING

from benchmarks.score import Marks, Place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OURS = ("pdf", "txt")
"""Columns: the text layer of the published PDF, and the text beside it."""

MEASURES = ("char", "recall")

POINT = 0.01
"""How far a file may be below the better peer: the ground truth's own slips are half of that."""

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Row:
    """A file: what was expected of it, what did not come about, and its scores by column."""

    name: str
    kind: str
    problems: tuple[str, ...] = ()
    marks: Mapping[str, Marks | None] = field(default_factory=dict)  # None: the peer refused


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn page: how its words lie in the text layer of our PDF and of a peer's."""

    name: str
    places: Mapping[str, Sequence[Place]]  # by column
    marks: Mapping[str, Marks | None] = field(default_factory=dict)  # of the text as it is copied


@dataclass(frozen=True, slots=True)
class Mean:
    """The means of a measure over the files that a peer reads."""

    peer: str
    measure: str
    files: int
    theirs: float
    ours: Mapping[str, float]  # by column

    @property
    def behind(self) -> bool:
        """Whether one of our columns is below the peer's."""
        return min(self.ours.values()) < self.theirs - _ROUNDING


def table(rows: Sequence[Row], columns: Sequence[str]) -> list[str]:
    """Return the lines of the table, with the means over all files that were scored.

    Where a peer refuses some, the means over those that everybody reads follow.
    """
    width = max(len(row.name) for row in rows)
    head = "".join(f"{name[:9]:>10}" for name in columns)
    lines = [
        f"{'':{width}}  {'':14}{'  character accuracy':{len(head)}}   word recall",
        f"{'file':{width}}  {'expectation':14}{head} |{head}".rstrip(),
    ]
    for row in rows:
        outcome = f"{row.kind} {'UNMET' if row.problems else 'met'}"
        lines.append(f"{row.name:{width}}  {outcome:14}{_cells(row, columns)}".rstrip())
    met = f"{sum(1 for row in rows if not row.problems)} of {len(rows)} met"
    scored = [row for row in rows if row.marks]
    if not scored:
        return [*lines, f"{'':{width}}  {met}"]
    lines.append(f"{_of(scored):{width}}  {met:14}{_cells(_mean_row(scored, columns), columns)}")
    whole = [row for row in scored if None not in row.marks.values()]
    if whole and len(whole) < len(scored):
        cells = _cells(_mean_row(whole, columns), columns)
        lines.append(f"{_of(whole):{width}}  {'':14}{cells}")
    return lines


def _of(rows: Sequence[Row]) -> str:
    return f"mean of {len(rows)}"


def _mean_row(rows: Sequence[Row], columns: Sequence[str]) -> Row:
    """Return the means as a row: where a peer refused files, its mean is of other ones: none."""
    return Row("", "", marks={name: _average(rows, name) for name in columns})


def _cells(row: Row, columns: Sequence[str]) -> str:
    if not row.marks:
        return ""
    halves = []
    for measure in MEASURES:
        marks = [row.marks.get(name) for name in columns]
        halves.append(
            "".join(f"{'-' if m is None else f'{getattr(m, measure):.4f}':>10}" for m in marks)
        )
    return " |".join(halves)


def _average(rows: Sequence[Row], column: str) -> Marks | None:
    """Return the means of a column; None where it lacks a file, or there is none."""
    marks = [mark for row in rows if (mark := row.marks.get(column)) is not None]
    if not marks or len(marks) < len(rows):
        return None
    return Marks(fmean(m.char for m in marks), fmean(m.recall for m in marks))


def means(rows: Sequence[Row], peers: Sequence[str]) -> list[Mean]:
    """Return, for each peer and measure, its mean beside ours over the files that it reads."""
    found = []
    for peer in peers:
        common = [row for row in rows if row.marks.get(peer) is not None]
        theirs, ours = _average(common, peer), {name: _average(common, name) for name in OURS}
        for measure in MEASURES if theirs else ():
            own = {name: getattr(marks, measure) for name, marks in ours.items()}
            found.append(Mean(peer, measure, len(common), getattr(theirs, measure), own))
    return found


def weak(row: Row, peers: Sequence[str]) -> list[str]:
    """Return where a file is more than a point below the better peer, a phrase each."""
    says = []
    for measure in MEASURES:
        theirs = [
            (getattr(mark, measure), peer)
            for peer in peers
            if (mark := row.marks.get(peer)) is not None
        ]
        best, peer = max(theirs, default=(0.0, ""))
        for name in OURS:
            own = getattr(row.marks.get(name), measure, 0.0)
            if own < best - POINT - _ROUNDING:
                says.append(f"{measure} {own:.4f} in the {name}, {peer} {best:.4f}")
    return says


def boxes(drawn: Sequence[Drawn]) -> list[str]:
    """Return the lines that say how the words of drawn pages lie in the text layers."""
    width = max(len(page.name) for page in drawn)
    over = ("ink in text box", "text box on ink", "text in order")
    under = ("mean  worst", "mean  worst", "character accuracy")
    lines = [
        f"{name:{width}}  {'':9}{found:>7}   {one:23}{two:23}{three}"
        for name, found, (one, two, three) in (("word boxes", "found", over), ("", "", under))
    ]
    for page in drawn:
        for column, places in page.places.items():
            found = [place for place in places if place.found]
            share, mark = f"{len(found)}/{len(places)}", page.marks.get(column)
            says = f"{page.name:{width}}  {column:9}{share:>7}   {_spread(found):46}"
            lines.append(says + ("-" if mark is None else f"{mark.char:.4f}"))
    return lines


def _spread(found: Sequence[Place]) -> str:
    if not found:
        return ""
    ink, text = min(found, key=lambda p: p.ink), min(found, key=lambda p: p.text)
    one = f"{fmean(p.ink for p in found):.3f} {ink.ink:.3f} {ink.word}"
    return f"{one:23}{fmean(p.text for p in found):.3f} {text.text:.3f} {text.word}"


def verdict(
    rows: Sequence[Row], drawn: Sequence[Drawn], peers: Sequence[str]
) -> tuple[list[str], bool]:
    """Return the lines of the verdict, and whether all is well.

    A weak file is named and does not spoil the verdict; a mean below the better peer's does, and
    so does an expectation that is not met, or a word that does not lie on its ink at all.
    """
    lines = []
    compared = means(rows, peers)
    for mean in compared:
        own = ", ".join(f"{name} {value:.4f}" for name, value in mean.ours.items())
        lines.append(
            f"mean {mean.measure:6} of the {mean.files} files that {mean.peer} reads: "
            f"{mean.theirs:.4f}, here {own}{'  BEHIND' if mean.behind else ''}"
        )
    read = [*rows, *(Row(page.name, "", marks=page.marks) for page in drawn)]
    lines += [f"weak: {row.name}: {'; '.join(w)}" for row in read if (w := weak(row, peers))]
    wrong = [f"unmet: {row.name}: {'; '.join(row.problems)}" for row in rows if row.problems]
    for page in drawn:
        beside = [p.word for p in page.places["pdf"] if p.found and not p.ink]
        wrong += [f"beside the ink: {page.name}: {' '.join(beside)}"] if beside else []
    return lines + wrong, not wrong and not any(mean.behind for mean in compared)
