"""What a file was found to be, and what the kinds of input have in common."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from watcherd.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pikepdf

    from tasks.imaging import PageImage
    from tasks.pdfs.existing import OwnText
    from tasks.recognise import PageFacts
    from watcherd.model import Limits

HEAD = 1024
"""Bytes of a file's start that identify it."""

SIDES = 3.0, 14400.0
"""The least and the most that a side of a PDF's page may have, in 1/72 inch."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a file was found to be, as the job's plan keeps it for all pages and outputs."""

    kind: str  # the input's name
    format: str  # "PDF", or Pillow's name
    pages: int
    frames: tuple[int, ...] = ()  # of an image file: the frame of each page, from 0
    signed: bool = False  # a PDF whose signature a change would break
    copied: bool = False  # a readable copy is read instead of the original
    notes: tuple[str, ...] = ()  # what a person should know of it

    def to_json(self) -> dict[str, Any]:
        """Return what plan.json holds of it."""
        return asdict(self)

    @classmethod
    def from_json(cls, table: Any) -> Document | None:
        """Return the document of a plan, None where there is no sound one."""
        try:
            values: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in table.items()
            }
            found = cls(**values)
        except (AttributeError, TypeError):
            return None
        numbers = (found.pages, *found.frames)
        sound = all(isinstance(n, int) and n >= 0 for n in numbers) and found.pages > 0
        return found if sound and (not found.frames or len(found.frames) == found.pages) else None


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that was identified; `copy` writes what is to be read instead of it, if anything."""

    document: Document
    copy: Callable[[Path], None] | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """A kind of file that can be read: what its module in `tasks.inputs` promises.

    All raise Refusal for a document that cannot be done and OSError when the file cannot be read.
    """

    name: str
    is_one: Callable[[bytes], bool]
    """Say from the first `HEAD` bytes whether a file is of this kind."""
    open: Callable[[Path, Limits, Sequence[str]], Opened]
    """Identify the file and count its pages, with no pixels decoded; passwords may open it."""
    read: Callable[[Path, Document, int, Limits], PageImage | OwnText]
    """Return the pixels of a page (from 1), or the text that it has already."""
    sheets: Callable[[Path, Document, Sequence[PageFacts]], AbstractContextManager[pikepdf.Pdf]]
    """Lend a PDF with every page as it was, ready to get its text layer."""


def check_size(width: int, height: int, limits: Limits, page: int) -> None:
    """Raise Refusal `too-large` when a page has more pixels than allowed."""
    if width * height > limits.page_pixels:
        raise Refusal(
            "too-large",
            f"Page {page} has {width} by {height} pixels; "
            f"{limits.page_pixels} are allowed (limits.page_megapixels).",
            page=page,
        )


def check_shape(width: int, height: int, page: int) -> None:
    """Raise Refusal `unsupported` when an image is too thin for any page that PDF allows."""
    if max(width, height) * SIDES[0] > min(width, height) * SIDES[1]:
        raise Refusal(
            "unsupported",
            f"Page {page} is {width} by {height} pixels, a line and no page: "
            "the sides of a PDF's page cannot differ so much.",
            page=page,
        )


def check_count(pages: int, limits: Limits) -> None:
    """Raise Refusal `corrupt` for no pages, `too-large` for more than allowed."""
    if pages < 1:
        raise Refusal("corrupt", "The document has no pages.")
    if pages > limits.pages:
        raise Refusal(
            "too-large", f"The document has more than {limits.pages} pages (limits.pages)."
        )
