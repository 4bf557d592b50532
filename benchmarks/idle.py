"""What the daemon costs when it has nothing to do."""

from __future__ import annotations

import time

from benchmarks.bench import cpu_seconds, folder, running, until

_SECONDS = 30.0
_LIMIT = 0.01


def main() -> None:
    """Print the share of a core that the idle daemon uses."""
    with folder() as root, running(root, "run") as pid:
        until((root / "outbox").is_dir)
        time.sleep(3.0)  # it has just started
        before, start = cpu_seconds(pid), time.perf_counter()
        time.sleep(_SECONDS)
        share = (cpu_seconds(pid) - before) / (time.perf_counter() - start)
    print(f"idle daemon: {share * 100:.2f} % of a core; {share / _LIMIT:.2f} of its limit of 1 %")
