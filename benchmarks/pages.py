"""Pages a second on all cores, the whole path, against what else could be used.

The same scanned office pages for all three, at 300 and 600 dpi: dropped into the inbox of a
running service, from the first drop to the last PDF in the outbox; given to OCRmyPDF with its
defaults as one PDF, so that it shares them among the cores; given to the system's tesseract, one
thread and one page each, by `xargs -P`. In turns, so that all see the same machine.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from typing import TYPE_CHECKING

import img2pdf

from benchmarks import peers
from benchmarks.bench import folder, office_page, running, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CORES = len(os.sched_getaffinity(0))
_ROUNDS = 3
_PAGES = {300: 24, 600: 16}
_GOALS = {300: {"OCRmyPDF": 2.0, "tesseract": 1.3}, 600: {"OCRmyPDF": 2.5, "tesseract": 1.8}}


def main() -> None:
    """Print each contestant's pages a second, and how many times as fast the service is."""
    for dpi, count in _PAGES.items():
        with folder() as root:
            _contest(root, dpi, count)


def _contest(root: Path, dpi: int, count: int) -> None:
    pages = [office_page(root / f"{n:03}.jpg", n, dpi) for n in range(count)]
    others: dict[str, Callable[[Path], float]] = {
        "OCRmyPDF": lambda at: _ocrmypdf(pages, at),
        "tesseract": lambda at: _xargs(pages, at),
    }
    for name in [name for name in others if peers.absent(name)]:
        print(f"{name} left out: {peers.absent(name)}")
        del others[name]
    rates: dict[str, list[float]] = {name: [] for name in ("watcherd", *others)}
    with running(root):
        until((root / "outbox").is_dir)
        _drop(root, pages[:CORES], "warm")
        for turn in range(_ROUNDS):
            at = root / f"turn-{turn}"
            at.mkdir()
            rates["watcherd"].append(count / _drop(root, pages, str(turn)))
            for name, run in others.items():
                rates[name].append(count / run(at))
    middle = {name: statistics.median(found) for name, found in rates.items()}
    for name, rate in middle.items():
        print(f"{dpi} dpi, {name + ':':12} {rate:.2f} pages a second on {CORES} cores")
    for name in others:
        ratio, goal = middle["watcherd"] / middle[name], _GOALS[dpi][name]
        print(f"{dpi} dpi, against {name}: {ratio:.2f} times as fast (goal {goal})")


def _drop(root: Path, pages: list[Path], turn: str) -> float:
    """Drop pages as single files; return the seconds until the last of them is out."""
    names = [f"{turn}-{page.name}" for page in pages]
    for page, name in zip(pages, names, strict=True):
        (root / name).write_bytes(page.read_bytes())
    start = time.perf_counter()
    for name in names:
        (root / name).rename(root / "inbox" / name)
    wanted = [root / "outbox" / name.replace(".jpg", ".pdf") for name in names]
    return until(lambda: all(pdf.exists() for pdf in wanted), 600) - start


def _ocrmypdf(pages: list[Path], at: Path) -> float:
    whole = at / "in.pdf"
    whole.write_bytes(img2pdf.convert([os.fspath(page) for page in pages]))
    return _timed([peers.ocrmypdf(), "--jobs", str(CORES), whole, at / "out.pdf"])


def _xargs(pages: list[Path], at: Path) -> float:
    names = at / "pages"
    names.write_text("\n".join(map(os.fspath, pages)))
    line = f"xargs -P{CORES} -I{{}} sh -c 'tesseract {{}} {at}/$(basename {{}}) pdf' < {names}"
    return _timed(["sh", "-c", line])


def _timed(command: list[str | Path]) -> float:
    start = time.perf_counter()
    subprocess.run(
        command, check=True, capture_output=True, env=os.environ | {"OMP_THREAD_LIMIT": "1"}
    )
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
