"""A burst of files, claimed and sealed by the daemon alone."""

from __future__ import annotations

import time

from benchmarks.bench import folder, office_page, running, until

_FILES = 1000
_LEAST = 50.0


def main() -> None:
    """Print files a second, against the goal."""
    with folder() as root:
        data = office_page(root / "page.jpg").read_bytes()
        (root / "inbox").mkdir()
        for number in range(_FILES):
            (root / "inbox" / f"{number:04}.jpg").write_bytes(data)
        work = root / ".watcherd" / "work"
        with running(root, "run", settings=f"ahead = {_FILES}"):
            until(lambda: work.is_dir() and any(work.iterdir()))
            start = time.perf_counter()
            until(lambda: sum(1 for _ in work.glob("*/sealed.json")) >= _FILES, 300)
            rate = _FILES / (time.perf_counter() - start)
    print(f"claimed and sealed: {rate:.0f} files a second; {rate / _LEAST:.1f} x the goal")
