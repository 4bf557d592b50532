"""A document out of its pages' results: one function a format."""

from __future__ import annotations

import io
import json
import re
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pikepdf
from pikepdf import Array, Dictionary, Name

import watcherd
from tasks import embed, hocr, textlayer
from tasks.recognise import PageFacts, read_facts
from watcherd.model import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from _typeshed import ReadableBuffer

    from tasks.source import Document
    from watcherd.model import Options

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_CREATOR = f"watcherd {watcherd.__version__}"


@dataclass(frozen=True, slots=True)
class Meta:
    """What a document is called, and where it comes from."""

    title: str
    source_name: str
    job: str
    sha256: str  # of the original
    when: int  # seconds since 1970; the only time that enters the bytes


@dataclass(frozen=True, slots=True)
class Work:
    """All that a format is made of."""

    source: Path
    document: Document
    folders: tuple[Path, ...]  # a page each: page.json, page.hocr, page.txt
    facts: tuple[PageFacts, ...]
    meta: Meta


def build(
    source: Path,
    document: Document,
    pages: list[Path],
    options: Options,
    meta: Meta,
    into: Path,
) -> dict[str, Path]:
    """Write each format of `options.formats` into the folder `into`; return their files.

    The same pages, source and meta give the same bytes. Raises ValueError when the pages are
    not those of the document, OSError when the disk is in the way.
    """
    if len(pages) != document.pages:
        raise ValueError(f"{len(pages)} results for {document.pages} pages")
    facts = tuple(read_facts(folder) for folder in pages)
    work = Work(source, document, tuple(pages), facts, meta)
    out: dict[str, Path] = {}
    for name in options.formats:
        out[name] = into / f"document.{name}"
        FORMATS[name](work, out[name])
    return out


def write_pdf(work: Work, target: Path) -> None:
    """Write the searchable PDF: every page as it was, the text layer added."""
    if work.document.kind == "image":
        with embed.image_pdf(work.source, work.document) as pdf:
            _place_images(pdf, work)
            _finish(pdf, work, target)
        return
    if work.document.signed and all(facts.text_already_there for facts in work.facts):
        shutil.copyfile(work.source, target)  # any change would break the signature
        return
    with pikepdf.open(work.source) as pdf:
        _finish(pdf, work, target)


def write_txt(work: Work, target: Path) -> None:
    """Write the plain text, a form feed between pages."""
    text = "\f".join((f / "page.txt").read_text(encoding="utf-8") for f in work.folders)
    target.write_text(text, encoding="utf-8")


def write_hocr(work: Work, target: Path) -> None:
    """Write one hOCR file; boxes are in each page's own pixels, as `bbox` of its page says."""
    version = next((facts.version for facts in work.facts if facts.version), "")
    pages = ((f / "page.hocr").read_text(encoding="utf-8") for f in work.folders)
    with target.open("w", encoding="utf-8") as file:
        file.writelines(hocr.document(_clean(work.meta.title), version, pages))


def write_json(work: Work, target: Path) -> None:
    """Write facts, text, and lines with their places, for programs."""
    whole = {
        "schema": SCHEMA,
        **{key: _clean(str(value)) for key, value in asdict(work.meta).items() if key != "when"},
        "when": _when(work.meta).isoformat(),
        "format": work.document.format,
        "pages": [_json_page(work, number) for number in range(len(work.folders))],
    }
    target.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


FORMATS: dict[str, Callable[[Work, Path], None]] = {
    "pdf": write_pdf,
    "txt": write_txt,
    "hocr": write_hocr,
    "json": write_json,
}


def _json_page(work: Work, number: int) -> dict[str, Any]:
    folder = work.folders[number]
    lines = hocr.parse((folder / "page.hocr").read_text(encoding="utf-8"))
    return {
        **asdict(work.facts[number]),
        "text": (folder / "page.txt").read_text(encoding="utf-8"),
        "lines": [
            {
                "text": hocr.line_text(line),
                "bbox": line.box,
                "words": [
                    {"text": w.text, "bbox": w.box, "confidence": w.confidence} for w in line.words
                ],
            }
            for line in lines
        ],
    }


def _place_images(pdf: pikepdf.Pdf, work: Work) -> None:
    for page, facts in zip(pdf.pages, work.facts, strict=True):
        width, height = facts.points
        page.obj.MediaBox = Array([0, 0, round(width, 4), round(height, 4)])
        matrix = embed.placement(facts.orientation, round(width, 4), round(height, 4))
        numbers = " ".join(f"{value:.4f}" for value in matrix)
        page.obj.Contents = pdf.make_stream(f"q\n{numbers} cm\n/Im0 Do\nQ\n".encode())
        for key in (Name.UserUnit, Name.Rotate, Name.CropBox):
            if key in page.obj:
                del page.obj[key]


def _finish(pdf: pikepdf.Pdf, work: Work, target: Path) -> None:
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
    _describe(pdf, work)
    save(pdf, target)


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


def _describe(pdf: pikepdf.Pdf, work: Work) -> None:
    """Say title, origin and job in both places that PDF has for it; a PDF keeps its own title."""
    meta, when = work.meta, _when(work.meta)
    title = str(pdf.docinfo.get("/Title", "")).strip() or _clean(meta.title)
    creator = str(pdf.docinfo.get("/Creator", "")).strip() or _CREATOR
    stamp = f"D:{when:%Y%m%d%H%M%S}Z"
    created = str(pdf.docinfo.get("/CreationDate", "")) or stamp
    pdf.docinfo["/Title"] = title
    pdf.docinfo["/Creator"] = creator
    pdf.docinfo["/CreationDate"] = created
    pdf.docinfo["/ModDate"] = stamp
    pdf.docinfo["/WatcherdSource"] = _clean(meta.source_name)
    pdf.docinfo["/WatcherdJob"] = _clean(meta.job)
    pdf.docinfo["/WatcherdSHA256"] = _clean(meta.sha256)
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as xmp:
        xmp["dc:title"] = title
        xmp["dc:source"] = _clean(meta.source_name)
        xmp["dc:identifier"] = _clean(meta.job)
        xmp["xmp:CreatorTool"] = creator
        xmp["xmp:ModifyDate"] = xmp["xmp:MetadataDate"] = when.isoformat()
        if created == stamp:
            xmp["xmp:CreateDate"] = when.isoformat()


def _when(meta: Meta) -> datetime:
    return datetime.fromtimestamp(meta.when, UTC)


def _clean(text: str) -> str:
    """Return text that XML and PDF can hold; names of files may hold anything."""
    return _UNPRINTABLE.sub("\ufffd", text)
