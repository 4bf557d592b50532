"""The work of `watcherd ocr`: the tasks' plain functions, in child programs of this command.

Nothing of a document is parsed in the command itself, and its memory and time are held as in a
worker.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from watcherd import files, naming
from watcherd.cli.hands import Pool, pool_of
from watcherd.errors import EnvironmentFault, Refusal

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from tasks.document import Document
    from watcherd.model import Options

_LATEST = 253_402_300_799  # the last second of the year 9999; dates in a PDF have four digits
_GRACE = 10.0


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one file."""

    source: Path
    outputs: tuple[Path, ...] = ()
    problem: str | None = None
    notes: tuple[str, ...] = ()


class Watcher(Protocol):
    """Whoever wants to know how far the work is; called from several threads, one at a time."""

    def planned(self, pages: int) -> None:
        """Hear that a file turned out to have so many pages."""

    def landed(self) -> None:
        """Hear that a page is done."""


def prepare(options: Options) -> None:
    """Make sure that the engine and its languages are here; raise `EnvironmentFault` if not."""
    from tasks.reading import engine  # noqa: PLC0415 - loads Tesseract

    try:
        engine.resolve(options.engine, options.languages)
    except Refusal as refusal:
        raise EnvironmentFault(refusal.reason) from refusal


def work(
    sources: Sequence[Path],
    into: Path | None,
    options: Options,
    passwords: tuple[str, ...],
    hands: int,
    watcher: Watcher,
) -> Generator[Done]:
    """Do the files, `hands` pages at a time, and give each as it is done."""
    with pool_of(hands) as pool, ThreadPoolExecutor(hands) as documents:
        try:
            desk = _Desk(pool, options, passwords, watcher, threading.Lock())
            todo = {documents.submit(desk.document, source, into) for source in sources}
            while todo:
                # Not for ever: Ctrl-C is only noticed by a wait that it hits, or between two.
                done, todo = wait(todo, timeout=0.2, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        except BaseException:  # a person pressed Ctrl-C, or who listened has gone
            pool.abandon()
            documents.shutdown(wait=False, cancel_futures=True)
            raise


@dataclass(frozen=True, slots=True)
class _Desk:
    """What the documents share."""

    pool: Pool
    options: Options
    passwords: tuple[str, ...]
    watcher: Watcher
    lock: threading.Lock

    def document(self, source: Path, into: Path | None) -> Done:
        """Do one file, on a thread of its own."""
        try:
            outputs, notes = self._make(source, into or source.parent)
            return Done(source, tuple(outputs), notes=notes)
        except Refusal as refusal:
            told = refusal.page is None or refusal.reason.startswith("Page")
            where = "" if told else f"page {refusal.page}: "
            return Done(
                source, problem=f"{where}{refusal.reason.rstrip('.')} (code {refusal.code})"
            )
        except OSError as error:
            named = f" ({os.fspath(error.filename)})" if error.filename else ""
            return Done(source, problem=f"{error.strerror or error}{named}")
        except Exception as error:  # one file must not end the others
            return Done(source, problem=f"{type(error).__name__}: {error} (code crashed)")

    def _make(self, source: Path, folder: Path) -> tuple[list[Path], tuple[str, ...]]:
        if not source.is_file():
            source.stat()  # says why, if it is not there
            raise Refusal("unsupported", "It is no regular file.")
        with files.scratch(folder) as private:
            readable = private / "readable"
            document = self.pool.run(_plan, source, self.options, self.passwords, readable)
            with self.lock:
                self.watcher.planned(document.pages)
            sheet = readable if readable.exists() else source
            homes = [private / f"page-{n}" for n in range(1, document.pages + 1)]
            with ThreadPoolExecutor(min(len(self.pool.hands), document.pages)) as readers:
                for _ in readers.map(lambda home: self._page(sheet, document, home), homes):
                    pass
            built = private / "built"
            built.mkdir()
            names, notes = self.pool.run(
                _build, (source, sheet), document, homes, self.options, built
            )
            return place([built / name for name in names], folder, source.name), notes

    def _page(self, source: Path, document: Document, home: Path) -> None:
        home.mkdir()
        number = int(home.name.rpartition("-")[2])
        self.pool.run(_recognise, source, document, number, self.options, home)
        with self.lock:
            self.watcher.landed()


def place(results: Sequence[Path], folder: Path, name: str) -> list[Path]:
    """Give results names after `name` that are free, all with the same number; return them."""
    stem, _ = naming.split(os.fsencode(name))
    n = 0
    while True:
        n += 1
        placed: list[Path] = []
        try:
            for result in results:
                ext = os.fsencode(result.suffix)
                target = folder / os.fsdecode(naming.numbered(stem, ext, n))
                files.rename_noreplace(result, target)
                placed.append(target)
        except FileExistsError:
            for target, result in zip(placed, results, strict=False):
                target.rename(result)
        else:
            return placed


# What the children do


@contextmanager
def _bounds(options: Options, sign: Path, pages: int = 0) -> Iterator[None]:
    """Hold time and memory, as `tasks.stage` does; too long is the end of the child."""
    from tasks import limits  # noqa: PLC0415

    seconds = options.limits.page_seconds + 2.0 * pages + _GRACE
    with limits.life(sign, seconds, lambda: None), limits.memory(options.limits.page_memory):
        yield


def _plan(source: Path, options: Options, passwords: tuple[str, ...], readable: Path) -> Document:
    from tasks import inputs  # noqa: PLC0415

    with _bounds(options, Path(os.devnull)):
        opened = inputs.open_document(source, options.limits, passwords)
        if opened.copy:
            opened.copy(readable)
        return opened.document


def _recognise(source: Path, document: Document, page: int, options: Options, into: Path) -> None:
    from tasks import recognise  # noqa: PLC0415

    with _bounds(options, into):
        recognise.recognise_page(source, document, page, options, into)


def _build(
    sources: tuple[Path, Path],
    document: Document,
    pages: list[Path],
    options: Options,
    into: Path,
) -> tuple[list[str], tuple[str, ...]]:
    """Build the outputs under their final extensions; return their names and notes, PDF last."""
    from tasks import outputs  # noqa: PLC0415

    source, readable = sources
    digest = files.sha256(source.resolve())
    when = int(source.stat().st_mtime)
    name = os.fsencode(source.name)
    meta = outputs.Meta(
        title=naming.display(naming.split(name)[0]),
        source_name=naming.display(name),
        job=f"file-{digest[:14]}",
        sha256=digest,
        when=min(max(when, 0), _LATEST),
    )
    with _bounds(options, into, len(pages)):
        made = outputs.build(readable, document, pages, options, meta, into)
    names = sorted((p.name for p in made.files.values()), key=lambda n: (n.endswith(".pdf"), n))
    return names, made.remarks.notes
