"""What durability costs a document: the service as it is, against one that never waits for a disk.

The peer is the same service with os.fsync made to do nothing, started with a sitecustomize of
this benchmark. Documents take turns between the two, so that both see the same machine.
"""

from __future__ import annotations

import os
import statistics
import time
from typing import TYPE_CHECKING

from benchmarks.bench import folder, office_page, running, until

if TYPE_CHECKING:
    from pathlib import Path

_FILES = 20
_LIMIT = 0.060


def main() -> None:
    """Print the difference of the medians, against its limit."""
    with folder() as durable, folder() as careless:
        data = office_page(durable / "page.jpg").read_bytes()
        (careless / "sitecustomize.py").write_text("import os\nos.fsync = lambda fd: None\n")
        with running(durable):
            before = os.environ.get("PYTHONPATH")
            os.environ["PYTHONPATH"] = str(careless)
            try:
                with running(careless):
                    until((durable / "outbox").is_dir)
                    until((careless / "outbox").is_dir)
                    times = [
                        (_seconds(durable, n, data), _seconds(careless, n, data))
                        for n in range(_FILES + 3)
                    ][3:]
            finally:
                os.environ.pop("PYTHONPATH")
                if before is not None:
                    os.environ["PYTHONPATH"] = before
    one, other = (statistics.median(column) for column in zip(*times, strict=True))
    cost = one - other
    print(f"close to archive: {one * 1000:.0f} ms, without a single fsync {other * 1000:.0f} ms")
    print(f"durability: {cost * 1000:.0f} ms a document; {cost / _LIMIT:.2f} of its limit of 60 ms")


def _seconds(root: Path, number: int, data: bytes) -> float:
    """Return the time from the close of a file to its original in the archive."""
    (root / "inbox" / f"{number:03}.jpg").write_bytes(data)
    start = time.perf_counter()
    return until((root / "archive" / f"{number:03}.jpg").exists) - start
