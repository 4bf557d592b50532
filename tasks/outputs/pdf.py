"""The searchable PDF: every page as it was, the text layer added."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from pikepdf import Array, Stream

from tasks import hocr, inputs, textlayer
from tasks.outputs.describe import describe
from tasks.pdfs.resources import added, free_name, of_page, rotation
from tasks.saving import save

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pikepdf

    from tasks.hocr import Line, Word
    from tasks.outputs import Work
    from tasks.recognise import PageFacts

__all__ = ["add_text", "save", "write"]


def write(work: Work, target: Path) -> tuple[str, ...]:
    """Write the PDF; a signed one is passed on as it is."""
    if work.document.signed:
        shutil.copyfile(work.source, target)  # any change would break the signature
        return ()
    with inputs.of(work.document).sheets(work.source, work.document, work.facts) as pdf:
        describe(pdf, work.meta, laid=add_text(pdf, work))
        save(pdf, target, linearize=work.options.fast_web_view)
    return ()


def add_text(pdf: pikepdf.Pdf, work: Work) -> bool:
    """Lay the text that was recognised under every page that had none; say if there was any."""
    font: textlayer.Glyphless | None = None
    for page, folder, facts in zip(pdf.pages, work.folders, work.facts, strict=True):
        if facts.text_already_there or not facts.words:
            continue
        font = font or textlayer.Glyphless(pdf)
        lines = hocr.parse((folder / "page.hocr").read_text(encoding="utf-8"))
        resources = of_page(page.obj)
        name = free_name(resources, "/Font", "WatcherdText")
        rotate = rotation(page.obj)
        drawn = textlayer.content(_missing(lines, facts), facts.matrix, font, name, rotate=rotate)
        if drawn:
            page.obj.Resources = added(resources, "/Font", {f"/{name}": font.object})
            _prepend(page.obj, pdf.make_stream(drawn))
    if font:
        font.finish()
    return font is not None


def _missing(lines: Iterable[Line], facts: PageFacts) -> Iterator[Line]:
    """Yield the lines without the words that stand on the page as text already."""
    for line in lines:
        words = tuple(word for word in line.words if not _is_kept(word, facts))
        if words:
            yield replace(line, words=words)


def _is_kept(word: Word, facts: PageFacts) -> bool:
    """Tell whether the middle of a word lies on one that the page has itself."""
    a, b, c, d, e, f = facts.matrix
    left, top, right, bottom = word.box
    x, y = (left + right) / 2, (top + bottom) / 2
    x, y = a * x + c * y + e, b * x + d * y + f
    return any(box[0] <= x <= box[2] and box[1] <= y <= box[3] for box in facts.kept)


def _prepend(page: pikepdf.Object, stream: pikepdf.Object) -> None:
    """Put the text below the page's content, where that content's state cannot touch it."""
    old = page.get("/Contents")
    after = old if isinstance(old, Array) else [old] if isinstance(old, Stream) else []
    page.Contents = Array([stream, *after]) if len(after) else stream
