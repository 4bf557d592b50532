"""The nouns of watcherd, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

SCHEMA = 1
"""Version of everything that is written into a spool."""

EngineName = Literal["auto", "tesserocr", "pytesseract"]
Originals = Literal["archive", "delete", "keep"]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What `lstat` says of a file; two equal ones mean that nobody wrote in between."""

    size: int  # bytes
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What one page may cost."""

    page_seconds: int = 120  # wall clock
    page_pixels: int = 140_000_000  # decoded; A3 at 600 dpi has 70 million, A0 at 300 139
    page_memory: int = 1 << 30  # bytes of the process that does a page, all in all
    pages: int = 5_000  # of one document


@dataclass(frozen=True, slots=True)
class Options:
    """How a document is to be done, as recorded at its claim."""

    languages: tuple[str, ...] = ("eng",)  # Tesseract's names, the main one first
    engine: EngineName = "auto"
    formats: tuple[str, ...] = ("pdf",)  # names of watcherd.formats
    limits: Limits = field(default_factory=Limits)
    review: float = 60.0  # confidence, 0 to 100, below which a page wants a person's eye
    fast_web_view: bool = False


@dataclass(frozen=True, slots=True)
class Try:
    """One started attempt of a stage or page, as its file shows it."""

    key: str  # ocr, page-3, pdf
    life: int  # changes while a worker works on it
    ended: bool  # with an error; one that was killed never ends


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What a job's directory shows; every decision about the job follows from it."""

    source: bool = True  # the original is here
    sealed: bool = False
    pages: int | None = None  # of the landed plan
    landed: frozenset[int] = frozenset()  # pages, from 1
    built: bool = False  # the pdf stage's results
    outcome: str | None = None  # done, failed, cancelled, skipped
    tries: tuple[Try, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """What is said to the workers: a task and a job, for a page its number. No state."""

    task: Literal["ocr", "page", "pdf"]
    job: str
    page: int | None = None

    @property
    def key(self) -> str:
        """The name of its attempts."""
        return self.task if self.page is None else f"page-{self.page}"
