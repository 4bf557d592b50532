"""A long document: shared by all cores, and no hindrance to the short ones.

One document of a hundred pages against the same pages as single files; and one-page files, one
after the other, while a book of five hundred pages is in work, against the same on an idle
service.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import img2pdf

from benchmarks.bench import folder, office_page, running, spread, until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PAGES = 100
_BOOK = 500
_FILES = 30
_GOAL = 0.95


def main() -> None:
    """Print the two ratios."""
    with folder() as root:
        pages = [office_page(root / f"{n:03}.jpg", n) for n in range(_PAGES)]
        _shared(root, pages)
    with folder() as root:
        _fair(root, [office_page(root / f"{n:03}.jpg", n) for n in range(20)])


def _shared(root: Path, pages: Sequence[Path]) -> None:
    with running(root):
        until((root / "outbox").is_dir)
        _drop(root, pages[0], "warm")
        start = time.perf_counter()
        for page in pages:
            _put(root, page.name, page.read_bytes())
        single = [root / "outbox" / f"{page.stem}.pdf" for page in pages]
        singles = until(lambda: all(pdf.exists() for pdf in single), 900) - start
        start = time.perf_counter()
        _put(root, "book.pdf", img2pdf.convert([str(page) for page in pages]))
        book = until((root / "outbox" / "book.pdf").exists, 900) - start
    print(f"{_PAGES} files: {singles:.1f} s; one document of as many pages: {book:.1f} s")
    print(f"the document's speed against the files': {singles / book:.2f} (goal {_GOAL})")


def _fair(root: Path, pages: Sequence[Path]) -> None:
    with running(root):
        until((root / "outbox").is_dir)
        _drop(root, pages[0], "warm")
        idle = [_drop(root, pages[n % len(pages)], f"idle-{n}") for n in range(_FILES)]
        many = [str(pages[n % len(pages)]) for n in range(_BOOK)]
        _put(root, "book.pdf", img2pdf.convert(many))
        until(lambda: any((root / ".watcherd").glob("work/*/pages/3")), 120)
        beside = [_drop(root, pages[n % len(pages)], f"beside-{n}") for n in range(_FILES)]
        if (root / "outbox" / "book.pdf").exists():
            raise RuntimeError("the book was done too soon for this to say anything")
    page = sorted(idle)[len(idle) // 2]
    limit = 2 * _p95(idle) + page
    print(f"one-page files, idle:            {spread(idle)}")
    print(f"one-page files, beside the book: {spread(beside)}")
    print(f"p95 against twice the idle p95 and a page: {_p95(beside) / limit:.2f} of {limit:.2f} s")


def _p95(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * 0.95), len(ordered) - 1)]


def _drop(root: Path, page: Path, name: str) -> float:
    start = time.perf_counter()
    _put(root, f"{name}.jpg", page.read_bytes())
    return until((root / "outbox" / f"{name}.pdf").exists, 120) - start


def _put(root: Path, name: str, data: bytes) -> None:
    (root / name).write_bytes(data)
    (root / name).rename(root / "inbox" / name)


if __name__ == "__main__":
    main()
