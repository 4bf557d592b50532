"""What one stage may cost, held against a decoder that would take more.

The engine has a clock of its own. What is here is for the rest: a decoder in an endless loop,
an image that unfolds into more memory than there is.
"""

from __future__ import annotations

import os
import resource
import signal
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEAT = 1.0
"""Seconds between two signs of life."""

CODE = 64 << 20
"""Bytes of a process that are no data of its own: mapped libraries, 29 to 45 MiB as measured."""

LEAST = 64 << 20
"""Bytes that a page may take of any process: what A4 at 200 dpi takes to be recognised."""


@contextmanager
def memory(total: int) -> Iterator[None]:
    """Let this process have `total` bytes of memory at most, all in all; then `MemoryError`.

    What earlier pages have left counts, so that the promise is one about the machine. One that has
    grown too far gets `LEAST` for a page nonetheless. Native code that does not expect the error
    may crash instead, which ends the attempt as well (RLIMIT_DATA of setrlimit(2)).
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = max(total - CODE, _data_bytes() + LEAST)
    caps = [cap for cap in (soft, hard) if cap != resource.RLIM_INFINITY]
    limit = min([limit, *caps])
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int:
    for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0


@contextmanager
def life(sign: Path, seconds: float, overrun: Callable[[], None]) -> Iterator[None]:
    """Show life by touching `sign` every second; after `seconds` call `overrun` and die.

    Dying is the only way out of native code that does not come back; the worker replaces the
    process.
    """
    over = threading.Event()

    def beat() -> None:
        rounds = 0
        while not over.wait(BEAT):
            rounds += 1
            if rounds * BEAT > seconds:
                with suppress(OSError):
                    overrun()
                os.kill(os.getpid(), signal.SIGKILL)
            with suppress(OSError):  # the job may have been taken away; the work will notice
                os.utime(sign)

    thread = threading.Thread(target=beat, name="life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
