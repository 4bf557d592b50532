"""The searchable PDF: every page as it was, the text layer added."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING, Any

from pikepdf import Array, Dictionary, Name

from tasks import hocr, inputs, textlayer
from tasks.outputs.describe import describe

if TYPE_CHECKING:
    from pathlib import Path

    import pikepdf
    from _typeshed import ReadableBuffer

    from tasks.outputs import Work


def write(work: Work, target: Path) -> tuple[str, ...]:
    """Write the PDF; a signed one is passed on as it is."""
    if work.document.signed:
        shutil.copyfile(work.source, target)  # any change would break the signature
        return ()
    with inputs.of(work.document).sheets(work.source, work.document, work.facts) as pdf:
        add_text(pdf, work)
        describe(pdf, work.meta)
        save(pdf, target)
    return ()


def add_text(pdf: pikepdf.Pdf, work: Work) -> None:
    """Lay the text that was recognised under every page that had none."""
    font: textlayer.Glyphless | None = None
    for page, folder, facts in zip(pdf.pages, work.folders, work.facts, strict=True):
        if facts.text_already_there or not facts.words:
            continue
        font = font or textlayer.Glyphless(pdf)
        lines = hocr.parse((folder / "page.hocr").read_text(encoding="utf-8"))
        name = _add_font(page.obj, font)
        drawn = textlayer.content(lines, facts.matrix, font, name)
        _prepend(page.obj, pdf.make_stream(drawn))
    if font:
        font.finish()


class _Held(io.FileIO):
    """A file that keeps the error of a write to itself: qpdf ends the process on one."""

    error: OSError | None = None

    def fileno(self) -> int:
        """Hide the descriptor: else it is written to without asking us."""
        raise io.UnsupportedOperation

    def write(self, data: ReadableBuffer, /) -> int:
        """Write, or pretend to."""
        if self.error is None:
            try:
                return super().write(data)
            except OSError as error:
                self.error = error
        return memoryview(data).nbytes


def save(pdf: pikepdf.Pdf, target: Path) -> None:
    """Write a PDF; raise OSError where the disk is in the way."""
    raw = _Held(target, "w")
    with io.BufferedWriter(raw) as file:
        pdf.save(file, min_version="1.5", deterministic_id=True)
    if raw.error is not None:
        raise raw.error


def _add_font(page: pikepdf.Object, font: textlayer.Glyphless) -> str:
    """Name the font in the page's resources, which may be inherited or shared: on a copy."""
    node: pikepdf.Object | None = page
    while node is not None and Name.Resources not in node:
        node = node.get("/Parent")
    resources = _copy(node.Resources if node is not None else None)
    fonts = _copy(resources.get("/Font"))
    name = "WatcherdText"
    while f"/{name}" in fonts:
        name += "X"
    fonts[f"/{name}"] = font.object
    resources.Font = fonts
    page.Resources = resources
    return name


def _copy(original: Any) -> Dictionary:
    return Dictionary(dict(original.items()) if isinstance(original, Dictionary) else {})


def _prepend(page: pikepdf.Object, stream: pikepdf.Object) -> None:
    """Put the text below the page's content, where that content's state cannot touch it."""
    old = page.get("/Contents")
    if old is None:
        page.Contents = stream
    else:
        page.Contents = Array([stream, *(old if isinstance(old, Array) else [old])])
