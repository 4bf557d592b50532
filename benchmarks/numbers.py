"""A scanner that calls every scan the same: its hundred thousandth document against its first.

Of two services one has had all those documents, whose names are taken in its outbox and archive.
Pages are blank, so that the engine has nothing to do.
"""

from __future__ import annotations

import io
import statistics
import time
from typing import TYPE_CHECKING

from PIL import Image

from benchmarks.bench import folder, running, until

if TYPE_CHECKING:
    from pathlib import Path

_TAKEN = 100_000
_DOCUMENTS = 20
_LIMIT = 1.2


def main() -> None:
    """Print both times, and their ratio against its limit."""
    data = io.BytesIO()
    Image.new("L", (1240, 1754), 255).save(data, "JPEG", dpi=(150, 150))
    with folder() as new, folder() as old:
        _take(old)
        with running(new), running(old):
            until((new / "outbox").is_dir)
            pairs = [
                (
                    _seconds(new, f"{n}.jpg", f"{n}.jpg", data.getvalue()),
                    _seconds(old, "scan.jpg", f"scan-{_TAKEN + n}.jpg", data.getvalue()),
                )
                for n in range(1, _DOCUMENTS + 4)
            ][3:]  # the first ones warm the workers
    first, last = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"close to archive:    {first * 1000:.0f} ms under a name that nobody has")
    print(f"under one that {_TAKEN} have: {last * 1000:.0f} ms, {last / first:.2f} times as long")
    print(f"against its limit:   {last / first / _LIMIT:.2f} of {_LIMIT} times")


def _take(root: Path) -> None:
    """Take the names of the first documents."""
    for folder_, ext in ((root / "outbox", "pdf"), (root / "archive", "jpg")):
        folder_.mkdir()
        for number in range(1, _TAKEN + 1):
            (folder_ / (f"scan-{number}.{ext}" if number > 1 else f"scan.{ext}")).touch()


def _seconds(root: Path, name: str, filed: str, data: bytes) -> float:
    """Return the time from a file's coming until its original is in the archive."""
    (root / "page").write_bytes(data)
    (root / "page").rename(root / "inbox" / name)
    start = time.perf_counter()
    return until((root / "archive" / filed).exists) - start


if __name__ == "__main__":
    main()
