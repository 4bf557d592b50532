"""The kinds of files that can be read: one module each, and one line here.

A stranger adds a kind by writing a module with an `INPUT` (see `tasks.document.Input`) and
naming it below. What a file is follows from its content: its name is never asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.document import HEAD, Document, Input, Opened
from tasks.inputs import heif, pdf, picture
from watcherd.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from watcherd.model import Limits

INPUTS: tuple[Input, ...] = (
    pdf.INPUT,
    heif.INPUT,
    picture.INPUT,
)
"""Asked in this order; the first that knows a file reads it."""


def open_document(path: Path, limits: Limits, passwords: Sequence[str] = ()) -> Opened:
    """Identify a file by its content and count its pages, from headers alone.

    Pixels are decoded once, by the input's `read`, which refuses those that are cut short.

    Raises Refusal `empty`, `unsupported`, `corrupt`, `encrypted`, `too-large`, and OSError when
    the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise Refusal("empty", "The file has no bytes; send it again.")
    for kind in INPUTS:
        if kind.is_one(head):
            return kind.open(path, limits, passwords)
    raise Refusal("unsupported", "The file is neither a PDF nor an image.")


def of(document: Document) -> Input:
    """Return the input that reads a document; KeyError if no input has that name now."""
    return {kind.name: kind for kind in INPUTS}[document.kind]
