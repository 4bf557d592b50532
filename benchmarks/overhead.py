"""One-page files, one after the other, on an idle service, and what of it is not recognition.

From the close of the file in the inbox to its PDF in the outbox, less the engine's own time for
that page, measured in this run with the engine warm and the page decoded.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from PIL import Image

from benchmarks.bench import folder, office_page, running, spread, until
from tasks.reading import engine

if TYPE_CHECKING:
    from pathlib import Path

_FILES = 30
_LIMIT = 0.300


def main() -> None:
    """Print engine time, whole time, and the difference against its limit."""
    with folder() as root:
        pairs = _pairs(root, office_page(root / "page.jpg"))
    own, whole = (list(column) for column in zip(*pairs, strict=True))
    extra = [one - other for other, one in pairs]
    print(f"engine alone:       {spread(own)}")
    print(f"close to outbox:    {spread(whole)}, of {_FILES} files")
    print(f"overhead:           {spread(extra)}")
    print(f"against its limit:  {statistics.median(extra) / _LIMIT:.2f} of {_LIMIT * 1000:.0f} ms")


def _pairs(root: Path, page: Path) -> list[tuple[float, float]]:
    """Return engine time and whole time, measured in turns so that both see the same machine."""
    image = Image.open(page)
    image.load()
    data = page.read_bytes()
    with running(root):
        until((root / "outbox").is_dir)
        pairs = [
            (_engine_seconds(image), _whole_seconds(root, f"{number:03}", data))
            for number in range(_FILES + 3)  # the first ones warm engine and workers
        ]
    return pairs[3:]


def _engine_seconds(image: Image.Image) -> float:
    start = time.perf_counter()
    engine.recognise(image, ("eng",), engine="auto", dpi=300, psm=3, seconds=60)
    return time.perf_counter() - start


def _whole_seconds(root: Path, name: str, data: bytes) -> float:
    with (root / "inbox" / f"{name}.jpg").open("wb") as file:
        file.write(data)
    start = time.perf_counter()
    seconds = until((root / "outbox" / f"{name}.pdf").exists) - start
    until((root / "archive" / f"{name}.jpg").exists)
    return seconds
