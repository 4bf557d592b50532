"""A hundred thousand files that wait in one inbox while nothing is done about them."""

from __future__ import annotations

from benchmarks.alone import SCAN, Alone, alone, configured
from benchmarks.bench import folder, until

_FILES = 100_000
_MEMORY = 150.0  # MiB
_RESCAN = 1.0
_FIRST = 3.0
_SCANS = 5


def main() -> None:
    """Print memory, rescan and first dispatch against their limits, with events and without."""
    for watch in ("inotify", "scan"):
        with folder() as root:
            configured(root, "rescan = 3", f'watch = "{watch}"')
            for number in range(_FILES):
                (root / "inbox" / f"scan-{number:06}-of-the-month.pdf").write_bytes(SCAN)
            print(f"{_FILES} files wait, watch = {watch!r}", flush=True)
            with alone(root) as daemon:
                _tell("start to dispatch", _first(daemon), _FIRST, "s")
                _tell("slowest rescan", _rescan(daemon), _RESCAN, "s")
                _tell("peak of memory", daemon.peak(), _MEMORY, "MiB")


def _first(daemon: Alone) -> float:
    return until(lambda: daemon.messages() > 0) - daemon.begun


def _rescan(daemon: Alone) -> float:
    until(lambda: len(daemon.said("inbox_scanned")) > _SCANS)
    return max(line["seconds"] for line in daemon.said("inbox_scanned")[1:])


def _tell(what: str, value: float, limit: float, unit: str) -> None:
    print(f"  {what}: {value:.3g} {unit}; {value / limit:.2f} of its limit", flush=True)


if __name__ == "__main__":
    main()
