"""A document out of its pages' results: one module a format.

Each has a function `write(work, target)` that makes one file and returns notes for a person, if
there is something to say. The same work gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from tasks.outputs.remarks import Remarks, remarks
from tasks.recognise import PageFacts, read_facts
from watcherd.formats import FORMATS, chosen

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.document import Document
    from watcherd.model import Options


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
    options: Options
    notes: tuple[str, ...] = ()  # of the formats that were written before


class Output(Protocol):
    """A module of this package."""

    def write(self, work: Work, target: Path) -> tuple[str, ...]:
        """Write the file; return notes. Raises OSError when the disk is in the way."""


@dataclass(frozen=True, slots=True)
class Built:
    """What was made."""

    files: dict[str, Path]  # by the format's name
    notes: tuple[str, ...]  # what outputs had to say, such as why one is no PDF/A
    remarks: Remarks


def output(name: str) -> Output:
    """Return the module of a format."""
    return cast("Output", import_module(FORMATS[name][0]))


def build(
    source: Path,
    document: Document,
    pages: list[Path],
    options: Options,
    meta: Meta,
    into: Path,
) -> Built:
    """Write each format of `options.formats` into the folder `into`.

    The same pages, source and meta give the same bytes. Raises ValueError when the pages are
    not those of the document, OSError when the disk is in the way.
    """
    if len(pages) != document.pages:
        raise ValueError(f"{len(pages)} results for {document.pages} pages")
    facts = tuple(read_facts(folder) for folder in pages)
    work = Work(source, document, tuple(pages), facts, meta, options)
    files: dict[str, Path] = {}
    for name in chosen(options.formats):
        files[name] = into / f"document.{FORMATS[name][1]}"
        notes = output(name).write(work, files[name])
        work = replace(work, notes=(*work.notes, *notes))
    return Built(files, work.notes, remarks(document, facts, work.notes, options.review))
