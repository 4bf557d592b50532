"""A file's pages, read as the stages read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks import inputs, recognise
from watcherd.model import Limits

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.document import Document
    from tasks.recognise import PageFacts
    from watcherd.model import Options


def found(path: Path, limits: Limits | None = None) -> Document:
    """Return what a file is."""
    return inputs.open_document(path, limits or Limits()).document


def page_read(path: Path, page: int = 1, limits: Limits | None = None):
    """Return a page's pixels, or its own text."""
    document = found(path, limits)
    return inputs.of(document).read(path, document, page, limits or Limits())


def recognised(path: Path, page: int, options: Options, into: Path) -> PageFacts:
    """Recognise a page into a folder that exists."""
    return recognise.recognise_page(path, found(path, options.limits), page, options, into)
