"""A document through every decoder and every output in a program of its own, under its limits.

`python oven.py` reads paths from its standard input, and answers each with a line of JSON: how
it ended, what it took. Each file is done by a fork, so that a crash is seen as one.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tasks import inputs, limits, outputs, recognise
from watcherd.errors import Overrun, Refusal
from watcherd.model import Limits, Options

LIMITS = Limits(page_seconds=30, pages=50)
SECONDS = 90.0
"""After which a file has hung: its pages' limits, and much more."""

MOST_PAGES = 3


@dataclass(frozen=True)
class End:
    """How a file ended: `document`, a refusal's code, an overrun's code, or what went wrong."""

    how: str
    good: bool
    seconds: float
    peak: int  # bytes
    says: str = ""


def baked(path: Path, into: Path) -> tuple[str, str]:
    """Do a file as the stages would; return how it ended and what was said."""
    try:
        opened = inputs.open_document(path, LIMITS)
        if opened.copy:
            opened.copy(into / "readable")
            path = into / "readable"
        pages = []
        for number in range(1, min(opened.document.pages, MOST_PAGES) + 1):
            pages.append(into / str(number))
            pages[-1].mkdir()
            options = Options(limits=LIMITS)
            recognise.recognise_page(path, opened.document, number, options, pages[-1])
        if len(pages) == opened.document.pages:
            meta = outputs.Meta("Fuzz", "in/fuzz", "j-7f3a", "ab" * 32, 1_700_000_000)
            for formats in (("pdf", "txt", "hocr", "json"), ("pdfa",)):
                options = Options(formats=formats, limits=LIMITS)
                outputs.build(path, opened.document, pages, options, meta, into)
    except Refusal as refusal:
        return refusal.code, refusal.reason
    except Overrun as overrun:
        return overrun.code, overrun.reason
    except MemoryError:
        return "too-large", "it needs more memory than allowed"
    return "document", ""


def _child(path: Path, pipe: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder)
        try:
            with limits.memory(LIMITS.page_memory):
                how, says = baked(path, into)
            good = True
        except Exception as error:
            how, says, good = type(error).__name__, str(error), False
    os.write(pipe, json.dumps([how, says[:500], good]).encode())


def _one(path: Path) -> End:
    """Do one file in a fork."""
    read, write = os.pipe()
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        signal.alarm(int(SECONDS))  # whatever hangs ends here
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            _child(path, write)
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        data = pipe.read()
    _, status, usage = os.wait4(pid, 0)
    seconds, peak = time.monotonic() - start, usage.ru_maxrss * 1024
    if not data:
        killed = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else status
        how = "hung" if killed == "SIGALRM" else f"crashed by {killed}"
        return End(how, good=False, seconds=seconds, peak=peak)
    how, says, good = json.loads(data)
    return End(how, good, seconds, peak, says)


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(asdict(_one(Path(line.rstrip("\n"))))) + "\n")
        sys.stdout.flush()
