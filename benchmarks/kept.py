"""What the daemon costs while ten thousand originals stay in its inboxes, and nothing happens."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from benchmarks.alone import SCAN, alone, configured
from benchmarks.bench import cpu_seconds, folder, until
from watcherd import claiming, files
from watcherd.jobfiles import b64
from watcherd.lease import fingerprint
from watcherd.model import SCHEMA
from watcherd.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path

_FILES = 10_000
_SECONDS = 60.0  # one rescan is among them
_LIMIT = 0.005


def main() -> None:
    """Print the share of a core of an idle daemon, with events and without."""
    with ExitStack() as stack:
        daemons = {}
        for watch in ("inotify", "scan"):
            root = stack.enter_context(folder())
            _fill(root, watch)
            daemons[watch] = stack.enter_context(alone(root))
        for daemon in daemons.values():
            until(lambda: len(daemon.said("inbox_scanned")) > 0)  # noqa: B023
        time.sleep(20.0)  # they have just started
        before = {watch: cpu_seconds(daemon.pid) for watch, daemon in daemons.items()}
        start = time.perf_counter()
        time.sleep(_SECONDS)
        for watch, daemon in daemons.items():
            share = (cpu_seconds(daemon.pid) - before[watch]) / (time.perf_counter() - start)
            assert daemon.messages() == 0  # none was taken for a new one
            print(
                f"{_FILES} files kept, watch = {watch!r}: {share * 100:.2f} % of a core; "
                f"{share / _LIMIT:.2f} of its limit of 0.5 %"
            )


def _fill(root: Path, watch: str) -> None:
    """Put files into an inbox as if all of them had been taken already."""
    of = configured(root, inbox=f'watch = "{watch}"\noriginals = "keep"').inboxes[0]
    spool = Spool.make(root / ".watcherd")
    for number in range(_FILES):
        path = of.path / f"scan-{number:05}.pdf"
        path.write_bytes(SCAN)
        name = path.name.encode()
        table = {"schema": SCHEMA, "inbox": of.name, "source": b64(name)}
        marker = claiming.kept_marker(spool, of, name, fingerprint(path.lstat()))
        marker.write_bytes(files.to_json(table))


if __name__ == "__main__":
    main()
